import { afterEach, describe, expect, it } from 'vitest';
import { close, SharedFile } from '../sys/linux.ts';
import { KeptMemory, makeKeptFile } from './kept-memory.ts';
import { heldMax, syncStage } from './kept-requests.ts';
import type { Carried } from './kept-requests.ts';
import { opcode } from './protocol.ts';
import { killAtEveryStore } from './store-by-store.ts';

/** Of the layout, in bytes: the regions of requests, and in them the number of the next place where one is parked. */
const slotsStart = 8 << 20;
const headPlace = (heldMax * 8 + 1024 * 4) * 4;

const descriptors: number[] = [];
const memories: KeptMemory[] = [];
afterEach(() => {
  for (const memory of memories.splice(0)) memory.close();
  for (const fd of descriptors.splice(0)) close(fd);
});

function makeFile(): number {
  const fd = makeKeptFile();
  expect(fd).toBeGreaterThan(0);
  descriptors.push(fd);
  return fd;
}
function open(fd: number): KeptMemory {
  const memory = new KeptMemory(fd);
  memories.push(memory);
  return memory;
}

/** As the kernel does it, in one call. */
function read(kept: KeptMemory, unique: number, code: number = opcode.WRITE, length = 56): void {
  kept.requests.expect();
  const request = Buffer.alloc(length, unique);
  request.writeUInt32LE(length, 0);
  request.writeUInt32LE(code, 4);
  request.writeBigUInt64LE(BigInt(unique), 8);
  kept.request.bytes.set(request);
  kept.requests.begin(kept.request);
}

const uniqueOf = (bytes: Buffer): number => Number(bytes.readBigUInt64LE(8));
const carriedOf = (fd: number): Carried => {
  const carried = open(fd).requests.carried();
  expect(carried).not.toBeNull();
  return carried!;
};

describe('requests that were read and not answered', () => {
  it('are found by a successor: in hand, held in their order, parked', () => {
    const fd = makeFile();
    const kept = open(fd);
    for (const unique of [2, 4, 6]) {
      read(kept, unique, opcode.WRITE, unique === 4 ? 200_000 : 60);
      expect(kept.requests.hold(unique === 4 ? 200_000 : 60)).not.toBeNull();
    }
    read(kept, 8);
    kept.requests.park(8, 512);
    kept.requests.finished();
    read(kept, 10);
    kept.requests.noteSubject(77);
    const successor = open(fd);
    const carried = successor.requests.carried()!;
    expect(carried.held.map(({ memory, length }) => [uniqueOf(memory.bytes), length])).toEqual([
      [2, 60],
      [4, 200_000],
      [6, 60],
    ]);
    expect(carried.held[1]!.memory.bytes.subarray(16, 200_000).every((byte) => byte === 4)).toBe(true);
    expect(carried.parked).toMatchObject([{ unique: 8, written: 512, reply: { length: 0 } }]);
    expect([carried.inHandLength, carried.replyLength]).toEqual([56, 0]);
    successor.requests.begin(successor.request);
    expect([successor.requests.isRepeated, successor.requests.before]).toEqual([true, { subject: 77, sync: 0 }]);
  });

  it('keep what was noted of them when they have to wait, and are not repeated once they were answered', () => {
    const fd = makeFile();
    const kept = open(fd);
    read(kept, 10, opcode.FSYNC);
    kept.requests.noteSync(syncStage.begun);
    const second = open(fd);
    expect(second.requests.carried()?.inHandLength).toBe(56);
    expect(second.requests.hasUnheardSync).toBe(true);
    second.requests.begin(second.request);
    second.requests.hold(56);
    const third = open(fd);
    const { held } = third.requests.carried()!;
    expect(third.requests.hasUnheardSync).toBe(true);
    third.requests.begin(held[0]!.memory);
    expect(third.requests.before).toEqual({ subject: 0, sync: syncStage.begun });
    third.requests.hasReply(16);
    third.requests.finished();
    expect(third.requests.hasUnheardSync).toBe(false);
    read(third, 12);
    expect(third.requests.isRepeated).toBe(false);
    expect(carriedOf(fd).held).toEqual([]);
  });

  it('have their completed answer until it was sent, whoever dies in between', () => {
    const fd = makeFile();
    const kept = open(fd);
    read(kept, 10);
    const held = kept.requests.hold(56)!;
    read(kept, 12);
    kept.requests.finished();
    kept.requests.begin(held);
    kept.requests.hasReply(16);
    expect(carriedOf(fd)).toMatchObject({ replyLength: 16, held: [], inHandLength: 0 });
    const second = open(fd);
    expect(second.requests.carried()?.replyLength).toBe(16);
    second.requests.repliedAgain();
    expect(carriedOf(fd)).toMatchObject({ replyLength: 0, held: [] });
    read(second, 14);
    second.requests.hasReply(16);
    expect(carriedOf(fd).replyLength).toBe(16);
    const third = open(fd);
    expect(third.requests.carried()?.replyLength).toBe(16);
    third.requests.repliedAgain();
    expect(carriedOf(fd)).toMatchObject({ replyLength: 0, inHandLength: 0 });
  });

  it('stay held while they wait for a sync that is made together with others', () => {
    const fd = makeFile();
    const kept = open(fd);
    read(kept, 2, opcode.FSYNC);
    expect(kept.requests.collect(2, 56)).toBe(true);
    read(kept, 4);
    const held = kept.requests.hold(56)!;
    read(kept, 6, opcode.FSYNC);
    expect(kept.requests.collect(6, 56)).toBe(true);
    kept.requests.begin(held);
    expect([kept.requests.collect(4, 56), kept.requests.lastCollected]).toEqual([true, 4]);
    const second = open(fd);
    const { held: found, inHandLength } = second.requests.carried()!;
    expect([found.map(({ memory }) => uniqueOf(memory.bytes)), inHandLength]).toEqual([[2, 4, 6], 0]);
    expect(second.requests.hasUnheardSync).toBe(true);
    // Again by the successor, from where it is; then it is parked, answered, or still waits.
    for (const { memory, length } of found) {
      second.requests.begin(memory);
      expect(second.requests.isRepeated).toBe(true);
      expect(second.requests.collect(uniqueOf(memory.bytes), length)).toBe(true);
    }
    second.requests.park(2, 0);
    expect([second.requests.letGo(2), second.requests.letGo(6), second.requests.letGo(8)]).toEqual([true, true, false]);
    const third = carriedOf(fd);
    expect(third.held.map(({ memory }) => uniqueOf(memory.bytes))).toEqual([4]);
    expect(third.parked.map(({ unique }) => unique)).toEqual([2]);
  });

  it('have no room beyond what is kept, and say so', () => {
    const kept = open(makeFile());
    for (let unique = 2; unique < 2 * heldMax; unique += 2) {
      read(kept, unique);
      expect(kept.requests.hold(56)).not.toBeNull();
    }
    read(kept, 10_000, opcode.FSYNC);
    expect(kept.requests.collect(10_000, 56)).toBe(false);
    expect(kept.requests.letGo(10_000)).toBe(false);
  });

  it('are parked as a whole or not at all, where another was parked before', { timeout: 60_000 }, () => {
    const answerOf = (unique: number): Buffer => Buffer.alloc(unique % 3 === 0 ? 24 + (unique % 100) : 0, unique);
    const park = (kept: KeptMemory, unique: number): void => {
      kept.requests.park(unique, unique % 7, answerOf(unique), answerOf(unique).length);
    };
    killAtEveryStore(
      () => {
        const fd = makeFile();
        const kept = open(fd);
        for (let unique = 1; unique <= 1026; unique++) park(kept, unique);
        return fd;
      },
      (fd) => {
        const kept = open(fd);
        for (let unique = 1027; unique <= 1030; unique++) park(kept, unique);
      },
      (fd) => {
        const { parked } = carriedOf(fd);
        expect(parked.length).toBeGreaterThanOrEqual(1023);
        for (const { unique, written, reply } of parked)
          expect([unique, written, Buffer.from(reply)]).toEqual([unique, unique % 7, answerOf(unique)]);
      },
    );
  });

  it('are found when they were parked before and after the count of them has begun anew', () => {
    const fd = makeFile();
    const kept = open(fd);
    kept.requests.park(1, 0);
    const head = new SharedFile(fd).map(slotsStart + headPlace, 4).bytes;
    expect(head.readUInt32LE(0)).toBe(1);
    head.writeUInt32LE(2 ** 32 - 2, 0);
    for (let unique = 2; unique <= 4; unique++) kept.requests.park(unique, 0);
    expect(head.readUInt32LE(0)).toBe(1);
    expect(carriedOf(fd).parked.map(({ unique }) => unique)).toEqual([2, 3, 4]);
  });

  it('are not repeated when they would count twice', () => {
    const fd = makeFile();
    const kept = open(fd);
    read(kept, 10, opcode.BATCH_FORGET);
    expect(carriedOf(fd).inHandLength).toBe(0);
  });

  it('are refused when they are not what is written', () => {
    const fd = makeFile();
    read(open(fd), 10);
    open(fd).request.bytes.writeUInt32LE(7, 0);
    expect(open(fd).requests.carried()).toBeNull();
  });

  /** Where a request is: each of them exactly once, or answered. */
  function places(carried: Carried, kept: KeptMemory, unique: number): string[] {
    const found: string[] = [];
    if (carried.replyLength > 0 && uniqueOf(kept.reply.bytes) === unique) found.push('answered');
    if (carried.inHandLength > 0 && uniqueOf(kept.request.bytes) === unique) found.push('in hand');
    for (const { memory } of carried.held) if (uniqueOf(memory.bytes) === unique) found.push('held');
    if (carried.parked.some((one) => one.unique === unique)) found.push('parked');
    return found;
  }

  interface World {
    readonly fd: number;
    read: number[];
    /** The kernel has got the answer. */
    answered: number[];
    /** The same of a sync, which may be made and answered once more. */
    syncAnswered: number[];
  }

  function answer(world: World, kept: KeptMemory, unique: number): void {
    kept.reply.bytes.fill(0, 0, 16);
    kept.reply.bytes[8] = unique;
    kept.requests.hasReply(16);
    world.answered.push(unique);
    kept.requests.finished();
  }

  function live(world: World): void {
    const kept = open(world.fd);
    const take = (unique: number): void => {
      read(kept, unique);
      world.read.push(unique);
    };
    take(2);
    answer(world, kept, 2);
    take(4);
    const held = kept.requests.hold(56)!;
    take(6);
    kept.requests.park(6, 0);
    kept.requests.finished();
    take(8);
    answer(world, kept, 8);
    kept.requests.begin(held);
    answer(world, kept, 4);
    take(10);
    kept.requests.noteSubject(3);
    const again = kept.requests.hold(56)!;
    kept.requests.begin(again);
    kept.requests.park(10, 0);
    kept.requests.finished();
    take(12);
    kept.requests.collect(12, 56);
    take(14);
    const third = kept.requests.hold(56)!;
    kept.requests.begin(third);
    kept.requests.collect(14, 56);
    take(16);
    kept.requests.park(16, 0, kept.reply.bytes, 144);
    kept.requests.finished();
    kept.requests.park(12, 0);
    kept.requests.letGo(12);
    world.syncAnswered.push(14);
    kept.requests.letGo(14);
  }

  it('are in one place or answered, whenever the process is killed', { timeout: 60_000 }, () => {
    const stores = killAtEveryStore<World>(
      () => ({ fd: makeFile(), read: [], answered: [], syncAnswered: [] }),
      live,
      (world) => {
        const kept = open(world.fd);
        const carried = kept.requests.carried()!;
        for (const unique of world.read) {
          const found = places(carried, kept, unique);
          // What is answered again is known to nobody any more; what is parked may have been answered since.
          if (world.answered.includes(unique)) expect(found.filter((place) => place !== 'answered')).toEqual([]);
          else if (world.syncAnswered.includes(unique)) expect(found.filter((place) => place !== 'held')).toEqual([]);
          else expect(found).toHaveLength(1);
        }
      },
    );
    expect(stores).toBeGreaterThan(30);
  });
});

describe('what cannot be kept', () => {
  const identity = { volumeUuid: 'u', volume: 'db/0', path: '/data' };

  it('is given up where pages may be taken away, which is told once', () => {
    const fd = makeFile();
    const kept = new KeptMemory(fd, () => false);
    memories.push(kept);
    const told: string[] = [];
    kept.onGivenUp = (reason) => told.push(reason);
    kept.begin(identity, 1, 'none');
    expect(open(fd).refusal(identity)).toBeNull();
    read(kept, 2);
    kept.giveUp('again');
    expect(told).toHaveLength(1);
    expect(open(fd).refusal(identity)).toBe('its memory was not complete');
  });

  it('is refused when another layout was written there, older or newer', () => {
    const fd = makeFile();
    const kept = open(fd);
    kept.begin(identity, 1, 'none');
    expect(open(fd).refusal(identity)).toBeNull();
    const words = new SharedFile(fd).map(0, 4096).bytes;
    const layout = words.readUInt32LE(4);
    for (const other of [layout - 1, layout + 1]) {
      words.writeUInt32LE(other, 4);
      expect(open(fd).refusal(identity)).toBe('another version wrote its memory');
    }
  });

  it('is given up while too many wait, and kept again when those have been answered: with nothing in hand', () => {
    const fd = makeFile();
    const kept = open(fd);
    const told: string[] = [];
    kept.onGivenUp = (reason) => told.push(reason);
    kept.onKeptAgain = () => told.push('kept again');
    kept.begin(identity, 1, 'none');
    kept.drained();
    read(kept, 2);
    kept.overflown();
    kept.overflown();
    expect(open(fd).refusal(identity)).toBe('its memory was not complete');
    kept.drained();
    kept.drained();
    expect(told).toEqual([`more than ${heldMax - 1} requests waited at once`, 'kept again']);
    expect(open(fd).refusal(identity)).toBeNull();
    expect(carriedOf(fd)).toMatchObject({ inHandLength: 0, held: [] });
  });

  it('is not given up where they stay', () => {
    const fd = makeFile();
    const kept = open(fd);
    kept.begin(identity, 1, 'none');
    read(kept, 2);
    expect(open(fd).refusal(identity)).toBeNull();
  });
});
