/** Reads one node again and again, and tells what it learns. It knows nothing of the other node: one that hangs delays nobody. */
import {
  Fault,
  type ControlApi,
  type FaultRecord,
  type NodeStatus,
  type Params,
  type Result,
} from '../../agent/contract/index.ts';
import type { NodeLink } from '../cluster/node-link.ts';
import type { AgentClient } from '../install/index.ts';
import type { Clock } from './clock.ts';
import { NodeEvents } from './node-events.ts';
import { retryDelayMs } from './retry.ts';

export interface NodeNews {
  /** Of the last answer; may be old. */
  readonly status: NodeStatus | null;
  /** Of the clock, when it arrived. */
  readonly readAtMs: number;
  /** Why the last attempt failed; null after one that did not. */
  readonly fault: FaultRecord | null;
  readonly lastSeen: string | null;
  readonly agentVersion: string | null;
  /** This computer knows no way to that network. */
  readonly noRoute: boolean;
}

export interface NodeWatchOptions {
  readonly link: NodeLink;
  readonly clock: Clock;
  /** Between two readings; may change at any time. */
  readonly paceMs: () => number;
  readonly onNews: () => void;
  /** What a person has to open first; null: nothing known. */
  readonly lockedDoor: () => Fault | null;
  readonly onLockedDoor: (fault: Fault) => void;
  /** The connection answers nothing, though it has not ended. */
  readonly onHang: () => void;
}

/** Of one reading. What is older than this is not shown as new, so a later answer would help nobody. */
const answerTimeoutMs = 5000;

export interface ClockDifference {
  /** Of the node against the laptop. */
  readonly aheadMs: number;
  readonly uncertaintyMs: number;
  readonly atMs: number;
}

const clockSampleMs = 60_000;

type Method = keyof ControlApi['methods'];

export class NodeWatch implements Disposable {
  readonly #options: NodeWatchOptions;
  readonly #stop = new AbortController();
  readonly events: NodeEvents;
  #news: NodeNews = {
    status: null,
    readAtMs: 0,
    fault: null,
    lastSeen: null,
    agentVersion: null,
    noRoute: false,
  };
  /** Ends the pause before the next reading. */
  #wake: (() => void) | null = null;
  /** Somebody wants a reading that begins after the one that is going on. */
  #again = false;
  #failures = 0;
  /** What is answered to an earlier one is not looked at. */
  #epoch = 0;
  #clockDifference: ClockDifference | null = null;
  /** Readings that have ended, for whoever waits for a fresh one. */
  #rounds = 0;
  readonly #roundListeners = new Set<() => void>();

  constructor(options: NodeWatchOptions) {
    this.#options = options;
    this.events = new NodeEvents((params) => this.call('events', params));
    options.link.onOpen((client) => this.#listen(client));
  }

  get name(): string {
    return this.#options.link.name;
  }
  get news(): NodeNews {
    return this.#news;
  }
  /** There is an answer or a reason why there is none. */
  get settled(): boolean {
    return this.#news.status !== null || this.#news.fault !== null;
  }
  get clockDifference(): ClockDifference | null {
    return this.#clockDifference;
  }
  get link(): NodeLink {
    return this.#options.link;
  }

  /** `lastSeen`: by an earlier start of the app. */
  start(lastSeen: string | null): void {
    this.#news = { ...this.#news, lastSeen };
    void this.#run();
  }

  /** Reads now, also what only a person could have mended. */
  poke(): void {
    this.#failures = 0;
    this.#again = true;
    this.#wake?.();
  }

  /** What was read is worth nothing any more, and neither are the connections. */
  startAgain(): void {
    this.#epoch++;
    this.#news = { ...this.#news, status: null, fault: null };
    this.#options.link.drop();
    this.poke();
  }

  /** Ends when a reading that began after this call has ended. */
  async readNow(): Promise<void> {
    const underWay = this.#wake === null && this.#rounds > 0;
    const wanted = this.#rounds + (underWay ? 2 : 1);
    this.poke();
    while (this.#rounds < wanted && !this.#stop.signal.aborted) {
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.#roundListeners.delete(listener);
          resolve();
        };
        this.#roundListeners.add(listener);
      });
    }
  }

  call<M extends Method>(method: M, params: Params<ControlApi, M>, limitMs?: number): Promise<Result<ControlApi, M>> {
    return this.#options.link.call(method, params, limitMs);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#wake?.();
    this.#endRound();
    this.#options.link[Symbol.dispose]();
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#stopped()) {
      const delayMs = await this.#round();
      this.#rounds++;
      this.#endRound();
      if (!this.#stopped()) await this.#pause(delayMs);
    }
  }

  #endRound(): void {
    for (const listener of [...this.#roundListeners]) listener();
  }

  /** Returns how long to wait; null: until poked. */
  async #round(): Promise<number | null> {
    const { link, paceMs, clock, lockedDoor } = this.#options;
    const [stood, epoch] = [link.open, this.#epoch];
    const askedAtMs = clock.wallMs();
    this.#again = false;
    const locked = lockedDoor();
    if (locked !== null) return this.#failed(locked, false);
    try {
      const status = await link.call('status', {}, answerTimeoutMs);
      if (this.#stopped()) return null;
      if (epoch !== this.#epoch) return 0;
      if (stood) this.#compareClocks(status, askedAtMs);
      this.#take(status);
      return paceMs();
    } catch (error) {
      if (this.#stopped()) return null;
      if (epoch !== this.#epoch) return 0;
      return this.#failed(Fault.from(error), stood);
    }
  }

  #failed(fault: Fault, stood: boolean): number | null {
    const { link, paceMs, onNews, onHang, onLockedDoor } = this.#options;
    this.#failures++;
    // An agent that was restarted ends its conversations; the next attempt tells whether it is back.
    if (stood && fault.code === 'connection-lost' && this.#failures === 1) return 0;
    // What hangs is not waited for: the server may have been started again meanwhile, and know nothing of this connection.
    if (fault.code === 'timed-out') {
      link.drop();
      onHang();
    }
    const theirs = fault.details['theirs'];
    this.#news = {
      ...this.#news,
      status: null,
      fault: withNode(fault, this.name),
      agentVersion: typeof theirs === 'string' ? theirs : this.#news.agentVersion,
      noRoute: hasNoRoute(fault),
    };
    onNews();
    const delayMs = retryDelayMs(fault, this.#failures, paceMs());
    if (delayMs === null) onLockedDoor(fault);
    return delayMs;
  }

  /** The best measurement of the last minute: the one that took least time. */
  #compareClocks(status: NodeStatus, askedAtMs: number): void {
    const answeredAtMs = this.#options.clock.wallMs();
    const uncertaintyMs = Math.abs(answeredAtMs - askedAtMs) / 2;
    const aheadMs = Date.parse(status.observedAt) - (askedAtMs + answeredAtMs) / 2;
    const last = this.#clockDifference;
    if (last === null || uncertaintyMs <= last.uncertaintyMs || answeredAtMs - last.atMs > clockSampleMs)
      this.#clockDifference = { aheadMs, uncertaintyMs, atMs: answeredAtMs };
  }

  #take(status: NodeStatus): void {
    const { clock, onNews } = this.#options;
    this.#failures = 0;
    this.#news = {
      status,
      readAtMs: clock.nowMs(),
      fault: null,
      lastSeen: new Date(clock.wallMs()).toISOString(),
      agentVersion: status.agentVersion,
      noRoute: false,
    };
    onNews();
  }

  #listen(client: AgentClient): void {
    client.on('status', (status) => {
      if (!this.#stopped()) this.#take(status);
    });
    client.on('event', (event) => this.events.push(event));
    this.events.connected();
  }

  async #pause(delayMs: number | null): Promise<void> {
    if (this.#again) return;
    await new Promise<void>((resolve) => {
      let cancel: (() => void) | null = null;
      const end = (): void => {
        cancel?.();
        this.#wake = null;
        resolve();
      };
      this.#wake = end;
      if (delayMs !== null) cancel = this.#options.clock.after(delayMs, end);
    });
  }
}

/** Whoever shows it has to know which server it is about. */
function withNode(fault: Fault, node: string): FaultRecord {
  const record = fault.toRecord();
  return { ...record, details: { node, ...record.details } };
}

function hasNoRoute(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause)
    if ((one as NodeJS.ErrnoException).code === 'ENETUNREACH') return true;
  return false;
}
