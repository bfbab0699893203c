/** Checks side by side: one line per question, one column per machine. Pure. */
import type { CheckResult } from '../../src-main/app-api/index.ts';
import type { Tone } from '../ui/tone.ts';

export interface CheckLine {
  /** Code and title: a directory has a line of its own. */
  readonly key: string;
  readonly title: string;
  /** In the order of the columns; null: not asked there. */
  readonly cells: readonly (CheckResult | null)[];
}

export function toneOfCheck(check: CheckResult): Tone {
  if (!check.ok) return 'bad';
  return check.attention ? 'attention' : 'good';
}

/** `both` stands for the cluster as a whole, and comes last. */
export function columnsOf(checks: readonly CheckResult[], nodes: readonly string[]): (string | null)[] {
  const hosts = new Set(checks.map((check) => check.host));
  const others = [...hosts].filter((host): host is string => host !== null && !nodes.includes(host));
  return [...nodes.filter((node) => hosts.has(node)), ...others, ...(hosts.has(null) ? [null] : [])];
}

/** Several checks may answer one question, such as one per port: each keeps its own line. */
export function linesOf(
  checks: readonly CheckResult[],
  columns: readonly (string | null)[],
  titleOf: (check: CheckResult) => string,
): CheckLine[] {
  const lines: { key: string; title: string; cells: (CheckResult | null)[] }[] = [];
  for (const check of checks) {
    const title = titleOf(check);
    const column = columns.indexOf(check.host);
    const line = lines.find((one) => one.title === title && one.cells[column] === null);
    if (line !== undefined) {
      line.cells[column] = check;
      continue;
    }
    const cells = columns.map((host) => (host === check.host ? check : null));
    lines.push({ key: `${title}/${lines.length}`, title, cells });
  }
  return lines;
}
