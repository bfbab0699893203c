/** The practice cluster: real servers on this machine, whose plugs may be pulled. */
import { z } from 'zod';
import { faultRecordSchema } from '../../agent/contract/index.ts';

export const practiceSchema = z.object({
  /** Null: it can be made here. Otherwise why not, and what enables it. */
  obstacle: z.object({ code: z.string(), message: z.string(), remedy: z.string() }).nullable(),
  state: z.enum(['none', 'making', 'ready', 'removing', 'failed']),
  /** While making: what is being done, newest last, with milliseconds since the beginning. */
  progress: z.array(z.object({ code: z.string(), message: z.string(), atMs: z.number() })),
  fault: faultRecordSchema.nullable(),
  /** The wizard filled in for these servers. */
  draft: z.string().nullable(),
  /** Servers and whether they have power and their cable. */
  hosts: z.array(z.object({ name: z.string(), address: z.string(), on: z.boolean(), connected: z.boolean() })),
});
export type Practice = z.infer<typeof practiceSchema>;

export const practiceMethods = {
  practice: { params: z.object({}), result: practiceSchema },
  /** Makes two servers and a witness, installs PostgreSQL there, fills in a draft. Returns at once, `practice` tells. */
  makePractice: { params: z.object({}), result: z.null() },
  /** Pulls or plugs: power or the network cable of a host. Returns when done. */
  practiceFault: {
    params: z.object({ host: z.string(), what: z.enum(['power-off', 'power-on', 'cut', 'heal']) }),
    result: z.null(),
  },
  /** Takes the servers away, and what this laptop knows of their cluster. */
  removePractice: { params: z.object({}), result: z.null() },
} as const;

export const practiceEvents = { practice: practiceSchema } as const;
