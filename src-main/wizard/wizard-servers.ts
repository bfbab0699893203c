/** The machines of a draft, connected; what goes wrong on one says on which. */
import { Fault } from '../../agent/contract/fault.ts';
import type { Answers, Machine } from '../app-api/index.ts';
import type { Connect, ConnectedMachine } from '../install/index.ts';
import type { Transport } from '../ssh/index.ts';

/** Who connects. `close` gives a transport back; what is open is shared between the questions of a wizard. */
export interface WizardServers {
  readonly transport: (machine: Machine, signal?: AbortSignal) => Promise<Transport>;
}

export interface AnsweredMachine {
  /** Node name or 'witness'. */
  readonly name: string;
  readonly role: 'node' | 'witness';
  readonly machine: Machine;
}

/** Those that have an address. */
export function answeredMachines({ nodes, witness }: Answers): AnsweredMachine[] {
  const all: AnsweredMachine[] = nodes.map(({ name, machine }, index) => ({
    name: name.trim() === '' ? `n${index + 1}` : name.trim(),
    role: 'node',
    machine,
  }));
  if (witness.kind === 'voting') all.push({ name: 'witness', role: 'witness', machine: witness.machine });
  return all
    .map((one) => ({ ...one, machine: { ...one.machine, destination: one.machine.destination.trim() } }))
    .filter(({ machine }) => machine.destination !== '');
}

/** By name, as the machines said when the answers were given. */
export function machineIdsOf({ nodes, witness }: Answers): Map<string, string> {
  const all = [
    ...nodes.map(({ name, facts }) => ({ name: name.trim(), facts })),
    { name: 'witness', facts: witness.facts },
  ];
  return new Map(
    all.flatMap(({ name, facts }): [string, string][] =>
      facts === null || facts.machineId === '' ? [] : [[name, facts.machineId]],
    ),
  );
}

export function answeredNodes(answers: Answers): AnsweredMachine[] {
  return answeredMachines(answers).filter(({ role }) => role === 'node');
}

function onNode(error: unknown, node: string): Fault {
  const fault = Fault.from(error);
  const { message, remedy, code, details } = fault;
  return new Fault(code, { message, remedy }, { ...details, node }, error);
}

function naming(transport: Transport, node: string): Transport {
  const named = <T>(promise: Promise<T>): Promise<T> =>
    promise.catch((error: unknown) => {
      throw onNode(error, node);
    });
  return {
    ...transport,
    command: (script, options) => named(transport.command(script, options)),
    copy: (source, target, options) => named(transport.copy(source, target, options)),
    connect: (script, options) => named(transport.connect(script, options)),
  };
}

async function connected(servers: WizardServers, one: AnsweredMachine, signal: AbortSignal): Promise<ConnectedMachine> {
  try {
    const transport = await servers.transport(one.machine, signal);
    return { name: one.name, role: one.role, transport: naming(transport, one.name) };
  } catch (error) {
    throw onNode(error, one.name);
  }
}

/** All at once, given back at the end. Faults: those of connecting, with details.node. */
export async function withMachines<T>(
  servers: WizardServers,
  machines: readonly AnsweredMachine[],
  signal: AbortSignal,
  action: (machines: readonly ConnectedMachine[]) => Promise<T>,
): Promise<T> {
  const results = await Promise.allSettled(machines.map((one) => connected(servers, one, signal)));
  const open = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  try {
    const failure = results.find((result) => result.status === 'rejected');
    if (failure) throw Fault.from(failure.reason);
    return await action(open);
  } finally {
    for (const { transport } of open) transport.close();
  }
}

/** For an installation: the configuration says a destination, the answers also say with which key. */
export function connectAnswered(servers: WizardServers, answers: Answers): Connect {
  const machines = answeredMachines(answers);
  return async (address, signal) => {
    const known = machines.find(({ name }) => name === address.name);
    const machine = known?.machine ?? { destination: address.destination, port: address.port ?? null, identity: null };
    try {
      return naming(await servers.transport(machine, signal), address.name);
    } catch (error) {
      throw onNode(error, address.name);
    }
  };
}
