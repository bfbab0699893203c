/** Open files and directories by FUSE's file handle, as a successor has to know them. A slot counts from the store of its state on. */

import { invariant } from '../contract/fault.ts';

/** One piece of memory holds so many. */
const slotBytes = 32;
export const keptFileBytes = 64 * 1024;
const slotsPerPiece = keptFileBytes / slotBytes;
const slotWords = slotBytes / 4;
/** In words; the numbers are doubles. */
const place = { state: 0, flags: 1, node: 2, unique: 4 } as const;
const state = { free: 0, open: 1 } as const;
export const keptFileFlag = { writable: 1, directory: 2, readWrite: 4, noAccessTime: 8 } as const;

export interface KeptFile {
  readonly handle: number;
  readonly node: number;
  readonly flags: number;
  /** The request that opened it. */
  readonly unique: number;
}

interface Piece {
  readonly words: Uint32Array;
  readonly numbers: Float64Array;
}

export class KeptFiles {
  readonly #piece: (index: number) => Buffer;
  readonly #pieces: Piece[] = [];

  constructor(piece: (index: number) => Buffer) {
    this.#piece = piece;
  }

  #at(handle: number): Piece {
    const index = Math.floor(handle / slotsPerPiece);
    while (this.#pieces.length <= index) {
      const { buffer, byteOffset, length } = this.#piece(this.#pieces.length);
      const words = new Uint32Array(buffer, byteOffset, length / 4);
      this.#pieces.push({ words, numbers: new Float64Array(buffer, byteOffset, length / 8) });
    }
    const piece = this.#pieces[index];
    invariant(piece !== undefined, 'a file lies in a piece');
    return piece;
  }

  opened({ handle, node, flags, unique }: KeptFile): void {
    const { words, numbers } = this.#at(handle);
    const at = (handle % slotsPerPiece) * slotWords;
    numbers[(at + place.node) / 2] = node;
    numbers[(at + place.unique) / 2] = unique;
    words[at + place.flags] = flags;
    words[at + place.state] = state.open;
  }

  closed(handle: number): void {
    this.#at(handle).words[(handle % slotsPerPiece) * slotWords + place.state] = state.free;
  }

  /** Of a predecessor that has used so many pieces. */
  *all(pieces: number): Generator<KeptFile> {
    for (let handle = 0; handle < pieces * slotsPerPiece; handle++) {
      const { words, numbers } = this.#at(handle);
      const at = (handle % slotsPerPiece) * slotWords;
      if (words[at + place.state] !== state.open) continue;
      const [node, unique] = [numbers[(at + place.node) / 2] ?? 0, numbers[(at + place.unique) / 2] ?? 0];
      yield { handle, node, flags: words[at + place.flags] ?? 0, unique };
    }
  }
}
