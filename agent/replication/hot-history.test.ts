import { describe, expect, it } from 'vitest';
import type { ChangeStream } from './change-stream.ts';
import { HotHistory } from './hot-history.ts';
import { HotLog, unitBytes } from './hot-log.ts';
import type { HotDisk } from './hot-log.ts';
import { HotRegions } from './hot-regions.ts';
import type { PeerHot, ToPrimary } from './lane-messages.ts';
import { Marks } from './marks.ts';
import type { Tree } from './tree.ts';
import { freshGood, hotSince } from './volume-lineage.ts';

class Disk implements HotDisk {
  content = Buffer.alloc(0);
  read(): Buffer {
    return this.content;
  }
  prepare(bytes: number): number {
    this.content = Buffer.alloc(bytes);
    return 0;
  }
  write(offset: number, content: Buffer): number {
    content.copy(this.content, offset);
    return 0;
  }
  sync(): number {
    return 0;
  }
}

const root = {
  id: 1,
  parent: null,
  name: Buffer.alloc(0),
  type: 0o040000,
  boundSession: 0,
  changed: 0,
  lastChange: 0,
  unlinked: false,
};
let held = 0;
const tree = { node: () => root, hold: () => (held += 1) } as unknown as Tree;
const claim = { log: 7, checkpoint: 1, peer: null };
const record = hotSince(freshGood('u', { number: 1, id: 'g1' }), claim);

/** A primary that is one again, over what its disk has. */
function again(disk: Disk): HotHistory {
  const ports = { recorded: () => undefined, abandoned: () => undefined, failed: () => undefined };
  const hot = new HotRegions(new HotLog(disk, 32 * unitBytes), ports);
  const marks = new Marks({ hold: () => undefined, release: () => undefined });
  const history = new HotHistory(
    { hot, marks, giveBack: () => (held -= 1) } as unknown as ChangeStream,
    tree,
    record,
    null,
  );
  history.begin();
  return history;
}

function target(heardHot: PeerHot | null): ToPrimary & { type: 'linked' } {
  return { marks: { log: 7, checkpoint: 1 }, hot: null, heardHot } as unknown as ToPrimary & { type: 'linked' };
}

describe('the log of a primary that is one again', () => {
  it('is believed as far as the target has heard of it, and not when its disk was set back behind that', () => {
    const disk = new Disk();
    const log = new HotLog(disk, 32 * unitBytes);
    log.begin(7, 1);
    expect(again(disk).covers(target(null))).toBe(true);
    expect(again(disk).covers(target({ log: 7, number: 1 }))).toBe(true);
    expect(again(disk).covers(target({ log: 7, number: 2 }))).toBe(false);
    // Of another log says nothing about this one.
    expect(again(disk).covers(target({ log: 8, number: 2 }))).toBe(true);
    log.append(0, []);
    expect(again(disk).covers(target({ log: 7, number: 2 }))).toBe(true);
  });

  it('is counted as often as somebody asks, before it is used once', () => {
    const disk = new Disk();
    const log = new HotLog(disk, 32 * unitBytes);
    log.begin(7, 1);
    log.append(0, [{ path: [], kind: 'entries' }]);
    const history = again(disk);
    for (let time = 0; time < 2; time++) {
      const counted = history.toBeMarked();
      expect([...(counted ?? [])].map(([id, mark]) => [id, mark.entries])).toEqual([[1, true]]);
      counted?.end();
      counted?.tidy();
      expect(held).toBe(0);
    }
    expect(history.covers(target(null))).toBe(true);
    // From here on the marks of the stream are what there is.
    expect(history.toBeMarked()).toBeNull();
  });

  it('is asked no more once it was found too old', () => {
    const disk = new Disk();
    new HotLog(disk, 32 * unitBytes).begin(7, 1);
    const history = again(disk);
    expect(history.covers(target({ log: 7, number: 2 }))).toBe(false);
    history.end();
    expect(history.claim).toBeNull();
    expect(history.covers(target(null))).toBe(false);
  });
});
