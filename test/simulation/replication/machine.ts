/** A machine of the world: its disks, the lanes that run on it, and its end of the wire. */
import type { FaultRecord, VolumeRecord } from '../../../agent/contract/index.ts';
import type { ChangeStream } from '../../../agent/replication/change-stream.ts';
import { ControlBlock } from '../../../agent/replication/control-block.ts';
import type { HotOffer } from '../../../agent/replication/handshake.ts';
import type {
  FromPrimary,
  FromSecondary,
  PeerHot,
  ToPrimary,
  ToSecondary,
} from '../../../agent/replication/lane-messages.ts';
import type { Lane, Operation } from '../../../agent/replication/operations.ts';
import type { PrimaryLane } from '../../../agent/replication/primary-lane.ts';
import type { SecondaryLane } from '../../../agent/replication/secondary-lane.ts';
import { E } from '../../../agent/sys/errno.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import type { Request } from './application.ts';
import { MemoryHotDisk } from './hot-disk.ts';
import { MemoryDisk } from './memory-disk.ts';
import type { MemoryTree } from './memory-tree.ts';

export interface SimOperation extends Operation {
  ready?(): boolean;
}
const always = (): boolean => true;
export const op = <T extends object>(
  fields: T & { name: string; run: () => number; ready?: () => boolean },
): T & SimOperation => Object.assign(fields, { ready: fields.ready ?? always });

export type Contact = 'in-sync' | 'resync';

/** One connection, as two queues of bytes; what is in a queue may be lost when the link breaks. */
export class Wire {
  readonly target: SimMachine;
  readonly hello: VolumeRecord;
  data: Buffer[] = [];
  answers: Buffer[] = [];
  welcome: VolumeRecord | null = null;
  hot: HotOffer | null = null;
  heardHot: PeerHot | null = null;
  refusal: FaultRecord | null = null;
  begun: 'in-sync' | 'resync' | null = null;
  ready = false;
  /** Of a link that goes on: what the target has of it. */
  applied: number | null = null;
  broken = false;
  constructor(target: SimMachine, hello: VolumeRecord) {
    this.target = target;
    this.hello = hello;
  }
}

export interface Running {
  readonly name: string;
  readonly lane: Lane;
  pending: SimOperation | null;
}

export class SimMachine {
  readonly name: string;
  readonly disk = new MemoryDisk();
  readonly hotDisk = new MemoryHotDisk();
  /** As the supervisor remembers it. */
  peerHot: PeerHot | null = null;
  record: VolumeRecord;
  role: 'idle' | 'primary' | 'secondary' = 'idle';
  lanes: Running[] = [];
  primary: PrimaryLane | null = null;
  secondary: SecondaryLane | null = null;
  control = new ControlBlock();
  tree: MemoryTree | null = null;
  stream: ChangeStream | null = null;
  toPrimary: ToPrimary[] = [];
  toSecondary: ToSecondary[] = [];
  outbox: (FromPrimary | FromSecondary)[] = [];
  wire: Wire | null = null;
  requests: Request[] = [];
  unmounted = false;
  /** Changes that were answered in this role. */
  answered = 0;
  sinceMs = 0;
  /** Its disk fails for the record too. */
  takesNoRecord = false;
  /** What a write of the record comes to: 0 or -errno. */
  get recordFailure(): number {
    if (!this.takesNoRecord) return 0;
    return this.hotDisk.isFull ? -E.NOSPC : -E.IO;
  }
  /** How often it has left with a fault; and that it may, for another reason than a sync. */
  left = 0;
  takesFaults = false;
  /** Of a mutant: what should have been done before. */
  readonly later: (() => void)[] = [];
  constructor(name: string, record: VolumeRecord) {
    this.name = name;
    this.record = record;
  }
}

/** Used by one lane at a time. */
export const memories = {
  request: new Memory(4096),
  resync: new Memory(1 << 20),
  compare: new Memory(1 << 20),
};

/** Of a hot log: small enough to come round. */
export const hotBytes = 128 * 1024;
