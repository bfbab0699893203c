import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkBytes, NodeRecords } from './node-records.ts';
import type { NodeRecord, RecordMemory } from './node-records.ts';
import { killAtEveryStore } from './store-by-store.ts';

/** Memory that stays when its user is gone. */
class Chunks implements RecordMemory {
  readonly isKept = true;
  readonly chunks: Buffer[] = [];
  nextChunk = (index: number): Buffer => (this.chunks[index] ??= Buffer.alloc(chunkBytes));
}

const node = (id: number, name: string, lookups = 1): NodeRecord => ({
  id,
  type: 0o100000,
  handle: Buffer.from([8, 0, 0, 0, 1, 0, 0, 0, id, 0, 0, 0, 7, 0, 0, 0]),
  parentId: 1,
  name: Buffer.from(name),
  lookups,
  holds: 0,
  boundSession: 0,
});

const successorOf = (memory: Chunks): Map<number, NodeRecord> => {
  const records = new NodeRecords(memory);
  const units = records.adopt(memory.chunks.length);
  expect(units).not.toBeNull();
  return new Map(Array.from(units!, (unit) => [records.idAt(unit), records.read(unit)]));
};

type Step =
  | { readonly do: 'add' | 'remove'; readonly id: number }
  | { readonly do: 'rename'; readonly id: number; readonly name: string }
  | { readonly do: 'look'; readonly id: number; readonly lookups: number };
const id = fc.integer({ min: 2, max: 9 });
const name = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 60 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('add' as const, 'remove' as const), id }),
  fc.record({ do: fc.constant('rename' as const), id, name }),
  fc.record({ do: fc.constant('look' as const), id, lookups: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
);

/** What the steps that have ended left, and what the one that was interrupted may have. */
class Life {
  readonly memory = new Chunks();
  before = new Map<number, NodeRecord>();
  after = new Map<number, NodeRecord>();

  run(steps: readonly Step[]): void {
    const records = new NodeRecords(this.memory);
    const units = new Map<number, number>();
    for (const one of steps) {
      this.before = new Map(this.after);
      const unit = units.get(one.id);
      const known = this.after.get(one.id);
      if (one.do === 'add' && !known) {
        this.after.set(one.id, node(one.id, 'first'));
        units.set(one.id, records.add(node(one.id, 'first')));
      } else if (one.do === 'remove' && unit !== undefined) {
        this.after.delete(one.id);
        records.remove(unit);
        units.delete(one.id);
      } else if (one.do === 'rename' && unit !== undefined && known) {
        const renamed = { ...known, name: Buffer.from(one.name) };
        this.after.set(one.id, renamed);
        units.set(one.id, records.add(renamed));
        records.remove(unit);
      } else if (one.do === 'look' && unit !== undefined && known) {
        this.after.set(one.id, { ...known, lookups: one.lookups });
        records.setLookups(unit, one.lookups);
      }
    }
    this.before = new Map(this.after);
  }
}

describe('records of nodes', () => {
  it('say what was or what is, whenever their user is killed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        killAtEveryStore(
          () => new Life(),
          (life) => {
            life.run(steps);
          },
          (life) => {
            const found = successorOf(life.memory);
            for (const key of new Set([...life.before.keys(), ...life.after.keys(), ...found.keys()]))
              expect([life.before.get(key), life.after.get(key)]).toContainEqual(found.get(key));
          },
        );
      }),
      { numRuns: 60 },
    );
  });

  it('are gone on with: what is free is used again, and nothing is overwritten', () => {
    const memory = new Chunks();
    const first = new NodeRecords(memory);
    const units = Array.from({ length: 9000 }, (_, index) => first.add({ ...node(2, `name ${index}`), id: index + 2 }));
    for (let index = 0; index < units.length; index += 3) first.remove(units[index]!);
    const second = new NodeRecords(memory);
    expect(second.adopt(memory.chunks.length)).toHaveLength(6000);
    const chunks = memory.chunks.length;
    for (let index = 0; index < 3000; index++) second.add({ ...node(2, `name ${index * 3}`), id: 100_000 + index });
    expect(memory.chunks).toHaveLength(chunks);
    const third = successorOf(memory);
    expect(third.size).toBe(9000);
    expect(third.get(3)?.name.toString()).toBe('name 1');
    expect(third.get(100_001)?.name.toString()).toBe('name 3');
  });

  it('are refused when they are not what was written', () => {
    const memory = new Chunks();
    new NodeRecords(memory).add(node(2, 'a'));
    memory.chunks[0]!.writeUInt32LE(0xffffff02, 24);
    expect(new NodeRecords(memory).adopt(1)).toBeNull();
  });
});
