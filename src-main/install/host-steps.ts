/** Carries out the steps of one host. Each can be repeated, and an interruption in the middle of any leaves what the next run finishes. */
import { z } from 'zod';
import { clusterRecordSchema } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { quoted, type Transport } from '../ssh/index.ts';
import { commandScript, layout, runtimeProgram } from './layout.ts';
import { packageSource, type Package } from './packages.ts';
import type { HostStep } from './plan.ts';
import { sha256Hex } from './probe.ts';
import { labelScript, trustScript } from './trust.ts';
import { unitsOf, type UnitTexts } from './unit-files.ts';

/**
 * What an apply is about to make of the cluster, on every node before the first of them is told: an interrupted apply goes on with the same
 * identities and the same good copies. Removed when it has ended.
 */
export const intentionSchema = z.object({ record: clusterRecordSchema, good: z.record(z.string(), z.string()) });
export type Intention = z.infer<typeof intentionSchema>;
export const intentionFile = `${layout.configuration}/intention.json`;

export interface HostContext {
  readonly transport: Transport;
  readonly role: 'node' | 'witness';
  readonly runtime: Package;
  readonly agent: Package;
  readonly units: UnitTexts;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes: (doneBytes: number, totalBytes: number) => void;
  /** Known when `join` begins. */
  readonly cluster: {
    readonly secret: string;
    readonly clusterUuid: string;
    readonly peer: { readonly name: string; readonly certificate: string } | null;
  };
}

/** A script as root that must succeed; its last words become the fault. */
export async function mustRun(
  transport: Transport,
  script: string,
  options: {
    readonly input?: string | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly timeoutMs?: number;
  } = {},
): Promise<string> {
  const { input, signal, timeoutMs } = options;
  const result = await transport.command(`set -e\n${script}`, {
    elevated: true,
    signal,
    ...(input === undefined ? {} : { input }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  if (result.code === 0) return result.stdout;
  const words = result.stderr.trim().split('\n').slice(-3).join(' ');
  if (/No space left|Disk quota/i.test(words)) {
    throw new Fault(
      'disk-full',
      { message: `The disk of ${transport.host} is full.`, remedy: 'Make room there and start again.' },
      { host: transport.host, said: words },
    );
  }
  throw new Fault(
    'command-failed',
    {
      message: `A step of the installation failed on ${transport.host}: ${words === '' ? `exit ${result.code ?? 'by signal'}` : words}`,
    },
    { host: transport.host },
  );
}

/**
 * Content goes through stdin: never visible in a process list. Whole or not at all: a connection that is lost in the middle ends the input
 * early, which `cat` takes for the end of the file, so the sum decides. On disk before it gets its name.
 */
function writeScript(file: string, mode: string, sha256: string): string {
  const temporary = quoted(`${file}.new`);
  return `umask 077; cat > ${temporary}
[ "$(sha256sum < ${temporary} | cut -d ' ' -f 1)" = ${sha256} ] || { rm -f ${temporary}; echo 'the content did not arrive whole' >&2; exit 1; }
chmod ${mode} ${temporary}; sync ${temporary}; mv -f ${temporary} ${quoted(file)}`;
}

export async function writeFile(
  context: Pick<HostContext, 'transport' | 'signal'>,
  file: string,
  mode: string,
  content: string,
): Promise<void> {
  const script = writeScript(file, mode, sha256Hex(content));
  await mustRun(context.transport, script, { input: content, signal: context.signal });
}

const unpackTimeoutMs = 300_000;

async function place(context: HostContext, archived: Package, parent: string): Promise<void> {
  const { transport, signal } = context;
  const target = `${parent}/${archived.id}`;
  const upload = `${layout.uploads}/${archived.kind}-${archived.id}.tar.gz`;
  await mustRun(
    transport,
    `umask 022; mkdir -p ${layout.home} ${parent} ${layout.uploads}; chmod 755 ${layout.home} ${parent}; chmod 700 ${layout.uploads}`,
    { signal },
  );
  try {
    await transport.copy(packageSource(archived), upload, { elevated: true, signal, onProgress: context.onBytes });
    await mustRun(
      transport,
      `umask 022; rm -rf ${target}.new; mkdir ${target}.new
trap 'rm -rf ${target}.new' EXIT
cd ${target}.new
gzip -dc ${quoted(upload)} | tar -xf - --no-same-owner
sha256sum -c --quiet SHA256SUMS
chown -R 0:0 .; chmod 755 .
[ ! -f ${runtimeProgram} ] || ln -s ${runtimeProgram} node
${labelScript}
for f in * bin/*; do [ ! -f "$f" ] || sync "$f"; done
cd /; rm -rf ${target}; mv ${target}.new ${target}
rm -f ${quoted(upload)}
${trustScript(`${target}/`)}`,
      { signal, timeoutMs: unpackTimeoutMs },
    );
  } catch (error) {
    const fault = Fault.from(error);
    // Room for the person who has to make some: nothing of the attempt stays.
    if (fault.code === 'disk-full') {
      await mustRun(
        transport,
        `rm -rf ${layout.uploads} ${target}.new; rmdir ${parent} ${layout.home} 2>/dev/null || true`,
        { signal },
      );
    }
    throw fault;
  }
}

function nodeProgram(context: HostContext): { node: string; bundle: string } {
  return {
    node: `${layout.runtimes}/${context.runtime.id}/node`,
    bundle: `${layout.agents}/${context.agent.id}/holdfast.mjs`,
  };
}

async function makeKeys(context: HostContext, name: string): Promise<void> {
  const { node, bundle } = nodeProgram(context);
  await mustRun(
    context.transport,
    `umask 022; mkdir -p ${layout.configuration}; chmod 755 ${layout.configuration}
${node} --version >/dev/null
unset NODE_OPTIONS; ${node} --disable-warning=ExperimentalWarning ${bundle} keys make --node ${quoted(name)}`,
    { signal: context.signal },
  );
}

async function joinCluster(context: HostContext, name: string): Promise<void> {
  const { cluster, transport, signal } = context;
  if (cluster.peer === null) throw new Fault('internal', { message: 'a node joins without a peer' });
  await mustRun(
    transport,
    `umask 022; mkdir -p ${layout.peers}; chmod 755 ${layout.configuration} ${layout.peers}; mkdir -p ${layout.state}; chmod 700 ${layout.state}`,
    { signal },
  );
  await writeFile(context, `${layout.peers}/${cluster.peer.name}.crt`, '0644', cluster.peer.certificate);
  await writeFile(context, layout.clusterSecret, '0600', `${cluster.secret}\n`);
  // The name last: with it the node counts as joined.
  await writeFile(context, layout.nodeRecord, '0644', `${JSON.stringify({ format: 1, node: name })}\n`);
}

async function admitCluster(context: HostContext): Promise<void> {
  await mustRun(
    context.transport,
    `umask 022; mkdir -p ${layout.configuration} ${layout.state}; chmod 755 ${layout.configuration}; chmod 700 ${layout.state}; mkdir -p ${layout.witnessSecrets}; chmod 700 ${layout.witnessSecrets}`,
    { signal: context.signal },
  );
  await writeFile(
    context,
    `${layout.witnessSecrets}/${context.cluster.clusterUuid}.secret`,
    '0600',
    `${context.cluster.secret}\n`,
  );
}

/** By rename of a new link: at every instant one whole version is in place. */
async function switchVersion(context: HostContext): Promise<void> {
  const link = (target: string, name: string): string => `ln -sfn ${target} ${name}.new; mv -fT ${name}.new ${name}`;
  await mustRun(
    context.transport,
    `${link(`${layout.runtimes}/${context.runtime.id}`, layout.node)}
${link(`${layout.agents}/${context.agent.id}`, layout.current)}
mkdir -p ${layout.command.replace(/\/[^/]*$/, '')}`,
    { signal: context.signal },
  );
  await writeFile(context, layout.command, '0755', commandScript);
  await mustRun(context.transport, trustScript(layout.command), { signal: context.signal });
}

async function writeUnits(context: HostContext): Promise<void> {
  const units = unitsOf(context.role);
  for (const unit of units) await writeFile(context, `${layout.units}/${unit}`, '0644', context.units[unit]);
  await mustRun(context.transport, `systemctl daemon-reload; systemctl enable --quiet ${units.join(' ')}`, {
    signal: context.signal,
  });
}

const startTimeoutMs = 150_000;

async function startUnits(context: HostContext): Promise<void> {
  const units = unitsOf(context.role);
  const script = units
    .map(
      (unit) =>
        `systemctl restart ${unit} || { echo "$(journalctl -q --no-pager -n 5 -o cat -u ${unit})" >&2; exit 1; }`,
    )
    .join('\n');
  try {
    await mustRun(context.transport, script, { signal: context.signal, timeoutMs: startTimeoutMs });
  } catch (error) {
    const fault = Fault.from(error);
    if (fault.code !== 'command-failed') throw fault;
    throw new Fault(
      'agent-does-not-start',
      {
        message: `The agent does not start on ${context.transport.host}. ${fault.message}`,
        remedy: 'Look at `journalctl -u holdfastd -u holdfast-replicator` there.',
      },
      { host: context.transport.host },
      fault,
    );
  }
}

export async function runHostStep(context: HostContext, step: HostStep): Promise<void> {
  switch (step.kind) {
    case 'upload-runtime':
      await place(context, context.runtime, layout.runtimes);
      await checkRuntime(context);
      break;
    case 'upload-agent':
      await place(context, context.agent, layout.agents);
      break;
    case 'make-keys':
      await makeKeys(context, step.host);
      break;
    case 'create-directory':
      await createDirectory(context, step);
      break;
    case 'join-cluster':
      await joinCluster(context, step.host);
      break;
    case 'admit-cluster':
      await admitCluster(context);
      break;
    case 'switch-version':
      await switchVersion(context);
      break;
    case 'write-units':
      await writeUnits(context);
      break;
    case 'start-units':
      await startUnits(context);
      break;
  }
}

async function createDirectory(context: HostContext, step: HostStep): Promise<void> {
  if (!step.directory) return;
  const { path, owner, mode, label } = step.directory;
  const directory = quoted(path);
  // The application finds there what it finds on the other server; a label that this one does not know was told by the checks.
  const labelled = label === null ? '' : `; [ ! -e /sys/fs/selinux/enforce ] || chcon ${quoted(label)} ${directory}`;
  await mustRun(
    context.transport,
    `mkdir -p ${directory}; chown ${owner} ${directory}; chmod ${mode} ${directory}${labelled}`,
    { signal: context.signal },
  );
}

/** A runtime that does not run here (a library too old) is found before anything is built on it. */
async function checkRuntime(context: HostContext): Promise<void> {
  const { node } = nodeProgram(context);
  const result = await context.transport.command(`${node} --version`, { elevated: true, signal: context.signal });
  if (result.code === 0) return;
  await mustRun(context.transport, `rm -rf ${layout.runtimes}/${context.runtime.id}`, { signal: context.signal });
  throw new Fault(
    'runtime-does-not-run',
    {
      message: `The Node runtime does not run on ${context.transport.host}: ${result.stderr.trim().split('\n').at(-1) ?? ''}`,
      remedy: 'Install the library that is named here (libstdc++ and libgcc come with every usual distribution).',
    },
    { host: context.transport.host },
  );
}

/** Former versions go when the new one has answered. */
export async function removeOldVersions(context: HostContext): Promise<void> {
  const removeOthers = (parent: string, keep: string): string =>
    `for d in ${parent}/*; do [ "$d" = ${quoted(`${parent}/${keep}`)} ] || rm -rf "$d"; done`;
  await mustRun(
    context.transport,
    `${removeOthers(layout.agents, context.agent.id)}
${removeOthers(layout.runtimes, context.runtime.id)}
rm -rf ${layout.uploads}
${trustScript(`${layout.home}/`)}`,
    { signal: context.signal },
  );
}

/** The new version does not start: back to the one that did. */
export async function returnToVersion(
  context: HostContext,
  before: { readonly agent: string; readonly runtime: string },
): Promise<void> {
  await mustRun(
    context.transport,
    `ln -sfn ${layout.runtimes}/${before.runtime} ${layout.node}.new; mv -fT ${layout.node}.new ${layout.node}
ln -sfn ${layout.agents}/${before.agent} ${layout.current}.new; mv -fT ${layout.current}.new ${layout.current}`,
  );
  await startUnits(context);
}
