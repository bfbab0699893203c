/** What the servers and the app say in codes, for the languages to word: checks, wrong answers, steps of an installation. */
import type { AnswerProblem, CheckResult } from '../../src-main/app-api/index.ts';
import type { PlannedStep } from '../wizard/answers.ts';
import type { Messages } from './messages.ts';

export type Facts = CheckResult['facts'];

/** Each part takes the place of the check's own English sentence. */
export interface CheckText {
  readonly title: string;
  readonly what: string;
  readonly why?: string;
  readonly remedy?: string;
}
export type CheckWordings = Readonly<Record<string, (facts: Facts, check: CheckResult) => CheckText>>;

export interface ProblemText {
  readonly what: string;
  readonly remedy: string;
}
export type ProblemWordings = Readonly<Record<string, (facts: Facts) => ProblemText>>;
export type StepWordings = Readonly<Record<string, (step: PlannedStep) => string>>;

function own<T>(wordings: Readonly<Record<string, T>>, code: string): T | undefined {
  return Object.hasOwn(wordings, code) ? wordings[code] : undefined;
}

/** The check's own sentences where this version has none for its code. */
export function checkText(words: Messages, check: CheckResult): Required<CheckText> {
  const { title, what, why, remedy } = check;
  const said = own<CheckWordings[string]>(words.checks, check.code)?.(check.facts, check);
  return { title, what, why, remedy: check.ok && !check.attention ? '' : remedy, ...said };
}

/** One sentence for beside a field. */
export function problemText(words: Messages, problem: AnswerProblem): string {
  const { what, remedy } = own<ProblemWordings[string]>(words.wizard.problems, problem.code)?.(problem.facts) ?? {
    what: problem.message,
    remedy: problem.remedy,
  };
  return remedy === '' ? what : `${what} ${remedy}`;
}

export function stepText(words: Messages, step: PlannedStep): string {
  return own<StepWordings[string]>(words.wizard.installSteps, step.kind)?.(step) ?? step.title;
}

/** For `facts` that are lists: `a, b and c`. */
export function listed(facts: Facts, key: string): string {
  const value = facts[key];
  return Array.isArray(value) ? value.join(', ') : value === null || value === undefined ? '' : String(value);
}
export function numberOf(facts: Facts, key: string): number {
  const value = facts[key];
  return typeof value === 'number' ? value : 0;
}
