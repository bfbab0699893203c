/**
 * Tells whoever watches the status of this node: the first change at the end of its turn, what follows it together. The whole status of many modules at each change of each
 * would leave no time for their votes.
 */
import type { NodeStatus } from '../contract/index.ts';
import type { RuntimePorts } from './ports.ts';
import { statusFingerprint } from './status.ts';

const everyMs = 100;

export class StatusTeller {
  private readonly ports: Pick<RuntimePorts, 'clock' | 'timers'>;
  private readonly status: () => NodeStatus | null;
  private readonly tell: (status: NodeStatus) => void;
  private scheduled = false;
  private lookedMs = 0;
  private lastFingerprint = '';

  /** `status`: null when nobody watches, or there is nothing to see. */
  constructor(
    ports: Pick<RuntimePorts, 'clock' | 'timers'>,
    status: () => NodeStatus | null,
    tell: (status: NodeStatus) => void,
  ) {
    this.ports = ports;
    this.status = status;
    this.tell = tell;
  }

  /** Something may have changed. */
  soon(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const waitMs = this.lookedMs + everyMs - this.ports.clock.bootMs();
    if (waitMs <= 0) setImmediate(() => this.look());
    else void this.ports.timers.delay(waitMs).then(() => this.look());
  }

  private look(): void {
    this.scheduled = false;
    this.lookedMs = this.ports.clock.bootMs();
    const status = this.status();
    if (status === null) return;
    const fingerprint = statusFingerprint(status);
    if (fingerprint === this.lastFingerprint) return;
    this.lastFingerprint = fingerprint;
    this.tell(status);
  }
}
