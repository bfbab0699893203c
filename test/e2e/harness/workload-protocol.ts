/** What the test and the workload process in the client's network namespace say to each other, one JSON object per line. */
export interface WorkloadOptions {
  readonly address: string;
  readonly port: number;
  /** Connections that write, each its own numbers. */
  readonly clients: number;
  /** Between two transactions of one client. */
  readonly pauseMs: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** Between two probes; each opens a connection of its own, as a new user would. */
  readonly probeIntervalMs: number;
}

export interface WorkloadReport {
  readonly acknowledged: number;
  /** Sent, and never answered: the row may be there or not. */
  readonly undecided: number;
  /** Longest time without any returned COMMIT since the first one, up to now or to the stop. */
  readonly longestGapMs: number;
  readonly longestGapBeganMs: number;
  readonly lastError: string;
}

export interface WorkloadVerdict {
  readonly rows: number;
  readonly acknowledged: number;
  /** "client/number" of acknowledged rows that are not there. */
  readonly missing: readonly string[];
  /** Rows that nobody sent, or that are there twice. */
  readonly impossible: readonly string[];
}

export type WorkloadRequest =
  | { readonly id: number; readonly ask: 'report' }
  | { readonly id: number; readonly ask: 'stop' }
  | { readonly id: number; readonly ask: 'verify'; readonly timeoutMs: number }
  /** Answers with the milliseconds from `instantMs` to the first success of a SELECT that began after it. */
  | { readonly id: number; readonly ask: 'select-after'; readonly instantMs: number; readonly timeoutMs: number }
  /** The same for a COMMIT whose transaction began after it. */
  | { readonly id: number; readonly ask: 'commit-after'; readonly instantMs: number; readonly timeoutMs: number };

export type WorkloadAnswer =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };
