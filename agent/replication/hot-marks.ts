/** What a log on disk names, by path, as marks of the objects that stand there: what a resync then compares. */
import { rootId } from '../fuse/index.ts';
import type { Node } from '../fuse/index.ts';
import { E } from '../sys/errno.ts';
import type { HotPlace, HotSet } from './hot-set.ts';
import type { Marks } from './marks.ts';
import type { SourceTree } from './tree.ts';

const directoryType = 0o040000;
const fileType = 0o100000;

/** False: what it names does not fit this tree, so nothing can be concluded from it. */
export function addHotMarks(marks: Marks, tree: SourceTree, set: HotSet): boolean {
  const root = tree.node(rootId);
  if (!root || set.everything || !marks.kept) return false;
  return addPlaces(marks, tree, root, set.root) && !marks.isFull;
}

function addPlaces(marks: Marks, tree: SourceTree, directory: Node, place: HotPlace): boolean {
  if (place.attributes) marks.extendedAttributes(directory);
  if (place.entries) marks.hotEntries(directory);
  // As it was before anything of this is added: what was marked here goes before what is named there.
  const ours = new Set(marks.get(directory.id)?.names);
  for (const [key, below] of place.places ?? []) {
    const name = Buffer.from(key, 'latin1');
    const isOurs = ours.has(key);
    const node = tree.lookup(directory.id, name);
    if (typeof node === 'number') {
      const isGone = node === -E.NOENT && (below.whole || isOurs || isFileIn(place, below) || isNothing(below));
      if (!isGone) return false;
      if (below.whole) marks.hotName(directory, name, null);
      continue;
    }
    const isDone = isOurs || addPlace(marks, tree, node, place, below);
    if (below.whole) marks.hotName(directory, name, node);
    tree.forget(node.id);
    if (!isDone) return false;
  }
  return true;
}

/** One of all the names in its directory that are compared as a whole. */
function isFileIn(directory: HotPlace, place: HotPlace): boolean {
  return directory.entries && place.places === null && !place.entries;
}

/** Looked at, but nothing was recorded. */
function isNothing(place: HotPlace): boolean {
  if (place.whole || place.entries || place.attributes || place.ranges !== null) return false;
  return [...(place.places?.values() ?? [])].every(isNothing);
}

function addPlace(marks: Marks, tree: SourceTree, node: Node, parentPlace: HotPlace, place: HotPlace): boolean {
  if (place.whole) return true;
  if (node.type === directoryType) return place.ranges === null && addPlaces(marks, tree, node, place);
  if (isFileIn(parentPlace, place)) return true;
  if (place.places !== null || place.entries) return false;
  if (place.attributes) marks.extendedAttributes(node);
  if (place.ranges === null) return true;
  if (node.type !== fileType) return false;
  marks.extendedAttributes(node);
  const { ranges } = place;
  for (let at = 0; at < ranges.length; at += 2) {
    const [start, end] = [ranges[at] ?? 0, ranges[at + 1] ?? 0];
    if (end === Number.MAX_SAFE_INTEGER) marks.contentFrom(node, start);
    else marks.content(node, start, end - start);
  }
  return true;
}
