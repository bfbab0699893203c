/**
 * Places of records by a hash of something that they hold: open addressing in `segmentsCount` small tables of which each grows by itself, by a quarter, so
 * that none of a million places is ever waited for longer than it takes to copy a thousandth of them. The part of the hash that says where a place belongs is
 * kept beside it: growing looks at no record, and searching hardly at any that is not meant.
 *
 * Six bytes for each place that there is room for, eight on average for each one that is taken.
 */

const segmentBits = 10;
const segmentsCount = 1 << segmentBits;
const tagBits = 16;
const empty = 0;
const removed = 0xffffffff;
const roomMin = 16;
/** In the whole segment, with what was removed. */
const fullFrom = 0.85;
const roomPerUnit = 1.45;

interface Segment {
  /** Places plus one. */
  readonly slots: Uint32Array;
  readonly tags: Uint16Array;
  live: number;
  /** Live or removed: what a search does not end at. */
  used: number;
}

function segmentFor(live: number): Segment {
  const room = Math.max(roomMin, Math.ceil(live * roomPerUnit));
  return { slots: new Uint32Array(room), tags: new Uint16Array(room), live: 0, used: 0 };
}

/** Every bit of the result depends on every bit of `hash`: an index needs the upper ones. */
export function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

export class UnitIndex {
  readonly #segments: (Segment | undefined)[] = [];
  /** Of the search that `first` has begun. */
  #searched: Segment = segmentFor(0);
  #tag = 0;
  #slot = 0;

  /** `hash`: 32 bits, mixed. The places that may be meant, one after the other; -1: no more. Nothing may be added or removed meanwhile. */
  first(hash: number): number {
    const segment = this.#segments[hash >>> (32 - segmentBits)];
    if (!segment) return -1;
    this.#searched = segment;
    this.#tag = tagOf(hash);
    this.#slot = homeOf(this.#tag, segment.slots.length);
    return this.#search();
  }
  next(): number {
    this.#step();
    return this.#search();
  }
  #step(): void {
    this.#slot = this.#slot + 1 === this.#searched.slots.length ? 0 : this.#slot + 1;
  }
  #search(): number {
    const { slots, tags } = this.#searched;
    for (;;) {
      const found = slots[this.#slot] ?? empty;
      if (found === empty) return -1;
      if (tags[this.#slot] === this.#tag && found !== removed) return found - 1;
      this.#step();
    }
  }

  *all(): Generator<number> {
    for (const segment of this.#segments)
      for (const slot of segment?.slots ?? []) if (slot !== empty && slot !== removed) yield slot - 1;
  }

  add(hash: number, unit: number): void {
    const number = hash >>> (32 - segmentBits);
    let segment = this.#segments[number];
    if (!segment || segment.used + 1 > segment.slots.length * fullFrom) {
      segment = rebuilt(segment);
      this.#setSegment(number, segment);
    }
    put(segment, tagOf(hash), unit + 1);
  }

  /** False: it is not there. */
  remove(hash: number, unit: number): boolean {
    let found = this.first(hash);
    while (found >= 0 && found !== unit) found = this.next();
    if (found < 0) return false;
    const segment = this.#searched;
    const { slots } = segment;
    segment.live -= 1;
    const following = this.#slot + 1 === slots.length ? 0 : this.#slot + 1;
    if (slots[following] === empty) {
      slots[this.#slot] = empty;
      segment.used -= 1;
    } else slots[this.#slot] = removed;
    if (slots.length > roomMin && segment.live * 4 < slots.length)
      this.#setSegment(hash >>> (32 - segmentBits), rebuilt(segment));
    return true;
  }

  #setSegment(number: number, segment: Segment): void {
    // An array with holes would be a dictionary.
    while (this.#segments.length < segmentsCount) this.#segments.push(undefined);
    this.#segments[number] = segment;
  }
}

function tagOf(hash: number): number {
  return (hash >>> (32 - segmentBits - tagBits)) & ((1 << tagBits) - 1);
}
function homeOf(tag: number, room: number): number {
  return (tag * room) >>> tagBits;
}

/** Without what was removed, and with room for more. */
function rebuilt(former: Segment | undefined): Segment {
  if (!former) return segmentFor(0);
  const { slots, tags } = former;
  const segment = segmentFor(former.live);
  for (let index = 0; index < slots.length; index++) {
    const slot = slots[index] ?? empty;
    if (slot !== empty && slot !== removed) put(segment, tags[index] ?? 0, slot);
  }
  return segment;
}

function put(segment: Segment, tag: number, value: number): void {
  const { slots, tags } = segment;
  let at = homeOf(tag, slots.length);
  while (slots[at] !== empty) at = at + 1 === slots.length ? 0 : at + 1;
  slots[at] = value;
  tags[at] = tag;
  segment.live += 1;
  segment.used += 1;
}
