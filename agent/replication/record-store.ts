/**
 * The volume record on its disk: `.holdfast/volume.json` inside of the replicated directory's filesystem, beside an identity stamp that says whose
 * directory this is. File and directory are synced: after a power cut at any step there is the old record or the new one.
 *
 * A full disk must not keep a node from recording that the peer is stale, or that it is stale itself: the record and its successor have their
 * blocks beforehand. The successor is overwritten in place and exchanged with the record; the former record is the next successor.
 * A full btrfs may have no room for the exchange: then the record is overwritten, and where that is cut short the successor counts.
 */
import { Fault, volumeRecordSchema } from '../contract/index.ts';
import type { VolumeRecord } from '../contract/index.ts';
import { Attributes } from '../sys/attributes.ts';
import { E, errorName } from '../sys/errno.ts';
import { filesystemStatistics, overwriteInPlace, readAt, sync, writeAt } from '../sys/file.ts';
import { close, makeDirectoryAt, O, openAt, RENAME, renameAt, statOf, unlinkAt } from '../sys/filesystem.ts';
import { handleOf } from '../sys/handle.ts';
import { Memory } from '../sys/memory.ts';
import { connectedClean } from './volume-lineage.ts';

/** What the store needs of a disk; each call is one step that a power cut may follow. Names are inside of `.holdfast`. */
export interface RecordDisk {
  /** Null: not there. Throws Fault `disk-failed`. */
  read(name: string): Buffer | null;
  /** Which directory this is: the same for a copy of the whole disk, another one for a copy of the files. */
  place(): string;
  /** `.holdfast` itself, synced into its parent. */
  makeDirectory(): void;
  /** Whole content, always of the same length, over what was there. Not durable yet. */
  write(name: string, content: Buffer): void;
  syncFile(name: string): void;
  rename(name: string, toName: string): void;
  /** Both are there; each gets the other's name, at once. */
  exchange(name: string, otherName: string): void;
  remove(name: string): void;
  syncDirectory(): void;
}

const recordName = 'volume.json';
const stampName = 'identity.json';
const newSuffix = '.new';
/** Of no use without its record, and large (hot-disk.ts). */
const hotLogName = 'hot.log';
/** The longest record: 256 ancestors of 120 characters each. */
const recordBytes = 40 * 1024;
/** All over a record that is being overwritten, many times in each sector: no text of JSON has the last character. */
const mark = Buffer.from('overwritten\u0001');

export class RecordStore {
  readonly #disk: RecordDisk;
  readonly #volume: string;

  constructor(disk: RecordDisk, volume: string) {
    this.#disk = disk;
    this.#volume = volume;
  }

  /** Null: this directory was never set up. Throws Fault: record-damaged, record-too-new, not-this-volume, disk-failed. */
  read(volumeUuid: string): VolumeRecord | null {
    const content = this.#disk.read(recordName);
    const stamp = this.#disk.read(stampName);
    if (content === null) return null;
    const successor = content.includes(mark) ? this.#disk.read(recordName + newSuffix) : null;
    const json = this.#parse(recordName, successor ?? content);
    if (typeof json === 'object' && json !== null && 'format' in json && json.format !== 1 && json.format !== 2)
      throw this.#fault(
        'record-too-new',
        'was written by a version of Holdfast that this one does not know',
        'Install the newer version here too.',
      );
    const parsed = volumeRecordSchema.safeParse(json);
    if (!parsed.success) throw this.#damaged(recordName);
    const stamped = stamp === null ? null : this.#parse(stampName, stamp);
    const owner =
      typeof stamped === 'object' && stamped !== null && 'volumeUuid' in stamped ? stamped.volumeUuid : null;
    if (owner !== parsed.data.volumeUuid) throw this.#damaged(stampName);
    if (owner !== volumeUuid)
      throw this.#fault(
        'not-this-volume',
        'belongs to another volume',
        'Give the right directory, or set this one up anew; what stands there is kept aside.',
      );
    return this.#hasMoved(json) ? connectedClean(parsed.data) : parsed.data;
  }

  /**
   * Somebody has copied the files to another disk, the record with them: whatever copied them need not have brought everything, so what was agreed
   * about the former copy is not true of this one. Records of former versions do not say where they were written.
   */
  #hasMoved(json: unknown): boolean {
    const written = typeof json === 'object' && json !== null && 'place' in json ? json.place : null;
    return written !== null && written !== this.#disk.place();
  }

  /** Durable when it returns. */
  write(record: VolumeRecord): void {
    this.#replace(recordName, { ...record, place: this.#disk.place() });
  }

  /** The first record of a directory, with its stamp; the stamp first, because a record without one is damage. */
  create(record: VolumeRecord): void {
    this.#disk.makeDirectory();
    this.#replace(stampName, { format: 1, volumeUuid: record.volumeUuid });
    this.write(record);
  }

  /** The directory is nobody's again. The record first, for the same reason. */
  remove(): void {
    for (const name of [recordName, stampName, recordName + newSuffix, stampName + newSuffix, hotLogName]) {
      this.#disk.remove(name);
      this.#disk.syncDirectory();
    }
  }

  #replace(name: string, content: object): void {
    const bytes = Buffer.from(`${JSON.stringify(content)}\n`.padEnd(recordBytes));
    const successor = name + newSuffix;
    const former = this.#disk.read(name);
    // What counts is the successor (`read`): it stays until there is another one.
    if (former?.includes(mark) === true) {
      this.#overwrite(name, bytes);
      return;
    }
    this.#disk.write(successor, bytes);
    this.#disk.syncFile(successor);
    if (former !== null) {
      if (this.#exchanged(successor, name)) this.#disk.syncDirectory();
      else this.#overwrite(name, bytes);
      return;
    }
    this.#disk.rename(successor, name);
    this.#disk.syncDirectory();
    this.#disk.write(successor, bytes);
    this.#disk.syncFile(successor);
    this.#disk.syncDirectory();
  }

  /** False: there was no room for it. */
  #exchanged(successor: string, name: string): boolean {
    try {
      this.#disk.exchange(successor, name);
      return true;
    } catch (error) {
      if (errnoOf(error) !== E.NOSPC) throw error;
      return false;
    }
  }

  /** Marked first: cut short anywhere it is no JSON, and known from damage; never half of one record and half of another. */
  #overwrite(name: string, bytes: Buffer): void {
    for (const content of [Buffer.alloc(recordBytes, mark), bytes]) {
      this.#disk.write(name, content);
      this.#disk.syncFile(name);
    }
  }

  #parse(name: string, content: Buffer): unknown {
    try {
      return JSON.parse(content.toString());
    } catch {
      throw this.#damaged(name);
    }
  }
  #damaged(name: string): Fault {
    return this.#fault(
      'record-damaged',
      `is damaged (.holdfast/${name})`,
      'Check the disk. This copy cannot be used any more: set it up again as the target.',
    );
  }
  #fault(code: string, what: string, remedy: string): Fault {
    return new Fault(code, { message: `The record of ${this.#volume} ${what}.`, remedy }, { volume: this.#volume });
  }
}

const hidden = Buffer.from('.holdfast');
const directoryMode = 0o700;
const fileMode = 0o600;

function must(status: number, call: string): number {
  if (status >= 0) return status;
  throw new Fault(
    'disk-failed',
    {
      message: `The volume record could not be read or written: ${call}: ${errorName(status)}.`,
      remedy: 'Look at the kernel log for disk errors, and at the free space.',
    },
    { call, error: errorName(status), errno: Math.abs(status) },
  );
}

/** Of a fault of the disk, positive; throws again what is none. */
export function errnoOf(error: unknown): number {
  if (!(error instanceof Fault)) throw error;
  const { errno } = error.details;
  return typeof errno === 'number' ? errno : E.IO;
}

/** The real one. `directoryFd` is open on the replicated directory below its mount. */
export class DirectoryRecordDisk implements RecordDisk {
  readonly #directoryFd: number;

  constructor(directoryFd: number) {
    this.#directoryFd = directoryFd;
  }

  #within<T>(run: (fd: number) => T): T {
    const fd = must(openAt(this.#directoryFd, hidden, O.RDONLY | O.DIRECTORY | O.NOFOLLOW), 'open .holdfast');
    try {
      return run(fd);
    } finally {
      close(fd);
    }
  }
  #withFile<T>(name: string, flags: number, run: (fd: number) => T): T {
    return this.#within((directory) => {
      const fd = must(openAt(directory, Buffer.from(name), flags | O.NOFOLLOW, fileMode), `open ${name}`);
      try {
        return run(fd);
      } finally {
        close(fd);
      }
    });
  }

  read(name: string): Buffer | null {
    const directory = openAt(this.#directoryFd, hidden, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
    if (directory === -E.NOENT) return null;
    close(must(directory, 'open .holdfast'));
    return this.#within((inside) => {
      const fd = openAt(inside, Buffer.from(name), O.RDONLY | O.NOFOLLOW);
      if (fd === -E.NOENT) return null;
      must(fd, `open ${name}`);
      try {
        const attributes = new Attributes();
        must(statOf(fd, attributes), 'stat');
        const memory = new Memory(attributes.size + 1);
        const length = must(readAt(fd, memory.address(), attributes.size, 0), 'read');
        return Buffer.from(memory.bytes.subarray(0, length));
      } finally {
        close(fd);
      }
    });
  }

  place(): string {
    const handle = handleOf(this.#directoryFd, hidden);
    const filesystem = filesystemStatistics(this.#directoryFd);
    if (typeof handle === 'number') must(handle, 'handle of .holdfast');
    if (typeof filesystem === 'number') must(filesystem, 'statfs');
    const id = typeof filesystem === 'number' ? '' : filesystem.id;
    return `${id} ${typeof handle === 'number' ? '' : handle.toString('hex')}`;
  }

  makeDirectory(): void {
    const status = makeDirectoryAt(this.#directoryFd, hidden, directoryMode);
    if (status !== -E.EXIST) must(status, 'mkdir .holdfast');
    must(sync(this.#directoryFd, false), 'fsync');
  }

  write(name: string, content: Buffer): void {
    this.#withFile(name, O.WRONLY | O.CREAT, (fd) => {
      // Into the blocks that the file has: on a full disk there are no others.
      must(overwriteInPlace(fd), 'set flags');
      const memory = Memory.copyOf(content);
      const count = must(writeAt(fd, memory.address(), content.length, 0), 'write');
      if (count !== content.length) must(-E.NOSPC, 'write');
    });
  }

  syncFile(name: string): void {
    this.#withFile(name, O.RDONLY, (fd) => must(sync(fd, false), 'fsync'));
  }
  rename(name: string, toName: string): void {
    this.#within((fd) => must(renameAt(fd, Buffer.from(name), fd, Buffer.from(toName)), 'rename'));
  }
  exchange(name: string, otherName: string): void {
    const [one, other] = [Buffer.from(name), Buffer.from(otherName)];
    this.#within((fd) => {
      const status = renameAt(fd, one, fd, other, RENAME.EXCHANGE);
      // A filesystem that cannot exchange: then the next successor has to find room.
      if (status === -E.INVAL) must(renameAt(fd, one, fd, other), 'rename');
      else must(status, 'exchange');
    });
  }
  remove(name: string): void {
    const directory = openAt(this.#directoryFd, hidden, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
    if (directory === -E.NOENT) return;
    close(must(directory, 'open .holdfast'));
    this.#within((fd) => {
      const status = unlinkAt(fd, Buffer.from(name));
      if (status !== -E.NOENT) must(status, 'unlink');
    });
  }
  syncDirectory(): void {
    const directory = openAt(this.#directoryFd, hidden, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
    if (directory === -E.NOENT) return;
    try {
      must(sync(must(directory, 'open .holdfast'), false), 'fsync');
    } finally {
      close(directory);
    }
  }
}
