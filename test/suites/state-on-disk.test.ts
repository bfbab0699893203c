/** What the control plane keeps and what it gives back, on disks that are full or lose their power. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshRecord } from '../../agent/core/index.ts';
import { KeptComparer } from '../../agent/runtime/kept-compare.ts';
import { restoreKeptMain } from '../../agent/runtime/kept-restore.ts';
import { fileModuleStore } from '../../agent/runtime/module-store.ts';
import { LoopDisk, missingForFilesystemTests } from './filesystem/loop-disk.ts';

const missing = missingForFilesystemTests();

describe('on a disk of its own', () => {
  let disk: LoopDisk;
  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
  });
  afterEach(() => {
    if (missing === '') disk.dispose();
  });

  it('a state is saved on a full disk, so the agent and the application run on', async () => {
    disk = new LoopDisk('state-full', 'ext4', 32);
    const store = fileModuleStore(disk.directory('modules'));
    for (const wanted of ['started', 'stopped'] as const) await store.save('db', { ...freshRecord(), wanted });
    // As root: to the last block.
    const { stderr } = spawnSync('dd', ['if=/dev/zero', `of=${join(disk.root, 'log')}`, 'bs=4k'], { encoding: 'utf8' });
    expect(stderr).toContain('No space left');
    for (let number = 1; number <= 50; number += 1) {
      await store.save('db', { ...freshRecord(), newest: { number, id: `${String(number)}.n1.x` } });
      expect((await store.load('db'))?.newest?.number).toBe(number);
    }
    // One that has grown finds no room for the rest of it: refused, and what was there is whole.
    const pending = Array.from({ length: 200 }, (_, number) => ({
      number,
      id: `${String(number)}.n1.${'x'.repeat(40)}`,
    }));
    await expect(store.save('db', { ...freshRecord(), pending })).rejects.toThrow('ENOSPC');
    expect((await store.load('db'))?.newest?.number).toBe(50);
  });

  it(
    'what was set aside may be discarded once it is restored: the power may fail then',
    { timeout: 60_000 },
    async () => {
      disk = new LoopDisk('restored', 'ext4', 64);
      const kept = disk.directory('db.kept-20261127-010203/data');
      const living = disk.directory('db');
      mkdirSync(join(kept, 'orders'));
      writeFileSync(join(kept, 'orders/only-here'), 'an order that the other version lacks');
      spawnSync('sync', ['-f', disk.root]);
      expect(restoreKeptMain([kept, living])).toBe(0);
      rmSync(join(disk.root, 'db.kept-20261127-010203'), { recursive: true });
      // Names are written every five seconds, contents that nobody syncs after thirty.
      await sleep(8000);
      disk.cutPower();
      const root = disk.recovered();
      const found = ['db', 'db.kept-20261127-010203/data']
        .map((one) => join(root, one, 'orders/only-here'))
        .filter((file) => existsSync(file))
        .map((file) => readFileSync(file, 'utf8'));
      expect(found).toContain('an order that the other version lacks');
    },
  );

  it('the living version stays where the one that was set aside finds no room beside it', () => {
    disk = new LoopDisk('restore-room', 'ext4', 64);
    const kept = disk.directory('db.kept-20261127-010203/data');
    const living = disk.directory('db');
    const mib = 1024 * 1024;
    writeFileSync(join(kept, 'orders'), Buffer.alloc(24 * mib, 'old '));
    writeFileSync(join(living, 'orders'), 'written since, and acknowledged');
    writeFileSync(join(living, 'others'), Buffer.alloc(20 * mib, 'others '));
    expect(() => restoreKeptMain([kept, living])).toThrow('full');
    expect(readFileSync(join(living, 'orders'), 'utf8')).toBe('written since, and acknowledged');
    expect(readdirSync(living).toSorted()).toEqual(['orders', 'others']);
  });

  it('a name that is not UTF-8 is restored as it is shown', () => {
    disk = new LoopDisk('restore-names', 'ext4', 32);
    const kept = disk.directory('db.kept-20261127-010203/data');
    const living = disk.directory('db');
    for (const one of [kept, living]) mkdirSync(join(one, 'sub'));
    const file = (root: string): Buffer => Buffer.concat([Buffer.from(`${root}/sub/caf`), Buffer.from([0xe9])]);
    writeFileSync(file(kept), 'latin1');
    const shown = new KeptComparer(kept, living, 10).run().differences.map(({ path }) => path);
    expect(shown).toHaveLength(1);
    for (const path of shown) restoreKeptMain([kept, living, path]);
    expect(readFileSync(file(living), 'utf8')).toBe('latin1');
  });
});
