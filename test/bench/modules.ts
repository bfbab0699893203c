/** `bench -- modules`: what many idle modules cost on each server of one pair, control plane and replicator together. */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, nowMs, residentBytes } from '../e2e/harness/index.ts';
import { Lab, type Host } from '../lab/index.ts';
import { judge, type Report } from './report.ts';

const observedMs = 60_000;
const samples = 3;
const units = ['holdfastd', 'holdfast-replicator'] as const;
const processorPercentMax = 10;
const memoryMegabytesMax = 1000;

function configuration(modules: number): string {
  const one = (index: number): string => `  - name: m${index}
    kind: mirror
    prefer: ${index % 2 === 0 ? 'n1' : 'n2'}
    replicate:
      - path: /data/m${index}
    start: 'true'
    stop: 'true'
`;
  return `version: 1
cluster: bench
nodes:
  - { name: n1, ssh: root@10.77.0.11 }
  - { name: n2, ssh: root@10.77.0.12 }
witness: { ssh: root@10.77.0.13 }
modules:
${Array.from({ length: modules }, (_, index) => one(index)).join('')}`;
}

/** Milliseconds of processor time that the main processes of both units have used. */
async function processorMs(host: Host): Promise<number> {
  let ticks = 0;
  for (const unit of units) {
    const pid = (await host.must(['systemctl', 'show', '-P', 'MainPID', unit])).trim();
    const stat = await host.must(['cat', `/proc/${pid}/stat`]);
    // Behind the program's name, which may hold anything: utime and stime are the fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10;
}

async function memoryMegabytes(host: Host): Promise<number> {
  let bytes = 0;
  for (const unit of units) bytes += await residentBytes(host, unit);
  return bytes / 1e6;
}

export async function measureModules(options: {
  readonly modules: number;
  readonly say: (line: string) => void;
}): Promise<Report> {
  await using lab = await Lab.up({ name: 'bench', nodes: 2, witness: true });
  await using cluster = new Cluster(lab);
  writeFileSync(cluster.file, configuration(options.modules));
  for (const host of lab.nodes)
    await host.must(`for i in $(seq 0 ${options.modules - 1}); do mkdir -p /data/m$i; done`);
  const beganMs = nowMs();
  const applied = await cluster.command('apply', cluster.file, '--yes', '--wait', '--timeout', '170s');
  const applyMs = nowMs() - beganMs;
  const outcome = applied.code === 0 ? 'protected' : applied.stderr.trim().slice(-300);
  options.say(`${options.modules} modules, after ${Math.round(applyMs / 1000)} s: ${outcome}`);
  const processor = new Map<string, number[]>();
  const memory = new Map<string, number[]>();
  for (let sample = 0; sample < samples; sample++) {
    const before = await Promise.all(lab.nodes.map(processorMs));
    const sinceMs = nowMs();
    await delay(observedMs);
    const after = await Promise.all(lab.nodes.map(processorMs));
    const spanMs = nowMs() - sinceMs;
    for (const [index, host] of lab.nodes.entries()) {
      const percent = (((after[index] ?? 0) - (before[index] ?? 0)) / spanMs) * 100;
      processor.set(host.name, [...(processor.get(host.name) ?? []), percent]);
      memory.set(host.name, [...(memory.get(host.name) ?? []), await memoryMegabytes(host)]);
    }
  }
  return {
    rows: lab.nodes.flatMap(({ name }) => [
      // Numbers of modules that are not protected would not be those of idle ones.
      judge({ what: `${name}: not protected in time`, unit: '', values: [applied.code === 0 ? 0 : 1], bound: 0 }),
      judge({ what: `${name}: of one core`, unit: '%', values: processor.get(name) ?? [], bound: processorPercentMax }),
      judge({ what: `${name}: memory`, unit: 'MB', values: memory.get(name) ?? [], bound: memoryMegabytesMax }),
    ]),
    facts: { modules: options.modules, outcome, applyMs: Math.round(applyMs), observedMs, samples },
  };
}
