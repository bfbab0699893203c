/** Does the ping witness answer both nodes, and is it somebody else? Tried out. */
import { failed, passed, remarked, type Check, type ProbedMachine } from './check.ts';
import { callScript, parseCalled } from './reach-script.ts';
import type { ReachableMachine } from './reach.ts';

const title = 'Ping witness';

/** Faults: those of the transports. */
export async function tryPingWitness(
  machines: readonly ReachableMachine[],
  address: string | null,
  signal: AbortSignal | undefined,
): Promise<Check[]> {
  if (address === null) return [];
  const nodes = machines.filter(({ role }) => role === 'node');
  return await Promise.all(
    nodes.map(async (node) => {
      const { stdout } = await node.transport.command(callScript([], [address]), { signal });
      return pingWitnessCheck(node, address, parseCalled(stdout).ping[address] ?? null);
    }),
  );
}

/** Pure. A remark only: a router that is off for a while must not keep anybody from installing. */
export function pingWitnessCheck({ name, probe }: ProbedMachine, address: string, pingMs: number | null): Check {
  const facts = { address };
  if (probe.addresses.some((one) => one.address === address))
    return failed(
      'ping-witness-own',
      name,
      title,
      {
        what: `${address} is an address of ${name} itself`,
        why: 'A server always answers its own pings: it would never notice that it is cut off.',
        remedy: 'Name what neither server is and both reach: the router of the network of the clients.',
      },
      facts,
    );
  if (pingMs === null)
    return remarked(
      'ping-witness-unanswered',
      name,
      title,
      {
        what: `${address} does not answer the pings of ${name}`,
        why: 'A server that reaches neither it nor the other server starts nothing and stops what it runs.',
        remedy: 'Let it answer pings (ICMP echo), or name another address that always answers.',
      },
      facts,
    );
  return passed('ping-witness', name, title, `${address} answers ${name}, ${pingMs} ms`, { ...facts, pingMs });
}
