/** The lease as the kernel enforces it: until leased, and from the instant a lease runs out, a managed address neither answers nor speaks. */
import type { CommandRunner } from './command-runner.ts';
import { linuxFence } from './fence-linux.ts';

export interface KernelFence {
  /** The addresses under guard from now on; leases that run go on. Faults: program-missing, command-failed. */
  manage(addresses: readonly string[]): Promise<void>;
  /** Lets the addresses answer until `deadlineMs` (boot time). All extensions of one turn of the loop are one transaction. */
  extend(addresses: readonly string[], deadlineMs: number): Promise<void>;
  /**
   * The processes of these control groups (their numbers) are cut off from every network when `deadlineMs` is over; 0: at once; null: with the lease that
   * they have in the kernel. Replaces what was guarded for this module; without any group nothing of it is guarded any more. What is guarded in one turn of the
   * loop is one transaction, and never waits for a program.
   */
  guard(module: string, groups: readonly bigint[], deadlineMs: number | null): Promise<void>;
  /** Every module has said what it guards: what a former process guarded beyond that is nobody's, and is let go of. */
  settle(): Promise<void>;
  /**
   * What is guarded for this module now stays cut for good: its processes were ended by force, and what their sockets still hold must not leave when
   * the application is started again. The numbers of control groups are never used again.
   */
  condemn(module: string): Promise<void>;
  /** Null: the kernel can guard control groups; otherwise why not. Known after `manage`. */
  guardObstacle(): string | null;
  /** At once. */
  cut(addresses: readonly string[]): Promise<void>;
  /** Looks whether somebody changed the packet filter and puts back what is missing; true when something was. */
  check(): Promise<boolean>;
  /** For good: the guard itself goes away. */
  remove(): Promise<void>;
}

/** `obstacle`: why applications cannot be guarded on this host, whatever its packet filter can. */
export function createFence(run: CommandRunner, bootTimeMs: () => number, obstacle: string | null = null): KernelFence {
  return linuxFence(run, bootTimeMs, obstacle);
}
