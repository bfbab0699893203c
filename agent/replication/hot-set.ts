/**
 * What may have been changed since a checkpoint that both disks have, by path: names that were given to something else, parts of contents, attributes.
 * Only ever says too much. A path that leads over no hot name stands for the same object on both copies; below a hot name everything is compared.
 */

/** Of a content: sorted, disjoint [start, end) pairs in one list. */
export type Ranges = number[];

export class HotPlace {
  /** This name, whatever stands there on either copy, and everything below. */
  whole = false;
  /** Of a directory: each of its names that is not a directory, on either copy. */
  entries = false;
  attributes = false;
  ranges: Ranges | null = null;
  /** Names below, latin1. */
  places: Map<string, HotPlace> | null = null;
  /** Looked at since the last checkpoint was asked for: such a region will be needed again. */
  used = true;
  /** How often something in it, or below it, had to be recorded. */
  misses = 0;
}

/** One region, as it is recorded. */
export type HotEntry =
  | { readonly kind: 'whole' | 'entries' | 'attributes'; readonly path: readonly string[] }
  | { readonly kind: 'content'; readonly path: readonly string[]; readonly start: number; readonly end: number };

export function covers(ranges: Ranges, start: number, end: number): boolean {
  for (let at = 0; at < ranges.length; at += 2)
    if ((ranges[at] ?? 0) <= start && end <= (ranges[at + 1] ?? 0)) return true;
  return false;
}

export function addRange(ranges: Ranges, start: number, end: number): void {
  let [from, to] = [start, end];
  const kept: Ranges = [];
  for (let at = 0; at < ranges.length; at += 2) {
    const [low, high] = [ranges[at] ?? 0, ranges[at + 1] ?? 0];
    if (high < from || low > to) kept.push(low, high);
    else [from, to] = [Math.min(from, low), Math.max(to, high)];
  }
  let place = 0;
  while (place < kept.length && (kept[place] ?? 0) < from) place += 2;
  kept.splice(place, 0, from, to);
  ranges.splice(0, ranges.length, ...kept);
}

export class HotSet {
  readonly root = new HotPlace();
  size = 0;

  /** Nothing is known any more: everything may differ. */
  get everything(): boolean {
    return this.root.whole;
  }

  find(path: readonly string[]): HotPlace | null {
    let place: HotPlace | null = this.root;
    for (const name of path) place = place?.places?.get(name) ?? null;
    return place;
  }

  /** Covered by a hot name on the way, or at its end. */
  isWhole(path: readonly string[]): boolean {
    let place: HotPlace = this.root;
    if (place.whole) return true;
    for (const name of path) {
      const next = place.places?.get(name);
      if (!next) return false;
      if (next.whole) return true;
      place = next;
    }
    return false;
  }

  make(path: readonly string[]): HotPlace {
    let place = this.root;
    for (const name of path) {
      place.places ??= new Map();
      let next = place.places.get(name);
      if (!next) {
        next = new HotPlace();
        place.places.set(name, next);
        this.size += 1;
      }
      place = next;
    }
    return place;
  }

  add(entry: HotEntry): void {
    if (entry.kind !== 'whole' && this.isWhole(entry.path)) return;
    const place = this.make(entry.path);
    place.used = true;
    switch (entry.kind) {
      case 'whole':
        place.whole = true;
        place.places = null;
        return;
      case 'entries':
        place.entries = true;
        return;
      case 'attributes':
        place.attributes = true;
        return;
      case 'content':
        addRange((place.ranges ??= []), entry.start, entry.end);
    }
  }

  merge(other: HotSet): void {
    for (const entry of other) this.add(entry);
  }

  *[Symbol.iterator](): Generator<HotEntry> {
    yield* entriesOf(this.root, []);
  }
}

export function* entriesAt(place: HotPlace, path: readonly string[]): Generator<HotEntry> {
  if (place.whole) yield { kind: 'whole', path };
  if (place.entries) yield { kind: 'entries', path };
  if (place.attributes) yield { kind: 'attributes', path };
  const ranges = place.ranges ?? [];
  for (let at = 0; at < ranges.length; at += 2)
    yield { kind: 'content', path, start: ranges[at] ?? 0, end: ranges[at + 1] ?? 0 };
}

function* entriesOf(place: HotPlace, path: readonly string[]): Generator<HotEntry> {
  yield* entriesAt(place, path);
  for (const [name, below] of place.places ?? []) yield* entriesOf(below, [...path, name]);
}

// --- as bytes -----------------------------------------------------------------------------------------------------------

const kinds = ['whole', 'entries', 'attributes', 'content'] as const;
const headBytes = 3;
/** As many components as the longest path has. */
export const depthMax = 4096;

/** Kind, depth, names with a length before each; of a content also where. `end` beyond all files is 2^53 - 1. */
export function encodeEntry(entry: HotEntry): Buffer {
  const names = entry.path.map((name) => Buffer.from(name, 'latin1'));
  const length = headBytes + names.reduce((sum, name) => sum + 1 + name.length, 0);
  const bytes = Buffer.alloc(length + (entry.kind === 'content' ? 16 : 0));
  bytes[0] = kinds.indexOf(entry.kind);
  bytes.writeUInt16LE(names.length, 1);
  let at = headBytes;
  for (const name of names) {
    bytes[at] = name.length;
    name.copy(bytes, at + 1);
    at += 1 + name.length;
  }
  if (entry.kind === 'content') {
    bytes.writeDoubleLE(entry.start, at);
    bytes.writeDoubleLE(entry.end, at + 8);
  }
  return bytes;
}

/** Null: these are no entries. */
export function decodeEntries(bytes: Buffer): HotEntry[] | null {
  const entries: HotEntry[] = [];
  try {
    for (let at = 0; at < bytes.length;) {
      const kind = kinds[bytes.readUInt8(at)];
      const depth = bytes.readUInt16LE(at + 1);
      if (kind === undefined || depth > depthMax) return null;
      at += headBytes;
      const path: string[] = [];
      for (let level = 0; level < depth; level++) {
        const length = bytes.readUInt8(at);
        if (length === 0 || at + 1 + length > bytes.length) return null;
        path.push(bytes.toString('latin1', at + 1, at + 1 + length));
        at += 1 + length;
      }
      if (kind !== 'content') {
        entries.push({ kind, path });
        continue;
      }
      const [start, end] = [bytes.readDoubleLE(at), bytes.readDoubleLE(at + 8)];
      if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) return null;
      entries.push({ kind, path, start, end });
      at += 16;
    }
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  return entries;
}
