/** What is wrong with a configuration file, and where: one line and column per problem, as an editor shows them (from 1). */
import { Fault } from '../../agent/contract/fault.ts';

interface Problem {
  /** kebab-case: configuration-unknown-key, configuration-wrong-value, not-in-this-version … */
  readonly code: string;
  /** Which rule was broken, for whoever words it anew: name-invalid, name-repeated, path-of-system … */
  readonly reason?: string;
  /** What belongs to the reason. */
  readonly facts?: Readonly<Record<string, string>>;
  readonly message: string;
  /** What to write instead. */
  readonly remedy: string;
}

export interface ConfigurationProblem extends Problem {
  readonly line: number;
  readonly column: number;
}

/** Where a problem stands before it is known on which line: the keys that lead to it, or the key itself (`atKey`). */
export interface ProblemAt extends Problem {
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
