import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mixed, UnitIndex } from './unit-index.ts';

/** All that a search for this hash tells. */
function found(index: UnitIndex, hash: number): number[] {
  const units: number[] = [];
  for (let unit = index.first(hash); unit >= 0; unit = index.next()) units.push(unit);
  return units;
}

/** Few of them, in one segment and at both of its ends, so that they meet; and some from anywhere. */
const hash = fc.oneof(
  fc.integer({ min: 0, max: 255 }).map((low) => low << 6),
  fc.constantFrom(0x003fffff, 0x003fffc0, 0x003fff80),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
);
const step = fc.record({ hash, unit: fc.integer({ min: 0, max: 40 }), adds: fc.boolean() });

describe('an index of records', () => {
  it('finds what a map would, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const index = new UnitIndex();
        const model = new Map<number, { readonly hash: number; readonly unit: number }>();
        for (const one of steps) {
          const known = model.get(one.unit);
          if (one.adds && !known) {
            index.add(one.hash, one.unit);
            model.set(one.unit, one);
          } else if (!one.adds) {
            expect(index.remove(known?.hash ?? one.hash, one.unit)).toBe(known !== undefined);
            model.delete(one.unit);
          }
        }
        for (const one of steps) {
          const meant = [...model.values()].filter((other) => other.hash === one.hash).map(({ unit }) => unit);
          expect(found(index, one.hash)).toEqual(expect.arrayContaining(meant));
          // Others than meant are rare: those whose hash differs in its last bits only.
          for (const unit of found(index, one.hash)) expect((model.get(unit)?.hash ?? 0) >>> 6).toBe(one.hash >>> 6);
        }
        expect([...index.all()].sort((a, b) => a - b)).toEqual([...model.keys()].sort((a, b) => a - b));
      }),
    );
  });

  it('goes on finding when many have come, gone and come again', () => {
    const index = new UnitIndex();
    const count = 60_000;
    for (let unit = 0; unit < count; unit++) index.add(mixed(unit), unit);
    for (let round = 0; round < 3; round++) {
      for (let unit = round; unit < count; unit += 2) expect(index.remove(mixed(unit), unit)).toBe(true);
      for (let unit = round; unit < count; unit += 2) index.add(mixed(unit), unit);
    }
    for (let unit = 0; unit < count; unit++) if (!found(index, mixed(unit)).includes(unit)) throw new Error(`${unit}`);
    for (let unit = 0; unit < count; unit++) index.remove(mixed(unit), unit);
    expect([...index.all()]).toEqual([]);
  });
});
