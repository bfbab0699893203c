/** The comparison of the two copies of a module, and what the next resync has to compare, as a screen asks for it: of whoever runs the application. */
import { Fault, type ControlApi, type LastComparison, type Result } from '../../agent/contract/index.ts';
import type { Comparison, Estimate } from '../app-api/index.ts';
import type { ClusterAccess } from '../cluster/access.ts';
import { moduleStatus, runningOn } from '../cluster/orders.ts';

type Verifications = Result<ControlApi, 'verification'>;

const readTimeoutMs = 5000;
const orderTimeoutMs = 30_000;
const filesNamed = 50;

/** Faults: no-such-module, and those of the server that runs the application. */
export async function readComparison(access: ClusterAccess, module: string): Promise<Comparison> {
  const status = await moduleStatus(access, module);
  const primary = runningOn(status);
  const names = status.nodes.map(({ name }) => name);
  const answers = new Map<string, Verifications>();
  await Promise.all(
    names.map(async (name) => {
      try {
        answers.set(name, await access.call(name, 'verification', { module }, readTimeoutMs));
      } catch (error) {
        // What the other one remembers is told without it.
        if (name === primary) throw error;
      }
    }),
  );
  return {
    primary,
    secondary: names.find((name) => name !== primary) ?? null,
    volumes: volumesOf(answers, primary),
  };
}

/** Pure. */
export function volumesOf(answers: ReadonlyMap<string, Verifications>, primary: string | null): Comparison['volumes'] {
  const all = [...answers].flatMap(([node, volumes]) => volumes.map((one) => ({ node, ...one })));
  return [...new Set(all.map(({ path }) => path))].map((path) => {
    const same = all.filter((one) => one.path === path);
    const last = same.flatMap((one) => one.last ?? []).reduce<LastComparison | null>(newer, null);
    return { path, verification: same.find(({ node }) => node === primary)?.verification ?? null, last };
  });
}
const newer = (a: LastComparison | null, b: LastComparison): LastComparison => (a !== null && a.at > b.at ? a : b);

/** Faults: no-primary, not-primary, verify-not-possible. */
export async function compareCopies(
  access: ClusterAccess,
  order: { readonly module: string; readonly repair: boolean; readonly primary: string },
): Promise<void> {
  const { module, repair, primary } = order;
  const runs = await access.primaryOf(module);
  if (runs !== primary)
    throw new Fault(
      'not-primary',
      {
        message: `${module} runs on ${runs} by now, not on ${primary}.`,
        remedy: 'Look again, then order it once more.',
      },
      { module, node: primary },
    );
  await access.call(primary, 'verify', { module, repair }, orderTimeoutMs);
}

export async function stopComparing(access: ClusterAccess, module: string): Promise<void> {
  await access.call(await access.primaryOf(module), 'stopVerify', { module }, orderTimeoutMs);
}

/** What a resync would have to do if the server that is away came back now. Faults: no-primary, and those of the server that runs the application. */
export async function readEstimate(access: ClusterAccess, module: string): Promise<Estimate> {
  const node = await access.primaryOf(module);
  const volumes = await access.call(node, 'estimate', { module, files: filesNamed }, orderTimeoutMs);
  return { volumes: volumes.map(({ path, estimate }) => ({ path, estimate })) };
}
