import { describe, expect, it } from 'vitest';
import { afterAnswer, blockBytes, coarseBytes, pageBytes } from './refinement.ts';

const bits = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('narrowing down a difference', () => {
  it('asks about the blocks of a megabyte that differs, a step at a time', () => {
    const texture = { sparse: true, dense: false };
    const asked = { offset: coarseBytes, length: coarseBytes, unitBytes: coarseBytes };
    expect(afterAnswer(asked, bits(0), texture)).toEqual([]);
    expect(texture.sparse).toBe(true);
    const pieces = afterAnswer(asked, bits(1), texture);
    expect(pieces.map(({ offset }) => offset / (256 * 1024))).toEqual([4, 5, 6, 7]);
    expect(pieces.every(({ length, unitBytes }) => length === 256 * 1024 && unitBytes === blockBytes)).toBe(true);
    expect(texture.sparse).toBe(false);
  });

  it('asks about the pages of a block, or sends it when whole blocks differ', () => {
    const asked = { offset: 0, length: 4 * blockBytes - 100, unitBytes: blockBytes };
    const texture = { sparse: false, dense: true };
    expect(afterAnswer(asked, bits(0b1111), texture).map(({ unitBytes }) => unitBytes)).toEqual([0, 0, 0, 0]);
    expect(afterAnswer(asked, bits(0b1001), texture)).toEqual([
      { offset: 0, length: blockBytes, unitBytes: pageBytes },
      { offset: 3 * blockBytes, length: blockBytes - 100, unitBytes: pageBytes },
    ]);
    expect(texture).toEqual({ sparse: false, dense: false });
    afterAnswer(asked, bits(0), texture);
    expect(texture.sparse).toBe(true);
  });

  it('sends pages, neighbours together, and learns from how many they are', () => {
    const texture = { sparse: false, dense: false };
    const asked = { offset: blockBytes, length: blockBytes, unitBytes: pageBytes };
    expect(afterAnswer(asked, bits(0b00000110, 0b10000000), texture)).toEqual([
      { offset: blockBytes + pageBytes, length: 2 * pageBytes, unitBytes: 0 },
      { offset: blockBytes + 15 * pageBytes, length: pageBytes, unitBytes: 0 },
    ]);
    expect(texture.dense).toBe(false);
    expect(afterAnswer(asked, bits(0xff, 0xff), texture)).toEqual([
      { offset: blockBytes, length: blockBytes, unitBytes: 0 },
    ]);
    expect(texture.dense).toBe(true);
  });
});
