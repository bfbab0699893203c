import { describe, expect, it } from 'vitest';
import type { Node } from '../fuse/index.ts';
import { HotLog, unitBytes } from './hot-log.ts';
import type { HotDisk } from './hot-log.ts';
import { hotLimits, HotRegions } from './hot-regions.ts';
import { addRange, covers, decodeEntries, encodeEntry, HotSet } from './hot-set.ts';
import type { HotEntry } from './hot-set.ts';

const mib = 1024 * 1024;
const directoryType = 0o040000;
const fileType = 0o100000;

class Disk implements HotDisk {
  content = Buffer.alloc(0);
  syncs = 0;
  fails = false;
  read(): Buffer {
    return this.content;
  }
  prepare(bytes: number): number {
    this.content = Buffer.alloc(bytes);
    return 0;
  }
  write(offset: number, content: Buffer): number {
    content.copy(this.content, offset);
    return this.fails ? -5 : 0;
  }
  sync(): number {
    this.syncs += 1;
    return 0;
  }
}

let nextId = 2;
function node(parent: Node | null, name: string, type = fileType): Node {
  const id = parent ? nextId++ : 1;
  return { id, parent, name: Buffer.from(name), type, boundSession: 0, changed: 0, lastChange: 0, unlinked: false };
}
const root = node(null, '', directoryType);

function made(): { disk: Disk; hot: HotRegions; abandoned: () => boolean; failures: number[] } {
  const disk = new Disk();
  let gone = false;
  const failures: number[] = [];
  const ports = {
    recorded: () => undefined,
    abandoned: () => (gone = true),
    failed: (errno: number) => failures.push(errno),
  };
  const hot = new HotRegions(new HotLog(disk), ports);
  hot.begin(7, 1);
  disk.syncs = 0;
  return { disk, hot, abandoned: () => gone, failures };
}
const said = (hot: HotRegions): string[] =>
  Array.from(hot.set, (entry: HotEntry) => `${entry.kind} ${entry.path.join('/')}`).sort();

describe('hot regions', () => {
  it('of a file that is rewritten at random cost next to no sync', () => {
    const { disk, hot } = made();
    const file = node(root, 'database');
    for (let write = 0; write < 20_000; write++) {
      const offset = ((write * 7919) % 1_000_000) * 4096;
      hot.content(file, offset, offset + 4096);
    }
    // 4 GiB.
    expect(disk.syncs).toBeLessThan(120);
    const warm = disk.syncs;
    hot.settle(2);
    for (let write = 0; write < 1000; write++) hot.content(file, write * 4096, write * 4096 + 4096);
    // One for the checkpoint: what is used stays hot.
    expect(disk.syncs).toBe(warm + 1);
    hot.confirmed(2);
    expect(said(hot)).toContain('content database');
    // Nobody has used it since: it goes.
    hot.settle(3);
    hot.confirmed(3);
    hot.settle(4);
    hot.confirmed(4);
    expect(said(hot)).toEqual([]);
  });

  it('of a file that grows are ahead of it', () => {
    const { disk, hot } = made();
    const file = node(root, 'log');
    for (let offset = 0; offset < 256 * mib; offset += 8192) hot.content(file, offset, offset + 8192);
    expect(disk.syncs).toBeLessThan(50);
  });

  it('of ten thousand files that are made in one directory cost no more than of some', () => {
    const { disk, hot } = made();
    const directory = node(root, 'directory', directoryType);
    for (let file = 0; file < 10_000; file++) {
      const name = `file${file}`;
      hot.name(directory, Buffer.from(name), false, null, 0);
      hot.content(node(directory, name), 0, 10_000);
      hot.attributes(node(directory, name));
    }
    expect(disk.syncs).toBeLessThan(40);
    expect(said(hot)).toContain('entries directory');
  });

  it('below a directory that is made cost one', () => {
    const { disk, hot } = made();
    hot.name(root, Buffer.from('new'), true, null, 0);
    const directory = node(root, 'new', directoryType);
    for (let file = 0; file < 100; file++) {
      hot.name(directory, Buffer.from(`file${file}`), false, null, 0);
      hot.content(node(directory, `file${file}`), 0, 10_000);
    }
    expect(disk.syncs).toBe(1);
  });

  it('become everything when changes are everywhere', () => {
    const { disk, hot } = made();
    for (let n = 0; n < 100_000; n++) {
      const above = node(root, `above${n}`, directoryType);
      hot.attributes(node(node(above, `directory${n}`, directoryType), 'file'));
    }
    expect(disk.syncs).toBeLessThan(4200);
    expect(hot.set.everything).toBe(true);
  });

  it('are everything when an object may have been changed under a name that nobody knows', () => {
    const changed = made();
    const file = node(root, 'file');
    changed.hot.content(file, 0, 1);
    changed.hot.name(root, Buffer.from('file'), false, file, 2);
    expect(changed.hot.set.everything).toBe(true);

    const further = made();
    further.hot.furtherName(file, 1);
    expect(further.hot.set.everything).toBe(true);

    const nameless = made();
    nameless.hot.content({ ...file, parent: null }, 0, 1);
    expect(nameless.hot.set.everything).toBe(true);
  });

  it('are not, when it was made since, or only loses one of its names', () => {
    const { hot } = made();
    const file = node(root, 'temporary');
    hot.name(root, Buffer.from('temporary'), false, null, 0);
    hot.furtherName(file, 1);
    hot.name(root, Buffer.from('final'), false, null, 0);
    hot.name(root, Buffer.from('temporary'), false, file, 2);
    hot.name(root, Buffer.from('old'), false, node(root, 'old'), 2);
    expect(said(hot)).toEqual(['whole final', 'whole old', 'whole temporary']);
  });

  it('are everything when one of several names goes that something was changed through before a checkpoint that is not confirmed', () => {
    const file = node(root, 'file');
    const attributes = made();
    attributes.hot.attributes(file);
    attributes.hot.settle(2);
    attributes.hot.name(root, Buffer.from('file'), false, file, 2);
    expect(attributes.hot.set.everything).toBe(true);

    const carriedTwice = made();
    carriedTwice.hot.content(file, 0, 1);
    carriedTwice.hot.content(file, 0, 1);
    carriedTwice.hot.settle(2);
    carriedTwice.hot.content(file, 0, 1);
    carriedTwice.hot.settle(3);
    carriedTwice.hot.name(root, Buffer.from('file'), false, file, 2);
    expect(carriedTwice.hot.set.everything).toBe(true);
  });

  it('are everything when one of several names goes and a former primary may have changed something through it', () => {
    const { hot } = made();
    hot.begin(8, 1, true);
    hot.name(root, Buffer.from('file'), false, node(root, 'file'), 2);
    expect(hot.set.everything).toBe(true);
  });

  it('that are said once more go on to be those since either checkpoint', () => {
    const disk = new Disk();
    const ports = { recorded: () => undefined, abandoned: () => undefined, failed: () => undefined };
    const log = new HotLog(disk, 32 * unitBytes);
    const hot = new HotRegions(log, ports);
    hot.begin(7, 1);
    hot.attributes(node(root, 'before'));
    hot.settle(2);
    for (let n = 0; n < 20; n++) hot.attributes(node(root, `after${n}`));
    const since = (checkpoint: number): string[] =>
      Array.from(new HotLog(disk, 32 * unitBytes).restore(7, checkpoint)!.set, (entry) => entry.path.join('/'));
    expect(since(1)).toHaveLength(21);
    expect(since(2)).toHaveLength(20);
    expect(since(2)).not.toContain('before');
  });

  it('are everything when more objects have got further names than are kept in mind', () => {
    const { hot } = made();
    const directory = node(root, 'new', directoryType);
    hot.name(root, Buffer.from('new'), true, null, 0);
    for (let file = 0; file < 20_000; file++) hot.furtherName(node(directory, 'file'), 1);
    expect(hot.set.everything).toBe(false);
    hot.furtherName(node(directory, 'file'), 1);
    expect(hot.set.everything).toBe(true);
  });

  it('stay hot over a checkpoint so many at most', () => {
    const disk = new Disk();
    const ports = { recorded: () => undefined, abandoned: () => undefined, failed: () => undefined };
    const few = { ...hotLimits, perDirectory: [{ misses: 0, max: 10_000 }], treesFrom: 9999, higherFrom: 9999 };
    const hot = new HotRegions(new HotLog(disk), ports, { ...few, everythingFrom: 9999 });
    hot.begin(7, 1);
    const files = Array.from({ length: 5000 }, (_, n) => node(root, `file${n}`));
    for (const file of files) for (let twice = 0; twice < 2; twice++) hot.content(file, 0, 1);
    hot.settle(2);
    hot.confirmed(2);
    expect(said(hot).length).toBeLessThan(4002);
    expect(said(hot).length).toBeGreaterThan(3900);
    disk.syncs = 0;
    for (const file of files) hot.content(file, 0, 1);
    expect(disk.syncs).toBeGreaterThan(999);
    expect(said(hot)).toHaveLength(5000);
  });

  it('are given up when they cannot be written', () => {
    const { disk, hot, abandoned, failures } = made();
    disk.fails = true;
    hot.content(node(root, 'file'), 0, 1);
    expect(abandoned()).toBe(true);
    // Tried once more as a whole.
    expect(failures).toEqual([5, 5]);
    expect(hot.kept).toBe(false);
  });

  it('below a name that is hot are not named once more', () => {
    const set = new HotSet();
    set.add({ kind: 'content', path: ['a', 'b'], start: 0, end: 1 });
    set.add({ kind: 'whole', path: ['a'] });
    set.add({ kind: 'content', path: ['a', 'c'], start: 0, end: 1 });
    expect([...set]).toEqual([{ kind: 'whole', path: ['a'] }]);
  });
});

describe('ranges', () => {
  it('are sorted, disjoint and all that was added', () => {
    let state = 1;
    const random = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 200; round++) {
      const ranges: number[] = [];
      const bytes = new Set<number>();
      for (let n = 0; n < 20; n++) {
        const start = random(200);
        const end = start + 1 + random(20);
        addRange(ranges, start, end);
        for (let at = start; at < end; at++) bytes.add(at);
      }
      for (let at = 1; at < ranges.length; at++) expect(ranges[at]).toBeGreaterThan(ranges[at - 1]!);
      for (let at = 0; at < 230; at++) expect(covers(ranges, at, at + 1)).toBe(bytes.has(at));
    }
  });
});

describe('entries as bytes', () => {
  it('come back as they were, whatever bytes names are made of', () => {
    const entries: HotEntry[] = [
      { kind: 'whole', path: [] },
      { kind: 'entries', path: ['\u00ff\u0001', 'x'.repeat(255)] },
      { kind: 'attributes', path: ['a'] },
      { kind: 'content', path: ['a', 'b'], start: 0, end: Number.MAX_SAFE_INTEGER },
    ];
    const bytes = Buffer.concat(entries.map(encodeEntry));
    expect(decodeEntries(bytes)).toEqual(entries);
    for (let length = 1; length < bytes.length; length++) {
      const cut = decodeEntries(bytes.subarray(0, length));
      if (cut !== null) expect(entries.slice(0, cut.length)).toEqual(cut);
    }
    expect(decodeEntries(Buffer.from([9, 0, 0]))).toBeNull();
  });
});
