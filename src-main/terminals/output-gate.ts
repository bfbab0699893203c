/**
 * Between a shell and the screen that draws it: few large messages instead of many small ones, and a shell that waits while the screen has
 * more to draw than it has acknowledged. Without that, `yes` fills the memory and Ctrl C comes too late.
 */
import { unacknowledgedCharactersMax } from '../app-api/index.ts';

/** One frame of a screen. */
const batchMs = 16;
const batchCharactersMax = 32 * 1024;

export interface GatedShell {
  pause(): void;
  resume(): void;
}

export class OutputGate {
  readonly #shell: GatedShell;
  readonly #send: (text: string) => void;
  #pending = '';
  #unacknowledged = 0;
  #paused = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(shell: GatedShell, send: (text: string) => void) {
    this.#shell = shell;
    this.#send = send;
  }

  get paused(): boolean {
    return this.#paused;
  }

  push(text: string): void {
    if (text === '' || this.#closed) return;
    this.#pending += text;
    this.#unacknowledged += text.length;
    if (!this.#paused && this.#unacknowledged > unacknowledgedCharactersMax) {
      this.#paused = true;
      this.#shell.pause();
    }
    if (this.#pending.length >= batchCharactersMax) this.flush();
    else if (this.#timer === undefined) {
      // What is typed is echoed at once; what follows within a frame goes with it.
      this.flush();
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.flush();
      }, batchMs);
    }
  }

  flush(): void {
    if (this.#pending === '') return;
    const text = this.#pending;
    this.#pending = '';
    this.#send(text);
  }

  acknowledge(characters: number): void {
    this.#unacknowledged = Math.max(0, this.#unacknowledged - Math.max(0, characters));
    if (!this.#paused || this.#unacknowledged >= unacknowledgedCharactersMax / 2) return;
    this.#paused = false;
    this.#shell.resume();
  }

  /** Nothing is held back any more, and nothing is told. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.flush();
  }
}
