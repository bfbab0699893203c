/**
 * Two machines with disks that lose unsynced data, the real lanes of replication on them, and a wire. One step runs one operation of one lane; a
 * fault may come before any of them. Roles are given by a control plane that knows who may (the decision core has a simulation of its own).
 */
import { AcknowledgementLane } from '../../../agent/replication/acknowledgement-lane.ts';
import type { Welcome } from '../../../agent/replication/acknowledgement-lane.ts';
import { answerKind } from '../../../agent/replication/answer-codec.ts';
import { ChangeStream } from '../../../agent/replication/change-stream.ts';
import { CollectedSyncs } from '../../../agent/replication/collected-syncs.ts';
import { FrameWriter } from '../../../agent/replication/change-codec.ts';
import { ControlBlock } from '../../../agent/replication/control-block.ts';
import type {
  FromPrimary,
  FromSecondary,
  PeerHot,
  ToPrimary,
  ToSecondary,
} from '../../../agent/replication/lane-messages.ts';
import { HotLog } from '../../../agent/replication/hot-log.ts';
import { hotOffer } from '../../../agent/replication/hot-offer.ts';
import { HotRegions } from '../../../agent/replication/hot-regions.ts';
import type { HotLimits } from '../../../agent/replication/hot-regions.ts';
import type { HotOffer } from '../../../agent/replication/handshake.ts';
import { LevelStream } from '../../../agent/replication/level-stream.ts';
import type { Marks } from '../../../agent/replication/marks.ts';
import { ObjectSyncs } from '../../../agent/replication/object-syncs.ts';
import type { Lane, Operation } from '../../../agent/replication/operations.ts';
import { outcome, woken } from '../../../agent/replication/primary-context.ts';
import { PrimaryLane } from '../../../agent/replication/primary-lane.ts';
import { readable, SecondaryLane } from '../../../agent/replication/secondary-lane.ts';
import { SendWindow } from '../../../agent/replication/send-window.ts';
import { syncsOneByOne } from '../../../agent/replication/sync-batch.ts';
import * as lineage from '../../../agent/replication/volume-lineage.ts';
import { protocolVersion } from '../../../agent/contract/index.ts';
import type { AcknowledgeLevel, FaultRecord, Generation, VolumeRecord } from '../../../agent/contract/index.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { Application, logBytes } from './application.ts';
import type { Random, Request } from './application.ts';
import { MemoryHotDisk } from './hot-disk.ts';
import { MemoryDisk } from './memory-disk.ts';
import type { DiskImage, Inode } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';

interface SimOperation extends Operation {
  ready?(): boolean;
}
const always = (): boolean => true;
const op = <T extends object>(
  fields: T & { name: string; run: () => number; ready?: () => boolean },
): T & SimOperation => Object.assign(fields, { ready: fields.ready ?? always });

type Contact = 'in-sync' | 'resync';

/** One connection, as two queues of bytes; what is in a queue may be lost when the link breaks. */
class Wire {
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
  broken = false;
  constructor(target: SimMachine, hello: VolumeRecord) {
    this.target = target;
    this.hello = hello;
  }
}

interface Running {
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

/** Small enough that every one of them is reached. */
const hotBytes = 128 * 1024;
const hotLimits: HotLimits = {
  unitBytes: 64 * 1024,
  missesPerDoubling: 4,
  doublingsMax: 2,
  perDirectory: [
    { misses: 0, max: 6 },
    { misses: 30, max: 2 },
  ],
  treesFrom: 60,
  higherFrom: 80,
  everythingFrom: 100,
};

const memories = {
  request: new Memory(4096),
  resync: new Memory(1 << 20),
  compare: new Memory(1 << 20),
};

/** Deliberate faults of the code itself: the judge must notice each. */
export const mutants = [
  'source-does-not-sync',
  'target-does-not-sync',
  'stale-is-not-recorded',
  'alone-without-a-record',
] as const;
export const mutantsOfMarks: readonly Mutant[] = [
  'writes-are-not-marked',
  'names-are-not-marked',
  'marks-go-with-the-link',
  'checkpoint-without-a-sync',
  'checkpoint-is-not-compared',
  'old-places-are-trusted-while-connected',
  'old-places-are-trusted-after-an-attempt',
  'what-is-not-told-is-forgotten',
  'a-failed-sync-is-forgotten',
];
export type Mutant =
  | (typeof mutants)[number]
  | 'writes-are-not-marked'
  | 'names-are-not-marked'
  | 'marks-go-with-the-link'
  | 'checkpoint-without-a-sync'
  | 'checkpoint-is-not-compared'
  | 'old-places-are-trusted-while-connected'
  | 'old-places-are-trusted-after-an-attempt'
  | 'what-is-not-told-is-forgotten'
  | 'a-failed-sync-is-forgotten'
  | (typeof mutantsOfHotLogs)[number];

/** Noticed only where primaries crash. */
export const mutantsOfHotLogs = [
  'hot-regions-are-recorded-after-the-change',
  'hot-regions-go-without-our-own-sync',
  'the-hot-log-of-the-peer-is-ignored',
  'an-older-hot-log-is-believed',
  'hot-contents-are-not-recorded',
  'hot-names-are-not-recorded',
  'hot-attributes-are-not-recorded',
  'further-names-are-as-good-as-any',
] as const;

/** A change is in the log only some steps after it was made. */
function recordLater(hot: HotRegions, later: (() => void)[]): void {
  const { content, name, attributes } = hot;
  hot.content = (...of) =>
    void later.push(() => {
      content.apply(hot, of);
    });
  hot.name = (...of) =>
    void later.push(() => {
      name.apply(hot, of);
    });
  hot.attributes = (...of) =>
    void later.push(() => {
      attributes.apply(hot, of);
    });
}

function breakHot(hot: HotRegions, mutant: Mutant | null, later: (() => void)[]): void {
  if (mutant === 'hot-regions-are-recorded-after-the-change') recordLater(hot, later);
  if (mutant === 'hot-contents-are-not-recorded') hot.content = () => undefined;
  if (mutant === 'hot-names-are-not-recorded') hot.name = () => undefined;
  if (mutant === 'further-names-are-as-good-as-any') hot.furtherName = () => undefined;
  if (mutant === 'hot-attributes-are-not-recorded') hot.attributes = () => undefined;
}

/** Breaks what the primary keeps of its peer. */
function breakMarks(marks: Marks, mutant: Mutant | null): void {
  const disconnected = marks.disconnected.bind(marks);
  const attempt = marks.attempt.bind(marks);
  const cover = marks.cover.bind(marks);
  if (mutant === 'writes-are-not-marked') marks.content = () => undefined;
  if (mutant === 'names-are-not-marked') marks.placed = () => undefined;
  if (mutant === 'marks-go-with-the-link')
    marks.disconnected = () => {
      disconnected();
      const { log, checkpoint } = marks.stamp;
      marks.adopt(log, checkpoint, checkpoint);
      marks.peerStands = true;
    };
  if (mutant === 'checkpoint-is-not-compared')
    marks.cover = (theirs) => cover(theirs && { ...theirs, checkpoint: marks.stamp.checkpoint });
  if (mutant === 'old-places-are-trusted-while-connected')
    Object.defineProperty(marks, 'peerStands', { get: () => true, set: () => undefined });
  if (mutant === 'old-places-are-trusted-after-an-attempt')
    marks.attempt = () => {
      const places = [...marks].map(([, mark]) => [mark, mark.placed] as const);
      attempt();
      for (const [mark, placed] of places) mark.placed = placed;
      marks.disconnected = () => {
        const before = [...marks].map(([, mark]) => [mark, mark.placed] as const);
        disconnected();
        for (const [mark, placed] of before) mark.placed = placed;
      };
    };
}

export class World {
  readonly mutant: Mutant | null;
  readonly machines: readonly [SimMachine, SimMachine];
  readonly random: Random;
  nowMs = 1_000_000;
  /** What an answer promises, and what the lanes keep: the same, but for the judge's own test. */
  level: AcknowledgeLevel = 'durable';
  kept: AcknowledgeLevel | null = null;
  /** Acknowledged length of each log. */
  readonly acknowledged = new Map<string, number>();
  steps = 0;
  generation = 1;
  /** How often somebody was given the right to go on alone: names of generations differ. */
  goneAlone = 0;
  /** More marks than this end the log. */
  marksBytesMax = 64 * 1024 * 1024;
  /** A target may leave. */
  leaves = false;
  /** Comparisons that came to an end, and found both copies equal. */
  foundEqual = 0;
  /** Somebody has changed a copy behind the back of the replication: a comparison may find something. */
  tampered = false;
  /** Whether primaries keep logs on their disks; how often one was taken over, and a resync begun by it. */
  keepsHotLogs = true;
  takenOver = 0;
  byHotLogs = 0;
  /** Files with several names make resyncs by marks give up: not all of the runs should. */
  makesLinks = true;
  /** Of the protocol that each side says it speaks. */
  sourceMinor: number = protocolVersion.minor;
  targetMinor: number = protocolVersion.minor;
  #unique = 0;
  readonly #waiting = new Map<number, { log: string; length: number; synced: boolean }>();
  readonly #wires: Wire[] = [];

  constructor(random: Random, mutant: Mutant | null = null) {
    this.random = random;
    this.mutant = mutant;
    const first: Generation = { number: 1, id: 'g1' };
    this.machines = [
      new SimMachine('n1', lineage.freshGood('u', first)),
      new SimMachine('n2', lineage.freshBlank('u')),
    ];
  }

  other(machine: SimMachine): SimMachine {
    return machine === this.machines[0] ? this.machines[1] : this.machines[0];
  }

  #start(machine: SimMachine, name: string, lane: Lane): void {
    const first = lane.next();
    machine.lanes.push({ name, lane, pending: first.done === true ? null : first.value });
  }

  // --- the judge ------------------------------------------------------------------------------------------------------

  /** Invariant 2: an acknowledged sync is on both disks, or on this one, which had recorded that the peer is stale. */
  #judgeAcknowledged(machine: SimMachine, log: string, length: number, synced: boolean): void {
    const expected = logBytes(log, 0, length);
    const holds = (one: SimMachine): boolean => {
      // `received` promises the memory of both, and for a sync the disk of the one that was asked.
      const inMemory = this.level === 'received' && !(synced && one === machine);
      const content = inMemory ? one.disk.content(log) : one.disk.durableContent(log);
      return content?.subarray(0, length).equals(expected) === true;
    };
    if (!holds(machine)) throw new Error(`${log} is acknowledged up to ${length} but not on the primary's disk`);
    const other = this.other(machine);
    const alone = machine.record.peerStale;
    if (!alone && !holds(other)) throw new Error(`${log} is acknowledged up to ${length} but on one disk only`);
    // While the peer may be used, it must have it: a record of stale on either side is what forbids its use.
    if (this.mayServe(other) && !holds(other))
      throw new Error(`${other.name} could take over without ${log} ${length}`);
    this.acknowledged.set(log, Math.max(this.acknowledged.get(log) ?? 0, length));
  }

  /** What people are shown: every answered change was measured once, and none took longer than the role lasted. */
  #judgeMeasures(machine: SimMachine): void {
    if (machine.role !== 'primary') return;
    const latency = machine.control.measures.latency();
    const counted = latency.reduce((sum, [, , count]) => sum + count, 0);
    if (counted !== machine.answered) throw new Error(`${machine.answered} changes answered, ${counted} measured`);
    const longestMs = (latency.at(-1)?.[0] ?? 0) / 1000;
    if (longestMs > this.nowMs - machine.sinceMs) throw new Error(`a change is said to have taken ${longestMs} ms`);
  }

  /** What is under way never looks like a difference. */
  #judgeComparison(message: FromPrimary): void {
    if (message.type !== 'status' || message.verification === null || this.tampered) return;
    const { state, differing, minor, differences } = message.verification;
    if (differing + minor > 0) throw new Error(`equal copies are said to differ: ${JSON.stringify(differences)}`);
    if (state === 'equal') this.foundEqual += 1;
  }

  /** Ordered by a person, at any time; refused while a resync runs. */
  verify(machine: SimMachine, repair: boolean): void {
    machine.toPrimary.push({ type: 'verify', call: 0, repair });
  }

  judgeData(machine: SimMachine): void {
    for (const [log, length] of this.acknowledged) {
      const number = machine.disk.get(1).entries.get(log);
      const data = number === undefined ? Buffer.alloc(0) : machine.disk.get(number).data;
      if (!data.subarray(0, length).equals(logBytes(log, 0, length)))
        throw new Error(`${machine.name} lacks acknowledged data of ${log}: ${data.length} of ${length}`);
    }
  }

  /** What the decision core checks before it gives the right: newest generation, not stale. Never a person's order. */
  mayServe(machine: SimMachine): boolean {
    return machine.record.copy === 'up-to-date' && machine.record.generation?.number === this.generation;
  }

  // --- roles ----------------------------------------------------------------------------------------------------------

  serveSecondary(machine: SimMachine): void {
    machine.role = 'secondary';
    machine.toSecondary = [];
    const { disk } = machine;
    let wire: Wire | null = null;
    const input = new Memory(4 << 20);
    const receive = op({
      name: 'receive',
      end: 0,
      run: (): number => {
        const chunk = wire?.data.shift();
        if (!chunk) return -1;
        // Frames arrive in pieces.
        const room = input.length - receive.end;
        const take = Math.min(room, this.random(2) === 0 ? chunk.length : 1 + this.random(chunk.length));
        if (take < chunk.length) wire?.data.unshift(chunk.subarray(take));
        chunk.copy(input.bytes, receive.end, 0, take);
        receive.end += take;
        return receive.end;
      },
    });
    /** A sync was made, and the source has not heard of it. */
    let tellsNobody = false;
    const answerBytes = Buffer.alloc(65536);
    const wait = op({
      name: 'wait',
      timeoutMs: 0,
      link: false,
      run: (): number => {
        const data = wait.link && (wire?.data.length ?? 0) + (wire?.broken === true ? 1 : 0) > 0;
        return (data ? readable.data : 0) | (machine.toSecondary.length > 0 ? readable.message : 0);
      },
      // Nothing comes for a moment: what is owed is acknowledged.
      ready: (): boolean => {
        if (tellsNobody) throw new Error(`${machine.name} waits, and tells nobody of a sync that it has made`);
        return wait.timeoutMs === 0 || wait.run() !== 0 || (wait.timeoutMs < 100 && this.random(20) === 0);
      },
    });
    const welcome = op({
      name: 'welcome',
      record: null as VolumeRecord | null,
      refusal: null as FaultRecord | null,
      hot: null as HotOffer | null,
      heardHot: null as PeerHot | null,
      run: (): number => {
        if (!wire || wire.broken) return -1;
        wire.refusal = welcome.refusal;
        wire.welcome = welcome.record;
        wire.hot = welcome.hot;
        wire.heardHot = welcome.heardHot;
        return 0;
      },
    });
    const readHot = op({
      name: 'read hot log',
      record: null as VolumeRecord | null,
      offer: null as HotOffer | null,
      run: (): number => {
        readHot.offer = hotOffer(machine.hotDisk, readHot.record?.hot ?? null, hotBytes);
        if (readHot.offer && this.mutant === 'the-hot-log-of-the-peer-is-ignored')
          readHot.offer = { ...readHot.offer, entries: '' };
        if (readHot.offer && this.mutant === 'an-older-hot-log-is-believed')
          readHot.offer = { ...readHot.offer, number: 2 ** 40 };
        return 0;
      },
    });
    const awaitBegin = op({
      name: 'await begin',
      contact: null as 'in-sync' | 'resync' | null,
      run: (): number => {
        awaitBegin.contact = wire?.begun ?? null;
        return awaitBegin.contact === null ? -1 : 0;
      },
      ready: (): boolean => !wire || wire.broken || wire.begun !== null,
    });
    const ready = op({
      name: 'ready',
      run: (): number => {
        if (!wire || wire.broken) return -1;
        wire.ready = true;
        return 0;
      },
    });
    const answer = op({
      name: 'answer',
      bytes: answerBytes,
      length: 0,
      run: (): number => {
        // But for syncs that fail these disks take everything: whoever leaves has been told something that is not so.
        const leaves = answerBytes[4] === answerKind.fault;
        if (leaves) machine.left += 1;
        const mayLeave =
          this.leaves || machine.secondary?.record.unwritten === true || machine.takesNoRecord || machine.takesFaults;
        if (leaves && !mayLeave)
          throw new Error(`${machine.name} left: ${answerBytes.toString('utf8', 5, answer.length)}`);
        if (answerBytes[4] === answerKind.acknowledge) tellsNobody = false;
        if (!wire || wire.broken) return -1;
        wire.answers.push(Buffer.from(answerBytes.subarray(0, answer.length)));
        return 0;
      },
    });
    const persist = op({
      name: 'persist',
      record: null as VolumeRecord | null,
      fault: null,
      run: (): number => {
        if (machine.takesNoRecord) return -1;
        if (machine.record.copy === 'stale' && persist.record!.copy === 'up-to-date') this.#judgeDurable(machine);
        machine.record = persist.record!;
        if (this.mutant === 'a-failed-sync-is-forgotten') machine.record = { ...machine.record, unwritten: false };
        if (this.mutant === 'stale-is-not-recorded') machine.record = { ...machine.record, copy: 'up-to-date' };
        return 0;
      },
    });
    const syncObjects = op({
      name: 'sync objects',
      syncs: new ObjectSyncs(),
      run: (): number => {
        let status = 0;
        for (let place = 0; place < syncObjects.syncs.count; place++)
          status = Math.min(status, machine.tree!.sync(syncObjects.syncs.id(place)));
        tellsNobody = status >= 0;
        return status;
      },
    });
    const beginSync = (call: number): number => {
      this.#start(machine, 'syncfs', this.#sync(machine, call));
      return 0;
    };
    const lane = new SecondaryLane(
      {
        volume: 'm/0',
        peer: this.other(machine).name,
        input,
        compareBuffer: memories.compare,
        wait,
        receive,
        welcome,
        readHot,
        awaitBegin,
        ready,
        answer,
        persist,
        syncAll: op({ name: 'syncfs', run: (): number => disk.syncAll() }),
        syncObjects,
        beginSync: op({
          name: 'begin syncfs',
          call: 0,
          run(): number {
            return beginSync(this.call);
          },
        }),
        use: (accepted) => {
          wire = this.#wires[accepted.data.fd] ?? null;
        },
        closeLink: () => {
          tellsNobody = false;
          if (wire) wire.broken = true;
          wire = null;
        },
        newTree: () => {
          const tree = new MemoryTree(disk, [input, memories.compare]);
          if (this.mutant === 'target-does-not-sync') tree.sync = () => 0;
          machine.tree = tree;
          return tree;
        },
        offersMarks: true,
        memoryBoot: this.level === 'received' ? 'boot' : null,
        nowMs: () => this.nowMs,
        message: () => machine.toSecondary.shift() ?? null,
        tell: (message) => {
          machine.outbox.push(message);
          if (message.type === 'status') machine.peerHot = message.peerHot;
        },
      },
      machine.record,
      machine.peerHot,
    );
    machine.secondary = lane;
    this.#start(machine, 'secondary', lane.run());
  }

  *#ownSync(machine: SimMachine, call: number): Lane {
    yield op({
      name: 'own syncfs elsewhere',
      run: (): number => {
        const status = this.mutant === 'hot-regions-go-without-our-own-sync' ? 0 : machine.disk.syncAll();
        machine.toPrimary.push({ type: 'synced', call, status });
        return 0;
      },
    });
  }

  /** A thread of its own: the stream goes on meanwhile. */
  *#sync(machine: SimMachine, call: number): Lane {
    yield op({
      name: 'syncfs elsewhere',
      run: (): number => {
        const status = this.mutant === 'checkpoint-without-a-sync' ? 0 : machine.disk.syncAll();
        machine.toSecondary.push({ type: 'synced', call, status });
        return 0;
      },
    });
  }

  servePrimary(machine: SimMachine): void {
    this.judgeData(machine);
    machine.role = 'primary';
    machine.control = new ControlBlock();
    machine.control.leaseDeadlineMs = Number.MAX_SAFE_INTEGER;
    machine.toPrimary = [];
    machine.requests = [];
    machine.unmounted = false;
    machine.answered = 0;
    machine.sinceMs = this.nowMs;
    machine.wire = null;
    const request = new Memory(4096);
    const { control, disk } = machine;
    const tree = new MemoryTree(disk, [memories.resync, request]);
    const writer = new FrameWriter(Buffer.alloc(4 << 20));
    const window = new SendWindow();
    let wire: Wire | null = null;
    let broken = false;
    const flush = (): number => {
      if (!wire || wire.broken) {
        broken = true;
        writer.clear();
        return -1;
      }
      if (writer.length > 0) wire.data.push(Buffer.from(writer.bytes.subarray(0, writer.length)));
      window.sent(writer.sequence, writer.length);
      control.sent = writer.sequence;
      writer.clear();
      return 0;
    };
    let primary: PrimaryLane | null = null;
    const hooks = {
      changesAllowed: (): boolean => primary!.changesAllowed(),
      park: (unique: number, sequence: number, written: number): boolean => primary!.park(unique, sequence, written),
      syncWaits: (): boolean => primary!.syncWaits(),
      collect: (unique: number, sequence: number, fd: number, dataOnly: boolean, written: number): boolean =>
        primary!.collect(unique, sequence, fd, dataOnly, written),
      localFailure: (call: string, errno: number): void => {
        primary!.localFailure(call, errno);
      },
    };
    const level = this.kept ?? this.level;
    const parts: ConstructorParameters<typeof ChangeStream> = [
      tree,
      writer,
      {
        flush: () => void flush(),
        acknowledged: () => control.acknowledged,
        breakLink: () => {
          broken = true;
        },
      },
      hooks,
      this.marksBytesMax,
    ];
    const stream = level === 'durable' ? new ChangeStream(...parts) : new LevelStream(level, ...parts);
    const touched = stream instanceof LevelStream ? stream.touched : [];
    breakMarks(stream.marks, this.mutant);
    if (this.keepsHotLogs) {
      stream.hot = new HotRegions(
        new HotLog(machine.hotDisk, hotBytes),
        {
          recorded: () => {
            stream.hotRecorded();
          },
          abandoned: () => {
            primary!.hotAbandoned();
          },
          failed: (errno: number) => {
            primary!.localFailure('fsync', errno);
          },
        },
        hotLimits,
      );
      breakHot(stream.hot, this.mutant, machine.later);
    }
    const adopt = stream.marks.adopt.bind(stream.marks);
    stream.marks.adopt = (log, given, confirmed) => {
      this.takenOver += 1;
      adopt(log, given, confirmed);
    };
    const attempt = stream.marks.attempt.bind(stream.marks);
    stream.marks.attempt = () => {
      if (stream.marks.adopted) this.byHotLogs += 1;
      attempt();
    };
    if (this.mutant === 'what-is-not-told-is-forgotten') stream.untold = () => undefined;
    const application = new Application(tree, stream, this.makesLinks);
    const bodies: Request[] = [];
    const readRequest = op({
      name: 'read request',
      run: (): number => {
        const body = machine.requests.shift();
        if (!body) return machine.unmounted ? -19 : 0;
        request.bytes.writeUInt32LE(bodies.push(body) - 1, 0);
        return 4;
      },
    });
    let last = { unique: 0, log: '', length: 0, synced: false };
    /** What the descriptors of collected syncs stand for. */
    const syncing: Inode[] = [];
    const collected = new CollectedSyncs({
      ...syncsOneByOne,
      sync: (fd) => (this.mutant === 'source-does-not-sync' ? 0 : disk.sync(syncing[fd]!)),
    });
    const syncFiles = op({
      name: 'sync files',
      run: (): number => {
        collected.batch.run();
        return 0;
      },
    });
    const apply = op({
      name: 'apply',
      memory: request,
      length: 0,
      run: (): number => {
        const body = bodies[apply.memory.bytes.readUInt32LE(0)]!;
        let fd = -1;
        const sequence = application.run(body, (inode) => {
          fd = syncing.indexOf(inode);
          if (fd < 0) fd = syncing.push(inode) - 1;
        });
        if (sequence === null) return outcome.deferred;
        this.#unique += 1;
        last = { unique: this.#unique, log: '', length: 0, synced: body.kind === 'append' };
        if (body.kind === 'random') return outcome.reply;
        last = { ...last, log: body.log, length: application.length(body.log) };
        // Of what nobody has synced `durable` promises nothing.
        if (body.kind === 'plain' && this.level === 'durable') return outcome.reply;
        this.#waiting.set(this.#unique, last);
        if (body.kind === 'plain') return outcome.reply;
        if (!stream.collect(this.#unique, sequence, fd, true, 0)) throw new Error('a sync that nobody collects');
        return outcome.parked;
      },
    });
    const acknowledge = (unique: number): void => {
      machine.answered += 1;
      const one = this.#waiting.get(unique);
      if (!one) return;
      this.#waiting.delete(unique);
      this.#judgeAcknowledged(machine, one.log, one.length, one.synced);
    };
    const answerSync = op({
      name: 'answer sync',
      unique: 0,
      written: 0,
      error: 0,
      run: (): number => {
        if (answerSync.error === 0) acknowledge(answerSync.unique);
        else {
          if (machine.record.unwritten !== true && !machine.takesNoRecord)
            throw new Error('a failed sync is heard of before it is recorded');
          machine.answered += 1;
          this.#waiting.delete(answerSync.unique);
        }
        return 0;
      },
    });
    const answerParked = (): SimOperation =>
      op({
        name: 'answer parked',
        run: (): number => {
          acknowledge(control.parked.claimed.uniqueLow + control.parked.claimed.uniqueHigh * 2 ** 32);
          return 0;
        },
      });
    const wait = op({
      name: 'wait',
      timeoutMs: 0,
      requests: true,
      run: (): number => {
        const request = wait.requests && (machine.requests.length > 0 || machine.unmounted);
        return (request ? woken.request : 0) | (machine.toPrimary.length > 0 ? woken.message : 0);
      },
      // Now and then its time is over.
      ready: (): boolean =>
        wait.timeoutMs === 0 || wait.run() !== 0 || control.wakeOnAcknowledgement || this.random(40) === 0,
    });
    const persist = op({
      name: 'persist',
      record: null as VolumeRecord | null,
      run: (): number => {
        machine.record = persist.record!;
        if (this.mutant === 'alone-without-a-record') machine.record = { ...machine.record, peerStale: false };
        this.generation = Math.max(this.generation, machine.record.generation?.number ?? 0);
        return 0;
      },
    });
    const persistIfPossible = op({
      name: 'persist if possible',
      record: null as VolumeRecord | null,
      run: (): number => {
        if (machine.takesNoRecord) return -1;
        persist.record = persistIfPossible.record;
        return persist.run();
      },
    });
    const beginSync = op({
      name: 'begin syncfs',
      call: 0,
      run: (): number => {
        this.#start(machine, 'own syncfs', this.#ownSync(machine, beginSync.call));
        return 0;
      },
    });
    primary = new PrimaryLane(
      {
        control,
        tree,
        stream,
        window,
        request,
        resyncBuffer: memories.resync,
        wait,
        waitForPermission: op({ name: 'wait for permission', run: () => 0 }),
        readRequest,
        apply,
        collected,
        syncFiles,
        answerSync,
        reply: {
          name: 'reply',
          bytes: request.bytes,
          length: 16,
          get unique() {
            return last.unique;
          },
          run: (): number => {
            acknowledge(last.unique);
            return 0;
          },
        },
        level,
        memoryBoot: level === 'received' ? 'boot' : null,
        touched,
        syncTouched: op({
          name: 'sync touched',
          run: (): number => touched.reduce((status, { id }) => Math.min(status, tree.sync(id)), 0),
        }),
        // A machine of this world comes back without its mounts.
        noteParkedReply: () => undefined,
        hold: (length) => Memory.copyOf(request.bytes.subarray(0, length)),
        carried: null,
        replyAgain: op({ name: 'reply again', run: () => 0 }),
        answerParked: answerParked(),
        send: op({ name: 'send', run: flush }),
        persist,
        persistIfPossible,
        syncAll: op({ name: 'syncfs', run: (): number => disk.syncAll() }),
        used: () => ({ bytes: 1_000_000, objects: 100 }),
        beginSync,
        peerHot: machine.peerHot,
        nowMs: () => this.nowMs,
        message: () => machine.toPrimary.shift() ?? null,
        tell: (message) => {
          machine.outbox.push(message);
          this.#judgeComparison(message);
        },
        takeConnection: () => {
          wire = machine.wire;
          broken = false;
        },
        dropConnection: () => {
          if (wire) wire.broken = true;
          wire = null;
        },
        linkBroken: () => {
          const was = broken;
          broken = false;
          return was;
        },
        checkpointIntervalMs: 4,
        randomCheckpoint: () => 1 + this.random(1 << 30),
      },
      machine.record,
    );
    machine.primary = primary;
    machine.tree = tree;
    machine.stream = stream;
    this.#start(machine, 'primary', primary.run());
    this.#startAcknowledgement(machine, answerParked());
  }

  #startAcknowledgement(machine: SimMachine, answerParked: SimOperation): void {
    const { control } = machine;
    let wire: Wire | null = null;
    const target = this.other(machine);
    const open = op({
      name: 'open',
      record: null as VolumeRecord | null,
      theirs: null as Welcome | null,
      fault: null as FaultRecord | null,
      run: (): number => {
        const answered = wire;
        open.fault = answered?.refusal ?? null;
        if (!answered || answered.broken || answered.refusal || !answered.welcome) {
          wire = null;
          return -1;
        }
        const { welcome: record, hot, heardHot } = answered;
        open.theirs = { record, minor: this.targetMinor, verifies: true, hearsHot: true, hot, heardHot };
        return 0;
      },
      ready: (): boolean => {
        if (!wire) {
          if (target.role !== 'secondary' || !this.connected) return false;
          wire = new Wire(target, open.record!);
          const fd = this.#wires.push(wire) - 1;
          const handle = { fd, ssl: 0n, peer: machine.name };
          target.toSecondary.push({
            type: 'accepted',
            data: handle,
            acknowledgements: handle,
            record: wire.hello,
            minor: this.sourceMinor,
            asksHot: true,
          });
        }
        return wire.broken || wire.refusal !== null || wire.welcome !== null;
      },
    });
    const begin = op<{ contact: Contact }>({
      name: 'begin',
      contact: 'resync',
      run: (): number => (wire && !wire.broken && wire.ready ? 0 : -1),
      ready: (): boolean => {
        if (wire?.begun === null) wire.begun = begin.contact;
        return !wire || wire.broken || wire.ready;
      },
    });
    const bytes = Buffer.alloc(1 << 20);
    const receive = op({
      name: 'receive',
      bytes,
      end: 0,
      run: (): number => {
        const chunk = wire?.answers.shift();
        if (!chunk) return -1;
        chunk.copy(bytes, receive.end);
        receive.end += chunk.length;
        return receive.end;
      },
      ready: (): boolean => !wire || wire.broken || wire.answers.length > 0,
    });
    const lane = new AcknowledgementLane({
      control,
      volume: 'm/0',
      peer: target.name,
      open,
      begin,
      receive,
      answerParked,
      pause: op({ name: 'pause', durationMs: 0, run: () => 0 }),
      close: () => {
        if (wire) wire.broken = true;
        wire = null;
      },
      data: () => {
        machine.wire = wire;
        return { fd: 0, ssl: 0n, peer: target.name };
      },
      nowMs: () => this.nowMs,
      message: () => null,
      tell: () => undefined,
      tellPrimary: (message) => machine.toPrimary.push(message),
      wakePrimary: () => undefined,
    });
    this.#start(machine, 'acknowledgement', lane.run());
  }

  // --- faults ---------------------------------------------------------------------------------------------------------

  connected = true;

  breakLink(): void {
    for (const wire of this.#wires) {
      wire.broken = true;
      if (this.random(2) === 0) wire.data = [];
      if (this.random(2) === 0) wire.answers = [];
    }
  }

  /** The process dies (`power`: the machine, and what it had not synced may be gone). */
  crash(machine: SimMachine, power: boolean): void {
    this.#judgeMeasures(machine);
    machine.lanes = [];
    machine.role = 'idle';
    machine.primary = null;
    machine.secondary = null;
    machine.requests = [];
    machine.peerHot = null;
    machine.later.length = 0;
    this.#waiting.clear();
    this.breakLink();
    if (!power) return;
    machine.disk.powerCut(this.random(3) === 0);
    machine.hotDisk.powerCut(this.random);
  }

  #snapshots = new Map<SimMachine, { disk: DiskImage; hot: Buffer | null; record: VolumeRecord }>();

  /** As a storage or a hypervisor takes one, at any instant. */
  takeSnapshot(machine: SimMachine): void {
    this.#snapshots.set(machine, {
      disk: machine.disk.image(),
      hot: machine.hotDisk.image(),
      record: machine.record,
    });
  }

  /** Somebody sets a copy back that is not in use. False: there is nothing, or it would be used (that is the decision core's to prevent). */
  restoreSnapshot(machine: SimMachine): boolean {
    const snapshot = this.#snapshots.get(machine);
    if (!snapshot || machine.role === 'primary' || snapshot.record.generation?.number === this.generation) return false;
    this.crash(machine, true);
    machine.disk.restore(snapshot.disk);
    machine.hotDisk.restore(snapshot.hot);
    machine.record = snapshot.record;
    return true;
  }

  /** Planned end of a secondary: applies what came, then stands idle. */
  stopSecondary(machine: SimMachine): void {
    machine.toSecondary.push({ type: 'end' });
    for (let n = 0; n < 100_000 && machine.outbox.every((m) => m.type !== 'ended'); n++) {
      this.step(machine);
      if (machine.secondary === null) return;
    }
    machine.outbox = [];
    machine.lanes = [];
    machine.role = 'idle';
    machine.secondary = null;
  }

  /** Planned end of a primary: unmounts, agrees on a checkpoint when it can. A fault may come before any step of it. */
  stopPrimary(machine: SimMachine, faultAfterSteps: number): void {
    machine.unmounted = true;
    machine.outbox = [];
    machine.toPrimary.push({ type: 'clean-stop', call: 1 });
    for (let n = 0; n < 100_000 && machine.outbox.every((m) => m.type !== 'ended'); n++) {
      if (n === faultAfterSteps) this.breakLink();
      this.step();
      // It has crashed meanwhile.
      if (machine.primary === null) return;
    }
    this.#judgeMeasures(machine);
    machine.lanes = [];
    machine.role = 'idle';
    machine.primary = null;
    this.breakLink();
    this.#waiting.clear();
    const done = machine.outbox.find((m) => m.type === 'done');
    if (done?.type !== 'done') throw new Error('a clean stop without an end');
    const other = this.other(machine);
    const agreed = machine.record.cleanCheckpoint;
    if (!done.clean) return;
    if (agreed === null || other.record.cleanCheckpoint !== agreed)
      throw new Error('clean without a checkpoint on both');
    this.judgeIdentical();
  }

  /** The end of a resync says that everything is on disk: no power cut may change it. */
  #judgeDurable(machine: SimMachine): void {
    if (machine.disk.describe().join() !== machine.disk.describeDurable().join())
      throw new Error(`${machine.name} calls itself up to date with what is in its memory only`);
  }

  #judgedSession: unknown = null;
  /** How often both copies were called up to date, and compared. */
  judgedCopies = 0;

  /** Called up to date, and nothing under way: they are the same. Looked at once for each time; a later return may mend what this one left. */
  #judgeCopies(): void {
    const primary = this.machines.find((machine) => machine.role === 'primary');
    if (primary?.primary?.mode !== 'in-sync') {
      this.#judgedSession = null;
      return;
    }
    if (this.tampered) return;
    const { control, stream, wire } = primary;
    // Whoever has not noticed yet that the link is gone says nothing about what was done since.
    if (this.#judgedSession === wire || wire?.broken !== false || stream?.open !== true || stream.writer.length > 0)
      return;
    if (control.acknowledged !== control.sent) return;
    this.#judgedSession = wire;
    this.judgedCopies += 1;
    const [theirs, ours] = [this.other(primary).disk.describe(), primary.disk.describe()];
    const difference = ours.find((line, index) => line !== theirs[index]) ?? theirs[ours.length];
    if (difference !== undefined) throw new Error(`called up to date, but different: ${difference.slice(0, 200)}`);
  }

  /** What a checkpoint claims: both disks hold the same, and no power cut would change that. */
  judgeIdentical(): void {
    const [a, b] = this.machines.map((machine) => machine.disk.describeDurable().join('\n'));
    if (a !== b) throw new Error('copies with the same clean checkpoint differ');
  }

  // --- running --------------------------------------------------------------------------------------------------------

  /** Sees each operation before it runs; true: something else has happened instead, and the lane may be gone. */
  beforeStep: ((machine: SimMachine, lane: string, operation: string) => boolean) | null = null;

  /** Runs one operation of one lane that can go on. False: none can. */
  step(only?: SimMachine): boolean {
    const ready: { machine: SimMachine; running: Running }[] = [];
    for (const machine of only ? [only] : this.machines)
      for (const running of machine.lanes)
        if (running.pending && (running.pending.ready?.() ?? true)) ready.push({ machine, running });
    const { machine, running: chosen } = ready[this.random(Math.max(1, ready.length))] ?? {};
    if (!machine || !chosen?.pending) return false;
    this.steps += 1;
    this.nowMs += 0.05;
    for (const machine of this.machines) if (machine.later.length > 3) machine.later.shift()?.();
    if (this.beforeStep?.(machine, chosen.name, chosen.pending.name) === true) return true;
    const next = chosen.lane.next(chosen.pending.run());
    chosen.pending = next.done === true ? null : next.value;
    this.#judgeCopies();
    return true;
  }
}
