/** Clusters as a test lays them out; what it shows reaches every page that looks. */
import { Fault, type ClusterStatus, type FaultRecord, type TimelineEvent } from '../../agent/contract/index.ts';
import type {
  ClusterHandlers,
  ClusterView,
  Comparison,
  Estimate,
  KnownCluster,
  Order,
} from '../../src-main/app-api/index.ts';
import type { Screen } from '../../src-main/app.ts';
import { at, protectedCluster, timelineEvents } from './demonstration.ts';
import { changedSince, equalComparison, runningComparison, stoppedComparison } from './demonstration-comparison.ts';
import { DemonstrationPart } from './demonstration-part.ts';

export const configurationText = `version: 1
cluster: site-a
nodes:
  - { name: n1, ssh: root@10.77.0.11 }
  - { name: n2, ssh: root@10.77.0.12 }
witness: { ssh: root@10.77.0.13 }
modules:
  - name: db
    kind: mirror
    replicate:
      - path: /data/db
    vip: 10.77.0.50/24
    start: systemctl start postgresql@15-main
    stop: systemctl stop postgresql@15-main
`;

export function knownCluster(id: string, status: ClusterStatus = protectedCluster, practice = false): KnownCluster {
  return {
    id,
    cluster: status.cluster,
    file: `/home/integrator/${id}.yaml`,
    usedAt: at,
    practice,
    view: { kind: 'read', status },
  };
}

export class DemonstrationClusters extends DemonstrationPart<ClusterHandlers> {
  #known: readonly KnownCluster[];
  #events: readonly TimelineEvent[] = timelineEvents;
  readonly #lookedAt = new Map<Screen, string>();
  #comparison: Comparison = equalComparison;
  /** Null: nobody can be asked. */
  #estimate: Estimate | null = changedSince;

  constructor(known: readonly KnownCluster[]) {
    super();
    this.#known = known;
  }

  get orders(): readonly Order[] {
    return this.paramsOf('order');
  }

  /** A new picture of a cluster, as after a reading. */
  show(id: string, view: ClusterStatus | ClusterView): void {
    const next: ClusterView = 'kind' in view ? view : { kind: 'read', status: view };
    this.#known = this.#known.map((one) => (one.id === id ? { ...one, view: next } : one));
    this.emit('clusters', [...this.#known]);
    for (const [screen, cluster] of this.#lookedAt) {
      if (cluster === id) screen.emit('cluster', { cluster: id, view: next });
    }
  }

  /** What a comparison of the copies of any module has come to. */
  showComparison(comparison: Comparison): void {
    this.#comparison = comparison;
  }

  /** What a returning server would be compared with. */
  showEstimate(estimate: Estimate | null): void {
    this.#estimate = estimate;
  }

  /** It could be read until now. */
  showUnreadable(id: string, fault: FaultRecord, since = at): void {
    const view = this.#of(id).view;
    const last = view.kind === 'read' ? view.status : view.kind === 'unreadable' ? view.last : null;
    this.show(id, { kind: 'unreadable', fault, since, last });
  }

  add(known: KnownCluster): void {
    this.#known = [known, ...this.#known.filter((one) => one.id !== known.id)];
    this.emit('clusters', [...this.#known]);
  }

  remove(id: string): void {
    this.#known = this.#known.filter((one) => one.id !== id);
    this.emit('clusters', [...this.#known]);
  }

  happened(id: string, events: readonly TimelineEvent[]): void {
    this.#events = [...this.#events, ...events];
    for (const [screen, cluster] of this.#lookedAt) {
      if (cluster === id) screen.emit('timeline', { cluster: id, events: [...events] });
    }
  }

  #of(id: string): KnownCluster {
    const known = this.#known.find((one) => one.id === id);
    if (known) return known;
    throw new Fault('no-cluster-known', { message: 'This laptop does not know that cluster.' }, { cluster: id });
  }

  protected handlers(screen: Screen): ClusterHandlers {
    screen.onClose(() => this.#lookedAt.delete(screen));
    return {
      clusters: async () => [...this.#known],
      lookAt: async ({ cluster }) => {
        this.#lookedAt.delete(screen);
        if (cluster !== null) {
          this.#lookedAt.set(screen, cluster);
          screen.emit('cluster', { cluster, view: this.#of(cluster).view });
        }
        return null;
      },
      refresh: async ({ cluster }) => this.#of(cluster).view,
      addCluster: async () => {
        this.add(knownCluster('added'));
        return { cluster: 'added' };
      },
      forgetCluster: async ({ cluster }) => {
        this.remove(cluster);
        return null;
      },
      configuration: async ({ cluster }) => ({ file: this.#of(cluster).file, text: configurationText }),
      timeline: async ({ limit }) => ({ events: this.#events.slice(-limit), missing: [] }),
      order: async (order) => {
        if (order.kind === 'promote' && order.confirmed !== order.module)
          throw new Fault('confirmation-wrong', {
            message: 'What was typed is not the name of the module.',
            remedy: `Type ${order.module}.`,
          });
        return null;
      },
      comparison: async () => this.#comparison,
      compareCopies: async ({ repair }) => {
        this.#comparison = runningComparison(this.#comparison, repair);
        return null;
      },
      estimate: async () => {
        if (this.#estimate === null) throw new Fault('no-primary', { message: 'It runs nowhere.' });
        return this.#estimate;
      },
      stopComparing: async () => {
        this.#comparison = stoppedComparison(this.#comparison);
        return null;
      },
      logs: async ({ node }) => [
        `Jan 01 14:02:11 ${node} holdfastd[812]: heartbeat on lan, 0.3 ms`,
        `Jan 01 14:02:11 ${node} holdfast-replicator[815]: generation 7, in sync`,
      ],
    };
  }
}
