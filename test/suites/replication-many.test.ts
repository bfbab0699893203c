/** Many volumes of two real replicators on threads that they share: each is served, and a disk that hangs stops nobody who lies on another one. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackingDirectory } from '../../agent/fuse/index.ts';
import { bootTimeMs, close } from '../../agent/sys/linux.ts';
import { LoopDisk, missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { makePair, until } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();
/** On the disk of the node; the last one is on a disk of its own. */
const volumes = ['a/0', 'b/0', 'c/0', 'd/0', 'e/0', 'other/0'] as const;
const other = 'other/0';
type VolumeName = (typeof volumes)[number];

interface Side {
  readonly node: ReplicatorNode;
  readonly disk: LoopDisk;
  readonly paths: ReadonlyMap<VolumeName, string>;
}

let sides: readonly [Side, Side];

function makeSide(node: ReplicatorNode): Side {
  const disk = new LoopDisk(`replication-many-${node.name}-other-${process.pid}`, 'ext4', 64);
  const paths = new Map(
    volumes.map((volume) => [volume, (volume === other ? disk : node.disk).directory(volume.replace('/', '-'))]),
  );
  return { node, disk, paths };
}

async function configure({ node, paths }: Side): Promise<void> {
  const configuration = node.configuration();
  const [one] = configuration.volumes;
  const all = volumes.map((id) => ({ ...one!, id, volumeUuid: `uuid of ${id}`, path: paths.get(id)! }));
  await node.call('configure', { ...configuration, volumes: all });
}

/** The volumes of one process that are in this mode. */
async function inMode({ node }: Side, mode: string): Promise<string[]> {
  return (await node.call('status', {})).filter((one) => one.mode === mode).map(({ id }) => id);
}

/** Of a thread; nothing when it has just ended. */
function nameOf(task: string): string {
  try {
    return readFileSync(join(task, 'comm'), 'utf8').trim();
  } catch {
    return '';
  }
}

/** Of the replicator: those that several lanes share. */
function sharedThreads({ node }: Side): string[] {
  const tasks = `/proc/${node.child?.pid}/task`;
  const names = readdirSync(tasks).map((task) => nameOf(join(tasks, task)));
  return names.filter((name) => name.startsWith('shared')).sort();
}

function write(path: string, name: string, text: string): void {
  const fd = openSync(join(path, name), 'w');
  writeSync(fd, text);
  fsyncSync(fd);
  closeSync(fd);
}

function below(path: string, name: string): string {
  const fd = openBackingDirectory(path);
  try {
    return readFileSync(`/proc/self/fd/${fd}/${name}`, 'utf8');
  } finally {
    close(fd);
  }
}

/** In a process of its own: this one must not wait for a disk that hangs. Resolves when its sync has returned. */
function writeElsewhere(path: string, name: string): Promise<number | null> {
  const child = spawn('dd', ['if=/dev/zero', `of=${join(path, name)}`, 'bs=4k', 'count=1', 'conv=fsync'], {
    stdio: 'ignore',
  });
  return new Promise((resolve) => child.once('exit', resolve));
}

async function whileFrozen(disk: LoopDisk, work: () => Promise<void>): Promise<void> {
  expect(spawnSync('fsfreeze', ['--freeze', disk.root]).status).toBe(0);
  try {
    await work();
  } finally {
    spawnSync('fsfreeze', ['--unfreeze', disk.root]);
  }
}

describe('many volumes on shared threads', () => {
  beforeAll(async () => {
    if (missing !== '') return;
    const [n1, n2] = await makePair('many', { acknowledgeTimeoutMs: 2000 });
    sides = [makeSide(n1), makeSide(n2)];
    for (const side of sides) {
      await side.node.start({ HOLDFAST_OWN_LANES: '0' });
      await configure(side);
    }
    for (const volume of volumes) {
      const common = { volume, keepAside: false, replaceRecord: false };
      const generation = { number: 1, id: `first of ${volume}` };
      await n1.call('initialise', { ...common, as: 'good', generation });
      await n2.call('initialise', { ...common, as: 'blank', generation: null });
    }
    await Promise.all(volumes.map((volume) => n2.call('serveSecondary', { volume })));
    await Promise.all(volumes.map((volume) => n1.call('servePrimary', { volume, order: false })));
    n1.keepLease();
    await Promise.all(
      volumes.map((volume) => n1.call('goAlone', { volume, generation: { number: 2, id: `second of ${volume}` } })),
    );
  }, 60_000);
  afterAll(async () => {
    if (missing !== '') return;
    for (const { node, disk } of sides) {
      await node.dispose();
      disk.dispose();
    }
  });

  it('reach the peer, each with what was written to it', { timeout: 60_000 }, async (context) => {
    if (missing !== '') context.skip(missing);
    const [one, two] = sides;
    await until('all are in sync', async () => (await inMode(one, 'in-sync')).length === volumes.length, 30_000);
    // Two for the disk with five volumes, one for the other disk, and two that read acknowledgements.
    expect(sharedThreads(one)).toHaveLength(5);
    expect(sharedThreads(two)).toHaveLength(3);
    for (let round = 0; round < 5; round++)
      for (const [volume, path] of one.paths) write(path, `file-${round}`, `${volume} ${round}`);
    for (const [volume, path] of two.paths) expect(below(path, 'file-4')).toBe(`${volume} 4`);
    expect([one.node.output, two.node.output]).toEqual(['', '']);
  });

  it('go on while the disk of others hangs, on either side', { timeout: 60_000 }, async (context) => {
    if (missing !== '') context.skip(missing);
    const [one, two] = sides;
    const [hanging, going] = [one.paths.get('a/0')!, one.paths.get(other)!];
    let isOver = false;
    let hung: Promise<number | null> = Promise.resolve(null);
    await whileFrozen(one.node.disk, async () => {
      hung = writeElsewhere(hanging, 'hangs').finally(() => (isOver = true));
      for (let round = 0; round < 20; round++) expect(await writeElsewhere(going, `goes-on-${round}`)).toBe(0);
      expect(isOver).toBe(false);
    });
    expect(await hung).toBe(0);
    await until('all are in sync again', async () => (await inMode(one, 'in-sync')).length === volumes.length, 30_000);
    await whileFrozen(two.node.disk, async () => {
      hung = writeElsewhere(hanging, 'hangs-there');
      // Longer than an acknowledgement may take: that peer is expelled, and only for the volumes of that disk.
      const untilMs = bootTimeMs() + 4000;
      while (bootTimeMs() < untilMs) expect(await writeElsewhere(going, 'goes-on')).toBe(0);
      expect(await inMode(one, 'in-sync')).toContain(other);
      expect(await inMode(one, 'in-sync')).not.toContain('a/0');
    });
  });

  it('give their threads back', { timeout: 60_000 }, async (context) => {
    if (missing !== '') context.skip(missing);
    const [one, two] = sides;
    await Promise.all(volumes.map((volume) => two.node.call('stop', { volume })));
    await until('no thread is left', () => sharedThreads(two).length === 0);
    await Promise.all(volumes.map((volume) => one.node.call('fence', { volume })));
    await until('no thread is left', () => sharedThreads(one).length === 0);
  });
});
