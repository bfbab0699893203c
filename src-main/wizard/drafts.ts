/** Answers that survive the app: one file per draft, without secrets, safe against two windows that write at once. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { Fault } from '../../agent/contract/fault.ts';
import type { Answers, Draft, WizardStep } from '../app-api/index.ts';
import { draftSchema } from '../app-api/wizard.ts';
import { firstAnswers } from './defaults.ts';
import { StoredFiles } from './stored.ts';

const fileSchema = draftSchema.extend({ format: z.literal(1) });

export interface DraftChange {
  readonly draft: string;
  readonly revision: number;
  readonly step: WizardStep;
  readonly answers: Answers;
}

export class DraftStore {
  readonly #files: StoredFiles<z.infer<typeof fileSchema>>;
  readonly #listeners = new Set<(drafts: Draft[], by: unknown) => void>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(stateDirectory: string) {
    this.#files = new StoredFiles(path.join(stateDirectory, 'drafts'), fileSchema);
  }

  /** `by`: whoever made the change, which needs not to be told. */
  onChange(listener: (drafts: Draft[], by: unknown) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Newest first. One that cannot be read, as after a start with sudo, must not keep the others away. */
  async all(): Promise<Draft[]> {
    const drafts = await Promise.all((await this.#files.ids()).map((id) => this.#find(id).catch(() => null)));
    return drafts
      .filter((draft) => draft !== null)
      .sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : a.updatedAt > b.updatedAt ? -1 : a.id < b.id ? -1 : 1));
  }

  /** Fault: no-such-draft. */
  async read(id: string): Promise<Draft> {
    const draft = await this.#find(id);
    if (draft !== null) return draft;
    throw new Fault(
      'no-such-draft',
      { message: 'These answers are not here any more.', remedy: 'Go back to the start and begin again.' },
      { draft: id },
    );
  }

  async create(
    given: { readonly answers?: Answers; readonly practice?: boolean; readonly step?: WizardStep } = {},
  ): Promise<Draft> {
    const draft: Draft = {
      id: `draft-${randomBytes(6).toString('hex')}`,
      revision: 1,
      updatedAt: new Date().toISOString(),
      step: given.step ?? 'servers',
      practice: given.practice ?? false,
      answers: given.answers ?? firstAnswers(),
    };
    await this.#exclusive(() => this.#files.write(draft.id, { format: 1, ...draft }));
    await this.#tell(null);
    return draft;
  }

  /** Returns the new revision. Faults: no-such-draft, draft-changed-elsewhere. */
  async save(change: DraftChange, by: unknown): Promise<number> {
    const revision = await this.#exclusive(async () => {
      const before = await this.read(change.draft);
      if (before.revision !== change.revision) {
        throw new Fault(
          'draft-changed-elsewhere',
          { message: 'Another window has changed these answers.', remedy: 'Read them again.' },
          { draft: change.draft, revision: before.revision },
        );
      }
      const { step, answers } = change;
      const next = { ...before, revision: before.revision + 1, updatedAt: new Date().toISOString(), step, answers };
      await this.#files.write(change.draft, { format: 1, ...next });
      return next.revision;
    });
    await this.#tell(by);
    return revision;
  }

  async remove(id: string): Promise<void> {
    await this.#exclusive(() => this.#files.remove(id));
    await this.#tell(null);
  }

  async #find(id: string): Promise<Draft | null> {
    const stored = await this.#files.read(id);
    // The name of the file decides: a copy that somebody made by hand is a draft of its own.
    return stored === null ? null : { ...draftSchema.parse(stored), id };
  }

  async #tell(by: unknown): Promise<void> {
    if (this.#listeners.size === 0) return;
    const drafts = await this.all();
    for (const listener of this.#listeners) listener(drafts, by);
  }

  /** Reading, comparing and writing are one. */
  #exclusive<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(action);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
