/** `bench -- replication`: how much slower is an application when it is protected? Interleaved rounds, so that what drifts hits everybody. */
import { markdown, judgeRounds, type ReplicationRow } from './judge.ts';
import { openSite, placeNames, type Place, type PlaceName } from './site.ts';
import { notMeasured, workloads, type Workload } from './workloads.ts';

export interface ReplicationOptions {
  readonly rounds: number;
  /** Names or parts of names; none: all. */
  readonly only: readonly string[];
  readonly places: readonly string[];
  readonly cache: string;
  readonly say: (line: string) => void;
}

async function rateAt(place: Place, workload: Workload): Promise<number> {
  const rates = await Promise.all(place.ends.map(({ host, directory }) => workload.rate(host, directory)));
  // The rate of one copy.
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

function wantedPlaces(workload: Workload, names: readonly string[]): readonly PlaceName[] {
  return placeNames.filter(
    (name) => (name !== 'twin' || workload.limit === 'twin') && (names.length === 0 || names.includes(name)),
  );
}

export async function measureReplication(options: ReplicationOptions): Promise<{
  readonly rows: readonly ReplicationRow[];
  readonly notMeasured: readonly string[];
  readonly text: string;
  readonly kept: boolean;
}> {
  const wanted = workloads.filter(
    ({ name }) => options.only.length === 0 || options.only.some((part) => name.includes(part)),
  );
  if (wanted.length === 0) {
    throw new Error(`no such workload; there are: ${workloads.map(({ name }) => name).join(', ')}`);
  }
  await using site = await openSite(options);
  const rows: ReplicationRow[] = [];
  for (const workload of wanted) {
    const rounds: Partial<Record<PlaceName, number[]>> = {};
    for (let round = 0; round < options.rounds; round++) {
      for (const name of wantedPlaces(workload, options.places)) {
        const rate = await rateAt(site.places[name], workload);
        (rounds[name] ??= []).push(rate);
      }
    }
    const row = judgeRounds(workload, rounds);
    rows.push(row);
    options.say(`${row.words}: ${JSON.stringify(row.rates)} spread ${JSON.stringify(row.spread)}`);
  }
  const ratios = rows.flatMap(({ besideGlusterfs, besideLimit }) => [besideGlusterfs, besideLimit]);
  return {
    rows,
    notMeasured,
    text: [markdown(rows, workloads), '', ...notMeasured.map((what) => `not measured: ${what}`)].join('\n'),
    kept: ratios.every((ratio) => ratio?.kept !== false),
  };
}
