/** The lease of every module in its two enforcers: the kernel's timed sets and the replicator's own deadline. */
import type { ModuleDefinition } from '../contract/index.ts';
import { Fault } from '../contract/index.ts';
import type { RuntimePorts } from './ports.ts';

type Ports = Pick<RuntimePorts, 'fence' | 'replicator' | 'clock' | 'journal' | 'scripts'>;

export class LeaseKeeper {
  private readonly ports: Ports;
  private readonly definition: () => ModuleDefinition;
  private deadlineMs = 0;
  private complaint = '';
  private guarded: readonly bigint[] = [];

  constructor(ports: Ports, definition: () => ModuleDefinition) {
    this.ports = ports;
    this.definition = definition;
  }

  runs(): boolean {
    return this.ports.clock.bootMs() < this.deadlineMs;
  }

  async extend(deadlineMs: number): Promise<void> {
    this.deadlineMs = Math.max(this.deadlineMs, deadlineMs);
    this.tellReplicator(this.deadlineMs);
    const addresses = this.addresses();
    await this.enforce(async () => {
      if (addresses.length > 0) await this.ports.fence.extend(addresses, this.deadlineMs);
      // Looked up anew each time: a service that was restarted has another one.
      await this.guard(this.ports.scripts.groups(this.definition().name), this.deadlineMs);
    });
  }

  async cut(): Promise<void> {
    this.deadlineMs = 0;
    this.tellReplicator(0);
    const addresses = this.addresses();
    await this.enforce(async () => {
      if (addresses.length > 0) await this.ports.fence.cut(addresses);
      await this.guard(this.ports.scripts.groups(this.definition().name), 0);
    });
  }

  /** The application has just been started: it is not left without a guard until the next renewal. */
  async guardNow(): Promise<void> {
    await this.enforce(() => this.guard(this.ports.scripts.groups(this.definition().name), this.deadlineMs));
  }

  /** The application has ended: what still runs under these numbers is somebody else's, and is not cut off. */
  async release(): Promise<void> {
    await this.enforce(() => this.guard([], 0));
  }

  /** The application was ended by force after its lease: what its sockets still hold stays here. */
  async condemn(): Promise<void> {
    if (this.guarded.length === 0) return;
    this.guarded = [];
    await this.enforce(() => this.ports.fence.condemn(this.definition().name));
  }

  private async guard(groups: readonly bigint[], deadlineMs: number): Promise<void> {
    if (groups.length === 0 && this.guarded.length === 0) return;
    this.guarded = groups;
    await this.ports.fence.guard(this.definition().name, groups, deadlineMs);
  }

  /** A failure errs on the safe side: the kernel ends by itself what it was told last. The next tick tries again. */
  private async enforce(change: () => Promise<void>): Promise<void> {
    try {
      await change();
      this.complaint = '';
    } catch (error) {
      const { message } = Fault.from(error);
      if (message !== this.complaint) this.ports.journal.error(`The lease could not be set in the kernel: ${message}`);
      this.complaint = message;
    }
  }

  /** Again, after the replicator has come back and forgotten it. */
  repeat(): void {
    if (this.runs()) this.tellReplicator(this.deadlineMs);
  }

  /** Not waited for: a replicator that does not hear it answers nothing after the last deadline that it has heard. */
  private tellReplicator(deadlineMs: number): void {
    this.ports.replicator.call('setLease', { module: this.definition().name, deadlineMs }).catch(() => undefined);
  }
  private addresses(): readonly string[] {
    return this.definition().vips.map(({ address }) => address);
  }
}
