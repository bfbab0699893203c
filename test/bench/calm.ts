/**
 * `bench -- calm`: nothing may happen for nothing. Both processors are saturated, the switch loses one frame in ten on every way, and one server after the
 * other stands still for 80 % of the detection time, again and again. Every failover is one too many.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { TimelineEvent } from '../../agent/contract/index.ts';
import { Cluster, nowMs } from '../e2e/harness/index.ts';
import { Lab, type Host } from '../lab/index.ts';
import { apply, installNameServer, moduleAddress, namePort } from './name-server.ts';
import { judge, type Report } from './report.ts';
import { VipWatch } from './vip-watch.ts';

const detectionMs = 3000;
const pauseMs = detectionMs * 0.8;
const betweenPausesMs = 3000;
const lossPercent = 10;

/** As often as these events stand in the node's own timeline. */
async function count(host: Host, code: string): Promise<number> {
  const text = await host.must(`grep -c '"code":"${code}"' /var/lib/holdfast/events.jsonl || true`);
  return Number(text);
}

async function countAll(hosts: readonly Host[], code: string): Promise<number> {
  const counts = await Promise.all(hosts.map((host) => count(host, code)));
  return counts.reduce((sum, one) => sum + one, 0);
}

/** What became of it, in the words of the timeline. */
async function tellEvents(host: Host, say: (line: string) => void): Promise<void> {
  for (const line of (await host.must('tail -n 40 /var/lib/holdfast/events.jsonl')).split('\n').filter(Boolean)) {
    const event = JSON.parse(line) as TimelineEvent;
    say(`${event.at} ${event.node} ${event.code}: ${event.message}`);
  }
}

function saturate(): Disposable {
  const hogs = Array.from({ length: availableParallelism() }, () => spawn(process.execPath, ['-e', 'for (;;);']));
  return { [Symbol.dispose]: () => hogs.forEach((hog) => hog.kill('SIGKILL')) };
}

export async function measureCalm(options: {
  readonly minutes: number;
  readonly say: (line: string) => void;
}): Promise<Report> {
  await using lab = await Lab.up({ name: 'bench', nodes: 2, witness: true });
  await using cluster = new Cluster(lab);
  for (const host of lab.nodes) await installNameServer(host);
  await apply(cluster, `${detectionMs / 1000}s`);
  using watch = new VipWatch(lab, namePort, [moduleAddress]);
  const primary = await cluster.primary();
  const codes = ['becomes-primary', 'fenced', 'alone'] as const;
  const before = await Promise.all(codes.map((code) => countAll(lab.nodes, code)));
  // Between any two of the three hosts a frame passes the port of the first node or of the witness.
  for (const name of ['n1', 'w']) await lab.host(name).loss(lossPercent);
  using _hogs = saturate();
  const endMs = nowMs() + options.minutes * 60_000;
  let pauses = 0;
  while (nowMs() < endMs) {
    const victim = lab.hosts[pauses % lab.hosts.length];
    if (victim === undefined) break;
    await victim.freeze();
    await delay(pauseMs);
    await victim.thaw();
    pauses += 1;
    if (pauses % 20 === 0) options.say(`${pauses} pauses, ${Math.round((endMs - nowMs()) / 60_000)} minutes to go`);
    await delay(betweenPausesMs);
  }
  for (const name of ['n1', 'w']) await lab.host(name).loss(0);
  const after = await Promise.all(codes.map((code) => countAll(lab.nodes, code)));
  const grown = (index: number): number => (after[index] ?? 0) - (before[index] ?? 0);
  if (grown(0) + grown(1) > 0) for (const host of lab.nodes) await tellEvents(host, options.say);
  else await watch.answeredBy(moduleAddress, primary, nowMs());
  const row = (what: string, value: number, bound: number | null) => judge({ what, unit: '', values: [value], bound });
  return {
    rows: [
      row('failovers', grown(0), 0),
      row('fenced', grown(1), 0),
      row('times that the primary went on alone', grown(2), null),
    ],
    facts: { minutes: options.minutes, pauses, pauseMs, lossPercent, processorsSaturated: availableParallelism() },
  };
}
