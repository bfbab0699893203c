import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NameSet } from './name-set.ts';

it('is a set in the order of what was added, whatever is done with it', () => {
  const step = fc.tuple(fc.constantFrom('add', 'delete'), fc.integer({ min: 0, max: 300 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
      const [names, model] = [new NameSet(), new Set<string>()];
      for (const [what, number] of steps) {
        const name = 'n'.repeat(1 + (number % 250)) + String(number);
        if (what === 'add') {
          names.add(Buffer.from(name), 0o040000);
          model.add(name);
        } else expect(names.delete(Buffer.from(name))).toBe(model.delete(name));
        expect(names.has(Buffer.from(name))).toBe(model.has(name));
      }
      expect(names.size).toBe(model.size);
      expect([...names].map(String).sort()).toEqual([...model].sort());
      if (names.size > 0) expect(names.typeAt(names.seek(0))).toBe(0o040000);
    }),
  );
});

it('takes a bounded number of bytes for each name, and none of the heap', () => {
  const names = new NameSet();
  const count = 200_000;
  for (let n = 0; n < count; n++) names.add(Buffer.from(`s${n}`));
  expect(names.size).toBe(count);
  expect(names.has(Buffer.from('s199999'))).toBe(true);
  expect(names.bytes / count).toBeLessThan(40);
});
