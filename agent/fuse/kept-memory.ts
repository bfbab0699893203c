/**
 * What a successor of this process has to know to go on under the same mount, in memory that outlives the process. Nothing here costs a system call: everything is
 * a store, made before whatever relies on it, so that it is true at whatever instant the process is killed.
 *
 * The layout and what is done with it belong together: whoever changes either counts `layoutVersion` up, and what another version has left is not taken over.
 */
import { keepInMemory, makeSharedFile, SharedFile } from '../sys/linux.ts';
import type { Memory } from '../sys/linux.ts';
import type { CacheMode, Negotiation } from './codec.ts';
import { KeptFiles, keptFileBytes } from './kept-files.ts';
import { heldMax, KeptRequests } from './kept-requests.ts';
import { chunkBytes } from './node-records.ts';
import type { RecordMemory } from './node-records.ts';
import { replyBytesMax, requestBytesMax } from './protocol.ts';

const layoutMagic = 0x6b504648;
const layoutVersion = 4;

const gigabyte = 2 ** 30;
const region = {
  request: 1 << 20,
  reply: 4 << 20,
  slots: 8 << 20,
  held: gigabyte,
  files: 16 * gigabyte,
  nodes: 32 * gigabyte,
} as const;
const sizeBytes = 1024 * gigabyte;

const word = {
  magic: 0,
  version: 1,
  connection: 2,
  negotiated: 3,
  minor: 4,
  flags: 5,
  maxReadahead: 6,
  transferBytes: 7,
  setxattrExtended: 8,
  writeback: 9,
  nodeChunks: 10,
  fileChunks: 11,
  adoptions: 12,
  asking: 13,
  unasked: 14,
  asked: 15,
} as const;
const reservedIdsPlace = 128;
const identityPlace = 256;
const headerBytes = 4096;
/** A successor that dies each time on what it finds must not go on for ever. */
const adoptionsMax = 6;

/**
 * syncfs(2) tells an error once for each open file description. `asked`: the one of the directory was asked, and what it has told is not known. `failed`: it has told of an
 * error, or the second one was asked as well and nobody knows the answer.
 */
export const asking = { nothing: 0, asked: 1, failed: 2 } as const;

/** What must be the same for a successor. */
export interface KeptIdentity {
  readonly volumeUuid: string;
  readonly volume: string;
  readonly path: string;
}

function textOf({ volumeUuid, volume, path }: KeptIdentity): string {
  return `${volumeUuid}\n${volume}\n${path}\n`;
}

/** The descriptor; -errno where there is no such memory. */
export function makeKeptFile(): number {
  return makeSharedFile('holdfast-kept', sizeBytes);
}

interface Served {
  readonly request: Memory;
  readonly reply: Memory;
  readonly requests: KeptRequests;
  readonly files: KeptFiles;
}

export class KeptMemory {
  readonly #file: SharedFile;
  readonly #header: Memory;
  readonly #words: Uint32Array;
  /** The same memory: one store of a number is whole or not there. */
  readonly #numbers: Float64Array;
  #served: Served | null = null;

  /** Told once, with the reason. */
  onGivenUp: (reason: string) => void = () => undefined;
  /** After `overflown`. */
  onKeptAgain: () => void = () => undefined;
  #hasOverflown = false;
  readonly #stay: (memory: Memory) => boolean;

  /** `fd` stays the caller's. `stay`: false when pages may be taken away. */
  constructor(fd: number, stay: (memory: Memory) => boolean = keepInMemory) {
    this.#stay = stay;
    this.#file = new SharedFile(fd);
    this.#header = this.#file.map(0, headerBytes);
    this.#words = new Uint32Array(this.#header.bytes.buffer, this.#header.bytes.byteOffset, 32);
    this.#numbers = new Float64Array(this.#header.bytes.buffer, this.#header.bytes.byteOffset, 32);
  }

  /** For a mount that has just been made. */
  begin(identity: KeptIdentity, connection: number, cache: CacheMode): void {
    const bytes = Buffer.from(textOf(identity));
    // What does not fit is never taken over.
    if (bytes.length > headerBytes - identityPlace) return;
    this.#header.bytes.set(bytes, identityPlace);
    this.#words[word.connection] = connection;
    this.#words[word.writeback] = cache === 'writeback' ? 1 : 0;
    this.#words[word.version] = layoutVersion;
    this.#words[word.magic] = layoutMagic;
  }

  /** Why it cannot be taken over; null: nothing speaks against it so far. */
  refusal(identity: KeptIdentity): string | null {
    if (this.#words[word.magic] !== layoutMagic) return 'its memory was not complete';
    if (this.#words[word.version] !== layoutVersion) return 'another version wrote its memory';
    const bytes = Buffer.from(textOf(identity));
    const length = Math.min(bytes.length, headerBytes - identityPlace);
    if (!this.#header.bytes.subarray(identityPlace, identityPlace + length).equals(bytes))
      return 'it was another volume';
    return (this.#words[word.adoptions] ?? 0) >= adoptionsMax
      ? 'it was taken over several times without success'
      : null;
  }

  /** Something could not be kept: from here on nobody may go on from it. */
  giveUp(reason: string): void {
    if (this.#words[word.magic] === 0) return;
    this.#words[word.magic] = 0;
    this.onGivenUp(reason);
  }

  /** More requests wait than there is room for, which ends with `drained`: until then the others are kept as ever, and nobody may go on from them alone. */
  overflown(): void {
    if (this.#words[word.magic] === 0) return;
    this.#hasOverflown = true;
    this.giveUp(`more than ${heldMax - 1} requests waited at once`);
  }
  /** None waits any more that was not kept, and none is in hand. */
  drained(): void {
    if (!this.#hasOverflown) return;
    this.#hasOverflown = false;
    // What there was no room for may have been left there.
    this.requests.expect();
    this.#words[word.magic] = layoutMagic;
    this.onKeptAgain();
  }

  /** Counted before anything is done with it. */
  countAdoption(): void {
    this.#words[word.adoptions] = (this.#words[word.adoptions] ?? 0) + 1;
  }
  /** What was found has been served. */
  adoptionHasSucceeded(): void {
    this.#words[word.adoptions] = 0;
  }

  /** One of `asking`; stored before anybody is asked. */
  get asking(): number {
    return this.#words[word.asking] ?? asking.nothing;
  }
  set asking(value: number) {
    this.#words[word.asking] = value;
  }
  /** The description of the directory that is asked, and a second one: by their numbers in this process, which stores both before anything is served. */
  get askedFd(): number {
    return (this.#words[word.asked] ?? 0) - 1;
  }
  set askedFd(fd: number) {
    this.#words[word.asked] = fd + 1;
  }
  get unaskedFd(): number {
    return (this.#words[word.unasked] ?? 0) - 1;
  }
  set unaskedFd(fd: number) {
    this.#words[word.unasked] = fd + 1;
  }

  /** Of the FUSE connection. */
  get connection(): number {
    return this.#words[word.connection] ?? 0;
  }
  get cache(): CacheMode {
    return this.#words[word.writeback] === 1 ? 'writeback' : 'none';
  }

  get negotiation(): Negotiation | null {
    const words = this.#words;
    if (words[word.negotiated] !== 1) return null;
    return {
      minor: words[word.minor] ?? 0,
      flags: words[word.flags] ?? 0,
      maxReadahead: words[word.maxReadahead] ?? 0,
      setxattrExtended: words[word.setxattrExtended] === 1,
      transferBytes: words[word.transferBytes] ?? 0,
    };
  }
  keepNegotiation(negotiation: Negotiation): void {
    const words = this.#words;
    words[word.minor] = negotiation.minor;
    words[word.flags] = negotiation.flags;
    words[word.maxReadahead] = negotiation.maxReadahead;
    words[word.setxattrExtended] = negotiation.setxattrExtended ? 1 : 0;
    words[word.transferBytes] = negotiation.transferBytes;
    words[word.negotiated] = 1;
  }

  // --- what only the lane that serves needs ----------------------------------------------------------------------------

  #serve(): Served {
    if (this.#served) return this.#served;
    const request = this.#file.map(region.request, requestBytesMax);
    // The kernel fails a request whose reader is killed while room for a part of it is found: a successor would carry out a new header with an old body.
    if (!this.#stay(request)) this.giveUp('its memory may not be locked (CAP_IPC_LOCK, LimitMEMLOCK)');
    const reply = this.#file.map(region.reply, replyBytesMax);
    const requests = new KeptRequests(request, this.#file, { slots: region.slots, held: region.held });
    const files = new KeptFiles((index) => this.#mapFiles(index));
    this.#served = { request, reply, requests, files };
    return this.#served;
  }
  #mapFiles(index: number): Buffer {
    const memory = this.#file.map(region.files + index * keptFileBytes, keptFileBytes);
    this.#words[word.fileChunks] = Math.max(this.#words[word.fileChunks] ?? 0, index + 1);
    return memory.bytes;
  }

  get request(): Memory {
    return this.#serve().request;
  }
  get reply(): Memory {
    return this.#serve().reply;
  }
  get requests(): KeptRequests {
    return this.#serve().requests;
  }
  get files(): KeptFiles {
    return this.#serve().files;
  }
  get fileChunks(): number {
    return this.#words[word.fileChunks] ?? 0;
  }
  get nodeChunks(): number {
    return this.#words[word.nodeChunks] ?? 0;
  }
  /** Ids below may be known to the kernel. */
  get reservedIds(): number {
    return this.#numbers[reservedIdsPlace / 8] ?? 0;
  }

  readonly nodes: RecordMemory = {
    isKept: true,
    nextChunk: (index) => {
      const memory = this.#file.map(region.nodes + index * chunkBytes, chunkBytes);
      this.#words[word.nodeChunks] = Math.max(this.nodeChunks, index + 1);
      return memory.bytes;
    },
    reserveIds: (below) => {
      this.#numbers[reservedIdsPlace / 8] = below;
    },
  };

  /** Nothing of it may be used afterwards. */
  close(): void {
    this.#file.unmap();
  }
}
