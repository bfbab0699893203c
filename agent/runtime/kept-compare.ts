/**
 * `holdfast compare-kept KEPT LIVING LIMIT` prints a KeptComparison, `holdfast measure-data LIVING` a number of bytes. Processes of their own, because they read whole
 * trees and the control plane may not wait for a disk. The living copy is read below its cover and below the application's mount; while a resync runs it is what the resync has brought.
 */
import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import type { KeptComparison, KeptDifference } from '../contract/index.ts';
import { openBackingDirectory } from '../fuse/index.ts';

const chunkBytes = 1 << 20;
const hidden = '.holdfast';

type Side = KeptDifference['kept'];

export class KeptComparer {
  readonly result: KeptComparison = { same: 0, differing: 0, differences: [] };
  readonly #kept: Buffer;
  readonly #living: Buffer;
  readonly #limit: number;
  readonly #buffers = [Buffer.alloc(chunkBytes), Buffer.alloc(chunkBytes)] as const;

  constructor(kept: string, living: string, limit: number) {
    this.#kept = Buffer.from(kept);
    this.#living = Buffer.from(living);
    this.#limit = limit;
  }

  run(): KeptComparison {
    this.#directory(Buffer.alloc(0));
    return this.result;
  }

  #directory(relative: Buffer): void {
    const names = new Set<string>();
    for (const root of [this.#kept, this.#living]) {
      const own = namesIn(joined(root, relative));
      if (own === null && relative.length === 0) throw new Error(`${root.toString()} is not there`);
      for (const name of own ?? []) names.add(name);
    }
    for (const name of [...names].sort()) {
      if (relative.length === 0 && name === hidden) continue;
      this.#entry(joined(relative, Buffer.from(name, 'latin1')));
    }
  }

  #entry(relative: Buffer): void {
    const kept = statOf(joined(this.#kept, relative));
    const living = statOf(joined(this.#living, relative));
    if (kept === null && living === null) return;
    if (kept === null || living === null)
      this.#tell(relative, kept === null ? 'only-living' : 'only-kept', kept, living);
    else if (this.#same(relative, kept, living)) this.result.same += 1;
    else this.#tell(relative, 'differs', kept, living);
    // What stands on one side only is one entry, whatever it holds.
    if (kept?.isDirectory() === true && living?.isDirectory() === true) this.#directory(relative);
  }

  #tell(relative: Buffer, kind: KeptDifference['kind'], kept: BigIntStats | null, living: BigIntStats | null): void {
    this.result.differing += 1;
    if (this.result.differences.length >= this.#limit) return;
    this.result.differences.push({ path: relative.toString(), kind, kept: sideOf(kept), living: sideOf(living) });
  }

  #same(relative: Buffer, kept: BigIntStats, living: BigIntStats): boolean {
    if (kept.mode !== living.mode || kept.uid !== living.uid || kept.gid !== living.gid) return false;
    const [one, other] = [joined(this.#kept, relative), joined(this.#living, relative)];
    if (kept.isFile()) return kept.size === living.size && unlessGone(() => this.#sameContent(one, other)) === true;
    if (!kept.isSymbolicLink()) return kept.rdev === living.rdev;
    const [here, there] = [one, other].map((link) => unlessGone(() => readlinkSync(link, { encoding: 'buffer' })));
    return Buffer.isBuffer(here) && Buffer.isBuffer(there) && here.equals(there);
  }

  #sameContent(one: Buffer, other: Buffer): boolean {
    const files: number[] = [];
    const [left, right] = this.#buffers;
    try {
      // What another kind of thing has taken the place of is neither followed nor waited for.
      for (const file of [one, other])
        files.push(openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
      const [kept = -1, living = -1] = files;
      for (let at = 0; ; at += chunkBytes) {
        const counts = [readSync(kept, left, 0, chunkBytes, at), readSync(living, right, 0, chunkBytes, at)] as const;
        if (counts[0] !== counts[1] || !left.subarray(0, counts[0]).equals(right.subarray(0, counts[1]))) return false;
        if (counts[0] === 0) return true;
      }
    } finally {
      for (const file of files) closeSync(file);
    }
  }
}

function joined(directory: Buffer, name: Buffer): Buffer {
  if (directory.length === 0) return name;
  return name.length === 0 ? directory : Buffer.concat([directory, Buffer.from('/'), name]);
}

/** The living tree changes while it is read. Null: it is not there any more, or something else is. */
function unlessGone<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return null;
    throw error;
  }
}

/** As latin1, one character for each byte. */
function namesIn(directory: Buffer): string[] | null {
  const names = unlessGone(() => readdirSync(directory, { encoding: 'buffer' }));
  return names === null ? null : names.map((name) => name.toString('latin1'));
}

function statOf(path: Buffer): BigIntStats | null {
  return unlessGone(() => lstatSync(path, { bigint: true }));
}

function sideOf(stat: BigIntStats | null): Side {
  if (stat === null) return null;
  const type = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'link' : 'other';
  return { type, bytes: Number(stat.size), modified: new Date(Number(stat.mtimeMs)).toISOString() };
}

/** Bytes of all files below, as they are long: what the other server needs room for at most. */
export function bytesBelow(directory: Buffer, isRoot = true): number {
  let sum = 0;
  for (const name of namesIn(directory) ?? []) {
    if (isRoot && name === hidden) continue;
    const one = joined(directory, Buffer.from(name, 'latin1'));
    const stat = statOf(one);
    // Holes take no room on either side.
    if (stat?.isFile() === true) sum += Math.min(Number(stat.size), Number(stat.blocks) * 512);
    if (stat?.isDirectory() === true) sum += bytesBelow(one, false);
  }
  return sum;
}

export function measureDataMain(argv: readonly string[]): number {
  const [living = ''] = argv;
  const descriptor = openBackingDirectory(living);
  process.stdout.write(`${String(bytesBelow(Buffer.from(`/proc/self/fd/${String(descriptor)}/.`)))}\n`);
  return 0;
}

export function compareKeptMain(argv: readonly string[]): number {
  const [kept = '', living = '', limit = '1000'] = argv;
  const descriptor = openBackingDirectory(living);
  const comparison = new KeptComparer(kept, `/proc/self/fd/${String(descriptor)}/.`, Number(limit)).run();
  process.stdout.write(`${JSON.stringify(comparison)}\n`);
  return 0;
}
