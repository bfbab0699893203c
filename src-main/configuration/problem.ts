/** What is wrong with a configuration file, and where: one line and column per problem, as an editor shows them (from 1). */
import { Fault } from '../../agent/contract/fault.ts';

export interface ConfigurationProblem {
  /** kebab-case: configuration-unknown-key, configuration-wrong-value, not-in-this-version … */
  readonly code: string;
  readonly message: string;
  /** What to write instead. */
  readonly remedy: string;
  readonly line: number;
  readonly column: number;
}

/** Where a problem stands before it is known on which line: the keys that lead to it, or the key itself (`atKey`). */
export interface ProblemAt {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly path: readonly (string | number)[];
  readonly atKey?: boolean;
}

export function problemText(file: string, problem: ConfigurationProblem): string {
  return `${file}:${problem.line}:${problem.column}: ${problem.message}`;
}

/** All problems as one fault: code, place and remedy of the first, and every one of them as a line in `details.problems`. */
export function configurationFault(file: string, problems: readonly ConfigurationProblem[]): Fault {
  const [first] = problems;
  if (!first) throw new RangeError('no problem');
  return new Fault(
    first.code,
    { message: problemText(file, first), remedy: first.remedy },
    {
      file,
      line: first.line,
      column: first.column,
      problems: problems.map(
        (problem) => problemText(file, problem) + (problem.remedy === '' ? '' : ` ${problem.remedy}`),
      ),
    },
  );
}
