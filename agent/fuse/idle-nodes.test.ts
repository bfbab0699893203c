import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdleNodes } from './idle-nodes.ts';
import type { IdleNode } from './idle-nodes.ts';

/** Few ids and handles, so that they meet again. */
const handleOf = (number: number): Buffer => {
  const length = 4 + (number % 3) * 20;
  // The same bytes under two types are two objects.
  return Buffer.concat([Buffer.from([length, 0, 0, 0, 1 + (number % 2), 0, 0, 0]), Buffer.alloc(length, number >> 1)]);
};

const node = fc.record({
  id: fc.oneof(fc.integer({ min: 2, max: 60 }), fc.constant(2 ** 40 + 7)),
  type: fc.constantFrom(0o100000, 0o120000),
  handle: fc.integer({ min: 0, max: 60 }).map(handleOf),
  parentId: fc.integer({ min: 1, max: 2 ** 45 }),
  name: fc.uint8Array({ minLength: 1, maxLength: 255 }).map((bytes) => Buffer.from(bytes)),
  lookups: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  holds: fc.integer({ min: 0, max: 9 }),
  boundSession: fc.integer({ min: 0, max: 1000 }),
});
const step = fc.oneof(
  { arbitrary: node.map((put) => ({ put })), weight: 3 },
  { arbitrary: fc.integer({ min: 2, max: 60 }).map((take) => ({ take })), weight: 1 },
  {
    arbitrary: fc.record({ forget: fc.integer({ min: 2, max: 60 }), count: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
    weight: 1,
  },
  { arbitrary: fc.integer({ min: 0, max: 60 }).map((handle) => ({ takeHandle: handleOf(handle) })), weight: 1 },
);

describe('idle nodes', () => {
  it('gives back what was put, once, by id and by handle', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const idle = new IdleNodes();
        const model = new Map<number, IdleNode>();
        for (const one of steps) {
          if ('put' in one) {
            if (model.has(one.put.id)) continue;
            const isTaken = [...model.values()].some(({ handle }) => handle.equals(one.put.handle));
            expect(idle.put(one.put)).toBe(!isTaken);
            if (!isTaken) model.set(one.put.id, one.put);
          } else if ('forget' in one) {
            const known = model.get(one.forget);
            const left = Math.max(0, (known?.lookups ?? 0) - one.count);
            const isGone = known !== undefined && left === 0 && known.holds === 0;
            expect(idle.forget(one.forget, one.count)).toBe(isGone ? known.parentId : 0);
            if (isGone) model.delete(one.forget);
            else if (known) model.set(one.forget, { ...known, lookups: left });
          } else {
            const expected =
              'take' in one
                ? (model.get(one.take) ?? null)
                : ([...model.values()].find(({ handle }) => handle.equals(one.takeHandle)) ?? null);
            expect('take' in one ? idle.take(one.take) : idle.takeByHandle(one.takeHandle)).toEqual(expected);
            if (expected) model.delete(expected.id);
          }
          expect(idle.size).toBe(model.size);
        }
        for (const [id, expected] of model) expect(idle.take(id)).toEqual(expected);
      }),
    );
  });

  it('finds each of very many, while they come and go', () => {
    const idle = new IdleNodes();
    const make = (id: number): IdleNode => {
      const handle = Buffer.alloc(16);
      handle.writeUInt32LE(8, 0);
      handle.writeUInt32LE(id, 8);
      return {
        id,
        type: 0o100000,
        handle,
        parentId: 1,
        name: Buffer.from(`name ${id}`),
        lookups: 1,
        holds: 0,
        boundSession: 0,
      };
    };
    const count = 6000;
    for (let id = 2; id < count; id++) idle.put(make(id));
    expect(idle.size).toBe(count - 2);
    for (let round = 0; round < 3; round++)
      for (let id = 2 + round; id < count; id += 2) {
        const taken = id % 3 === 0 ? idle.take(id) : idle.takeByHandle(make(id).handle);
        if (taken?.name.toString() !== `name ${id}` || !idle.put(make(id))) throw new Error(`${id} is lost`);
      }
    for (let id = 2; id < count; id++) expect(idle.take(id)?.id).toBe(id);
    expect([idle.size, idle.take(5)]).toEqual([0, null]);
  });
});
