/** The ping witness of a cluster, as this node reaches it. */
import type { EventDraft } from '../contract/index.ts';
import { Pings, type OpenEchoPort } from '../network/index.ts';

export interface PingWatchOptions {
  readonly open: OpenEchoPort;
  readonly address: string;
  readonly node: string;
  readonly detectionMs: number;
  readonly nowMs: () => number;
  readonly emit: (event: EventDraft) => void;
  /** It has answered what was asked at `sentMs`; told once for each. */
  readonly reached: (sentMs: number) => void;
}

export class PingWatch implements Disposable {
  private readonly options: PingWatchOptions;
  private readonly pings: Pings;
  private readonly sinceMs: number;
  private answeredMs: number | null = null;
  /** As told last; null: nothing was. */
  private told: boolean | null = null;

  constructor(options: PingWatchOptions) {
    this.options = options;
    this.sinceMs = options.nowMs();
    this.pings = new Pings(options.open, options.address, options.nowMs, options.detectionMs);
  }

  /** At every heartbeat. */
  ask(): void {
    this.look();
    this.pings.ask();
    this.tell();
  }

  /** Between them: what has come is not left lying. */
  look(): void {
    const answeredMs = this.pings.answeredMs();
    if (answeredMs === null || answeredMs === this.answeredMs) return;
    this.answeredMs = answeredMs;
    this.options.reached(answeredMs);
    this.tell();
  }

  /** Within the detection time; null: not asked for so long yet. */
  reachable(): boolean | null {
    const { nowMs, detectionMs } = this.options;
    if (this.answeredMs !== null) return nowMs() - this.answeredMs < detectionMs;
    return nowMs() - this.sinceMs < detectionMs ? null : false;
  }

  private tell(): void {
    const reachable = this.reachable();
    if (reachable === null || reachable === this.told) return;
    const { address, node, detectionMs, emit } = this.options;
    const first = this.told === null;
    this.told = reachable;
    if (!reachable)
      emit({
        module: null,
        code: 'ping-witness-silent',
        message: `${address}, the ping witness, has not answered ${node} for ${(detectionMs / 1000).toFixed(1)} s: ${node} starts nothing alone, and stops when the other server is silent as well.`,
        severity: 'attention',
        evidence: { address, silentMs: detectionMs, obstacle: this.pings.obstacle },
      });
    else if (!first)
      emit({
        module: null,
        code: 'ping-witness-answers',
        message: `${address}, the ping witness, answers ${node} again.`,
        severity: 'good',
        evidence: { address },
      });
  }

  [Symbol.dispose](): void {
    this.pings[Symbol.dispose]();
  }
}
