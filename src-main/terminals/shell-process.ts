/** A shell that a tab shows, wherever it runs. */
export interface ShellSize {
  readonly columns: number;
  readonly rows: number;
}

export interface ShellEnd {
  /** Null: ended by a signal, or with its connection. */
  readonly code: number | null;
  /** A code of a fault; null: it ended by itself, or because it was told to. */
  readonly fault: string | null;
}

export interface ShellProcess {
  /** Who is logged in on the server; null: this computer. */
  readonly user: string | null;
  /** Whole characters only; also of what came before. */
  onText(listener: (text: string) => void): void;
  type(text: string): void;
  resize(size: ShellSize): void;
  pause(): void;
  resume(): void;
  /** After its last text. */
  readonly ended: Promise<ShellEnd>;
  /** Ends it, however busy it is. */
  close(): void;
}

/** Keeps what a shell says before anybody listens. */
export class EarlyText {
  #listener: ((text: string) => void) | null = null;
  #early = '';

  push(text: string): void {
    if (this.#listener === null) this.#early += text;
    else this.#listener(text);
  }
  listen(listener: (text: string) => void): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = '';
    if (early !== '') listener(early);
  }
}
