/**
 * One thread that runs several lanes: each until it waits, then all of them wait in one poll. An operation that blocks for another reason blocks all, so
 * lanes that touch files are put together only where they have the same disk below (`lane-pool.ts`).
 */
import { bootTimeMs, Poll } from '../sys/linux.ts';
import { isReady } from './operations.ts';
import type { Lane, Operation, Steps, Waits } from './operations.ts';

/** No wait has more descriptors. */
const descriptorsPerLane = 2;
/** Whoever waits this long means "now and then": these end together, or each would wake the thread for itself. */
const seldomMs = 1000;
const seldomStepMs = 250;

export interface RunningLane {
  readonly name: string;
  readonly lane: Lane;
  readonly halt: ((operation: Operation) => void) | null;
  readonly ended: () => void;
}

class Place {
  readonly #running: RunningLane;
  readonly name: string;
  /** The lane, and the operations with steps that it is in. */
  readonly #stack: (Lane | Steps)[];
  /** Null: it has ended. */
  waits: Waits | null = null;
  deadlineMs = 0;
  isReadyNow = false;
  /** Its descriptors stand in the poll of all already. */
  isJoined = false;

  constructor(running: RunningLane) {
    this.#running = running;
    this.name = running.name;
    this.#stack = [running.lane];
  }

  /** Until it waits, or ends. */
  advance(result: number): void {
    this.waits = null;
    let value = result;
    for (let top = this.#stack.at(-1); top !== undefined; top = this.#stack.at(-1)) {
      const step = top.next(value);
      if (step.done === true) {
        this.#stack.pop();
        value = step.value ?? 0;
        continue;
      }
      const operation = step.value;
      this.#running.halt?.(operation);
      if (operation.steps) {
        this.#stack.push(operation.steps());
        value = 0;
      } else if (operation.waits) {
        this.#wait(operation.waits);
        return;
      } else {
        value = operation.run();
      }
    }
    this.#running.ended();
  }

  #wait(waits: Waits): void {
    const timeoutMs = waits.begin();
    this.waits = waits;
    this.isJoined = false;
    this.isReadyNow = timeoutMs === isReady;
    if (timeoutMs < 0) {
      this.deadlineMs = Infinity;
      return;
    }
    const deadlineMs = timeoutMs === 0 ? 0 : bootTimeMs() + timeoutMs;
    this.deadlineMs = timeoutMs < seldomMs ? deadlineMs : Math.ceil(deadlineMs / seldomStepMs) * seldomStepMs;
  }

  join(all: Poll, start: number): void {
    if (this.waits === null || this.isJoined) return;
    this.isJoined = true;
    this.waits.poll.joinTo(all, start);
    for (let index = this.waits.poll.count; index < descriptorsPerLane; index++) all.set(start + index, -1);
  }

  /** What it waited for has come, or its time has passed. False: the lane has ended. */
  finishWait(count: number): boolean {
    this.advance(this.waits?.end(this.isReadyNow ? isReady : count) ?? 0);
    return this.waits !== null;
  }
}

export class LaneThread {
  readonly #wakeFd: number;
  readonly #woken: () => void;
  #places: Place[] = [];
  #poll: Poll;
  /** The lane that runs, or ran last. */
  current = '';

  /** `woken`: the event of `wakeFd` was seen. */
  constructor(wakeFd: number, woken: () => void) {
    this.#wakeFd = wakeFd;
    this.#woken = woken;
    this.#poll = new Poll([wakeFd]);
  }

  /** Runs until it waits for the first time. */
  begin(running: RunningLane): void {
    this.current = running.name;
    const place = new Place(running);
    place.advance(0);
    this.#places.push(place);
    this.#settle();
  }

  #settle(): void {
    this.#places = this.#places.filter((place) => place.waits !== null);
    for (const place of this.#places) place.isJoined = false;
    const descriptors = new Array<number>(this.#places.length * descriptorsPerLane).fill(-1);
    this.#poll = new Poll([...descriptors, this.#wakeFd]);
  }

  /** Waits once for all lanes, then runs those that have something to do: each once, so that none can keep the others waiting. */
  round(): void {
    const poll = this.#poll;
    const places = this.#places;
    const wakePlace = places.length * descriptorsPerLane;
    for (let index = 0; index < places.length; index++) places[index]?.join(poll, index * descriptorsPerLane);
    const found = poll.wait(this.#timeoutMs());
    const now = bootTimeMs();
    let hasEnded = false;
    for (let index = 0; index < places.length; index++) {
      const place = places[index];
      if (!place?.waits) continue;
      const count = found > 0 ? place.waits.poll.takeFrom(poll, index * descriptorsPerLane) : 0;
      if (count === 0 && !place.isReadyNow && now < place.deadlineMs) continue;
      this.current = place.name;
      if (!place.finishWait(count)) hasEnded = true;
    }
    if (hasEnded) this.#settle();
    if (found > 0 && poll.ready(wakePlace) !== 0) this.#woken();
  }

  #timeoutMs(): number {
    let deadlineMs = Infinity;
    for (const place of this.#places) {
      if (place.isReadyNow) return 0;
      if (place.deadlineMs < deadlineMs) deadlineMs = place.deadlineMs;
    }
    return deadlineMs === Infinity ? -1 : Math.max(0, Math.ceil(deadlineMs - bootTimeMs()));
  }
}
