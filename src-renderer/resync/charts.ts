/** Which charts there are, and what stands in them. Pure. */
import type { ClusterStatus, ModuleMetrics, ResyncProgress } from '../../agent/contract/index.ts';
import type { Series } from '../../src-main/app-api/index.ts';
import type { Messages } from '../messages/messages.ts';
import { clockTime, durationText, millisecondsText, percentText, rateText } from '../ui/format.ts';
import type { Line } from './chart-options.ts';
import type { Quantity } from './scale.ts';
import { hasAny, summaryOf } from './summary.ts';

/** This moment, as the servers told it. */
export interface Live {
  readonly metrics: ModuleMetrics | null;
  readonly resync: ResyncProgress | null;
  /** That is being brought up to date. */
  readonly resyncNode: string | null;
  readonly protected: boolean;
}

export function liveOf(status: ClusterStatus, name: string): Live | null {
  const module = status.modules.find((one) => one.name === name);
  if (module === undefined) return null;
  const source = module.nodes.find((node) => node.state === 'primary' || node.state === 'alone');
  const behind = module.nodes.find((node) => node.data === 'resynchronising');
  return {
    metrics: module.metrics ?? null,
    // The side that sends knows how much there is.
    resync: source?.resync ?? behind?.resync ?? null,
    resyncNode: behind?.name ?? null,
    protected: module.protected,
  };
}

/** 0 … 1; null: no resync, or it is not known how much there is. */
export function partDone({ resync }: Live): number | null {
  const total = resync?.totalBytes ?? null;
  if (resync === null || total === null) return null;
  return total === 0 ? 1 : resync.doneBytes / total;
}

export interface ChartContent {
  readonly key: 'replication' | 'latency' | 'resync-done' | 'resync-rate' | 'protection';
  readonly title: string;
  readonly text: string;
  readonly quantity: Quantity;
  readonly plotHeight: number;
  readonly lines: readonly Line[];
  readonly nothing?: string;
  readonly aside?: string;
}

type Values = readonly (number | null)[];

/** `point`: what the pointer is at; null: nothing. */
export function chartsOf(words: Messages, series: Series, live: Live | null, point: number | null): ChartContent[] {
  const said = words.measurements;
  /** Of now where now is shown, else the last of what is shown. */
  const end = (values: Values, now: number | null | undefined): number | null =>
    live === null ? summaryOf(values).last : (now ?? null);
  const endText = (value: number | null, text: (value: number) => string): string | null =>
    value === null ? null : text(value);
  const at = (texts: readonly string[]): { aside?: string } => {
    const time = point === null ? undefined : series.at[point];
    return time === undefined ? {} : { aside: [clockTime(words, time * 1000, true), ...texts].join(' · ') };
  };
  const endIsNow = live !== null;
  const here = (values: Values): number | null => (point === null ? null : (values[point] ?? null));

  const { replicatedBytesPerSecond, writeLatencyP50Ms, writeLatencyP99Ms, resyncBytesPerSecond, resyncDone } = series;
  const p99 = end(writeLatencyP99Ms, live?.metrics?.writeLatencyP99Ms);
  const p50 = end(writeLatencyP50Ms, live?.metrics?.writeLatencyP50Ms);
  const charts: ChartContent[] = [
    {
      key: 'replication',
      title: said.replication,
      text: said.replicationText,
      quantity: 'rate',
      plotHeight: 112,
      lines: [
        {
          label: said.replication,
          values: replicatedBytesPerSecond,
          weight: 'main',
          filled: true,
          endText: endText(end(replicatedBytesPerSecond, live?.metrics?.replicatedBytesPerSecond), (value) =>
            rateText(words, value),
          ),
          endIsNow,
        },
      ],
      nothing: said.nothing.rate,
      ...at([rateText(words, here(replicatedBytesPerSecond))]),
    },
    {
      key: 'latency',
      title: said.writeLatency,
      text: said.writeLatencyText,
      quantity: 'latency',
      plotHeight: 112,
      lines: [
        {
          label: said.p99,
          values: writeLatencyP99Ms,
          weight: 'main',
          endText: endText(p99, (value) => `${said.p99} ${millisecondsText(words, value)}`),
          endIsNow,
        },
        {
          label: said.p50,
          values: writeLatencyP50Ms,
          weight: 'side',
          endText: endText(p50, (value) => `${said.p50} ${millisecondsText(words, value)}`),
          endIsNow,
        },
      ],
      nothing: said.nothing.latency,
      ...at([
        `${said.p99} ${millisecondsText(words, here(writeLatencyP99Ms))}`,
        `${said.p50} ${millisecondsText(words, here(writeLatencyP50Ms))}`,
      ]),
    },
  ];
  if (hasAny(resyncDone) || hasAny(resyncBytesPerSecond))
    charts.push(...resyncCharts(words, series, live, { end, endText, at, here }));
  charts.push({
    key: 'protection',
    title: said.protection,
    text: '',
    quantity: 'yes-no',
    plotHeight: 44,
    lines: [
      {
        label: said.protection,
        values: series.protected,
        weight: 'main',
        filled: true,
        endText: endText(end(series.protected, live === null ? null : Number(live.protected)), yesNo(words)),
        endIsNow,
      },
    ],
    ...at([point === null || here(series.protected) === null ? '–' : yesNo(words)(here(series.protected) ?? 0)]),
  });
  return charts;
}

function yesNo(words: Messages): (value: number) => string {
  return (value) => (value > 0.5 ? words.measurements.yes : words.measurements.no);
}

interface Tools {
  readonly end: (values: Values, now: number | null | undefined) => number | null;
  readonly endText: (value: number | null, text: (value: number) => string) => string | null;
  readonly at: (texts: readonly string[]) => { aside?: string };
  readonly here: (values: Values) => number | null;
}

function resyncCharts(words: Messages, series: Series, live: Live | null, tools: Tools): ChartContent[] {
  const said = words.measurements;
  const { end, endText, at, here } = tools;
  const { resyncDone, resyncBytesPerSecond, resyncEtaSeconds } = series;
  const part = live && partDone(live);
  const left = live?.resync ? { aside: said.timeLeft(durationText(words, live.resync.etaSeconds)) } : {};
  return [
    {
      key: 'resync-done',
      title: said.resyncDone,
      text: said.resyncDoneText,
      quantity: 'part',
      plotHeight: 88,
      lines: [
        {
          label: said.resyncDone,
          values: resyncDone,
          weight: 'main',
          endText: endText(end(resyncDone, part), (value) => percentText(words, value)),
          endIsNow: live !== null,
        },
      ],
      ...left,
      ...at([percentText(words, here(resyncDone)), said.timeLeft(durationText(words, here(resyncEtaSeconds)))]),
    },
    {
      key: 'resync-rate',
      title: said.resyncRate,
      text: said.resyncRateText,
      quantity: 'rate',
      plotHeight: 88,
      lines: [
        {
          label: said.resyncRate,
          values: resyncBytesPerSecond,
          weight: 'main',
          endText: endText(end(resyncBytesPerSecond, live?.resync?.bytesPerSecond), (value) => rateText(words, value)),
          endIsNow: live !== null,
        },
      ],
      ...at([rateText(words, here(resyncBytesPerSecond))]),
    },
  ];
}
