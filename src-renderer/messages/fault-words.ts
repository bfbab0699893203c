/** A fault in the user's language: what happened, the likely cause, what to do. */
import type { FaultRecord } from '../../agent/contract/index.ts';
import type { Messages } from './messages.ts';

export type FaultDetails = FaultRecord['details'];
/** One entry of the area `faults`, by fault code. */
export interface FaultWords {
  readonly what: (details: FaultDetails) => string;
  readonly cause?: (details: FaultDetails) => string;
  readonly remedy?: (details: FaultDetails) => string;
}

export interface WordedFault {
  readonly what: string;
  readonly cause: string;
  readonly remedy: string;
  /** Code, facts and the English sentence, for whoever has to look it up. */
  readonly detail: string;
}

function detailOf(fault: FaultRecord): string {
  const facts = Object.entries(fault.details).map(
    ([key, value]) => `${key}: ${Array.isArray(value) ? value.join(', ') : String(value)}`,
  );
  return [fault.code, fault.message, ...facts].join('\n');
}

export function faultWords(words: Messages, fault: FaultRecord): WordedFault {
  const known: Readonly<Record<string, FaultWords>> = words.faults;
  const own = Object.hasOwn(known, fault.code) ? known[fault.code] : undefined;
  const detail = detailOf(fault);
  // A fault of a newer agent keeps its own sentence.
  if (own === undefined) return { what: fault.message, cause: '', remedy: fault.remedy, detail };
  return {
    what: own.what(fault.details),
    cause: own.cause?.(fault.details) ?? '',
    remedy: own.remedy?.(fault.details) ?? '',
    detail,
  };
}
