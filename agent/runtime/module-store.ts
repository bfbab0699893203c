/** `/var/lib/holdfast/modules/<module>.json`. */
import path from 'node:path';
import * as z from 'zod';
import { contactCountsSchema, Fault, generationSchema } from '../contract/index.ts';
import type { ModuleRecord } from '../core/index.ts';
import { readIfThere, removeDurably, rewriteDurably } from './durable-file.ts';
import type { ModuleStore } from './ports.ts';

const recordSchema: z.ZodType<ModuleRecord> = z.object({
  format: z.literal(1),
  wanted: z.enum(['started', 'stopped']),
  maintenance: z.boolean(),
  newest: generationSchema.nullable(),
  contacts: z.object({ generation: z.string(), counts: contactCountsSchema }).nullable().default(null),
  grantedMs: z.number().nullable().default(null),
  pending: z.array(generationSchema),
  activeBoot: z.string().nullable(),
  running: z.boolean(),
  runningSinceMs: z.number().nullable().default(null),
  lastPrimary: z.boolean(),
  startFailed: z.boolean(),
  restarts: z.array(z.number()).default([]),
  restartsBoot: z.string().nullable().default(null),
  gaveUp: z.enum(['moved', 'stopped']).nullable().default(null),
  doubted: z
    .object({ generation: generationSchema, paths: z.array(z.string()), retried: z.boolean() })
    .nullable()
    .default(null),
  unreachedByOrder: z.boolean().default(false),
  order: z.object({ by: z.string(), bootId: z.string().optional() }).nullable(),
});

export function fileModuleStore(directory: string): ModuleStore {
  const fileOf = (module: string): string => path.join(directory, `${module}.json`);
  return {
    async load(module) {
      const text = await readIfThere(fileOf(module));
      if (text === null) return null;
      try {
        return recordSchema.parse(JSON.parse(text));
      } catch (error) {
        // A forgotten vote could make two primaries: better to stand still than to begin with a fresh record.
        throw new Fault(
          'state-unreadable',
          {
            message: `The state of module ${module} in ${fileOf(module)} cannot be read.`,
            remedy: 'Restore the file, or withdraw this node and apply the configuration again.',
          },
          { module },
          error,
        );
      }
    },
    save: (module, record) => rewriteDurably(fileOf(module), `${JSON.stringify(record)}\n`),
    remove: (module) => removeDurably(fileOf(module)),
  };
}
