/**
 * Saves a draft a moment after it was changed, one save at a time, each on top of the revision that the one before made.
 * Somebody else's save stops it: then a person decides, and nothing that was typed is lost meanwhile.
 */
import { Fault } from '../../agent/contract/index.ts';
import type { Answers, WizardStep } from '../../src-main/app-api/index.ts';

export interface SavedPart {
  readonly step: WizardStep;
  readonly answers: Answers;
}
export type SaveState = 'saved' | 'unsaved' | 'saving' | 'changed-elsewhere' | 'gone' | 'failed';

export interface DraftSaverOptions {
  readonly save: (revision: number, part: SavedPart) => Promise<{ readonly revision: number }>;
  /** Runs later; gives the way to stop that. */
  readonly later: (run: () => void) => () => void;
  readonly onState: (state: SaveState) => void;
}

function stateAfter(code: string): SaveState {
  if (code === 'draft-changed-elsewhere') return 'changed-elsewhere';
  return code === 'no-such-draft' ? 'gone' : 'failed';
}

export class DraftSaver {
  readonly #options: DraftSaverOptions;
  #revision = 0;
  /** Highest that was heard of. */
  #elsewhere = 0;
  /** As the main process has it. */
  #saved = '';
  #wanted: SavedPart | null = null;
  #stopWaiting: (() => void) | null = null;
  #saving: Promise<void> | null = null;
  #state: SaveState = 'saved';

  constructor(options: DraftSaverOptions) {
    this.#options = options;
  }

  get state(): SaveState {
    return this.#state;
  }

  #enter(state: SaveState): void {
    this.#state = state;
    this.#options.onState(state);
  }

  /** What was read is what is saved. */
  take(revision: number, part: SavedPart): void {
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    this.#revision = revision;
    this.#elsewhere = Math.max(this.#elsewhere, revision);
    this.#saved = JSON.stringify(part);
    this.#wanted = null;
    this.#enter('saved');
  }

  changed(part: SavedPart): void {
    if (JSON.stringify(part) === this.#saved) {
      if (this.#wanted === null) return;
      // Typed and taken back: what waits is not needed any more.
      this.#wanted = null;
      if (this.#state === 'unsaved') this.#enter('saved');
      return;
    }
    this.#wanted = part;
    if (this.#state === 'changed-elsewhere' || this.#state === 'gone') return;
    if (this.#saving === null) this.#enter('unsaved');
    this.#stopWaiting?.();
    this.#stopWaiting = this.#options.later(() => void this.flush());
  }

  /** Saves now what is not saved yet; with a new main process as well as before the page goes. */
  async flush(): Promise<void> {
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    while (this.#saving !== null) await this.#saving;
    const part = this.#wanted;
    if (part === null || this.#state === 'changed-elsewhere' || this.#state === 'gone') return;
    this.#saving = this.#save(part);
    await this.#saving;
  }

  async #save(part: SavedPart): Promise<void> {
    this.#enter('saving');
    try {
      const { revision } = await this.#options.save(this.#revision, part);
      this.#revision = revision;
      this.#saved = JSON.stringify(part);
      if (this.#wanted === part) this.#wanted = null;
      this.#enter(this.#wanted === null ? 'saved' : 'unsaved');
    } catch (error) {
      this.#enter(stateAfter(Fault.from(error).code));
    } finally {
      this.#saving = null;
    }
    if (this.#state === 'saved' || this.#state === 'unsaved') this.#judge();
  }

  /** Another window has saved this draft. */
  heard(revision: number): void {
    this.#elsewhere = Math.max(this.#elsewhere, revision);
    if (this.#saving === null) this.#judge();
  }
  #judge(): void {
    if (this.#elsewhere > this.#revision) this.#enter('changed-elsewhere');
  }
  removedElsewhere(): void {
    this.#enter('gone');
  }

  /** What is here replaces what the other window has saved as `revision`. */
  async overwrite(revision: number, part: SavedPart): Promise<void> {
    this.take(revision, part);
    this.#saved = '';
    this.changed(part);
    await this.flush();
  }
}
