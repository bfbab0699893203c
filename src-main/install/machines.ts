/** The machines of a configuration, connected and probed. */
import { votingWitnessOf, type Configuration } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { Transport } from '../ssh/index.ts';
import type { CheckSubject } from './check.ts';
import { parseProbe, type Probe } from './probe.ts';
import { probeScript, type ProbeQuestions } from './probe-script.ts';

export interface MachineAddress {
  /** Node name or 'witness'. */
  readonly name: string;
  readonly role: 'node' | 'witness';
  readonly destination: string;
  readonly port?: number | undefined;
}

export function machinesOf(configuration: Configuration): MachineAddress[] {
  const nodes = configuration.nodes.map((node): MachineAddress => ({
    name: node.name,
    role: 'node',
    destination: node.ssh,
    port: node.port,
  }));
  const witness = votingWitnessOf(configuration);
  return witness === null
    ? nodes
    : [...nodes, { name: 'witness', role: 'witness', destination: witness.ssh, port: witness.port }];
}

/** How a machine is reached: over SSH, or whatever a test puts in its place. */
export type Connect = (machine: MachineAddress, signal?: AbortSignal) => Promise<Transport>;

/** All at once; the first failure closes those that were opened. */
export async function connectAll(
  machines: readonly MachineAddress[],
  connect: Connect,
  signal: AbortSignal | undefined,
): Promise<Map<string, Transport>> {
  const results = await Promise.allSettled(machines.map((machine) => connect(machine, signal)));
  const transports = new Map<string, Transport>();
  machines.forEach((machine, index) => {
    const result = results[index];
    if (result?.status === 'fulfilled') transports.set(machine.name, result.value);
  });
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) {
    for (const transport of transports.values()) transport.close();
    throw Fault.from(failure.reason);
  }
  return transports;
}

export function questionsOf(subject: CheckSubject): ProbeQuestions {
  return {
    directories: subject.modules.flatMap((module) => module.directories),
    vips: subject.modules.flatMap((module) => module.vips.map((vip) => vip.split('/')[0] ?? vip)),
    units: [...new Set(subject.modules.flatMap((module) => module.units))],
  };
}

export const noQuestions: ProbeQuestions = { directories: [], vips: [], units: [] };

const probeTimeoutMs = 60_000;

export async function probeHost(
  name: string,
  transport: Transport,
  questions: ProbeQuestions,
  signal: AbortSignal | undefined,
): Promise<{ probe: Probe; clockDifferenceMs: number }> {
  const before = Date.now();
  const result = await transport.command(probeScript(questions), { elevated: true, signal, timeoutMs: probeTimeoutMs });
  const probe = parseProbe(name, result.stdout);
  // The clock was read first: within the round trip, so anything inside of it is no difference.
  const elapsedMs = Date.now() - before;
  const difference = probe.clockMs - before;
  return { probe, clockDifferenceMs: difference >= 0 && difference <= elapsedMs ? 0 : difference };
}
