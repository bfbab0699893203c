/** Do the servers reach each other, on each network, on the ports that the agents use? Tried out, in both directions. */
import { ports } from '../../agent/contract/configuration.ts';
import type { Transport } from '../ssh/index.ts';
import { failed, passed, remarked, type Check, type ProbedMachine } from './check.ts';
import {
  callScript,
  listenScript,
  parseCalled,
  parseHeard,
  passageFacts,
  passageOf,
  type Called,
  type Endpoint,
  type Heard,
  type Passage,
} from './reach-script.ts';
import { nodeAddress, networksOf } from './resolve.ts';

type Network = Passage['network'];

export interface ReachableMachine extends ProbedMachine {
  readonly transport: Transport;
}

interface Place {
  readonly machine: ReachableMachine;
  readonly network: Network;
  readonly address: string;
}

const listenSeconds = 8;
const nobody: Called = { tcp: {}, ping: {} };

function endsOf({ machine, address }: Place): Endpoint[] {
  return machine.role === 'node'
    ? [
        { protocol: 'tcp', address, port: ports.peerLink },
        { protocol: 'udp', address, port: ports.heartbeat },
      ]
    : [{ protocol: 'udp', address, port: ports.witness }];
}

/** Listens until `call` is done. */
async function listening(
  machine: ReachableMachine,
  ends: readonly Endpoint[],
  signal: AbortSignal | undefined,
  call: () => Promise<void>,
): Promise<Heard> {
  const stream = await machine.transport.connect(listenScript(ends, listenSeconds), { signal });
  let text = '';
  const ready = Promise.withResolvers<undefined>();
  const ended = new Promise<void>((resolve) => stream.once('close', resolve));
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    if (/^(ready|none)$/m.test(text)) ready.resolve(undefined);
  });
  stream.resume();
  try {
    await Promise.race([ready.promise, ended]);
    await call();
    stream.end();
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1000))]);
    return parseHeard(text);
  } finally {
    stream.destroy();
  }
}

function placesOf(
  machines: readonly ReachableMachine[],
  named: readonly Network[],
  vips: readonly string[],
): { nodes: Place[]; witness: Place[] } {
  const nodes = machines.filter(({ role }) => role === 'node');
  const networks = networksOf(named, nodes);
  const onNetworks = (machine: ReachableMachine): Place[] =>
    networks.flatMap((network) => {
      const address = nodeAddress(machine, network.subnet, vips);
      return address === null ? [] : [{ machine, network, address }];
    });
  const witness = machines.find(({ role }) => role === 'witness');
  if (!witness) return { nodes: nodes.flatMap(onNetworks), witness: [] };
  const near = onNetworks(witness).slice(0, 1);
  const { sshAddress } = witness.probe;
  const elsewhere =
    sshAddress === null
      ? []
      : [{ machine: witness, network: { name: 'witness', subnet: sshAddress }, address: sshAddress }];
  return { nodes: nodes.flatMap(onNetworks), witness: near.length > 0 ? near : elsewhere };
}

/** Every passage that the cluster is to use. Faults: those of the transports. */
export async function tryPassages(
  machines: readonly ReachableMachine[],
  named: readonly Network[],
  vips: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Passage[]> {
  const nodes = machines.filter(({ role }) => role === 'node');
  if (nodes.length < 2) return [];
  const places = placesOf(machines, named, vips);
  const targets = [...places.nodes, ...places.witness];
  const targetsOf = (from: ReachableMachine): Place[] =>
    targets.filter(({ machine, network }) => {
      if (machine.name === from.name) return false;
      return (
        machine.role === 'witness' || places.nodes.some((place) => place.machine === from && place.network === network)
      );
    });
  const called = new Map<string, Called>();
  let go: () => Promise<void> = async () => {
    await Promise.all(
      nodes.map(async (from) => {
        const ends = targetsOf(from);
        const script = callScript(
          ends.flatMap(endsOf),
          ends.map(({ address }) => address),
        );
        const { stdout } = await from.transport.command(script, { signal });
        called.set(from.name, parseCalled(stdout));
      }),
    );
  };
  const heard = new Map<string, Heard>();
  // Everybody listens before anybody calls.
  for (const machine of machines) {
    const ends = targets.filter((place) => place.machine === machine).flatMap(endsOf);
    if (ends.length === 0) continue;
    const inner = go;
    go = async () => {
      heard.set(machine.name, await listening(machine, ends, signal, inner));
    };
  }
  await go();
  return nodes.flatMap((from) =>
    targetsOf(from).map((place) =>
      passageOf(
        { network: place.network, from: from.name, to: place.machine.name, address: place.address },
        endsOf(place),
        called.get(from.name) ?? nobody,
        heard.get(place.machine.name) ?? { listened: false, busy: [], heard: [] },
        from.probe.addresses.map(({ address }) => address),
      ),
    ),
  );
}

/** Every change that the application makes durable waits for one of these. */
const slowPingMs = 10;

function firewallRemedy(machine: ProbedMachine | undefined): { text: string; firewall: string; command: string } {
  const open =
    machine?.role === 'witness' ? [`${ports.witness}/udp`] : [`${ports.peerLink}/tcp`, `${ports.heartbeat}/udp`];
  const active = machine?.probe.activeUnits ?? [];
  if (active.includes('firewalld')) {
    const command = `firewall-cmd --permanent ${open.map((port) => `--add-port=${port}`).join(' ')} && firewall-cmd --reload`;
    return { firewall: 'firewalld', command, text: `Open the ports there: ${command}` };
  }
  if (active.includes('ufw')) {
    const command = open.map((port) => `ufw allow ${port}`).join(' && ');
    return { firewall: 'ufw', command, text: `Open the ports there: ${command}` };
  }
  return {
    firewall: '',
    command: '',
    text: `Let ${open.join(' and ')} through in the firewall there, and in those between the servers.`,
  };
}

function checkOf(passage: Passage, to: ProbedMachine | undefined): Check {
  const { network, from, address, pingMs, tcp, udp } = passage;
  const facts = passageFacts(passage);
  const witness = to?.role === 'witness';
  const title = witness ? 'Way to the witness' : `Network ${network.name}`;
  const silent = pingMs === null && tcp !== 'ok' && udp !== 'ok';
  const blocked = [
    ...(tcp === 'refused' || tcp === 'silent' ? [`TCP ${ports.peerLink}`] : []),
    ...(udp === 'silent' ? [`UDP ${witness ? ports.witness : ports.heartbeat}`] : []),
  ];
  const host = passage.to;
  if (silent) {
    return failed(
      witness ? 'witness-unreachable' : 'peer-unreachable',
      host,
      title,
      {
        what: `${from} does not reach ${host} at ${address}`,
        why: witness ? 'The nodes ask the witness who may be primary.' : 'Heartbeats and replication go this way.',
        remedy: 'Check the cable, the switch and the firewalls between them, or leave this network out.',
      },
      facts,
    );
  }
  if (blocked.length > 0) {
    const { text, firewall, command } = firewallRemedy(to);
    return failed(
      witness ? 'witness-port-blocked' : 'peer-ports-blocked',
      host,
      title,
      {
        what: `${blocked.join(' and ')} from ${from} ${blocked.length === 1 ? 'does' : 'do'} not arrive at ${host} (${address})`,
        why: witness ? 'The nodes ask the witness on this port.' : 'Replication and heartbeats use these ports.',
        remedy: text,
      },
      { ...facts, blocked, firewall, command },
    );
  }
  const tried = tcp === 'ok' || udp === 'ok' ? 'reached' : 'answers; the ports could not be tried';
  const what = `from ${from}: ${tried}${pingMs === null ? '' : `, ${pingMs} ms`}`;
  if (!witness && pingMs !== null && pingMs > slowPingMs) {
    return remarked(
      'peer-slow',
      host,
      title,
      {
        what,
        why: 'Every change that the application makes durable waits for one way there and back.',
        remedy: 'Put a faster network first in the list.',
      },
      facts,
    );
  }
  return passed(witness ? 'witness-link' : 'peer-link', host, title, what, facts);
}

export function passageChecks(passages: readonly Passage[], machines: readonly ProbedMachine[]): Check[] {
  return passages.map((passage) =>
    checkOf(
      passage,
      machines.find(({ name }) => name === passage.to),
    ),
  );
}
