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
  /**
   * Whether processes of the application may be there: from before its prestart script until its end is certain. In between only, what runs under its
   * control groups is cut off with the lease: what a poststop script starts, or a service that outlives the module, is somebody else's.
   */
  private engaged: boolean;
  /** Whether the kernel may still guard something of it. */
  private guarded: boolean;

  /** `engaged`: the control plane comes back under an application that its predecessor started. */
  constructor(ports: Ports, definition: () => ModuleDefinition, engaged = false) {
    this.ports = ports;
    this.definition = definition;
    this.engaged = engaged;
    this.guarded = engaged;
  }

  runs(): boolean {
    return this.ports.clock.bootMs() < this.deadlineMs;
  }
  /** Whether processes of the application may be there. */
  isEngaged(): boolean {
    return this.engaged;
  }

  async extend(deadlineMs: number): Promise<void> {
    this.deadlineMs = Math.max(this.deadlineMs, deadlineMs);
    this.tellReplicator(this.deadlineMs);
    const addresses = this.addresses();
    await this.enforce(async () => {
      await Promise.all([
        addresses.length > 0 ? this.ports.fence.extend(addresses, this.deadlineMs) : undefined,
        this.guard(this.deadlineMs),
      ]);
    });
  }

  async cut(): Promise<void> {
    this.deadlineMs = 0;
    this.tellReplicator(0);
    const addresses = this.addresses();
    await this.enforce(async () => {
      if (addresses.length > 0) await this.ports.fence.cut(addresses);
      await this.guard(0);
    });
  }

  /** Its application is about to be started: from its first process on it is under guard. */
  engage(): void {
    this.engaged = true;
  }

  /** Its processes have just changed: they are not left without a guard until the next renewal. */
  async guardNow(): Promise<void> {
    await this.enforce(() => this.guard(this.deadlineMs));
  }

  /** What a former control plane guarded stays so, with the lease that runs in the kernel: this one knows no deadline yet. */
  async hold(): Promise<void> {
    await this.enforce(() => this.guard(null));
  }

  /** The application has ended: what still runs under these numbers is somebody else's, and is not cut off. */
  async release(): Promise<void> {
    this.engaged = false;
    await this.enforce(() => this.guard(0));
  }

  /** The application was ended by force after its lease: what its sockets still hold stays here. */
  async condemn(): Promise<void> {
    this.engaged = false;
    if (!this.guarded) return;
    await this.enforce(() => this.ports.fence.condemn(this.definition().name));
    this.guarded = false;
  }

  /** The groups are looked up anew each time: a service that was restarted has another one. */
  private async guard(deadlineMs: number | null): Promise<void> {
    const { name } = this.definition();
    const groups = this.engaged ? this.ports.scripts.groups(name) : [];
    if (groups.length === 0 && !this.guarded) return;
    // All of it was ended after it had been cut off: that is for `condemn` or `release` to judge.
    if (groups.length === 0 && this.engaged && deadlineMs !== null && !this.runs()) return;
    this.guarded = true;
    await this.ports.fence.guard(name, groups, deadlineMs);
    this.guarded = groups.length > 0;
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
