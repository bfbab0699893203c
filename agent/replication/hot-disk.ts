/** The hot log's file, `.holdfast/hot.log`: on the disk of the data, so that a copy of that disk brings it along. Opened for each call: calls are rare. */
import { Attributes } from '../sys/attributes.ts';
import { E } from '../sys/errno.ts';
import { readAt, sync, writeAt } from '../sys/file.ts';
import { close, O, openAt, statOf } from '../sys/filesystem.ts';
import { Memory } from '../sys/memory.ts';
import type { HotDisk } from './hot-log.ts';

const directoryName = Buffer.from('.holdfast');
const fileName = Buffer.from('hot.log');
const fileMode = 0o600;
const pieceBytes = 256 * 1024;

export class DirectoryHotDisk implements HotDisk {
  readonly #directoryFd: number;
  #memory = new Memory(4096);

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

  #withFile(flags: number, run: (fd: number) => number): number {
    const fd = this.#within((directory) => openAt(directory, fileName, flags | O.NOFOLLOW, fileMode));
    if (fd < 0) return fd;
    const status = run(fd);
    close(fd);
    return status;
  }

  read(): Buffer | null {
    let content: Buffer | null = null;
    const status = this.#withFile(O.RDONLY, (fd) => {
      const attributes = new Attributes();
      const read = statOf(fd, attributes);
      if (read < 0) return read;
      const memory = new Memory(attributes.size + 1);
      for (let done = 0; done < attributes.size;) {
        const count = readAt(fd, memory.address(done), attributes.size - done, done);
        if (count <= 0) return -E.IO;
        done += count;
      }
      content = Buffer.from(memory.bytes.subarray(0, attributes.size));
      return 0;
    });
    return status < 0 ? null : content;
  }

  /** Zeros that are written, not reserved: a later fdatasync has no block to convert, only data to bring to the disk. */
  prepare(bytes: number): number {
    const status = this.#withFile(O.RDWR | O.CREAT, (fd) => {
      const zeros = new Memory(pieceBytes);
      for (let at = 0; at < bytes; at += pieceBytes) {
        const count = writeAt(fd, zeros.address(), Math.min(pieceBytes, bytes - at), at);
        if (count < 0) return count;
        if (count !== Math.min(pieceBytes, bytes - at)) return -E.NOSPC;
      }
      return sync(fd, false);
    });
    return status || this.#within((directory) => sync(directory, false));
  }

  write(offset: number, content: Buffer): number {
    if (content.length > this.#memory.length) this.#memory = new Memory(content.length);
    content.copy(this.#memory.bytes);
    return this.#withFile(O.RDWR, (fd) => {
      const count = writeAt(fd, this.#memory.address(), content.length, offset);
      if (count < 0) return count;
      return count === content.length ? 0 : -E.NOSPC;
    });
  }

  sync(): number {
    return this.#withFile(O.RDWR, (fd) => sync(fd, true));
  }
}
