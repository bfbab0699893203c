/** Messages for a thread without an event loop: posted to ports, announced by an eventfd that the thread polls beside its descriptors. */
import { receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { bootTimeMs, clearEvent, close, dieNow, Poll, signalEvent } from '../sys/linux.ts';
import type { ControlBlock } from './control-block.ts';
import { waitAlone } from './operations.ts';
import type { Operation, Waits } from './operations.ts';

/** Without its supervisor a lane would serve a mount that nobody fences: the process ends instead. */
const supervisorSilentMaxMs = 20_000;

export class Inbox<M> {
  readonly wakeFd: number;
  readonly #ports: readonly MessagePort[];
  readonly #early: M[] = [];
  readonly #poll: Poll;
  #mayHaveMessages = true;
  #livenessSeen = 0;
  #livenessAtMs = bootTimeMs();

  constructor(ports: readonly MessagePort[], wakeFd: number) {
    this.#ports = ports;
    this.wakeFd = wakeFd;
    this.#poll = new Poll([wakeFd]);
  }

  /** The event was seen by a poll of the lane's own. */
  woken(): void {
    clearEvent(this.wakeFd);
    this.#mayHaveMessages = true;
  }

  get mayHaveMessages(): boolean {
    return this.#mayHaveMessages || this.#early.length > 0;
  }

  /** Woken in the middle of something: is there a message for which it should be given up? It stays to be received. */
  interrupted(): boolean {
    this.woken();
    const message = this.#receive();
    if (message !== null) this.#early.push(message);
    return this.#early.length > 0;
  }

  receive(): M | null {
    return this.#early.shift() ?? this.#receive();
  }

  #receive(): M | null {
    if (!this.#mayHaveMessages) return null;
    for (const port of this.#ports) {
      const received = receiveMessageOnPort(port) as { message: M } | undefined;
      if (received) return received.message;
    }
    this.#mayHaveMessages = false;
    return null;
  }

  /** An operation: until somebody wakes this lane, at most `timeoutMs()`. Watches the supervisor meanwhile. */
  sleep(name: string, timeoutMs: () => number, control: ControlBlock): Operation {
    const waits: Waits = {
      poll: this.#poll,
      begin: timeoutMs,
      end: (count) => {
        if (count > 0) this.woken();
        this.watchSupervisor(control);
        return 0;
      },
    };
    return { name, waits, run: () => waitAlone(waits) };
  }

  /** To be called at every long wait. */
  watchSupervisor(control: ControlBlock): void {
    const now = bootTimeMs();
    const liveness = control.mainLiveness;
    if (liveness !== this.#livenessSeen) {
      this.#livenessSeen = liveness;
      this.#livenessAtMs = now;
    } else if (now - this.#livenessAtMs > supervisorSilentMaxMs) {
      dieNow(71, 'the supervisor of the replicator does not answer any more');
    }
  }
}

/** The sender's end. */
export interface Outbox<M> {
  readonly port: MessagePort;
  readonly wakeFd: number;
  post(message: M, transferred?: readonly MessagePort[]): void;
  /** Something in the control block has changed. */
  wake(): void;
  /** Its receiver has ended. What is posted from here on goes nowhere: the descriptor may be somebody else's by then. */
  close(): void;
}
export function outbox<M>(port: MessagePort, wakeFd: number): Outbox<M> {
  let isClosed = false;
  return {
    port,
    wakeFd,
    post(message, transferred = []) {
      if (isClosed) return;
      port.postMessage(message, [...transferred]);
      signalEvent(wakeFd);
    },
    wake() {
      if (!isClosed) signalEvent(wakeFd);
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      port.close();
      close(wakeFd);
    },
  };
}
