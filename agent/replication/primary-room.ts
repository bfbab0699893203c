/**
 * Whether the peer has room for a change, asked before anything of it is done on either side (docs/replication.md, "Space"). When what is known does not suffice, the peer is asked once,
 * behind everything that was sent: only its answer refuses.
 */
import type { AskedRoom } from './change-stream.ts';
import { reached } from './acknowledgement.ts';
import { RoomBudget } from './room-budget.ts';
import type { PrimaryPorts } from './primary-context.ts';
import type { Room } from './room.ts';

/** So long an answer stands while nothing is sent: somebody else may have made room, and an application that tries again and again must not wait for the peer each time. */
const answerStandsMs = 100;

export class PrimaryRoom implements AskedRoom {
  readonly #ports: PrimaryPorts;
  readonly #budget: RoomBudget;
  /** Sequence of the question under way. */
  #asked: number | null = null;
  /** The request that has asked comes first: its answer is this one, whatever time has passed. */
  #isAnswered = false;
  #noneSequence = -1;
  #noneUntilMs = 0;

  constructor(ports: PrimaryPorts) {
    this.#ports = ports;
    this.#budget = new RoomBudget(ports.control.room);
  }

  linked(): void {
    this.#budget.begin();
    this.#asked = null;
    this.#isAnswered = false;
    this.#noneSequence = -1;
  }

  disconnected(): void {
    this.#asked = null;
  }

  /** Nothing may change before the answer, or what it says would not be what is asked. */
  get waits(): boolean {
    if (this.#asked === null) return false;
    this.#budget.refresh();
    if (!reached(this.#budget.sequence, this.#asked)) return true;
    this.#asked = null;
    this.#isAnswered = true;
    return false;
  }

  take(bytes: number, names: number): boolean {
    if (!this.#budget.take(bytes, names, this.#ports.stream.writer.sequence)) return false;
    this.#isAnswered = false;
    return true;
  }

  ask(): boolean {
    const { stream, nowMs } = this.#ports;
    const { sequence } = stream.writer;
    if (this.#isAnswered) {
      this.#isAnswered = false;
      this.#noneSequence = sequence;
      this.#noneUntilMs = nowMs() + answerStandsMs;
      return false;
    }
    if (sequence === this.#noneSequence && nowMs() < this.#noneUntilMs) return false;
    this.#asked = stream.askRoom();
    this.#budget.asked(this.#asked);
    return true;
  }

  left(into: Room): boolean {
    return this.#budget.left(into);
  }
}
