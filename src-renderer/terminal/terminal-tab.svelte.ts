/** One tab: its shell, from the wish to its end, and again. What draws it comes later and may go. */
import { Fault, type FaultRecord } from '../../agent/contract/index.ts';
import { app } from '../app.svelte.ts';

export type TerminalTarget = 'local' | { readonly cluster: string; readonly node: string };

export type ShellState =
  /** Nothing draws it yet, so its size is not known. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'opening' }
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly fault: FaultRecord }
  | { readonly kind: 'ended'; readonly code: number | null; readonly reason: string | null; readonly atMs: number };

/** What draws the output. */
export interface Screen {
  /** Calls back when it is drawn. */
  write(text: string, drawn: () => void): void;
  /** A program that uses the whole screen runs: what is typed goes to it. */
  readonly isFullScreen: boolean;
}

interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A prompt is there when nothing more comes for this long. */
const promptQuietMs = 120;
const promptTimeoutMs = 3000;
/** To the end of the line and away with it: what was half typed must not become part of a command. */
const clearLine = '\u0005\u0015';
/** Out of the full screen of a lost program. In no full screen, it would put the cursor somewhere. */
const leaveFullScreen = '\u001b[?1049l';
/** Whatever else a lost program had switched on: mouse, bracketed paste, a hidden cursor, colours. */
const restoreScreen = '\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?2004l\u001b[?25h\u001b[0m\r\n';

export interface Typed {
  readonly command: string;
  /** With Enter. */
  readonly run: boolean;
  /** With sudo, where somebody else than root is logged in. */
  readonly asRoot: boolean;
}

export class TerminalTab {
  readonly key: number;
  readonly target: TerminalTarget;
  /** Counts the tabs of one place. */
  readonly number: number;
  state = $state.raw<ShellState>({ kind: 'waiting' });
  /** Grows when the focus belongs here. */
  focusWanted = $state(0);
  /** Of the main process; null: no shell. */
  terminal: string | null = null;
  #user: string | null = null;
  #screen: Screen | null = null;
  #size: Size | null = null;
  #opening: AbortController | null = null;
  #command: Typed | null = null;
  #promptTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(key: number, target: TerminalTarget, number: number) {
    this.key = key;
    this.target = target;
    this.number = number;
  }

  /** Something typed here reaches a shell, now or soon. */
  get takesCommands(): boolean {
    if (this.state.kind === 'ended' || this.state.kind === 'failed') return false;
    return this.#screen?.isFullScreen !== true;
  }

  attach(screen: Screen, size: Size): void {
    this.#screen = screen;
    this.#size = size;
    if (this.state.kind === 'waiting') void this.start();
  }

  /** Begins, or begins again. */
  async start(): Promise<void> {
    const size = this.#size;
    if (size === null || this.state.kind === 'opening' || this.state.kind === 'open') return;
    if (this.state.kind === 'ended') this.#restore();
    const opening = new AbortController();
    this.#opening = opening;
    this.state = { kind: 'opening' };
    try {
      const opened = await this.#open(size, opening.signal);
      if (opening.signal.aborted) {
        app.call('closeTerminal', { terminal: opened.terminal }).catch(() => undefined);
        return;
      }
      this.terminal = opened.terminal;
      this.#user = opened.user ?? null;
      this.state = { kind: 'open' };
      if (this.#size !== size) this.#tellSize();
      this.#awaitPrompt(promptTimeoutMs);
    } catch (error) {
      if (!opening.signal.aborted) this.state = { kind: 'failed', fault: Fault.from(error).toRecord() };
    }
  }

  /** What was there stays, above what comes. */
  #restore(): void {
    const screen = this.#screen;
    screen?.write(`${screen.isFullScreen ? leaveFullScreen : ''}${restoreScreen}`, () => undefined);
  }

  async #open(size: Size, signal: AbortSignal): Promise<{ terminal: string; user?: string | undefined }> {
    if (this.target === 'local') return app.call('openLocalTerminal', { ...size }, signal);
    return app.call('openServerTerminal', { server: { ...this.target }, ...size }, signal);
  }

  receive(text: string): void {
    const terminal = this.terminal ?? '';
    this.#screen?.write(text, () => {
      app.call('acknowledgeTerminal', { terminal, characters: text.length }).catch(() => undefined);
    });
    if (this.#command !== null) this.#awaitPrompt(promptQuietMs);
  }

  finish(code: number | null, reason: string | null): void {
    this.terminal = null;
    clearTimeout(this.#promptTimer);
    this.state = { kind: 'ended', code, reason, atMs: Date.now() };
  }

  /** The app that had the shell is gone. */
  lose(): void {
    if (this.state.kind === 'open') this.finish(null, 'app-stopped');
    else if (this.state.kind === 'opening') {
      this.#opening?.abort();
      this.finish(null, 'app-stopped');
    }
  }

  type(data: string): void {
    if (this.terminal === null) return;
    app.call('typeInTerminal', { terminal: this.terminal, data }).catch(() => undefined);
  }

  resize(size: Size): void {
    this.#size = size;
    this.#tellSize();
  }

  #tellSize(): void {
    if (this.terminal === null || this.#size === null) return;
    app.call('resizeTerminal', { terminal: this.terminal, ...this.#size }).catch(() => undefined);
  }

  /** Into a prompt: waits for one where the shell is only coming. */
  typeCommand(typed: Typed): void {
    if (this.state.kind === 'open' && this.#command === null) this.#typeNow(typed, clearLine);
    else this.#command = typed;
  }

  #typeNow({ command, run, asRoot }: Typed, before: string): void {
    const isRoot = this.#user === null || this.#user === 'root';
    this.type(`${before}${asRoot && !isRoot ? 'sudo ' : ''}${command}${run ? '\r' : ''}`);
  }

  #awaitPrompt(afterMs: number): void {
    clearTimeout(this.#promptTimer);
    if (this.#command === null) return;
    this.#promptTimer = setTimeout(() => {
      if (this.#command !== null) this.#typeNow(this.#command, '');
      this.#command = null;
    }, afterMs);
  }

  close(): void {
    this.#opening?.abort();
    clearTimeout(this.#promptTimer);
    this.#screen = null;
    if (this.terminal !== null) app.call('closeTerminal', { terminal: this.terminal }).catch(() => undefined);
    this.terminal = null;
  }
}
