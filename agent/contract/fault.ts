/**
 * Faults are data: a code that people can look up and the facts that belong to it. The app turns the code into
 * *what happened · likely cause · what to do* in the user's language; the English sentence here is for logs and terminals.
 */
import * as z from 'zod';

export type FaultDetail = string | number | boolean | null | readonly string[];

export const faultRecordSchema = z.object({
  /** kebab-case, stable: people script against it. */
  code: z.string().regex(/^[a-z0-9-]+$/),
  /** One English sentence: what happened. */
  message: z.string(),
  /** What the person can do about it; empty when there is nothing to do. */
  remedy: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])),
});
export type FaultRecord = z.infer<typeof faultRecordSchema>;

export interface FaultWords {
  readonly message: string;
  readonly remedy?: string;
}

/** An expected failure. `details` hold no secrets: they are logged, shown and put into support bundles. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: string;
  readonly details: Readonly<Record<string, FaultDetail>>;
  readonly remedy: string;

  constructor(code: string, words: FaultWords, details: Readonly<Record<string, FaultDetail>> = {}, cause?: unknown) {
    super(words.message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.remedy = words.remedy ?? '';
    this.details = details;
  }

  toRecord(): FaultRecord {
    const details: FaultRecord['details'] = {};
    for (const [key, value] of Object.entries(this.details)) {
      details[key] = typeof value === 'object' && value !== null ? [...value] : value;
    }
    return { code: this.code, message: this.message, remedy: this.remedy, details };
  }

  static fromRecord(record: FaultRecord): Fault {
    return new Fault(record.code, { message: record.message, remedy: record.remedy }, record.details);
  }

  /** Anything thrown, as a fault: unexpected errors keep their message under the code `internal`. */
  static from(error: unknown): Fault {
    if (error instanceof Fault) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new Fault('internal', { message }, {}, error);
  }
}

/** For the `default` of an exhaustive switch. */
export function assertNever(value: never): never {
  throw new Fault('internal', { message: `unexpected value ${JSON.stringify(value)}` });
}

/** Assertions stay on in production: a broken invariant stops the process that sees it. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Fault('invariant-broken', { message });
}
