/** What the validation of every message costs, as a multiple of parsing it without looking. */
import { nodeStatusSchema, type NodeStatus } from '../../agent/contract/index.ts';

const modules = Array.from({ length: 128 }, (_, index): NodeStatus['modules'][number] => ({
  name: `module-${index}`,
  protected: true,
  maintenance: false,
  generation: 'g1',
  vips: [{ address: '10.77.0.50', here: true }],
  own: { name: 'n1', state: 'primary', data: 'up-to-date' },
  peer: { name: 'n2', state: 'secondary', data: 'up-to-date' },
}));

const line = JSON.stringify({
  cluster: 'site-a',
  node: 'n1',
  agentVersion: '0.1.0',
  observedAt: '2026-01-01T00:00:00Z',
  revision: 1,
  witness: { kind: 'voting', reachable: true },
  peer: { name: 'n2', alive: true, lastHeard: null, agentVersion: null, networks: [] },
  modules,
} satisfies NodeStatus);

function microsecondsPerRun(work: () => unknown): number {
  const runs = 200;
  for (let run = 0; run < runs; run++) work(); // until it is compiled
  const startedMs = performance.now();
  for (let run = 0; run < runs; run++) work();
  return ((performance.now() - startedMs) * 1000) / runs;
}

/** Interleaved and repeated, the median of each: a neighbour on the machine disturbs both alike. */
export function measure(): Record<string, number> {
  const plain: number[] = [];
  const validated: number[] = [];
  for (let round = 0; round < 5; round++) {
    plain.push(microsecondsPerRun(() => JSON.parse(line) as unknown));
    validated.push(microsecondsPerRun(() => nodeStatusSchema.parse(JSON.parse(line))));
  }
  const median = (values: number[]): number => values.sort((a, b) => a - b)[2] ?? Number.NaN;
  const [plainUs, validatedUs] = [median(plain), median(validated)];
  const rounded = (value: number): number => Math.round(value * 10) / 10;
  return {
    modules: 128,
    bytes: line.length,
    plainUs: rounded(plainUs),
    validatedUs: rounded(validatedUs),
    ratio: rounded(validatedUs / plainUs),
  };
}
