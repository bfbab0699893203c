/** The hot log's file, `.holdfast/hot.log`: on the disk of the data, so that a copy of that disk brings it along. */
import { Attributes } from '../sys/attributes.ts';
import { E } from '../sys/errno.ts';
import { filesystemStatistics, overwriteInPlace, readAt, sync, writeWhole } from '../sys/file.ts';
import { close, O, openAt, statOf, unlinkAt } from '../sys/filesystem.ts';
import { Memory } from '../sys/memory.ts';
import type { HotDisk } from './hot-log.ts';

const directoryName = Buffer.from('.holdfast');
const fileName = Buffer.from('hot.log');
const fileMode = 0o600;
const pieceBytes = 256 * 1024;
/** What has to be left when the log is made: room that is scarce is the application's. */
const spareBytes = 32 * 1024 * 1024;

export class DirectoryHotDisk implements HotDisk {
  readonly #directoryFd: number;
  #memory = new Memory(4096);
  #fd = -1;

  /** `directoryFd` is open on the replicated directory below its mount. */
  constructor(directoryFd: number) {
    this.#directoryFd = directoryFd;
  }

  #within(run: (fd: number) => number): number {
    const directory = openAt(this.#directoryFd, directoryName, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
    if (directory < 0) return directory;
    const status = run(directory);
    close(directory);
    return status;
  }

  /** Opened once: the kernel tells an error of writing back to whoever had the file open when it happened. */
  #open(): number {
    if (this.#fd < 0)
      this.#fd = this.#within((directory) => openAt(directory, fileName, O.RDWR | O.NOFOLLOW, fileMode));
    return this.#fd;
  }
  #withFile(run: (fd: number) => number): number {
    const fd = this.#open();
    return fd < 0 ? fd : run(fd);
  }

  close(): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }

  read(): Buffer | null {
    let content: Buffer | null = null;
    const status = this.#withFile((fd) => {
      const attributes = new Attributes();
      const read = statOf(fd, attributes);
      if (read < 0) return read;
      // Removed by somebody: what is written there no successor would find.
      if (attributes.links === 0) return -E.NOENT;
      const memory = new Memory(attributes.size + 1);
      for (let done = 0; done < attributes.size;) {
        const count = readAt(fd, memory.address(done), attributes.size - done, done);
        if (count <= 0) return -E.IO;
        done += count;
      }
      content = memory.bytes.subarray(0, attributes.size);
      return 0;
    });
    return status < 0 ? null : content;
  }

  /** Zeros that are written, not reserved: a later fdatasync has no block to convert, only data to bring to the disk. One that could not be made takes no room. */
  prepare(bytes: number): number {
    this.close();
    this.#fd = this.#within((directory) => openAt(directory, fileName, O.RDWR | O.CREAT | O.NOFOLLOW, fileMode));
    const status = this.#withFile((fd) => fill(fd, bytes)) || this.#within((directory) => sync(directory, false));
    if (status < 0) this.#remove();
    return status;
  }

  #remove(): void {
    this.close();
    this.#within((directory) => unlinkAt(directory, fileName));
  }

  write(offset: number, content: Buffer): number {
    if (content.length > this.#memory.length) this.#memory = new Memory(content.length);
    content.copy(this.#memory.bytes);
    return this.#withFile((fd) => writeWhole(fd, this.#memory.address(), content.length, offset));
  }

  sync(): number {
    return this.#withFile((fd) => sync(fd, true));
  }
}

function fill(fd: number, bytes: number): number {
  const inPlace = overwriteInPlace(fd);
  if (inPlace < 0) return inPlace;
  const attributes = new Attributes();
  const known = statOf(fd, attributes);
  if (known < 0) return known;
  const room = filesystemStatistics(fd);
  if (typeof room === 'number') return room;
  const needed = Math.max(0, bytes - attributes.size) + spareBytes;
  if (room.blocksAvailable * room.fragmentSize < needed) return -E.NOSPC;
  const zeros = new Memory(pieceBytes);
  for (let at = 0; at < bytes; at += pieceBytes) {
    const status = writeWhole(fd, zeros.address(), Math.min(pieceBytes, bytes - at), at);
    if (status < 0) return status;
  }
  return sync(fd, false);
}
