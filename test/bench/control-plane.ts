/**
 * `bench -- control-plane`: what many idle modules cost the control planes of both nodes and the witness, in one process without a host below: processor time per
 * second of virtual time, and the longest that the event loop was held at their start.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { ClusterRecord } from '../../agent/contract/index.ts';
import { MemoryCluster, nodeNames } from '../suites/runtime/memory-cluster.ts';
import { judge, type Report } from './report.ts';

const observedMs = 20_000;
const startMaxMs = 120_000;
/** Half of the bound of a server: the other half is the replicator's. Two nodes, and the witness for nothing. */
const processorPercentMax = 10;

class ManyModules extends MemoryCluster {
  private readonly modules: number;

  constructor(modules: number) {
    super();
    this.modules = modules;
  }

  override get record(): ClusterRecord {
    const small = super.record;
    const [first] = small.modules;
    if (first === undefined) return small;
    const one = (index: number): ClusterRecord['modules'][number] => ({
      ...first,
      name: `m${index}`,
      prefer: index % 2 === 0 ? 'n1' : 'n2',
      vips: [],
      volumes: [{ id: `m${index}/0`, path: `/data/m${index}`, volumeUuid: `volume ${index}` }],
    });
    return { ...small, modules: Array.from({ length: this.modules }, (_, index) => one(index)) };
  }

  protectedModules(): number {
    return this.status('n1')?.modules.filter((module) => module.protected).length ?? 0;
  }
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export async function measureControlPlane(options: {
  readonly modules: number;
  readonly say: (line: string) => void;
}): Promise<Report> {
  const { modules } = options;
  const cluster = new ManyModules(modules);
  await cluster.startWitness();
  for (const name of nodeNames) {
    await cluster.boot(name);
    await cluster.nodes[name].life?.runtime.configure(cluster.record);
  }
  for (const { name: module, prefer } of cluster.record.modules)
    for (const name of nodeNames)
      await cluster.nodes[name].life?.runtime.initialise({
        module,
        as: name === prefer ? 'good' : 'blank',
        keepAside: true,
        replaceRecord: false,
      });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const beforeStartMs = processorMs();
  await Promise.all(
    cluster.record.modules.flatMap((module) =>
      nodeNames.map(async (name) => await cluster.nodes[name].life?.runtime.command(module.name, { name: 'start' })),
    ),
  );
  const begunMs = cluster.time.nowMs;
  while (cluster.protectedModules() < modules && cluster.time.nowMs - begunMs < startMaxMs)
    await cluster.time.advance(100);
  const startMs = processorMs() - beforeStartMs;
  const virtualMs = cluster.time.nowMs - begunMs;
  delay.disable();
  await cluster.time.advance(5000);
  const before = processorMs();
  const wall = performance.now();
  await cluster.time.advance(observedMs);
  const percent = ((processorMs() - before) / observedMs) * 100;
  const wallPercent = ((performance.now() - wall) / observedMs) * 100;
  return {
    rows: [
      judge({ what: 'not protected', unit: '', values: [modules - cluster.protectedModules()], bound: 0 }),
      judge({ what: 'two nodes and a witness, of one core', unit: '%', values: [percent], bound: processorPercentMax }),
    ],
    facts: {
      modules,
      startProcessorMs: Math.round(startMs),
      startVirtualMs: virtualMs,
      longestTurnMs: Math.round(delay.max / 1e6),
      wallPercent: Math.round(wallPercent * 10) / 10,
    },
  };
}
