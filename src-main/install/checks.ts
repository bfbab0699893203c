/** May Holdfast be installed on these machines, and if not, what is to be mended? Pure: every answer comes from the probes. */
import { type Check, type CheckSubject, type ProbedMachine } from './check.ts';
import { clusterChecks } from './cluster-checks.ts';
import { directoryChecks } from './directory-checks.ts';
import { clockChecks, machineChecks } from './machine-checks.ts';

export interface NeededSpace {
  readonly name: string;
  /** In /opt; what is on the server already does not count. */
  readonly bytes: number;
}

export interface CheckNeeds {
  readonly space: readonly NeededSpace[];
  /** Of the agent that is to be installed. */
  readonly agentVersion: string | null;
}

export function runChecks(machines: readonly ProbedMachine[], subject: CheckSubject, needs: CheckNeeds): Check[] {
  const { agentVersion } = needs;
  const perMachine = machines.flatMap((machine) => [
    ...machineChecks(machine, {
      bytes: needs.space.find((one) => one.name === machine.name)?.bytes ?? 0,
      agentVersion,
    }),
    ...(machine.role === 'node'
      ? machine.probe.directories.flatMap((directory) => directoryChecks(machine, directory))
      : []),
  ]);
  return [...perMachine, ...clockChecks(machines), ...clusterChecks(machines, subject)];
}
