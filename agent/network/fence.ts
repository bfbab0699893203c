/** The lease as the kernel enforces it: until leased, and from the instant a lease runs out, a managed address neither answers nor speaks. */
import type { CommandRunner } from './command-runner.ts';
import { linuxFence } from './fence-linux.ts';

export interface KernelFence {
  /** The addresses under guard from now on; leases that run go on. Faults: program-missing, command-failed. */
  manage(addresses: readonly string[]): Promise<void>;
  /** Lets the addresses answer until `deadlineMs` (boot time). All extensions of one turn of the loop are one transaction. */
  extend(addresses: readonly string[], deadlineMs: number): Promise<void>;
  /** At once. */
  cut(addresses: readonly string[]): Promise<void>;
  /** Looks whether somebody changed the packet filter and puts back what is missing; true when something was. */
  check(): Promise<boolean>;
  /** For good: the guard itself goes away. */
  remove(): Promise<void>;
}

export function createFence(run: CommandRunner, bootTimeMs: () => number): KernelFence {
  return linuxFence(run, bootTimeMs);
}
