/** A reading of a cluster → what is kept of it, one sample for each module. Pure. Whole numbers: they are small in the file. */
import type { ClusterStatus, ModuleOnNode, ResyncProgress } from '../../agent/contract/index.ts';

type ModuleStatus = ClusterStatus['modules'][number];

/** Columns of the file, beside series, step and time. Null: nobody measured. */
export interface SampleValues {
  readonly replicatedBytesPerSecond: number | null;
  readonly p50Microseconds: number | null;
  readonly p99Microseconds: number | null;
  readonly resyncBytesPerSecond: number | null;
  readonly resyncDoneMillionths: number | null;
  readonly resyncEtaSeconds: number | null;
  /** 1, 0. */
  readonly protected: number | null;
}

export interface ResyncSeen {
  /** That is being brought up to date. */
  readonly node: string;
  readonly doneBytes: number;
  /** Null: not counted yet. */
  readonly totalBytes: number | null;
  readonly sentBytes: number;
}

export interface Sample {
  readonly cluster: string;
  readonly module: string;
  /** Seconds since 1970, whole. */
  readonly at: number;
  readonly values: SampleValues;
  /** Running at that time. */
  readonly resync: ResyncSeen | null;
  /** Nodes whose copy is complete, to tell whether a resync that has ended reached its end. */
  readonly upToDate: readonly string[];
  /** Nodes of which nothing is known: a resync there may still be running. */
  readonly unknown: readonly string[];
}

function whole(value: number | null | undefined, factor = 1): number | null {
  return value === null || value === undefined || !Number.isFinite(value) ? null : Math.round(value * factor);
}

function runsApplication(node: ModuleOnNode): boolean {
  return node.state === 'primary' || node.state === 'alone';
}

/** The side that sends knows how much there is, and how fast it goes. */
function resyncOf(module: ModuleStatus): { node: string; progress: ResyncProgress } | null {
  const telling =
    module.nodes.find((node) => runsApplication(node) && node.resync) ?? module.nodes.find((node) => node.resync);
  const behind =
    module.nodes.find((node) => node.data === 'resynchronising') ?? module.nodes.find((node) => !runsApplication(node));
  return telling?.resync && behind ? { node: behind.name, progress: telling.resync } : null;
}

function doneMillionths({ doneBytes, totalBytes }: ResyncProgress): number | null {
  if (totalBytes === null) return null;
  return totalBytes === 0 ? 1_000_000 : Math.min(1_000_000, Math.max(0, Math.floor((doneBytes / totalBytes) * 1e6)));
}

export function samplesOf(cluster: string, status: ClusterStatus): Sample[] {
  // Nobody could be asked: nothing is known of this moment.
  if (!status.nodes.some((node) => node.reachable)) return [];
  const at = Math.floor(Date.parse(status.observedAt) / 1000);
  return status.modules.map((module) => {
    const { metrics } = module;
    const resync = resyncOf(module);
    return {
      cluster,
      module: module.name,
      at,
      values: {
        replicatedBytesPerSecond: whole(metrics?.replicatedBytesPerSecond),
        p50Microseconds: whole(metrics?.writeLatencyP50Ms, 1000),
        p99Microseconds: whole(metrics?.writeLatencyP99Ms, 1000),
        resyncBytesPerSecond: whole(resync?.progress.bytesPerSecond),
        resyncDoneMillionths: resync && doneMillionths(resync.progress),
        resyncEtaSeconds: whole(resync?.progress.etaSeconds),
        protected: module.protected ? 1 : 0,
      },
      resync: resync && {
        node: resync.node,
        doneBytes: resync.progress.doneBytes,
        totalBytes: resync.progress.totalBytes,
        sentBytes: resync.progress.sentBytes,
      },
      upToDate: module.nodes.filter((node) => node.data === 'up-to-date').map((node) => node.name),
      unknown: module.nodes.filter((node) => node.data === 'unknown').map((node) => node.name),
    };
  });
}
