/** The timeline of one node, without a gap from the oldest event that was asked for: what the agent keeps, then what it pushes. */
import type { ControlApi, Params, TimelineEvent } from '../../agent/contract/index.ts';

const pageMax = 1000;
export const eventsKeptMax = 5000;

type Ask = (params: Params<ControlApi, 'events'>) => Promise<TimelineEvent[]>;

export class NodeEvents {
  readonly #ask: Ask;
  #events: readonly TimelineEvent[] = [];
  /** How far back; 0: nobody has asked yet, and nothing is kept. */
  #wanted = 0;
  #loading: Promise<void> | null = null;
  /** Nothing is missing up to now. */
  #complete = false;
  /** Counts conversations: what was pushed between two of them went to nobody. */
  #conversation = 0;
  /** Somebody went without them, and is to be told when they are here. */
  #owed = false;
  #arrivedMeanwhile: TimelineEvent[] = [];
  #onNew: (events: readonly TimelineEvent[]) => void = () => undefined;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Oldest first. */
  get all(): readonly TimelineEvent[] {
    return this.#events;
  }

  /** Of events that were not there when they were asked for last. */
  onNew(listener: (events: readonly TimelineEvent[]) => void): void {
    this.#onNew = listener;
  }

  connected(): void {
    this.#conversation++;
    this.#complete = false;
    if (this.#wanted > 0) this.load(this.#wanted).catch(() => undefined);
  }

  push(event: TimelineEvent): void {
    if (this.#wanted === 0) return;
    if (this.#complete) this.#append([event]);
    else this.#arrivedMeanwhile.push(event);
  }

  /** At least the last `limit`, as far as the node keeps them. Rejects when it cannot be asked; they are told when it can. */
  async load(limit: number): Promise<void> {
    this.#want(limit);
    try {
      while (!this.#complete) {
        this.#loading ??= this.#loadAll().finally(() => {
          this.#loading = null;
        });
        await this.#loading;
      }
    } catch (error) {
      this.#owed = true;
      throw error;
    }
  }

  /** Told when they are here. */
  expect(limit: number): void {
    this.#want(limit);
    if (!this.#complete) this.#owed = true;
  }

  #want(limit: number): void {
    if (limit <= this.#wanted) return;
    this.#wanted = Math.min(limit, eventsKeptMax);
    this.#complete = false;
  }

  async #loadAll(): Promise<void> {
    const [wanted, conversation] = [this.#wanted, this.#conversation];
    this.#arrivedMeanwhile = [];
    const [newest] = await this.#ask({ limit: 1, newest: true });
    const known = isSameHistory(this.#events, newest) ? this.#events : [];
    const found = newest === undefined ? [] : await this.#upTo(newest, known, wanted);
    const toldUntil = known.at(-1)?.sequence ?? (this.#owed || this.#events.length > 0 ? 0 : Infinity);
    this.#events = found.slice(-eventsKeptMax);
    this.#complete = wanted === this.#wanted && conversation === this.#conversation;
    this.#owed = false;
    const missed = this.#events.filter((event) => event.sequence > toldUntil);
    if (missed.length > 0) this.#onNew(missed);
    this.#append(this.#arrivedMeanwhile);
    this.#arrivedMeanwhile = [];
  }

  async #upTo(newest: TimelineEvent, known: readonly TimelineEvent[], wanted: number): Promise<TimelineEvent[]> {
    const before = Math.max(newest.sequence - wanted, 0);
    const reachesBack = (known[0]?.sequence ?? Infinity) <= before + 1;
    const found = reachesBack ? [...known] : [];
    for (;;) {
      const from = found.at(-1)?.sequence ?? before;
      if (from >= newest.sequence) return found;
      const page = (await this.#ask({ after: from, limit: pageMax })).filter((event) => event.sequence > from);
      if (page.length === 0) return found;
      found.push(...page);
    }
  }

  #append(events: readonly TimelineEvent[]): void {
    const last = this.#events.at(-1)?.sequence ?? 0;
    const fresh = events.filter((event) => event.sequence > last);
    if (fresh.length === 0) return;
    this.#events = [...this.#events, ...fresh].slice(-eventsKeptMax);
    this.#onNew(fresh);
  }
}

/** A node that was installed again counts from one again: what was kept of it is another history. */
function isSameHistory(kept: readonly TimelineEvent[], newest: TimelineEvent | undefined): boolean {
  const last = kept.at(-1);
  if (last === undefined || newest === undefined) return false;
  if (newest.sequence < last.sequence) return false;
  return newest.sequence > last.sequence || newest.at === last.at;
}
