/** One module needs another: in which order they start and stop, whatever happens to the servers. */
import { until } from '../../lab/index.ts';
import { Cluster } from '../harness/index.ts';
import { story } from '../story.ts';
import type { StoryContext } from '../story.ts';

const names = ['n1', 'n2'] as const;
/** What started or stopped where, and when. The database takes its time. */
const application = `#!/bin/sh
[ "$1 $2" != "db start" ] || sleep 2
echo "$1-$2 $(date +%s%N)" >>/root/order; sync /root/order
`;
const web = `  - name: web
    kind: mirror
    prefer: n1
    dependsOn: [db]
    replicate:
      - path: /data/web
    start: app web start
    stop: app web stop
`;

interface Entry {
  readonly node: string;
  readonly what: string;
  readonly at: bigint;
}

/** What has been seen of it: a server that is off cannot be asked. */
class Order {
  readonly #seen = new Map<string, Entry>();
  #told = 0n;
  async read(t: StoryContext): Promise<readonly Entry[]> {
    for (const node of names) {
      // One that is off, or boots just now, is asked the next time.
      const stdout = await t
        .host(node)
        .exec('cat /root/order')
        .then(
          (result) => result.stdout,
          () => '',
        );
      for (const line of stdout.split('\n').filter((one) => one !== '')) {
        const [what = '', at = '0'] = line.split(' ');
        this.#seen.set(`${line} ${node}`, { node, what, at: BigInt(at) });
      }
    }
    const fresh = [...this.#seen.values()].filter(({ at }) => at > this.#told);
    return fresh.sort((one, other) => (one.at < other.at ? -1 : 1));
  }
  async forget(t: StoryContext): Promise<void> {
    this.#told = (await this.read(t)).at(-1)?.at ?? this.#told;
  }
}

async function bothProtected(cluster: Cluster): Promise<void> {
  await until(
    'both modules are protected',
    90_000,
    async () => {
      const { modules } = await cluster.status();
      return modules.length === 2 && modules.every((module) => module.protected);
    },
    300,
  );
}

story(
  'one module needs another: started after it and stopped before it, through power cuts, a shutdown and orders',
  { hosts: { nodes: 2, witness: true }, timeoutMs: 360_000, long: true },
  async (t) => {
    for (const name of names) {
      await t
        .host(name)
        .must('mkdir -p /data/db /data/web && cat >/usr/local/bin/app && chmod 755 /usr/local/bin/app && sync', {
          stdin: application,
        });
    }
    for (const module of ['db', 'web']) await t.host('n1').must(`echo content >/data/${module}/file && sync`);
    await using cluster = new Cluster(t.lab, {
      prefer: 'n1',
      directory: '/data/db',
      start: 'app db start',
      stop: 'app db stop',
      extra: web,
    });
    const order = new Order();
    const happens = async (...wanted: readonly string[]): Promise<void> => {
      let told: string[] = [];
      const isThere = async (): Promise<boolean> => {
        told = (await order.read(t)).map(({ what, node }) => `${what} on ${node}`);
        return wanted.every((one) => told.includes(one));
      };
      await until(wanted.join(', '), 60_000, isThere, 200).catch((error: unknown) => {
        throw new Error(`seen: ${told.join(', ')}`, { cause: error });
      });
      t.step(told.join(', '));
      if (told.join() !== wanted.join()) throw new Error(`wanted: ${wanted.join(', ')}`);
    };
    const protectedAgain = async (): Promise<void> => {
      await bothProtected(cluster);
      await order.forget(t);
    };

    t.step('first start');
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    await happens('db-start on n1', 'web-start on n1');
    await protectedAgain();

    t.step('the plug of the server that runs both');
    await t.host('n1').poweroff();
    await happens('db-start on n2', 'web-start on n2');
    await t.host('n1').start();
    await protectedAgain();

    t.step('a shutdown of the server that runs both');
    void t.host('n2').exec('systemctl poweroff');
    await until('n2 is off', 60_000, () => t.host('n2').state() === 'off');
    await t.host('n2').start();
    await happens('web-stop on n2', 'web-start on n1', 'db-stop on n2', 'db-start on n1');
    await protectedAgain();

    t.step('both plugs at once');
    await Promise.all(names.map((name) => t.host(name).poweroff()));
    await Promise.all(names.map((name) => t.host(name).start()));
    await happens('db-start on n1', 'web-start on n1');
    await protectedAgain();

    t.step('orders');
    const refused = await cluster.command('stop', 'db', '--yes', '--wait', '--cluster', cluster.file);
    t.step(refused.stderr.trim());
    if (refused.code === 0 || !refused.stderr.includes('web'))
      throw new Error('stopping what another module needs was not refused');
    await cluster.must('stop', 'web', '--yes', '--wait', '--cluster', cluster.file);
    await cluster.must('stop', 'db', '--yes', '--wait', '--cluster', cluster.file);
    await cluster.must('start', 'web', '--cluster', cluster.file);
    await cluster.must('start', 'db', '--wait', '--cluster', cluster.file);
    await happens('web-stop on n1', 'db-stop on n1', 'db-start on n1', 'web-start on n1');
  },
);
