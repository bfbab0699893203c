/** Takes Holdfast off the machines of a cluster. The data stays where it is. Can be repeated, also when the first run was interrupted. */
import type { Configuration } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { quoted, type Transport } from '../ssh/index.ts';
import { openAgent } from './agent-link.ts';
import type { InstallEvent, PlannedStep } from './apply-options.ts';
import { mustRun } from './host-steps.ts';
import { mountScript, oursScript } from './mount-script.ts';
import { allUnits, layout } from './layout.ts';
import { connectAll, machinesOf, noQuestions, probeHost, type Connect } from './machines.ts';
import { withInstallLock } from './lock.ts';
import type { Probe } from './probe.ts';
import { mustGet } from './survey.ts';
import { distrustScript } from './trust.ts';

export interface UninstallOptions {
  readonly configuration: Configuration;
  readonly connect: Connect;
  readonly programVersion: string;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: (event: InstallEvent) => void;
}

export interface UninstallOutcome {
  /** Machines from which something was removed. */
  readonly removedFrom: readonly string[];
}

const withdrawTimeoutMs = 180_000;

/** Stops the modules and uncovers the directories, by the agent itself as long as it answers. */
async function withdraw(transport: Transport, options: UninstallOptions): Promise<void> {
  const limit = AbortSignal.timeout(withdrawTimeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  const { client } = await openAgent(transport, options.programVersion, signal);
  try {
    await client.call('withdraw', {}, signal);
  } finally {
    client.close();
  }
}

/** What the kernel guards would stay cut off for ever, with nobody to renew it. */
const removeGuards =
  "for table in 'inet holdfast' 'arp holdfast' 'inet holdfast_applications'; do nft delete table $table 2>/dev/null || true; done";

/** What the agent would have done, when there is none that answers: units stopped, covers and mounts of ours away, records removed. */
function forceWithdrawScript(probe: Probe): string {
  const paths = (probe.installed.record?.modules ?? []).flatMap((module) => module.volumes.map(({ path }) => path));
  const clear = paths.map((path) => {
    const directory = quoted(path);
    return `while ours "$(mounted ${directory})"; do umount -l ${directory} || break; done
if ours "$(mounted ${directory})"; then echo ${quoted(`${path} is still covered`)} >&2; exit 1; fi
rm -rf ${directory}/.holdfast`;
  });
  return `${mountScript}
${oursScript}
mounted() { mount_at "$1" < /proc/self/mountinfo; }
systemctl stop ${allUnits.join(' ')} 2>/dev/null || true
${removeGuards}
${clear.join('\n')}`;
}

function removeNodeScript(): string {
  const units = allUnits.map((unit) => `${layout.units}/${unit}`).join(' ');
  return `for unit in ${allUnits.join(' ')}; do
  [ -f ${layout.units}/$unit ] || continue
  systemctl disable --quiet --now $unit || true
done
${removeGuards}
rm -f ${units}
rmdir ${layout.units}/basic.target.wants 2>/dev/null || true
systemctl daemon-reload
systemctl reset-failed ${allUnits.join(' ')} 2>/dev/null || true
${distrustScript}
rm -f ${layout.command}
rm -rf ${layout.home} ${layout.configuration} ${layout.state} ${layout.run}`;
}

/** A witness may serve other clusters: then only this one's secret goes. */
function removeWitnessScript(clusterUuid: string | null): string {
  const own = clusterUuid === null ? '' : `rm -f ${layout.witnessSecrets}/${clusterUuid}.secret\n`;
  return `${own}if [ ! -f ${layout.nodeRecord} ] && [ -z "$(ls -A ${layout.witnessSecrets} 2>/dev/null)" ]; then
${removeNodeScript()}
fi`;
}

function isInstalled(probe: Probe): boolean {
  const { installed } = probe;
  return (
    installed.agents.length > 0 ||
    installed.runtimes.length > 0 ||
    installed.current !== null ||
    installed.node !== null ||
    installed.record !== null ||
    installed.scriptSha256 !== null ||
    Object.keys(installed.units).length > 0 ||
    Object.keys(installed.witnessSecrets).length > 0
  );
}

/** Faults: those of connecting, installation-running-elsewhere, belongs-to-another-cluster, and those of the steps. */
export async function uninstallCluster(options: UninstallOptions): Promise<UninstallOutcome> {
  const machines = machinesOf(options.configuration);
  const transports = await connectAll(machines, options.connect, options.signal);
  try {
    const nodes = options.configuration.nodes.map(({ name }) => ({ name, transport: mustGet(transports, name) }));
    return await withInstallLock(nodes, options.signal, (signal) => remove({ ...options, signal }, transports));
  } finally {
    for (const transport of transports.values()) transport.close();
  }
}

async function remove(
  options: UninstallOptions,
  transports: ReadonlyMap<string, Transport>,
): Promise<UninstallOutcome> {
  const machines = machinesOf(options.configuration);
  const emit = (event: InstallEvent): void => options.onEvent?.(event);
  const step = async (planned: PlannedStep, action: () => Promise<void>): Promise<void> => {
    options.signal?.throwIfAborted();
    emit({ kind: 'step-started', step: planned });
    await action();
    emit({ kind: 'step-done', step: planned });
  };
  const found = await Promise.all(
    machines.map(async (machine) => {
      const transport = mustGet(transports, machine.name);
      const { probe } = await probeHost(machine.name, transport, noQuestions, options.signal);
      return { ...machine, transport, probe };
    }),
  );
  const nodes = found.filter((machine) => machine.role === 'node');
  for (const { name, probe } of nodes) {
    const other = probe.installed.record?.cluster;
    if (other !== undefined && other !== options.configuration.cluster) {
      throw new Fault(
        'belongs-to-another-cluster',
        { message: `${name} belongs to the cluster ${other}.`, remedy: `Use the configuration of ${other}.` },
        { node: name, cluster: other },
      );
    }
  }
  const installed = found.filter((machine) => isInstalled(machine.probe));
  const clusterUuid =
    nodes.map((node) => node.probe.installed.record?.clusterUuid).find((id) => id !== undefined) ?? null;

  // The secondary's application is not there: primaries last would start the module on the other node. Both at once.
  await Promise.all(
    nodes
      .filter((node) => installed.includes(node))
      .map((node) =>
        step(
          {
            id: `${node.name}/withdraw`,
            host: node.name,
            kind: 'withdraw',
            facts: {},
            title: `Stop the modules and free the directories on ${node.name}`,
          },
          async () => {
            const active = node.probe.installed.units['holdfastd.service']?.active === true;
            if (active && node.probe.installed.record !== null) {
              try {
                await withdraw(node.transport, options);
                return;
              } catch (error) {
                options.signal?.throwIfAborted();
                const { code } = Fault.from(error);
                // What the agent refuses with a reason is a reason; one that does not answer is worked around.
                if (!['agent-not-answering', 'version-skew', 'connection-lost', 'aborted', 'internal'].includes(code))
                  throw error;
              }
            }
            await mustRun(node.transport, forceWithdrawScript(node.probe), {
              timeoutMs: withdrawTimeoutMs,
              signal: options.signal,
            });
          },
        ),
      ),
  );
  await Promise.all(
    installed.map((machine) =>
      step(
        {
          id: `${machine.name}/remove`,
          host: machine.name,
          kind: 'remove',
          facts: {},
          title: `Remove Holdfast from ${machine.name}`,
        },
        async () => {
          const script = machine.role === 'node' ? removeNodeScript() : removeWitnessScript(clusterUuid);
          await mustRun(machine.transport, script, { signal: options.signal, timeoutMs: withdrawTimeoutMs });
        },
      ),
    ),
  );
  return { removedFrom: installed.map((machine) => machine.name) };
}
