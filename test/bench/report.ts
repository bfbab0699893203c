/** What a benchmark found: rows with median and worst beside the bound that they have to keep. Pure. */

export interface Row {
  readonly what: string;
  readonly unit: 'ms' | '%' | 'MB' | '';
  /** One number per round. */
  readonly values: readonly number[];
  /** The worst value has to stay at or below it; null: measured for comparison. */
  readonly bound: number | null;
}

export interface JudgedRow {
  readonly what: string;
  readonly unit: Row['unit'];
  readonly rounds: number;
  readonly median: number | null;
  readonly worst: number | null;
  readonly bound: number | null;
  /** Null without a bound. A row without a single value has not kept its bound. */
  readonly kept: boolean | null;
}

export interface Report {
  readonly rows: readonly JudgedRow[];
  readonly facts: Readonly<Record<string, number | string>>;
}

export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}

const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10);

export function judge(row: Row): JudgedRow {
  const worst = row.values.length === 0 ? null : Math.max(...row.values);
  return {
    what: row.what,
    unit: row.unit,
    rounds: row.values.length,
    median: rounded(median(row.values)),
    worst: rounded(worst),
    bound: row.bound,
    kept: row.bound === null ? null : worst !== null && worst <= row.bound,
  };
}

export function allKept(report: Report): boolean {
  return report.rows.every(({ kept }) => kept !== false);
}

export function table(report: Report): string {
  const cell = (value: number | null, unit: string): string => (value === null ? '-' : `${value} ${unit}`.trim());
  const lines = [
    ['', 'rounds', 'median', 'worst', 'bound', ''],
    ...report.rows.map(({ what, unit, rounds, median: middle, worst, bound, kept }) => [
      what,
      String(rounds),
      cell(middle, unit),
      cell(worst, unit),
      cell(bound, unit),
      kept === null ? '' : kept ? 'kept' : 'MISSED',
    ]),
  ];
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((word, column) => (column === 0 ? word.padEnd(widths[column] ?? 0) : word.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return [...text, ...Object.entries(report.facts).map(([name, value]) => `${name}: ${value}`)].join('\n');
}
