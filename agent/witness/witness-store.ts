/** What the witness must not forget: one small file per module of a cluster, on disk before a vote leaves. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { contactCountsSchema, Fault, generationSchema } from '../contract/index.ts';
import { rewriteDurably } from '../runtime/durable-file.ts';

const voteFileSchema = z.object({
  format: z.literal(1),
  cluster: z.string(),
  module: z.string(),
  newest: generationSchema.nullable(),
  contacts: z.object({ generation: z.string(), counts: contactCountsSchema }).nullable().default(null),
  /** The longest lease that was ever granted: how long this voter is quiet after a restart. */
  leaseMs: z.number(),
});
export type StoredVote = z.infer<typeof voteFileSchema>;

export interface WitnessStore {
  load(): Promise<readonly StoredVote[]>;
  /** Durable when it resolves. */
  save(cluster: string, module: string, vote: Pick<StoredVote, 'newest' | 'contacts' | 'leaseMs'>): Promise<void>;
}

export function fileWitnessStore(directory: string): WitnessStore {
  // Names come from the network, authentic or not: they never become paths.
  const fileOf = (cluster: string, module: string): string =>
    path.join(directory, `${createHash('sha256').update(`${cluster}\n${module}`).digest('hex').slice(0, 32)}.json`);
  return {
    async load() {
      const names = await readdir(directory).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      });
      const files = names.filter((name) => name.endsWith('.json')).map((name) => path.join(directory, name));
      return await Promise.all(files.map(read));
    },
    save: (cluster, module, { newest, contacts, leaseMs }) =>
      rewriteDurably(
        fileOf(cluster, module),
        `${JSON.stringify({ format: 1, cluster, module, newest, contacts, leaseMs })}\n`,
      ),
  };
}

async function read(file: string): Promise<StoredVote> {
  try {
    return voteFileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    // To begin anew could let an old copy win.
    throw new Fault(
      'state-unreadable',
      { message: `The witness cannot read ${file}.`, remedy: 'Restore the file from a backup.' },
      { file },
      error,
    );
  }
}
