/** The leases that one turn of the event loop sets, told to the replicator in one call. */
import type { Params, ReplicatorApi, RpcClient } from '../contract/index.ts';
import { Fault } from '../contract/index.ts';

type Client = Pick<RpcClient<ReplicatorApi>, 'call'>;

export class LeaseOutbox {
  /** Deadlines by module: of two in one turn the later one counts. */
  private waiting = new Map<string, number>();
  private client: Client | null = null;
  /** Is of an earlier version, and takes them one by one. */
  private takesOne: Client | null = null;

  /** `deadlineMs`: CLOCK_BOOTTIME. Not answered: whoever does not hear it answers nothing after the last deadline that it has heard. */
  add(client: Client, { module, deadlineMs }: Params<ReplicatorApi, 'setLease'>): void {
    if (client !== this.client) this.waiting.clear();
    this.client = client;
    if (this.waiting.size === 0) setImmediate(() => this.flush());
    this.waiting.set(module, deadlineMs);
  }

  /** At once. */
  flush(): void {
    const { client } = this;
    if (client === null || this.waiting.size === 0) return;
    const leases = [...this.waiting].map(([module, deadlineMs]) => ({ module, deadlineMs }));
    this.waiting = new Map();
    if (client === this.takesOne) this.oneByOne(client, leases);
    else
      client.call('setLeases', { leases }).catch((error: unknown) => {
        if (Fault.from(error).code !== 'unknown-method') return;
        this.takesOne = client;
        this.oneByOne(client, leases);
      });
  }

  private oneByOne(client: Client, leases: readonly Params<ReplicatorApi, 'setLease'>[]): void {
    for (const lease of leases) client.call('setLease', lease).catch(() => undefined);
  }
}
