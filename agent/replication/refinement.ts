/**
 * How a difference is narrowed down: a hash of a megabyte, then of its blocks, then of the pages of a block. What is the same costs little on the wire, and of what
 * differs little more than itself is sent, wherever in a large file it lies. Where everything differs, nothing is gained: then blocks are sent as they are.
 */
import { invariant } from '../contract/index.ts';

export const coarseBytes = 1024 * 1024;
export const blockBytes = 64 * 1024;
export const pageBytes = 4 * 1024;
/** Read and hashed at once, see ResyncSource. */
export const stepBytes = 256 * 1024;

/** Asked about: hashes of `unitBytes` each were sent. */
export interface Asked {
  readonly offset: number;
  readonly length: number;
  readonly unitBytes: number;
}
/** What follows: hashes of smaller units, or (`unitBytes` 0) the data. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
  readonly unitBytes: number;
}

/** What a file is like so far. Guesses: they decide what is sent, never what counts as the same. */
export interface Texture {
  /** Megabytes that are the same follow each other: one hash for each will do. */
  sparse: boolean;
  /** Whoever asks for a block will ask for most of its pages. */
  dense: boolean;
}

/** `needed`: one bit for each unit, lowest first. */
export function afterAnswer(asked: Asked, needed: Uint8Array, texture: Texture): Piece[] {
  const units = neededUnits(asked, needed);
  const isAll = units.length === Math.ceil(asked.length / asked.unitBytes);
  switch (asked.unitBytes) {
    case coarseBytes:
      texture.sparse = units.length === 0;
      return units.flatMap((unit) => split(unit, stepBytes, blockBytes));
    case blockBytes:
      if (units.length === 0) texture.sparse = true;
      if (!isAll) texture.dense = false;
      return units.map((unit) => ({ ...unit, unitBytes: texture.dense ? 0 : pageBytes }));
    default:
      invariant(asked.unitBytes === pageBytes, 'nothing else is asked');
      texture.dense = units.length * 2 * pageBytes > asked.length;
      return joined(units);
  }
}

function neededUnits(asked: Asked, needed: Uint8Array): { offset: number; length: number }[] {
  const units: { offset: number; length: number }[] = [];
  for (let at = 0, bit = 0; at < asked.length; at += asked.unitBytes, bit++) {
    const byte = needed[bit >> 3];
    if (byte === undefined || (byte & (1 << (bit & 7))) === 0) continue;
    units.push({ offset: asked.offset + at, length: Math.min(asked.unitBytes, asked.length - at) });
  }
  return units;
}

function split(unit: { offset: number; length: number }, partBytes: number, unitBytes: number): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < unit.length; at += partBytes)
    pieces.push({ offset: unit.offset + at, length: Math.min(partBytes, unit.length - at), unitBytes });
  return pieces;
}

/** Data of neighbours goes together. */
function joined(units: readonly { offset: number; length: number }[]): Piece[] {
  const pieces: { offset: number; length: number; unitBytes: number }[] = [];
  for (const { offset, length } of units) {
    const last = pieces.at(-1);
    if (last && last.offset + last.length === offset) last.length += length;
    else pieces.push({ offset, length, unitBytes: 0 });
  }
  return pieces;
}
