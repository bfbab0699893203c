/** Two real replicators whose copies were written without each other: one is set aside, through an interruption, and the other one takes its place. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keptComparisonSchema, keptManifestSchema } from '../../agent/contract/index.ts';
import { openBackingDirectory } from '../../agent/fuse/index.ts';
import { DirectoryRecordDisk, RecordStore } from '../../agent/replication/record-store.ts';
import { close } from '../../agent/sys/linux.ts';
import { agentMain } from './built-agent.ts';
import { missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { makePair, nextGeneration, startPair, until, volume } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();
const blank = { volume, as: 'blank', generation: null, keepAside: true, replaceRecord: true } as const;

describe('copies that have forked', () => {
  let n1: ReplicatorNode;
  let n2: ReplicatorNode;

  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
  });
  afterEach(async () => {
    if (missing !== '') return;
    await n1.dispose();
    await n2.dispose();
  });

  /** Each was primary without the other; then n1 is primary again, and n2 offers itself. */
  async function fork(suite: string): Promise<void> {
    [n1, n2] = await makePair(suite);
    writeFileSync(join(n1.path, 'both'), 'from before');
    await startPair(n1, n2);
    await n1.mode('in-sync');
    await n1.call('stop', { volume });
    await n2.call('stop', { volume });
    for (const node of [n2, n1]) {
      await node.servePrimary(nextGeneration());
      await node.mode('alone');
      writeFileSync(join(node.path, 'both'), `written by ${node.name}`);
      writeFileSync(join(node.path, `only-${node.name}`), node.name);
      if (node === n2) await node.call('stop', { volume });
    }
    await n2.call('serveSecondary', { volume });
    await until('the fork is told', async () => (await n2.status()).fault?.code === 'forked');
    expect(readFileSync(join(n1.path, 'both'), 'utf8')).toBe('written by n1');
    await n2.call('stop', { volume });
  }

  async function expectFilled(keptAt: string): Promise<void> {
    await n2.call('serveSecondary', { volume });
    await n1.mode('in-sync');
    expect(n2.tree()).toEqual(n1.tree());
    expect(readFileSync(join(keptAt, 'data/both'), 'utf8')).toBe('written by n2');
    expect(readFileSync(join(keptAt, 'data/only-n2'), 'utf8')).toBe('n2');
    const text = execFileSync(process.execPath, [agentMain, 'compare-kept', join(keptAt, 'data'), n2.path, '100'], {
      encoding: 'utf8',
    });
    const { differences } = keptComparisonSchema.parse(JSON.parse(text));
    expect(differences.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'differs both',
      'only-living only-n1',
      'only-kept only-n2',
    ]);
  }

  it('keeps the version that was not chosen beside the data, with a manifest', { timeout: 120_000 }, async () => {
    await fork('fork');
    const { keptAt } = await n2.call('initialise', blank);
    const manifest = keptManifestSchema.parse(JSON.parse(readFileSync(join(keptAt!, '.holdfast/kept.json'), 'utf8')));
    expect(manifest).toMatchObject({ volume, path: n2.path, complete: true });
    expect(manifest.generation).not.toBeNull();
    await expectFilled(keptAt!);
  });

  it(
    'loses nothing when it is interrupted in the middle: that copy is used for nothing, and it goes on in the same place',
    { timeout: 120_000 },
    async () => {
      await fork('fork-cut');
      const name = 'data.kept-20260101-000000';
      const keptAt = join(n2.disk.root, name);
      // As a power cut leaves it: the record says what was begun, one of two names has moved.
      const fd = openBackingDirectory(n2.path);
      const store = new RecordStore(new DirectoryRecordDisk(fd), volume);
      store.write({ ...store.read(n2.uuid)!, format: 2, copy: 'stale', settingAside: name });
      mkdirSync(keptAt, { mode: 0o700 });
      mkdirSync(join(keptAt, 'data'));
      execFileSync('bash', [
        '--norc',
        '-ec',
        `cp -a /proc/${process.pid}/fd/${fd}/./both ${keptAt}/data/ && rm /proc/${process.pid}/fd/${fd}/./both`,
      ]);
      close(fd);
      await n2.kill();
      await n2.start();
      await n2.configure();
      for (const order of [n2.call('serveSecondary', { volume }), n2.call('servePrimary', { volume, order: true })])
        await expect(order).rejects.toMatchObject({ code: 'set-aside-unfinished' });
      // Half of it lies elsewhere: nobody takes it for the whole.
      const good = { ...blank, as: 'good', generation: nextGeneration() } as const;
      await expect(n2.call('initialise', good)).rejects.toMatchObject({ code: 'set-aside-unfinished' });
      expect(await n2.call('initialise', blank)).toEqual({ keptAt });
      expect(readdirSync(n2.disk.root).filter((one) => one.includes('kept-'))).toEqual([name]);
      await expectFilled(keptAt);
      // Once more is no harm: there is nothing left that could be set aside but the living copy, which is refused while it serves.
      await expect(n2.call('initialise', blank)).rejects.toMatchObject({ code: 'volume-busy' });
      expect(existsSync(keptAt)).toBe(true);
    },
  );
});
