/** A fault in the user's language: what happened, the likely cause, what to do. */
import type { FaultRecord } from '../../agent/contract/index.ts';
import type { Messages } from './messages.ts';

export type FaultDetails = FaultRecord['details'];

export interface FaultText {
  readonly what: string;
  readonly cause?: string;
  readonly remedy?: string;
}
/** One entry of the area `faults`, by fault code. Whatever a detail is needed for, the text holds without it. */
export type FaultWording = (details: FaultDetails) => FaultText;
export type FaultWordings<Codes extends string = string> = Readonly<Record<Codes, FaultWording>>;

export interface WordedFault {
  readonly what: string;
  readonly cause: string;
  readonly remedy: string;
  /** Code, facts and the English sentence, for whoever has to look it up. */
  readonly detail: string;
}

/** A fact of a fault, for use in a sentence; `otherwise` where an older or a newer agent did not give it. */
export function fact(details: FaultDetails, key: string, otherwise: string): string {
  const value = details[key];
  if (value === undefined || value === null || value === '') return otherwise;
  return Array.isArray(value) ? value.join(', ') : String(value);
}

function detailOf(fault: FaultRecord): string {
  const facts = Object.entries(fault.details).map(
    ([key, value]) => `${key}: ${Array.isArray(value) ? value.join('\n  ') : String(value)}`,
  );
  return [fault.code, fault.message, fault.remedy, ...facts].filter((line) => line !== '').join('\n');
}

/** Several checks that failed travel under the code of the first when all are the same; the screen lists them itself. */
function codeOf(fault: FaultRecord): string {
  return Array.isArray(fault.details['checks']) ? 'checks-failed' : fault.code;
}

export function faultWords(words: Messages, fault: FaultRecord): WordedFault {
  const known: FaultWordings = words.faults;
  const code = codeOf(fault);
  const wording = Object.hasOwn(known, code) ? known[code] : undefined;
  const detail = detailOf(fault);
  // A fault of a newer agent keeps its own sentence.
  if (wording === undefined) return { what: fault.message, cause: '', remedy: fault.remedy, detail };
  const { what, cause = '', remedy = '' } = wording(fault.details);
  return { what, cause, remedy, detail };
}
