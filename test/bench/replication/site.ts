/**
 * One pair of servers with everything to measure on it: a bare directory, our replicated one, and a GlusterFS volume with two replicas, all on the
 * same disks. The twin is the limit of the hardware: the same work on both servers' bare directories at the same time.
 */
import { writeFileSync } from 'node:fs';
import { Cluster } from '../../e2e/harness/index.ts';
import { Lab, until, type Host } from '../../lab/index.ts';

export const placeNames = ['bare', 'twin', 'holdfast', 'glusterfs'] as const;
export type PlaceName = (typeof placeNames)[number];

/** Where a program runs and the directory in which it works; the twin has two. */
export interface Place {
  readonly name: PlaceName;
  readonly ends: readonly { readonly host: Host; readonly directory: string }[];
}

export interface Site extends AsyncDisposable {
  readonly lab: Lab;
  readonly cluster: Cluster;
  readonly places: Readonly<Record<PlaceName, Place>>;
}

const bareDirectory = '/data/bare';
const brickDirectory = '/data/brick';
const glusterDirectory = '/mnt/glusterfs';
export const replicatedDirectory = '/data/app';

function configure(cluster: Cluster, cache: string): void {
  writeFileSync(
    cluster.file,
    `version: 1
cluster: bench
nodes:
  - { name: n1, ssh: root@10.77.0.11 }
  - { name: n2, ssh: root@10.77.0.12 }
witness: { ssh: root@10.77.0.13 }
modules:
  - name: app
    kind: mirror
    prefer: n1
    replicate:
      - path: ${replicatedDirectory}
    cache: ${cache}
    start: "true"
    stop: "true"
`,
  );
}

async function startGlusterfs(hosts: readonly Host[]): Promise<void> {
  const [first, second] = hosts;
  if (first === undefined || second === undefined) throw new Error('two servers are needed');
  const names = `127.0.0.1 localhost\n${hosts.map((host) => `${host.address()} ${host.name}`).join('\n')}\n`;
  for (const host of hosts) {
    await host.writeFile('/etc/hosts', names);
    await host.must(`mkdir -p ${brickDirectory} && systemctl start glusterd`);
  }
  await first.must(['gluster', '--mode=script', 'peer', 'probe', second.name]);
  await until('the GlusterFS servers know each other', 30_000, async () =>
    (await first.must('gluster peer status')).includes('Peer in Cluster (Connected)'),
  );
  const bricks = hosts.map((host) => `${host.name}:${brickDirectory}`).join(' ');
  await first.must(`gluster --mode=script volume create bench replica 2 ${bricks} force`);
  await first.must('gluster volume start bench');
  await first.must(
    `mkdir -p ${glusterDirectory} && mount -t glusterfs ${first.name}:/bench ${glusterDirectory} && mountpoint -q ${glusterDirectory}`,
  );
}

/** Protected, mounted, and at rest. */
export async function openSite(options: {
  readonly cache: string;
  readonly say: (line: string) => void;
}): Promise<Site> {
  const lab = await Lab.up({
    name: 'bench',
    nodes: 2,
    witness: true,
    layers: ['replication'],
    dataBytesMax: 12 * 1024 ** 3,
  });
  const cluster = new Cluster(lab);
  try {
    for (const host of lab.nodes) {
      await host.must('systemctl disable --now postgresql 2>/dev/null; true');
      await host.must(`mkdir -p ${bareDirectory} ${replicatedDirectory} && chmod 777 ${bareDirectory} && sync`);
    }
    options.say('GlusterFS: a volume with two replicas');
    await startGlusterfs(lab.nodes);
    options.say('Holdfast: installed by the command line, until it says protected');
    configure(cluster, options.cache);
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '180s');
    await cluster.waitUntilProtected(180_000);
    const primary = lab.host(await cluster.primary());
    if (primary.name !== 'n1') throw new Error(`the primary is ${primary.name}, n1 was wanted`);
    const place = (name: PlaceName, hosts: readonly Host[], directory: string): Place => ({
      name,
      ends: hosts.map((host) => ({ host, directory })),
    });
    return {
      lab,
      cluster,
      places: {
        bare: place('bare', [primary], bareDirectory),
        twin: place('twin', lab.nodes, bareDirectory),
        holdfast: place('holdfast', [primary], replicatedDirectory),
        glusterfs: place('glusterfs', [primary], glusterDirectory),
      },
      [Symbol.asyncDispose]: async () => {
        await cluster[Symbol.asyncDispose]();
        await lab[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}
