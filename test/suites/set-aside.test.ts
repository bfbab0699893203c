/** What stands in a directory is moved beside it: interrupted, hindered, and with names that are taken. Real directories, no mount of our own. */
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeptManifest } from '../../agent/contract/index.ts';
import { openBackingDirectory } from '../../agent/fuse/index.ts';
import { bringBackParked } from '../../agent/replication/parked.ts';
import { DirectoryRecordDisk, RecordStore } from '../../agent/replication/record-store.ts';
import type { VolumePlace } from '../../agent/replication/set-aside.ts';
import { setUp } from '../../agent/replication/set-up.ts';
import { close } from '../../agent/sys/linux.ts';
import { LoopDisk, missingForFilesystemTests } from './filesystem/loop-disk.ts';

const missing = missingForFilesystemTests();
const now = new Date('2026-11-27T01:02:03Z');
const name = 'data.kept-20261127-010203';
const good = { as: 'good', generation: { number: 4, id: 'g4' }, keepAside: false, replaceRecord: true } as const;
const blank = { as: 'blank', generation: null, keepAside: true, replaceRecord: true } as const;

describe('setting aside', () => {
  let home: string;
  let place: VolumePlace;
  let store: RecordStore;

  function open(path: string): void {
    place = { id: 'db/0', path, volumeUuid: 'u', directoryFd: openBackingDirectory(path) };
    store = new RecordStore(new DirectoryRecordDisk(place.directoryFd), place.id);
    setUp(place, good, now);
    writeFileSync(join(path, 'one'), '1');
    writeFileSync(join(path, 'two'), '2');
  }

  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
    home = mkdtempSync(join(tmpdir(), 'holdfast-aside-'));
    mkdirSync(join(home, 'data'));
    open(join(home, 'data'));
  });
  afterEach(() => {
    if (missing !== '') return;
    close(place.directoryFd);
    rmSync(home, { recursive: true });
  });

  function begin(manifest: Partial<KeptManifest> = {}): void {
    mkdirSync(join(home, name), { mode: 0o700 });
    mkdirSync(join(home, name, 'data'));
    mkdirSync(join(home, name, '.holdfast'));
    const whole = { format: 1, volume: 'db/0', path: place.path, at: now.toISOString(), complete: false };
    const text = JSON.stringify({ ...whole, generation: good.generation, ...manifest });
    writeFileSync(join(home, name, '.holdfast/kept.json'), text);
  }

  it('puts it below a directory that only root can enter, with owner, mode and attributes of the one it comes from', () => {
    chownSync(place.path, 12, 34);
    execFileSync('setfattr', ['-n', 'user.a', '-v', 'b', place.path]);
    const { keptAt, record } = setUp(place, blank, now);
    expect(keptAt).toBe(join(home, name));
    expect(record).toMatchObject({ format: 1, copy: 'stale', generation: null });
    expect(lstatSync(keptAt!)).toMatchObject({ uid: 0, gid: 0 });
    expect(lstatSync(keptAt!).mode & 0o777).toBe(0o700);
    expect(lstatSync(join(keptAt!, 'data'))).toMatchObject({ uid: 12, gid: 34, mode: lstatSync(place.path).mode });
    expect(execFileSync('getfattr', ['-n', 'user.a', '--only-values', join(keptAt!, 'data')]).toString()).toBe('b');
    expect(readdirSync(join(keptAt!, 'data')).sort()).toEqual(['one', 'two']);
    expect(readdirSync(place.path)).toEqual(['.holdfast']);
  });

  it('goes on in the same place although the record cannot be read, and half of it is taken for good by nobody', () => {
    begin();
    renameSync(join(place.path, 'one'), join(home, name, 'data/one'));
    writeFileSync(join(place.path, '.holdfast/volume.json'), 'damaged');
    expect(() => setUp(place, good, now)).toThrow(/was being set aside/);
    expect(setUp(place, blank, new Date()).keptAt).toBe(join(home, name));
    expect(readdirSync(home).sort()).toEqual(['data', name]);
    expect(readdirSync(join(home, name, 'data')).sort()).toEqual(['one', 'two']);
    const manifest: unknown = JSON.parse(readFileSync(join(home, name, '.holdfast/kept.json'), 'utf8'));
    expect(manifest).toMatchObject({ complete: true, generation: { id: 'g4' }, at: now.toISOString() });
  });

  it('takes another name when the clock was set back, and writes over nothing', () => {
    setUp(place, blank, now);
    writeFileSync(join(place.path, 'one'), 'second');
    expect(setUp(place, blank, now).keptAt).toBe(join(home, `${name}-2`));
    expect(readFileSync(join(home, name, 'data/one'), 'utf8')).toBe('1');
    expect(readFileSync(join(home, `${name}-2`, 'data/one'), 'utf8')).toBe('second');
  });

  it('writes over nothing in a place where it goes on, and says in the record that it is not done', () => {
    begin();
    writeFileSync(join(home, name, 'data/two'), 'kept before');
    expect(() => setUp(place, blank, now)).toThrow(/rename/);
    expect(readFileSync(join(home, name, 'data/two'), 'utf8')).toBe('kept before');
    expect(store.read('u')).toMatchObject({ format: 2, copy: 'stale', settingAside: name });
  });

  it('does not go on in a directory that somebody else made, nor through a link', () => {
    mkdirSync(join(home, 'theirs'), { mode: 0o777 });
    symlinkSync(join(home, 'theirs'), join(home, name));
    store.write({ ...store.read('u')!, settingAside: name });
    expect(() => setUp(place, blank, now)).toThrow();
    rmSync(join(home, name));
    mkdirSync(join(home, name), { mode: 0o755 });
    expect(() => setUp(place, blank, now)).toThrow(/does not belong to root alone/);
    store.write({ ...store.read('u')!, settingAside: '../elsewhere' });
    expect(() => setUp(place, blank, now)).toThrow(/does not belong to root alone/);
    expect(readdirSync(join(home, 'theirs'))).toEqual([]);
    expect(readdirSync(place.path).sort()).toEqual(['.holdfast', 'one', 'two']);
  });

  it('leaves the copy what it was where nothing can be moved', () => {
    const disk = new LoopDisk('set-aside', 'btrfs', 256);
    try {
      const subvolume = join(disk.root, 'data');
      execFileSync('btrfs', ['-q', 'subvolume', 'create', subvolume]);
      close(place.directoryFd);
      open(subvolume);
      expect(() => setUp(place, blank, now)).toThrow(/EXDEV/);
      expect(store.read('u')).toMatchObject({ format: 1, settingAside: null, generation: good.generation });
      expect(readdirSync(disk.root)).toEqual(['data']);
      expect(readdirSync(subvolume).sort()).toEqual(['.holdfast', 'one', 'two']);
    } finally {
      close(place.directoryFd);
      disk.dispose();
      open(join(home, 'data'));
    }
  });

  it('what a resync was about to move when the other server was lost for ever is brought back where people find it', () => {
    const recovered = join(place.path, 'recovered-by-holdfast');
    for (const id of [17, 18]) mkdirSync(join(place.path, '.holdfast/limbo', String(id)), { recursive: true });
    writeFileSync(join(place.path, '.holdfast/limbo/17/orders'), 'a year of them');
    bringBackParked(place.directoryFd, place.path);
    expect(readFileSync(join(recovered, '17/orders'), 'utf8')).toBe('a year of them');
    // Another time, with the same id.
    mkdirSync(join(place.path, '.holdfast/limbo/17'));
    bringBackParked(place.directoryFd, place.path);
    bringBackParked(place.directoryFd, place.path);
    expect(readdirSync(recovered).toSorted()).toEqual(['17', '17-2', '18']);
    expect(lstatSync(recovered).mode & 0o777).toBe(0o700);
  });
});
