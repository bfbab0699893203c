/** What checkers may cause: never more than the restart limit between two orders of people, and no application that is thrown to and fro. */
import type { EventDraft } from '../../agent/contract/index.ts';

/** Each of the two may fail to start once or twice after a disturbance; more is a game without an end. */
const startsFailedMax = 5;
const acts: readonly unknown[] = ['restart', 'stop-start', 'failover', 'wait'];
const orders: readonly string[] = ['ordered-start', 'ordered-restart', 'ordered-promote'];

export class Judge {
  private readonly limit: number;
  private readonly acted = new Map<string, number>();
  private startsFailed = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Something was done to the cluster: it may try again. */
  disturbed(): void {
    this.startsFailed = 0;
  }

  /** The node was installed anew. */
  forgotten(node: string): void {
    this.acted.set(node, 0);
  }

  /** What is wrong with it; null: nothing. `maintenance`: as the node has recorded it. */
  told(node: string, maintenance: boolean, { code, evidence }: EventDraft): string | null {
    if (orders.includes(code)) {
      this.acted.set(node, 0);
      this.disturbed();
    }
    if (code === 'start-failed' && ++this.startsFailed > startsFailedMax)
      return `liveness: ${String(this.startsFailed)} starts failed one after the other, and nobody stops`;
    if (code !== 'checker-failed' || !acts.includes(evidence['decision'])) return null;
    if (maintenance) return `${node} follows a checker in maintenance`;
    // At the limit the application may still move to where it has not failed, or stop.
    const restarts = evidence['decision'] === 'restart' || evidence['decision'] === 'stop-start';
    if (evidence['limitReached'] === true)
      return restarts ? `H6: a checker restarts the application on ${node} beyond the limit` : null;
    const count = (this.acted.get(node) ?? 0) + 1;
    this.acted.set(node, count);
    return count > this.limit
      ? `H6: checkers acted ${String(count)} times on ${node} without an order of a person`
      : null;
  }
}
