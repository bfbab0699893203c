import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../contract/index.ts';
import { Attributes } from '../sys/attributes.ts';
import { checkEntryName, FrameReader, FrameWriter, hashBytes, kind } from './change-codec.ts';
import type { Frame } from './change-codec.ts';

const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
/** Any bytes but NUL and slash: names are not text. */
const name = fc
  .array(
    fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f),
    { minLength: 1, maxLength: 255 },
  )
  .map((bytes) => Buffer.from(bytes))
  .filter((bytes) => bytes.toString() !== '.' && bytes.toString() !== '..');
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const time = fc.record({
  seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
});
const word = fc.integer({ min: 0, max: 0xffffffff });
const attributes = fc
  .record({ mode: word, uid: word, gid: word, rdev: word, links: word, size, accessed: time, modified: time })
  .map((fields) => Object.assign(new Attributes(), fields));

const copy = (frame: Frame): Frame => structuredClone(frame);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function roundTrip(write: (writer: FrameWriter) => void): Frame {
  const writer = new FrameWriter(Buffer.alloc(1 << 20));
  writer.sequence = 41;
  writer.barrier();
  const start = writer.length;
  write(writer);
  const reader = new FrameReader();
  for (let short = start; short < writer.length; short += Math.max(1, (writer.length - start) >> 4))
    expect(reader.read(writer.bytes, start, short)).toBe(0);
  expect(reader.read(writer.bytes, start, writer.length)).toBe(writer.length - start);
  expect(reader.frame.sequence).toBe(43);
  return reader.frame;
}

describe('the codec of changes', () => {
  it('gives back what was written, whatever bytes the names are made of', { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(id, id, name, name, attributes, time, time, bytes, size, (a, b, n, m, attrs, t, u, data, offset) => {
        expect(plain(roundTrip((w) => w.bind(a, b, n)))).toMatchObject(
          plain({ kind: kind.bind, id: a, parent: b, name: n }) as object,
        );
        const created = roundTrip((w) => w.create(a, b, n, attrs, data, t));
        expect([created.id, created.parent, created.time]).toEqual([a, b, t]);
        expect(created.name.equals(n) && created.bytes.equals(data)).toBe(true);
        expect(plain(created.attributes)).toEqual(plain(attrs));
        const renamed = roundTrip((w) => w.rename(a, n, b, m, true, false, a, 3, t, u));
        expect([renamed.parent, renamed.toParent, renamed.flag, renamed.replaces, renamed.linksLeft]).toEqual([
          a,
          b,
          true,
          false,
          3,
        ]);
        expect([renamed.time, renamed.toTime]).toEqual([t, u]);
        expect(renamed.name.equals(n) && renamed.toName.equals(m)).toBe(true);
        const unlinked = roundTrip((w) => w.unlink(b, n, 0, 2, true, t));
        expect([unlinked.id, unlinked.linksLeft, unlinked.flag]).toEqual([0, 2, true]);
        const unnamed = roundTrip((w) => w.createUnnamed(a, attrs));
        expect([unnamed.kind, unnamed.id, plain(unnamed.attributes)]).toEqual([kind.createUnnamed, a, plain(attrs)]);
        expect(roundTrip((w) => w.link(a, b, n, t)).kind).toBe(kind.link);
        expect(roundTrip((w) => w.park(a, b, n, t)).kind).toBe(kind.park);
        expect(roundTrip((w) => w.truncate(a, offset, t)).size).toBe(offset);
        expect(plain(roundTrip((w) => w.setAttributes(a, attrs)).attributes)).toEqual(plain(attrs));
        expect(roundTrip((w) => w.setXattr(a, n, data)).bytes.equals(data)).toBe(true);
        expect(roundTrip((w) => w.removeXattr(a, n)).name.equals(n)).toBe(true);
        const allocated = roundTrip((w) => w.allocate(a, 3, offset, 9, t));
        expect([allocated.mode, allocated.offset, allocated.size]).toEqual([3, offset, 9]);
        expect(roundTrip((w) => w.sync(a, true)).flag).toBe(true);
        expect(roundTrip((w) => w.forget(a)).id).toBe(a);
        expect(roundTrip((w) => w.askRoom()).kind).toBe(kind.askRoom);
        expect(roundTrip((w) => w.hole(a, offset, 4096, t)).offset).toBe(offset);
        expect(roundTrip((w) => w.finish(data)).bytes.equals(data)).toBe(true);
        expect(roundTrip((w) => w.cleanStop(offset)).size).toBe(offset);
        expect(roundTrip((w) => w.xattrs(a, [[n, data]])).xattrs[0]?.[1].equals(data)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('carries data without touching it', () => {
    fc.assert(
      fc.property(id, size, bytes, time, (a, offset, data, t) => {
        const source = Buffer.concat([Buffer.alloc(7), data]);
        const writer = new FrameWriter(Buffer.alloc(4096));
        writer.write(a, offset, source, 7, data.length, t);
        const reader = new FrameReader();
        reader.read(writer.bytes, 0, writer.length);
        const { dataStart, dataLength } = reader.frame;
        expect(writer.bytes.subarray(dataStart, dataStart + dataLength).equals(data)).toBe(true);
        expect(reader.frame.offset).toBe(offset);
      }),
    );
  });

  it('carries listings and hashes', () => {
    const attrs = Object.assign(new Attributes(), { mode: 0o40755 });
    const listed = copy(
      roundTrip((w) => {
        w.beginListing(9, attrs);
        w.listedEntry(Buffer.from([0xff, 0xfe]), 10, attrs, Buffer.alloc(0));
        w.listedEntry(Buffer.from('link'), 11, attrs, Buffer.from('target'));
        w.endListing(true);
      }),
    );
    expect(listed.entries.map((entry) => entry.id)).toEqual([10, 11]);
    expect(Buffer.from(listed.entries[0]!.name)).toEqual(Buffer.from([0xff, 0xfe]));
    expect(roundTrip((w) => w.marked(7, 8))).toMatchObject({ kind: kind.marked, id: 7, size: 8 });
    expect(roundTrip((w) => w.checkpoint(7, 8))).toMatchObject({ kind: kind.checkpoint, id: 7, size: 8 });
    expect(roundTrip((w) => w.met(9))).toMatchObject({ kind: kind.met, size: 9 });
    const names = roundTrip((w) => {
      w.beginNames(9, attrs);
      w.listedEntry(Buffer.from('gone'), 0, attrs, Buffer.alloc(0));
      w.endListing(true);
    });
    expect([names.kind, names.id, names.entries.map((entry) => entry.id)]).toEqual([kind.names, 9, [0]]);
    expect(roundTrip((w) => w.blocks(1, 0, 100, 64, Buffer.alloc(2 * hashBytes))).blockSize).toBe(64);
    expect(() => roundTrip((w) => w.blocks(1, 0, 100, 64, Buffer.alloc(hashBytes)))).toThrow(Fault);
  });

  it('refuses garbage with a fault, and never reads outside of a frame', () => {
    const valid = (): Buffer => {
      const writer = new FrameWriter(Buffer.alloc(65536));
      const attrs = new Attributes();
      writer.create(5, 1, Buffer.from('file'), attrs, null, attrs.modified);
      writer.rename(1, Buffer.from('a'), 2, Buffer.from('b'), false, true, 7, 0, attrs.modified, attrs.modified);
      writer.beginListing(9, attrs);
      writer.listedEntry(Buffer.from('x'), 10, attrs, Buffer.alloc(0));
      writer.endListing(true);
      writer.xattrs(3, [[Buffer.from('user.a'), Buffer.from('value')]]);
      return Buffer.from(writer.bytes.subarray(0, writer.length));
    };
    const readAll = (input: Buffer): void => {
      const reader = new FrameReader();
      for (let at = 0; at < input.length;) {
        const taken = reader.read(input, at, input.length);
        if (taken === 0) return;
        at += taken;
      }
    };
    readAll(valid());
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }),
        (edits) => {
          const input = valid();
          for (const [at, value] of edits) input[at % input.length] = value;
          try {
            readAll(input);
          } catch (error) {
            expect(error).toBeInstanceOf(Fault);
            expect((error as Fault).code).toBe('peer-speaks-garbage');
          }
        },
      ),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 200 }), (random) => {
        try {
          readAll(Buffer.from(random));
        } catch (error) {
          expect((error as Fault).code).toBe('peer-speaks-garbage');
        }
      }),
    );
  });

  it('refuses names that lead out of their directory', () => {
    for (const bad of ['.', '..', 'a/b', '/']) expect(() => checkEntryName(Buffer.from(bad))).toThrow(Fault);
    expect(checkEntryName(Buffer.from('...')).toString()).toBe('...');
    const writer = new FrameWriter(Buffer.alloc(4096));
    writer.bind(1, 1, Buffer.from('a\0b'));
    expect(() => new FrameReader().read(writer.bytes, 0, writer.length)).toThrow(Fault);
  });
});
