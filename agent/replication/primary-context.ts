/**
 * What the primary lane is given (its ports; `primary-ports.ts` makes the real ones), and what its parts may ask of it. A part owns the state of one concern; the
 * lane owns the mode, the record and the link, and is the only one that changes them.
 */
import type { AcknowledgeLevel, VolumeRecord } from '../contract/index.ts';
import type { Carried, Node } from '../fuse/index.ts';
import type { Memory } from '../sys/memory.ts';
import type { ChangeStream } from './change-stream.ts';
import type { CollectedSyncs } from './collected-syncs.ts';
import type { ControlBlock, Mode } from './control-block.ts';
import type { ConnectionHandle, FromPrimary, PeerHot, ToPrimary } from './lane-messages.ts';
import type { Lane, Operation } from './operations.ts';
import type { SendWindow } from './send-window.ts';
import type { SourceTree } from './tree.ts';
import type { Used } from './used-bytes.ts';

export const woken = { request: 1, message: 2 } as const;
export const outcome = { none: 0, reply: 1, deferred: 2, parked: 3, ended: 4, syncWaits: 5 } as const;

/** What a disk has failed to write before, and may have told to nobody who lives (`Service`). */
export interface FormerErrors {
  /** Asks, elsewhere; `kept-synced` answers it. */
  ask(): void;
  /** What came out of it, 0 or -errno. */
  heard(status: number): void;
  /** It is asked, and has not been answered. */
  readonly asked: boolean;
  /** Until then nothing may be called synced. */
  readonly unheard: boolean;
  /** Nothing is called synced in this role: a former process has heard of an error, or was ended with the last answer that could be had. */
  readonly lost: boolean;
}

export interface PrimaryPorts {
  readonly control: ControlBlock;
  readonly tree: SourceTree;
  readonly stream: ChangeStream;
  readonly window: SendWindow;
  readonly request: Memory;
  readonly resyncBuffer: Memory;
  /** Until a request can be read, a message came, or `timeoutMs` (-1: for ever) passed. Bits of `woken`. */
  readonly wait: Operation & { timeoutMs: number; requests: boolean };
  /** Until a message came or the lease or the fence changed; at most a second. */
  readonly waitForPermission: Operation;
  /** Into `request`; its length, 0: nothing, negative: the mount is gone. */
  readonly readRequest: Operation;
  /** One of `outcome`. Whoever asks `collect` meanwhile is answered by `answerSync` or as a parked request. */
  readonly apply: Operation & { memory: Memory; length: number };
  /** Syncs the files of `collected` on the local disk. */
  readonly syncFiles: Operation;
  readonly collected: CollectedSyncs;
  /** Answers a collected sync that waits for nobody else. `error`: 0 or -errno. */
  readonly answerSync: Operation & { unique: number; written: number; error: number };
  /** Sends the reply of the last `apply`. */
  readonly reply: Operation & { readonly bytes: Uint8Array; readonly length: number; readonly unique: number };
  /** Before that reply is parked as a whole. */
  readonly noteParkedReply: () => void;
  readonly level: AcknowledgeLevel;
  /** Set: the level acknowledges something that is in memory only, and this is the boot that it ends with. */
  readonly memoryBoot: string | null;
  /** Of `write-through`: what the last `apply` has changed. */
  readonly touched: Node[];
  /** Syncs `touched` on the local disk; 0 or -errno. */
  readonly syncTouched: Operation;
  /** A copy of the request in hand, for as long as it waits. */
  readonly hold: (length: number) => Memory;
  /** What waited has been answered, or waits for the peer. */
  readonly noneHeld: () => void;
  /** What a predecessor of this process has left unanswered, once. */
  readonly carried: Carried | null;
  /** Sends the answer that the predecessor had completed. */
  readonly replyAgain: Operation;
  /** Answers `control.parked.claimed`. */
  readonly answerParked: Operation;
  /** Sends what the stream's writer holds; -1: the link is lost. */
  readonly send: Operation;
  /** The record, durable: 0 or -errno. Then what stands on the disk is the former one or this one. */
  readonly persist: Operation & { record: VolumeRecord | null };
  /** The same for what a failing disk is known to have failed: nobody is told once more. */
  readonly persistIfPossible: Operation & { record: VolumeRecord | null };
  /** syncfs of the volume's filesystem; 0 or -errno. */
  readonly syncAll: Operation;
  /** Of the volume's filesystem, by whatever; null: not known. */
  readonly used: () => Used | null;
  /** Asks for a syncfs that this lane does not wait for; `synced` answers it. */
  readonly beginSync: Operation & { call: number };
  /** Null: nothing is kept that could be asked. */
  readonly formerErrors: FormerErrors | null;
  /** What this copy has heard of the hot log of the former primary, when it was its target. */
  readonly peerHot: PeerHot | null;
  readonly nowMs: () => number;
  readonly message: () => ToPrimary | null;
  readonly tell: (message: FromPrimary) => void;
  /** From now on `send` uses this connection, in the middle of the stream. */
  readonly replaceConnection: (data: ConnectionHandle) => void;
  /** Sends again what was sent behind `applied`; -1: it is not known any more, or the link is lost. */
  readonly sendAgain: Operation & { applied: number };
  /** From now on `send` uses this connection. */
  readonly takeConnection: (linked: ToPrimary & { type: 'linked' }) => void;
  /** Ends both connections, so that the acknowledgement lane notices too. */
  readonly dropConnection: () => void;
  /** Set by a flush that failed inside of `apply`. */
  readonly linkBroken: () => boolean;
  readonly randomCheckpoint: () => number;
  readonly checkpointIntervalMs: number;
}

/** What a part may ask of the lane. Every generator may end with the link gone: who goes on looks at `session` or at the stream. */
export interface LaneContext {
  readonly ports: PrimaryPorts;
  readonly mode: Mode;
  readonly record: VolumeRecord;
  /** Of the link in use, 0: none. */
  readonly session: number;
  /** A clean stop has begun: nothing may change any more. */
  readonly stopping: boolean;
  setMode(mode: Mode): void;
  /** The record on the disk speaks of a hot log, or may: one that does could not be written, or not be replaced. */
  readonly claimsHot: boolean;
  /** On disk, and only then the lane's. False: the disk has failed this volume, as people are told; the lane keeps the record that it has. */
  persist(record: VolumeRecord): Generator<Operation, boolean, number>;
  /** The same for what nothing waits for: want of room is no failure. */
  persistIfRoom(record: VolumeRecord): Generator<Operation, boolean, number>;
  /** The same for what a disk that has failed may not take. */
  persistIfPossible(record: VolumeRecord): Lane;
  /** In the middle of a request, before what it changes. */
  persistAtOnce(record: VolumeRecord): void;
  /** The link is gone, or is to be: without the peer only what is recorded allows to go on. */
  lost(): Lane;
  /** The target may hold our generation from now on: it can be told from what another peer has only under a new one. */
  generationIsGiven(): void;
  tellStatus(): void;
  /** At most twice a second. */
  tellProgress(): void;
}
