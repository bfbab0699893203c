/** One open directory being read: records as the kernel gives them, with its own 64-bit positions passed on unchanged. */
import { fileType, readDirectory, Memory, seekDirectory } from '../sys/linux.ts';

const bufferBytes = 32768;
/** struct linux_dirent64: inode (8), offset of the next (8), length (2), type (1), name. */
const nameOffset = 19;

export class DirectoryStream {
  readonly #fd: number;
  readonly #memory = new Memory(bufferBytes);
  #start = 0;
  #end = 0;
  /** Where the record at `#start` begins, as the two halves of the kernel's position. */
  #positionLow = 0;
  #positionHigh = 0;

  /** Of the current record, valid until `next`. */
  name: Buffer = Buffer.alloc(0);
  inodeLow = 0;
  inodeHigh = 0;
  type = 0;
  nextLow = 0;
  nextHigh = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Goes to a position that an earlier record named. Position 0 always reads the directory anew. */
  goTo(low: number, high: number): number {
    if (low === this.#positionLow && high === this.#positionHigh && (low !== 0 || high !== 0)) return 0;
    this.#start = 0;
    this.#end = 0;
    this.#positionLow = low;
    this.#positionHigh = high;
    return seekDirectory(this.#fd, low, high);
  }

  /** 1: the fields hold a record; 0: end; or -errno. The record stays current until `advance`. */
  peek(): number {
    if (this.#start >= this.#end) {
      const count = readDirectory(this.#fd, this.#memory);
      if (count <= 0) return count;
      this.#start = 0;
      this.#end = count;
    }
    const { bytes } = this.#memory;
    const at = this.#start;
    this.inodeLow = bytes.readUInt32LE(at);
    this.inodeHigh = bytes.readUInt32LE(at + 4);
    this.nextLow = bytes.readUInt32LE(at + 8);
    this.nextHigh = bytes.readUInt32LE(at + 12);
    this.type = (bytes.readUInt8(at + 18) << 12) & fileType.mask;
    const nameStart = at + nameOffset;
    this.name = bytes.subarray(nameStart, bytes.indexOf(0, nameStart));
    return 1;
  }

  advance(): void {
    this.#positionLow = this.nextLow;
    this.#positionHigh = this.nextHigh;
    this.#start += this.#memory.bytes.readUInt16LE(this.#start + 16);
  }

  isDot(): boolean {
    const { name } = this;
    return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
  }
}
