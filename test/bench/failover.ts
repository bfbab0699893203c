/**
 * `bench -- failover`: how long users wait when the primary loses its power, hangs, or hands over, with the defaults and tuned to a detection of one
 * second. Both products stand on the same servers and lose them in the same instant.
 */
import { Cluster, nowMs, otherNode } from '../e2e/harness/index.ts';
import { timingFor } from '../../agent/core/index.ts';
import { Lab, type Host } from '../lab/index.ts';
import {
  installKeepalived,
  keepalivedAddress,
  keepalivedLayer,
  moveKeepalivedTo,
  startKeepalived,
} from './keepalived.ts';
import { apply, installNameServer, moduleAddress, namePort } from './name-server.ts';
import { judge, type Report, type Row } from './report.ts';
import { VipWatch } from './vip-watch.ts';

/** "… answers nothing on the virtual address after its lease + 0.1 s". */
const leaseMarginMs = 100;
const swapBoundMs = 2000;
const settings = [
  { detection: '3s', detectionMs: 3000, boundMs: 5000 },
  { detection: '1s', detectionMs: 1000, boundMs: 2000 },
] as const;
type Setting = (typeof settings)[number];

type Numbers = Map<string, { values: number[]; bound: number | null; unit: Row['unit'] }>;

class FailoverBench {
  readonly lab: Lab;
  readonly cluster: Cluster;
  readonly watch: VipWatch;
  readonly numbers: Numbers = new Map();
  readonly say: (line: string) => void;

  constructor(lab: Lab, cluster: Cluster, watch: VipWatch, say: (line: string) => void) {
    this.lab = lab;
    this.cluster = cluster;
    this.watch = watch;
    this.say = say;
  }

  note(what: string, value: number, bound: number | null): void {
    const row = this.numbers.get(what) ?? { values: [], bound, unit: 'ms' as const };
    row.values.push(value);
    this.numbers.set(what, row);
    this.say(`${what}: ${Math.round(value)} ms`);
  }

  /** Protected, and both products on the same server. */
  async ready(): Promise<{ primary: Host; other: Host }> {
    await this.cluster.waitUntilProtected(180_000);
    const name = await this.cluster.primary();
    const [primary, other] = [this.lab.host(name), this.lab.host(otherNode(name))];
    await this.watch.answeredBy(moduleAddress, name, nowMs());
    await moveKeepalivedTo(this.watch, primary, other);
    return { primary, other };
  }

  async powerOff({ detection, boundMs }: Setting): Promise<void> {
    const { primary, other } = await this.ready();
    this.watch.forget();
    const instantMs = nowMs();
    await primary.poweroff();
    const answer = await this.watch.answeredBy(moduleAddress, other.name, instantMs);
    this.note(`power-off, detection ${detection}: first answer`, answer.atMs - instantMs, boundMs);
    const peer = await this.watch.answeredBy(keepalivedAddress, other.name, instantMs);
    if (detection === '3s') this.note('power-off, keepalived: first answer', peer.atMs - instantMs, null);
    await primary.start();
  }

  async freeze({ detection, detectionMs, boundMs }: Setting): Promise<void> {
    const { primary, other } = await this.ready();
    this.watch.forget();
    const beganMs = nowMs();
    await primary.freeze();
    const frozenMs = nowMs();
    const answer = await this.watch.answeredBy(moduleAddress, other.name, beganMs);
    this.note(`frozen, detection ${detection}: first answer of the other`, answer.atMs - beganMs, boundMs);
    // As long again: nothing of the frozen server may come back.
    await this.watch.answeredBy(moduleAddress, other.name, nowMs() + boundMs);
    const last = this.watch.lastFrame(moduleAddress, primary.hardwareAddress())?.atMs ?? beganMs;
    const { leaseMs } = timingFor(detectionMs);
    this.note(
      `frozen, detection ${detection}: last frame of it`,
      Math.max(0, last - frozenMs),
      leaseMs + leaseMarginMs,
    );
    await primary.thaw();
  }

  async swap(): Promise<void> {
    const { primary, other } = await this.ready();
    this.watch.forget();
    const beganMs = nowMs();
    await this.cluster.must('swap', 'app', '--yes', '--wait', '--cluster', this.cluster.file);
    const commandMs = nowMs() - beganMs;
    const first = await this.watch.answeredBy(moduleAddress, other.name, beganMs);
    const last = this.watch.lastAnswerOf(moduleAddress, primary.name, first.atMs);
    this.note('swap: nobody answers', first.atMs - (last?.atMs ?? beganMs), swapBoundMs);
    this.note('swap: the whole command on the laptop', commandMs, null);
  }
}

export async function measureFailover(options: {
  readonly rounds: number;
  readonly say: (line: string) => void;
}): Promise<Report> {
  await using lab = await Lab.up({ name: 'bench', nodes: 2, witness: true, layers: [keepalivedLayer] });
  await using cluster = new Cluster(lab);
  for (const host of lab.nodes) {
    await installNameServer(host);
    await installKeepalived(host);
  }
  using watch = new VipWatch(lab, namePort, [moduleAddress, keepalivedAddress]);
  const bench = new FailoverBench(lab, cluster, watch, options.say);
  for (const setting of settings) {
    await apply(cluster, setting.detection);
    if (setting.detection === '3s') for (const host of lab.nodes) await startKeepalived(host);
    for (let round = 1; round <= options.rounds; round++) {
      options.say(`round ${round} of ${options.rounds}, detection ${setting.detection}`);
      await bench.powerOff(setting);
      await bench.freeze(setting);
      if (setting.detection === '3s') await bench.swap();
    }
  }
  const rows = [...bench.numbers].map(([what, row]) => judge({ what, ...row }));
  return { rows, facts: { rounds: options.rounds } };
}
