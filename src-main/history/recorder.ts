/** What the clusters part tells the history. */
import type { ClusterStatus } from '../../agent/contract/index.ts';

export interface HistoryRecorder {
  /**
   * At each reading of a cluster, about once a second; `cluster` is its id on this laptop. A reading that failed is not told: it is a gap. Never
   * throws and does not wait: an app without a history goes on.
   */
  record(cluster: string, status: ClusterStatus): void;
  /** The cluster was forgotten, or its practice servers were taken away. */
  forget(cluster: string): void;
}
