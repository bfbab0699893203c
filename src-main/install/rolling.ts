/** Replacing the agent of a node while its cluster runs: applications are moved away before, and the node is a full partner again after. */
import type { ClusterRecord } from '../../agent/contract/configuration.ts';
import type { NodeStatus } from '../../agent/contract/status.ts';
import type { AgentLinks } from './agent-links.ts';

const moveTimeoutMs = 180_000;
const resyncTimeoutMs = 3_600_000;

function runsHere(state: string): boolean {
  return state === 'primary' || state === 'alone';
}

/** Swaps to a partner that is ready; what cannot be moved is stopped. Returns what was stopped, to be started again. */
export async function makeRoom(
  links: AgentLinks,
  node: string,
  peer: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const status = await links.statusOrNull(node);
  const stopped: string[] = [];
  for (const module of status?.modules ?? []) {
    if (!runsHere(module.own.state)) continue;
    signal?.throwIfAborted();
    const partner = (await links.statusOrNull(peer))?.modules.find((other) => other.name === module.name)?.own;
    const ready = partner?.state === 'secondary' && partner.data === 'up-to-date';
    const { name } = module;
    if (ready) {
      await links.swap(node, name);
      await links.until(peer, `Moving ${name} to ${peer}`, moveTimeoutMs, (other) =>
        other.modules.some((one) => one.name === name && runsHere(one.own.state)),
      );
    } else {
      await links.stop(node, name);
      stopped.push(name);
    }
    await links.until(node, `Stopping ${name} on ${node}`, moveTimeoutMs, (own) =>
      own.modules.every((one) => one.name !== name || (!runsHere(one.own.state) && one.own.state !== 'transient')),
    );
  }
  return stopped;
}

/** Only what was protected before, so that an upgrade of a cluster that was not does not wait for ever. */
export async function waitUntilProtected(
  links: AgentLinks,
  node: string,
  record: ClusterRecord,
  before: NodeStatus | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { name } of record.modules) {
    const was = before?.modules.find((module) => module.name === name);
    if (was?.protected !== true) continue;
    signal?.throwIfAborted();
    await links.until(node, `Bringing ${name} back to protection`, resyncTimeoutMs, (status) =>
      status.modules.some((module) => module.name === name && module.protected),
    );
  }
}
