/** The shapes in which a comparison is put into words; both languages fill them in. */
import type { FaultText } from './fault-words.ts';

export interface ComparisonFacts {
  readonly module: string;
  /** Whose copy applications see. */
  readonly primary: string;
  readonly secondary: string;
  /** Of the module, as it is now. */
  readonly isProtected: boolean;
  readonly minor: number;
  readonly willRepair: boolean;
}
export type ComparisonWords = (facts: ComparisonFacts) => string;
export type StageWording = (facts: ComparisonFacts) => FaultText;
