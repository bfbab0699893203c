import fs, {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { KeptManifest, ModuleDefinition } from '../contract/index.ts';
import { commandRunner } from '../network/index.ts';
import { mountIdOf } from '../sys/filesystem.ts';
import { bytesBelow, KeptComparer } from './kept-compare.ts';
import { keptCopies, mustBeUsable, parseBytes } from './kept-copies.ts';
import { KeptRestorer } from './kept-restore.ts';

const id = 'db.kept-20261127-010203';
let home: string;
let living: string;
let own: string;
let kept: string;
let manifest: KeptManifest;
let definition: ModuleDefinition;
const program = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../main.ts')];
// Each restore is a process of its own.
vi.setConfig({ testTimeout: 60_000 });
const copies = keptCopies(commandRunner(), program);

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'holdfast-kept-'));
  living = join(home, 'db');
  own = join(home, id);
  kept = join(own, 'data');
  mkdirSync(own, { mode: 0o700 });
  for (const directory of [living, kept]) {
    mkdirSync(join(directory, 'sub'), { recursive: true });
    writeFileSync(join(directory, 'same'), 'as it was');
    writeFileSync(join(directory, 'sub/changed'), directory === kept ? 'ours' : 'theirs');
  }
  mkdirSync(join(own, '.holdfast'));
  manifest = {
    format: 1,
    volume: 'db/0',
    path: living,
    at: '2026-11-27T01:02:03.000Z',
    complete: true,
    generation: { number: 4, id: 'g4' },
  };
  tell({});
  writeFileSync(join(kept, 'only-ours'), 'x'.repeat(1000));
  writeFileSync(join(living, 'only-theirs'), 'y');
  definition = { name: 'db', volumes: [{ id: 'db/0', path: living, volumeUuid: 'u' }] } as unknown as ModuleDefinition;
});

function tell(changed: Partial<KeptManifest>): void {
  writeFileSync(join(own, '.holdfast/kept.json'), JSON.stringify({ ...manifest, ...changed }));
}

afterEach(() => rmSync(home, { recursive: true, force: true }));

test('what was set aside is listed with where it is, since when and how large; other directories are not', async () => {
  mkdirSync(join(home, 'db.kept-by-somebody-else'));
  const all = await copies.list(definition);
  expect(all).toMatchObject([{ id, directory: own, path: living, complete: true, generation: { number: 4 } }]);
  expect(all[0]?.bytes).toBeGreaterThan(1000);
});

test('file by file: only here, only there, differs, and how many are the same', () => {
  utimesSync(join(kept, 'same'), 1, 1);
  const { same, differing, differences } = new KeptComparer(kept, living, 100).run();
  expect(same).toBe(2);
  expect(differing).toBe(3);
  expect(differences.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    'only-kept only-ours',
    'only-living only-theirs',
    'differs sub/changed',
  ]);
  expect(differences[2]).toMatchObject({ kept: { type: 'file', bytes: 4 }, living: { bytes: 6 } });
  expect(new KeptComparer(kept, living, 1).run()).toMatchObject({ differing: 3, differences: [{}] });
});

test('what goes away while it is compared is gone, and no reason to end', () => {
  const gone = ['sub', 'same', 'link'];
  symlinkSync('a', join(kept, 'link'));
  symlinkSync('a', join(living, 'link'));
  // Between the look at an entry and the reading of it.
  const comparer = new KeptComparer(kept, living, 100);
  let looks = 0;
  const real = fs.lstatSync;
  vi.spyOn(fs, 'lstatSync').mockImplementation(((path: fs.PathLike, options: fs.StatOptions) => {
    const result = real(path, options);
    looks += 1;
    const name = gone.find((one) => Buffer.isBuffer(path) && path.toString() === join(living, one));
    if (name !== undefined) rmSync(join(living, name), { recursive: true });
    return result;
  }) as typeof fs.lstatSync);
  syncBuiltinESMExports();
  try {
    const { differences } = comparer.run();
    expect(looks).toBeGreaterThan(gone.length);
    expect(differences.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'differs link',
      'only-kept only-ours',
      'only-living only-theirs',
      'differs same',
      'only-kept sub/changed',
    ]);
  } finally {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  }
});

test('below a link it is found where it was put', async () => {
  symlinkSync('.', join(home, 'way'));
  const volumes = [{ id: 'db/0', path: join(home, 'way/db'), volumeUuid: 'u' }];
  const through = { name: 'db', volumes } as unknown as ModuleDefinition;
  expect(await copies.list(through)).toMatchObject([{ id, directory: own }]);
});

test('a content of the same length is read, links are compared by where they lead', () => {
  writeFileSync(join(kept, 'sub/changed'), 'THEIRS');
  symlinkSync('a', join(kept, 'link'));
  symlinkSync('b', join(living, 'link'));
  const paths = new KeptComparer(kept, living, 100).run().differences.map(({ path }) => path);
  expect(paths).toEqual(['link', 'only-ours', 'only-theirs', 'sub/changed']);
});

test('one file comes back into the data, or everything; what only the data has stays, and so does what was set aside', async () => {
  await copies.restore(definition, { id, path: 'sub/changed', to: null }, true);
  expect(readFileSync(join(living, 'sub/changed'), 'utf8')).toBe('ours');
  expect(readdirSync(living).sort()).toEqual(['only-theirs', 'same', 'sub']);
  await copies.restore(definition, { id, path: null, to: null }, true);
  expect(readdirSync(living).sort()).toEqual(['only-ours', 'only-theirs', 'same', 'sub']);
  expect(readdirSync(kept).sort()).toEqual(['only-ours', 'same', 'sub']);
});

test('a directory elsewhere can be given; data that does not run here is not touched', async () => {
  const to = join(home, 'elsewhere');
  await expect(copies.restore(definition, { id, path: null, to: null }, false)).rejects.toMatchObject({
    code: 'not-primary',
  });
  await copies.restore(definition, { id, path: null, to }, false);
  expect(readdirSync(to).sort()).toEqual(['only-ours', 'same', 'sub']);
});

test('no path leads out, and no link in the data does', async () => {
  for (const path of ['../x', '/etc/passwd', 'a/../../b', '.holdfast/kept.json', 'a//b', './a', 'a/.'])
    expect(() => mustBeUsable(path, null, living), path).toThrow(/not a path/);
  for (const to of [living, join(living, 'sub'), 'relative'])
    expect(() => mustBeUsable(null, to, living), to).toThrow(/outside/);
  rmSync(join(living, 'sub'), { recursive: true });
  mkdirSync(join(home, 'outside'));
  symlinkSync(join(home, 'outside'), join(living, 'sub'));
  const order = { id, path: 'sub/changed', to: null };
  await expect(copies.restore(definition, order, true)).rejects.toMatchObject({ code: 'path-not-usable' });
  expect(readdirSync(join(home, 'outside'))).toEqual([]);
});

test('nothing is written through a link, whatever kind of thing stands in its place', async () => {
  const outside = join(home, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'untouched', { mode: 0o600 });
  writeFileSync(join(kept, 'x'), 'ours', { mode: 0o666 });
  symlinkSync(join(outside, 'secret'), join(living, 'x'));
  await copies.restore(definition, { id, path: 'x', to: null }, true);
  expect(lstatSync(join(living, 'x')).isFile()).toBe(true);
  for (const [name, to] of [
    ['x', 'secret'],
    ['sub', '.'],
  ] as const) {
    rmSync(join(living, name), { recursive: true });
    symlinkSync(join(outside, to), join(living, name));
    await copies.restore(definition, { id, path: null, to: null }, true).catch(() => undefined);
  }
  // A parent that is not there yet is not made elsewhere either.
  mkdirSync(join(kept, 'sub/deep/er'), { recursive: true });
  writeFileSync(join(kept, 'sub/deep/er/file'), 'ours');
  const order = { id, path: 'sub/deep/er/file', to: null };
  await expect(copies.restore(definition, order, true)).rejects.toMatchObject({ code: 'path-not-usable' });
  expect(readdirSync(outside)).toEqual(['secret']);
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('untouched');
  expect(lstatSync(join(outside, 'secret')).mode & 0o777).toBe(0o600);
});

test('nothing is written below what somebody has mounted in the data', (context) => {
  const [tree, mounted] = ['/dev', '/dev/shm'];
  if (mountIdOf(tree) === mountIdOf(mounted)) context.skip('nothing is mounted below /dev here');
  const name = `holdfast-restore-${String(process.pid)}`;
  mkdirSync(join(kept, 'shm'));
  writeFileSync(join(kept, 'shm', name), 'ours');
  const [from, to] = [openSync(kept, 'r'), openSync(tree, 'r')];
  expect(() => {
    new KeptRestorer(to).run(from, `shm/${name}`);
  }).toThrow('shm');
  expect(readdirSync(mounted)).not.toContain(name);
  closeSync(from);
  closeSync(to);
});

test('where it goes back to is not taken from the manifest; a directory that others can write is not in the list', async () => {
  tell({ path: join(home, 'elsewhere') });
  await copies.restore(definition, { id, path: 'sub/changed', to: null }, true);
  expect(readFileSync(join(living, 'sub/changed'), 'utf8')).toBe('ours');
  expect(readdirSync(home).sort()).toEqual(['db', id]);
  chmodSync(own, 0o755);
  expect(await copies.list(definition)).toEqual([]);
  chmodSync(own, 0o700);
  renameSync(own, join(home, 'else'));
  symlinkSync(join(home, 'else'), own);
  expect(await copies.list(definition)).toEqual([]);
});

test('what is not complete is neither copied back nor removed', async () => {
  tell({ complete: false });
  const order = { id, path: null, to: null };
  await expect(copies.restore(definition, order, true)).rejects.toMatchObject({ code: 'set-aside-unfinished' });
  await expect(copies.discard(definition, id)).rejects.toMatchObject({ code: 'set-aside-unfinished' });
  expect(readdirSync(kept).sort()).toEqual(['only-ours', 'same', 'sub']);
});

test('only what is in the list can be removed, and then it is gone', async () => {
  await expect(copies.discard(definition, '../db')).rejects.toMatchObject({ code: 'no-such-kept-copy' });
  await copies.discard(definition, id);
  expect(readdirSync(home)).toEqual(['db']);
  expect(readdirSync(living).sort()).toEqual(['only-theirs', 'same', 'sub']);
});

test('sizes: what du prints, and what files take of the disk', () => {
  expect(parseBytes('1234\t/x\n')).toBe(1234);
  expect(parseBytes('12\n')).toBe(12);
  expect(parseBytes('du: cannot')).toBeNull();
  expect(bytesBelow(Buffer.from(kept))).toBe('as it was'.length + 'ours'.length + 1000);
});

test('a directory that is exchanged for a link in the middle of the copy leads nowhere', () => {
  const outside = join(home, 'outside');
  mkdirSync(outside);
  mkdirSync(join(kept, 'a/b'), { recursive: true });
  for (const name of ['one', 'two']) writeFileSync(join(kept, 'a/b', name), 'ours');
  const target = openSync(living, 'r');
  const restorer = new KeptRestorer(target);
  const real = fs.readdirSync;
  let exchanged = false;
  vi.spyOn(fs, 'readdirSync').mockImplementation(((where: fs.PathLike, options: object) => {
    const names = real(where, options as { encoding: 'buffer' });
    // Both directories are open, nothing is written yet.
    if (names.some((name) => name.toString() === 'two')) {
      renameSync(join(living, 'a'), join(living, 'gone'));
      symlinkSync(outside, join(living, 'a'));
      exchanged = true;
    }
    return names;
  }) as unknown as typeof fs.readdirSync);
  syncBuiltinESMExports();
  try {
    restorer.run(openSync(kept, 'r'), null);
  } finally {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  }
  expect(exchanged).toBe(true);
  expect(readdirSync(outside)).toEqual([]);
  expect(readdirSync(join(living, 'gone/b')).sort()).toEqual(['one', 'two']);
});

test('everything of a file comes back: modes, times, holes, links of every kind, names that are no text', async () => {
  const name = Buffer.concat([Buffer.from(`${kept}/`), Buffer.from([0xff, 0xfe])]);
  writeFileSync(name, 'bytes');
  writeFileSync(join(kept, 'tool'), '#!', { mode: 0o755 });
  chmodSync(join(kept, 'tool'), 0o4755);
  utimesSync(join(kept, 'tool'), 1_000_000.5, 2_000_000.25);
  linkSync(join(kept, 'tool'), join(kept, 'sub/second'));
  symlinkSync('nowhere', join(kept, 'link'));
  truncateSync(join(kept, 'same'), 100_000_000);
  appendFileSync(join(kept, 'same'), 'end');
  chmodSync(join(kept, 'sub'), 0o711);
  await copies.restore(definition, { id, path: null, to: null }, true);
  expect(readFileSync(Buffer.concat([Buffer.from(`${living}/`), Buffer.from([0xff, 0xfe])]), 'utf8')).toBe('bytes');
  const tool = lstatSync(join(living, 'tool'));
  expect(tool.mode & 0o7777).toBe(0o4755);
  expect([tool.atimeMs, tool.mtimeMs]).toEqual([1_000_000_500, 2_000_000_250]);
  expect(lstatSync(join(living, 'sub/second')).ino).toBe(tool.ino);
  expect(readlinkSync(join(living, 'link'))).toBe('nowhere');
  const sparse = lstatSync(join(living, 'same'));
  expect([sparse.size, sparse.blocks < 1000]).toEqual([100_000_003, true]);
  expect(lstatSync(join(living, 'sub')).mode & 0o777).toBe(0o711);
});
