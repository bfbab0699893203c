/**
 * Several files synced at once without a thread of ours for each: the kernel's own workers do it (io_submit(2) with IOCB_CMD_FSYNC and IOCB_CMD_FDSYNC, Linux 4.18).
 * Memory of its own, used again and again. Layouts: struct iocb and struct io_event of linux/aio_abi.h, little-endian; what is not set stays zero, as it must.
 */
import { E } from './errno.ts';
import { systemCall, systemCallNumber } from './library.ts';
import { Memory } from './memory.ts';

const iocb = { bytes: 64, data: 0, command: 16, fd: 20 } as const;
const ended = { bytes: 32, data: 0, status: 16 } as const;
const command = { fsync: 2, fdatasync: 3 } as const;

export class SyncQueue {
  readonly #context: bigint;
  readonly #iocbs: Memory;
  readonly #pointers: Memory;
  readonly #ended: Memory;
  readonly #placesMax: bigint;
  readonly #pointersAddress: bigint;
  readonly #endedAddress: bigint;

  /** Null: this kernel has none, or others have taken all that there are (fs.aio-max-nr). */
  static open(placesMax: number): SyncQueue | null {
    const context = new Memory(8);
    const status = systemCall(systemCallNumber.ioSetup, BigInt(placesMax), context.address());
    return status < 0 ? null : new SyncQueue(context.bytes.readBigUInt64LE(0), placesMax);
  }

  private constructor(context: bigint, placesMax: number) {
    this.#context = context;
    this.#placesMax = BigInt(placesMax);
    this.#iocbs = new Memory(placesMax * iocb.bytes);
    this.#pointers = new Memory(placesMax * 8);
    this.#ended = new Memory(placesMax * ended.bytes);
    this.#pointersAddress = this.#pointers.address();
    this.#endedAddress = this.#ended.address();
    for (let place = 0; place < placesMax; place++)
      this.#pointers.bytes.writeBigUInt64LE(this.#iocbs.address(place * iocb.bytes), place * 8);
  }

  /** Waits for what is under way. */
  close(): void {
    systemCall(systemCallNumber.ioDestroy, this.#context);
  }

  /** From place 0 on without a gap; then `start`. */
  put(place: number, fd: number, dataOnly: boolean): void {
    const at = place * iocb.bytes;
    const { bytes } = this.#iocbs;
    bytes.writeUInt32LE(place, at + iocb.data);
    bytes.writeUInt16LE(dataOnly ? command.fdatasync : command.fsync, at + iocb.command);
    bytes.writeInt32LE(fd, at + iocb.fd);
  }

  /** How many of the first `count` were begun: the others were not. */
  start(count: number): number {
    return Math.max(0, systemCall(systemCallNumber.ioSubmit, this.#context, BigInt(count), this.#pointersAddress));
  }

  /** Waits for one at least. How many have ended that nobody has been told of: `endedPlace` and `endedStatus` of each. -errno: nobody will ever know. */
  reap(): number {
    const { ioGetevents } = systemCallNumber;
    const count = systemCall(ioGetevents, this.#context, 1n, this.#placesMax, this.#endedAddress);
    return count === -E.INTR ? 0 : count;
  }
  endedPlace(index: number): number {
    return this.#ended.bytes.readUInt32LE(index * ended.bytes + ended.data);
  }
  /** 0 or -errno. */
  endedStatus(index: number): number {
    return this.#ended.bytes.readInt32LE(index * ended.bytes + ended.status);
  }
}
