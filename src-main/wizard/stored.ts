/** Files of the wizard: read with their schema; one that is damaged is set aside, where a person can still look at it. */
import { lstat, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { Fault } from '../../agent/contract/fault.ts';
import { writeStateFile } from '../state-file.ts';

export class StoredFiles<T> {
  readonly #directory: string;
  readonly #schema: z.ZodType<T>;

  constructor(directory: string, schema: z.ZodType<T>) {
    this.#directory = directory;
    this.#schema = schema;
  }

  /** The id comes from a screen; one with a path in it would be another file. Null: no id of ours. */
  #fileOf(id: string): string | null {
    return /^[a-z0-9-]{1,64}$/.test(id) ? path.join(this.#directory, `${id}.json`) : null;
  }

  async read(id: string): Promise<T | null> {
    const file = this.#fileOf(id);
    if (file === null) return null;
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw unreadable(file, error);
    }
    const content = parsed(text);
    const checked = this.#schema.safeParse(content);
    if (checked.success) return checked.data;
    // The newer app, which may be open beside this one, still needs it.
    if (isOfLaterVersion(content)) return null;
    await rename(file, await freeName(`${file}.damaged`));
    return null;
  }

  async write(id: string, content: T): Promise<void> {
    const file = this.#fileOf(id);
    if (file === null) throw new Fault('internal', { message: `no id: ${id}` });
    try {
      await writeStateFile(file, content);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Fault(
        'draft-not-saved',
        {
          message: `${file} cannot be written: ${code === 'ENOSPC' ? 'the disk is full' : message}.`,
          remedy: 'Make room on this computer, or give this user the right to write there.',
        },
        { file },
        error,
      );
    }
  }

  async remove(id: string): Promise<void> {
    const file = this.#fileOf(id);
    if (file !== null) await rm(file, { force: true });
  }

  async ids(): Promise<string[]> {
    const names = await readdir(this.#directory).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw unreadable(this.#directory, error);
    });
    return names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isOfLaterVersion(content: unknown): boolean {
  const { format } = (content ?? {}) as { readonly format?: unknown };
  return typeof format === 'number' && format > 1;
}

/** What was set aside before may be the better one. */
async function freeName(name: string): Promise<string> {
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? name : `${name}-${count}`;
    const isTaken = await lstat(candidate).then(
      () => true,
      () => false,
    );
    if (!isTaken) return candidate;
  }
}

function unreadable(file: string, error: unknown): Fault {
  const words = { message: `${file} cannot be read.`, remedy: 'Give this user the right to read it.' };
  return new Fault('draft-unreadable', words, { file }, error);
}
