/**
 * The secondary lane: takes the stream of one accepted link at a time, applies it in order, and acknowledges with one number, the highest
 * sequence applied with every sync up to it on disk. A link that comes while another one stands replaces it: the primary has lost the old one.
 *
 * Invariants: `copy: stale` is on disk before the first frame of a resync is applied, `up-to-date` only after everything is · a frame that
 * cannot be applied ends the link, and nothing after it is applied.
 */
import { Fault, volumeRecordSchema } from '../contract/index.ts';
import type { AcknowledgeLevel, FaultRecord, ResyncProgress, VolumeRecord } from '../contract/index.ts';
import type { Memory } from '../sys/memory.ts';
import {
  encodeAcknowledgement,
  encodeBlocksAnswer,
  encodeCheckpoint,
  encodeFault,
  encodeVerified,
} from './answer-codec.ts';
import { Applier, applyFault } from './applier.ts';
import { FrameReader, kind, malformed } from './change-codec.ts';
import type { Frame, Kind } from './change-codec.ts';
import { contactFault, decideContact } from './contact.ts';
import { marksSinceMinor, roomSinceMinor } from './handshake.ts';
import type { HotOffer } from './handshake.ts';
import type { FromSecondary, PeerHot, ToSecondary } from './lane-messages.ts';
import type { ObjectSyncs } from './object-syncs.ts';
import type { Lane, Operation } from './operations.ts';
import { ResyncTarget } from './resync-target.ts';
import { RoomTeller } from './room-teller.ts';
import type { Room } from './room.ts';
import { TargetError } from './tree.ts';
import type { Tree } from './tree.ts';
import { encodeFindings } from './verify-messages.ts';
import { copiesDifferFault } from './verify-report.ts';
import { VerifyTarget } from './verify-target.ts';
import * as lineage from './volume-lineage.ts';

export const readable = { data: 1, message: 2 } as const;

/** What may be applied while syncs from before it are still collected: it ends no id that they name, and publishes no name. */
const passesSyncs: ReadonlySet<Kind> = new Set([
  kind.write,
  kind.truncate,
  kind.attributes,
  kind.allocate,
  kind.setXattr,
  kind.removeXattr,
  kind.sync,
]);
/** Contents that nobody waits for are acknowledged together: after so many bytes, so many receives, or when nothing comes for a moment. */
const unacknowledgedBytesMax = 256 * 1024;
const unacknowledgedReceivesMax = 16;
const acknowledgeAfterMs = 10;
/** What was received before a role ends is applied, but a primary that goes on sending cannot hold it up for longer. */
const drainMaxMs = 2000;
const idleMs = 1000;
const purgeEntries = 64;
const progressIntervalMs = 500;

export interface SecondaryPorts {
  readonly volume: string;
  readonly peer: string;
  /** Received bytes, at least two of the largest frames. */
  readonly input: Memory;
  readonly compareBuffer: Memory;
  /** Until bytes of the data connection (when `link`), a message, or the time has passed. Bits of `readable`. */
  readonly wait: Operation & { timeoutMs: number; link: boolean };
  /** Appends to `input` at `end`; the new end, -1: the link is lost. */
  readonly receive: Operation & { end: number };
  /** Takes over the connections of `accepted`; our record or the refusal goes out. 0 or -1. */
  readonly welcome: Operation & {
    record: VolumeRecord | null;
    refusal: FaultRecord | null;
    hot: HotOffer | null;
    heardHot: PeerHot | null;
  };
  /** Answers a hello that continues the link. 0 or -1. */
  readonly goesOn: Operation & { applied: number };
  /** What the hot log of this disk names since the checkpoint of the record. Null: nothing that can be believed, or too much. */
  readonly readHot: Operation & { record: VolumeRecord | null; offer: HotOffer | null };
  /** Waits for the source's `begin`. 0 or -1. */
  readonly awaitBegin: Operation & { contact: 'in-sync' | 'resync' | null };
  readonly ready: Operation;
  /** Sends `bytes[0, length)` on the acknowledgement connection. 0 or -1. */
  readonly answer: Operation & { readonly bytes: Buffer; length: number };
  /** 0 or -1 with `fault`. */
  readonly persist: Operation & { record: VolumeRecord | null; fault: Fault | null };
  readonly syncAll: Operation;
  /** Syncs the objects of `syncs`, each once. 0, or the first -errno. */
  readonly syncObjects: Operation & { readonly syncs: ObjectSyncs };
  /** Asks for a syncfs that this lane does not wait for; `synced` answers it. */
  readonly beginSync: Operation & { call: number };
  readonly use: (accepted: ToSecondary & { type: 'accepted' }) => void;
  /** Leaves the link in use as it is. */
  readonly refuse: (accepted: ToSecondary & { type: 'accepted' }, fault: Fault) => void;
  readonly closeLink: () => void;
  /** A view of the copy without any ids; the former one is closed. */
  readonly newTree: () => Tree;
  /** Checkpoints are worth nothing where a sync does not tell that it has failed. */
  readonly offersMarks: boolean;
  /** As in the primary's ports. */
  readonly level: AcknowledgeLevel;
  readonly memoryBoot: string | null;
  /** What this disk can still take; null: nobody knows. */
  readonly room: () => Room | null;
  readonly nowMs: () => number;
  readonly message: () => ToSecondary | null;
  readonly tell: (message: FromSecondary) => void;
}

export class SecondaryLane {
  record: VolumeRecord;
  readonly #ports: SecondaryPorts;
  readonly #reader = new FrameReader();
  readonly #room: RoomTeller;
  /** The source of this link knows what to do with it. */
  #tellsRoom = false;
  readonly #apply: Operation & { frame: Frame; fault: Fault | null };
  #applier: Applier | null = null;
  #tree: Tree | null = null;
  #resync: ResyncTarget | null = null;
  #verify: VerifyTarget | null = null;
  #linked = false;
  /** Of the link whose stream is here, connected or not; null: another one begins anew. */
  #token: string | null = null;
  /** The last checkpoint of it that the source was told of; 0: none. */
  #toldCheckpoint = 0;
  /** With which this contact began. */
  #contacts = 0;
  #ended = false;
  #purging = false;
  #fault: FaultRecord | null = null;
  /** As in the record; also when that could not be written. */
  #unwritten: boolean;
  /** The record on the disk says it too. */
  #isRecorded = false;
  /** Highest sequence applied, and the highest acknowledged. */
  #applied = 0;
  #acknowledged = 0;
  /** Somebody waits for a sync that was received; it may have been made by now. */
  #owesSync = false;
  /** Applied since, and not acknowledged. */
  #unacknowledgedBytes = 0;
  #unacknowledgedReceives = 0;
  #answers: { sequence: number; needed: Uint8Array }[] = [];
  #progress: ResyncProgress | null = null;
  #lastProgressMs = 0;
  /** Waits for its syncfs. A later one stands for what is before it too. */
  #checkpoint: { call: number; log: number; checkpoint: number } | null = null;
  #syncCall = 0;
  /** What the source's record counts, as it was told on this link; 0: not told. */
  #sourceContacts = 0;
  /** What is known of the primary's hot log; as long as this process lives, since it is about what has been received. */
  #peerHot: PeerHot | null;

  constructor(ports: SecondaryPorts, record: VolumeRecord, peerHot: PeerHot | null) {
    this.#peerHot = peerHot;
    this.#ports = ports;
    this.record = record;
    this.#unwritten = record.unwritten === true;
    this.#room = new RoomTeller(ports.room, ports.nowMs);
    const { frame } = this.#reader;
    const apply = {
      name: 'apply',
      frame,
      fault: null as Fault | null,
      run: (): number => {
        try {
          this.#applier?.apply(frame, ports.input);
          return 0;
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          apply.fault = error;
          return -1;
        }
      },
    };
    this.#apply = apply;
  }

  get inSync(): boolean {
    return this.#linked && this.#resync?.active === false;
  }

  *run(): Lane {
    const { wait } = this.#ports;
    this.#tellStatus();
    // What was given may stand in the memory of the process only.
    if (this.#unwritten) yield* this.#recordFailure();
    for (;;) {
      yield* this.#messages();
      if (this.#ended) break;
      wait.link = this.#linked;
      const owes = this.#linked && this.#applied !== this.#acknowledged;
      wait.timeoutMs = this.#purging ? 0 : owes ? acknowledgeAfterMs : idleMs;
      const bits = yield wait;
      if ((bits & readable.data) !== 0) yield* this.#receive();
      else if (bits === 0 && owes) yield* this.#acknowledge();
      else if (bits === 0 && this.#purging) this.#purging = this.#resync?.purge(purgeEntries) === true;
      if (bits === 0 && this.inSync && this.#tellsRoom) yield* this.#tellRoom();
    }
    yield* this.#drain();
    this.#endLink();
    this.#ports.tell({ type: 'ended' });
  }

  *#messages(): Lane {
    for (let message = this.#ports.message(); message !== null; message = this.#ports.message()) {
      if (message.type === 'end') this.#ended = true;
      else if (message.type === 'synced') yield* this.#synced(message);
      // A link that comes while the role ends is left to the next one.
      else if (!this.#ended) yield* message.continues === null ? this.#accept(message) : this.#goOn(message);
    }
  }

  /** Before promotion, everything received is applied. */
  *#drain(): Lane {
    const { wait, nowMs } = this.#ports;
    const untilMs = nowMs() + drainMaxMs;
    while (this.#linked && nowMs() < untilMs) {
      wait.link = true;
      wait.timeoutMs = 0;
      const bits = yield wait;
      if (bits === 0) break;
      if ((bits & readable.message) !== 0) yield* this.#messages();
      if ((bits & readable.data) !== 0) yield* this.#receive();
    }
    if (this.#linked) yield* this.#acknowledge();
  }

  // --- contact --------------------------------------------------------------------------------------------------------

  *#accept(message: ToSecondary & { type: 'accepted' }): Lane {
    const { ports } = { ports: this.#ports };
    this.#endLink();
    ports.use(message);
    this.#tellsRoom = message.minor >= roomSinceMinor;
    this.#room.begin();
    // What this process knows ends with it: a return that trusts such a disk must not be what its record allows.
    if (this.#unwritten && !this.#isRecorded && !(yield* this.#recordFailure())) {
      ports.closeLink();
      return;
    }
    const contact = decideContact(message.record, this.record);
    const { marks = null, ...record } = this.record;
    // A source keeps marks only for a target that speaks of them; what it had is compared as a whole otherwise.
    const speaksOfMarks = ports.offersMarks && message.minor >= marksSinceMinor;
    ports.welcome.record = speaksOfMarks ? { ...record, marks } : record;
    const offersHot = speaksOfMarks && message.asksHot && record.hot && contact.kind === 'resync';
    ports.welcome.heardHot = this.#peerHot;
    ports.welcome.hot = offersHot ? yield* this.#hotOffer() : null;
    ports.welcome.refusal = contact.kind === 'refused' ? contactFault(contact.code, ports.volume, ports.peer) : null;
    if ((yield ports.welcome) < 0 || contact.kind === 'refused') {
      ports.closeLink();
      this.#setFault(ports.welcome.refusal);
      return;
    }
    if ((yield ports.awaitBegin) < 0 || ports.awaitBegin.contact !== contact.kind) {
      ports.closeLink();
      return;
    }
    const resync = contact.kind === 'resync';
    this.#contacts = lineage.contactsOfTarget(message.record, this.record);
    const met = lineage.inContact(this.record, this.#contacts);
    const next = resync ? lineage.resyncTarget(met) : this.#together(lineage.connectedClean(met));
    if (!(yield* this.#persist(next)) || !this.#begin(resync) || (yield ports.ready) < 0) {
      ports.closeLink();
      return;
    }
    this.#linked = true;
    this.#token = message.token;
    this.#toldCheckpoint = 0;
    // Made equal by order: that it differs is being mended.
    if (!resync || this.#fault?.code === 'copies-differ') this.#fault = null;
    this.#tellStatus();
  }

  /** The same link over another connection: the source sends what comes behind what was applied. Of what it was told before, something may not have come. */
  *#goOn(message: ToSecondary & { type: 'accepted' }): Lane {
    const { refuse, use, receive, goesOn } = this.#ports;
    // A copy that was found different meanwhile says so at another contact.
    const mayGoOn = this.#resync?.active === false && this.record.copy === 'up-to-date';
    if (message.continues !== this.#token || !mayGoOn) {
      refuse(message, new Fault('aborted', { message: 'That link has ended here.' }));
      return;
    }
    use(message);
    receive.end = 0;
    this.#token = message.token;
    this.#linked = true;
    this.#acknowledged = 0;
    this.#room.begin(true);
    goesOn.applied = this.#applied;
    const isTold = (yield goesOn) >= 0 && (this.#toldCheckpoint === 0 || (yield* this.#tellCheckpoint()));
    if (!isTold) this.#suspend();
    this.#tellStatus();
  }

  *#tellCheckpoint(): Generator<Operation, boolean, number> {
    const { answer } = this.#ports;
    answer.length = encodeCheckpoint(answer.bytes, this.#toldCheckpoint);
    return (yield answer) >= 0;
  }

  *#hotOffer(): Generator<Operation, HotOffer | null, number> {
    const { readHot } = this.#ports;
    readHot.record = this.record;
    yield readHot;
    return readHot.offer;
  }

  #begin(resync: boolean): boolean {
    const tree = this.#ports.newTree();
    this.#tree = tree;
    const answer = (sequence: number, needed: Uint8Array): void => {
      this.#answers.push({ sequence, needed });
    };
    this.#resync = new ResyncTarget(tree, this.#ports.compareBuffer, answer, this.#unwritten);
    this.#applier = new Applier(tree, this.#resync);
    const hasTrash = (): boolean => this.#resync?.hasTrash() !== false;
    this.#verify = new VerifyTarget(tree, this.#ports.compareBuffer, hasTrash);
    this.#applied = 0;
    this.#acknowledged = 0;
    this.#owesSync = false;
    this.#unacknowledgedBytes = 0;
    this.#unacknowledgedReceives = 0;
    this.#ports.syncObjects.syncs.clear();
    this.#answers = [];
    this.#sourceContacts = 0;
    this.#ports.receive.end = 0;
    this.#progress = resync
      ? { doneBytes: 0, totalBytes: null, sentBytes: 0, bytesPerSecond: null, etaSeconds: null }
      : null;
    try {
      if (resync) this.#resync.begin();
      else this.#resync.prepare();
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      this.#setFault(applyFault('prepare', error.status).toRecord());
      return false;
    }
    this.#purging = true;
    return true;
  }

  *#persist(record: VolumeRecord): Generator<Operation, boolean, number> {
    const { persist } = this.#ports;
    persist.record = record;
    if ((yield persist) < 0) {
      this.#setFault(persist.fault?.toRecord() ?? null);
      return false;
    }
    this.record = record;
    this.#tellStatus();
    return true;
  }

  /** The connection is gone; another one may take its place. */
  #suspend(): void {
    this.#ports.closeLink();
    const was = this.#linked;
    this.#linked = false;
    if (this.#resync?.active !== false) this.#endStream();
    if (was) this.#tellStatus();
  }

  #endStream(): void {
    this.#token = null;
    this.#checkpoint = null;
    this.#applier = null;
    this.#progress = null;
  }

  #endLink(): void {
    this.#endStream();
    this.#suspend();
  }

  // --- the stream -----------------------------------------------------------------------------------------------------

  *#receive(): Lane {
    const { receive, input } = this.#ports;
    const end = yield receive;
    if (end < 0) {
      this.#suspend();
      return;
    }
    let start = 0;
    try {
      for (;;) {
        const taken = this.#reader.read(input.bytes, start, end);
        if (taken === 0) break;
        if (!(yield* this.#frame())) return;
        start += taken;
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      yield* this.#leave(error);
      return;
    }
    if (start > 0) input.bytes.copyWithin(0, start, end);
    receive.end = end - start;
    this.#room.received(start);
    this.#unacknowledgedBytes += start;
    this.#unacknowledgedReceives += 1;
    if (this.#mustAcknowledge()) yield* this.#acknowledge();
  }

  /** A resync is paced by what is acknowledged, and somebody waits for each sync. */
  #mustAcknowledge(): boolean {
    return (
      this.#owesSync ||
      this.#resync?.active === true ||
      this.#unacknowledgedBytes >= unacknowledgedBytesMax ||
      this.#unacknowledgedReceives >= unacknowledgedReceivesMax
    );
  }

  /** False: the link has ended. */
  *#frame(): Generator<Operation, boolean, number> {
    const { frame } = this.#reader;
    if (frame.sequence !== this.#applied + 1) throw malformed('a gap in the stream');
    if (this.#applied === 0 && !(yield* this.#beginning(frame))) return false;
    const { syncs } = this.#ports.syncObjects;
    if (syncs.count > 0 && (syncs.full || !passesSyncs.has(frame.kind)) && !(yield* this.#syncObjects())) return false;
    if (frame.kind === kind.sync) {
      // With all that was received together with it: one sync for those of the same object, others beside it.
      syncs.add(frame.id, frame.flag);
      this.#owesSync = true;
    } else if (frame.kind === kind.finish) {
      if (!(yield* this.#finish(frame))) return false;
    } else if (frame.kind === kind.cleanStop) {
      if (!(yield* this.#cleanStop(frame))) return false;
    } else if (frame.kind === kind.marked) {
      this.#marked(frame);
    } else if (frame.kind === kind.checkpoint) {
      yield* this.#beginCheckpoint(frame);
    } else if (frame.kind === kind.met) {
      this.#sourceContacts = frame.size;
    } else if (frame.kind === kind.hot) {
      this.#peerHot = { log: frame.id, number: frame.size };
      this.#tellStatus();
    } else if (frame.kind === kind.verify) {
      if (!(yield* this.#compare(frame))) return false;
    } else if ((yield this.#apply) < 0) {
      // What a resync brings is synced on the way.
      if (this.#resync?.syncFailed === true) yield* this.#syncFailed();
      yield* this.#leave(this.#apply.fault ?? applyFault('change', -5));
      return false;
    }
    this.#applied = frame.sequence;
    this.#tree?.putIdleAside();
    this.#count(frame);
    this.#room.applied(frame.kind);
    // Somebody waits; answers to blocks keep the walk going.
    if (frame.kind >= kind.barrier || this.#answers.length > 0) yield* this.#acknowledge();
    return this.#linked;
  }

  /** Nothing is acknowledged beyond a sync that has not been made. False: the link has ended. */
  *#syncObjects(): Generator<Operation, boolean, number> {
    const { syncObjects } = this.#ports;
    const status = yield syncObjects;
    syncObjects.syncs.clear();
    if (status >= 0) return true;
    yield* this.#syncFailed();
    yield* this.#leave(applyFault('sync', status));
    return false;
  }

  #count(frame: Frame): void {
    if (!this.#progress) return;
    const compared = frame.kind === kind.blocks || frame.kind === kind.hole ? frame.size : 0;
    const sent = frame.kind === kind.data ? frame.dataLength : 0;
    if (compared + sent === 0) return;
    const { doneBytes, sentBytes } = this.#progress;
    this.#progress = { ...this.#progress, doneBytes: doneBytes + compared, sentBytes: sentBytes + sent };
    const now = this.#ports.nowMs();
    if (now - this.#lastProgressMs < progressIntervalMs) return;
    this.#lastProgressMs = now;
    this.#tellStatus();
  }

  /** From this record on both are in sync. */
  #together(record: VolumeRecord): VolumeRecord {
    const { memoryBoot, level } = this.#ports;
    return lineage.heldInMemory(record, memoryBoot, 'target', level);
  }

  *#acknowledge(): Lane {
    const { answer, syncObjects } = this.#ports;
    if (syncObjects.syncs.count > 0 && !(yield* this.#syncObjects())) return;
    for (const { sequence, needed } of this.#answers.splice(0)) {
      answer.length = encodeBlocksAnswer(answer.bytes, sequence, needed);
      if ((yield answer) < 0) {
        this.#suspend();
        return;
      }
    }
    if (this.#applied === this.#acknowledged) return;
    this.#acknowledged = this.#applied;
    this.#owesSync = false;
    this.#unacknowledgedBytes = 0;
    this.#unacknowledgedReceives = 0;
    answer.length = encodeAcknowledgement(answer.bytes, this.#applied);
    // A stale copy is not asked for room: it is made equal, or leaves.
    if (this.inSync && this.#tellsRoom) answer.length = this.#room.append(answer.bytes, answer.length, this.#applied);
    if ((yield answer) < 0) this.#suspend();
  }

  /** The source sends nothing: what others do on this disk it would not hear of. */
  *#tellRoom(): Lane {
    const { answer } = this.#ports;
    answer.length = this.#room.appendIdle(answer.bytes, this.#applied);
    if (answer.length > 0 && (yield answer) < 0) this.#suspend();
  }

  /** Something cannot be applied: the primary is told why and goes on without this copy. */
  *#leave(fault: Fault): Lane {
    this.#fault = fault.toRecord();
    const { answer } = this.#ports;
    answer.length = encodeFault(answer.bytes, fault);
    yield answer;
    this.#endLink();
    this.#tellStatus();
  }

  /** Recorded before anybody hears of it: whoever takes this role up later would believe what the kernel reads. */
  *#syncFailed(): Lane {
    this.#unwritten = true;
    if (!this.#isRecorded) yield* this.#recordFailure();
  }

  *#recordFailure(): Generator<Operation, boolean, number> {
    this.#isRecorded = yield* this.#persist(lineage.syncFailed(this.record));
    // The supervisor remembers what the disk did not take.
    this.#tellStatus();
    return this.#isRecorded;
  }

  /** The last frame of a resync: everything to disk, then the record, and only then the acknowledgement. */
  *#finish(frame: Frame): Generator<Operation, boolean, number> {
    const source = this.#sourceRecord(frame.bytes);
    if (this.#resync?.active !== true) throw malformed('the end of a resync that did not begin');
    try {
      this.#resync.finish();
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      yield* this.#leave(applyFault('finish', error.status));
      return false;
    }
    const status = yield this.#ports.syncAll;
    if (status < 0) {
      yield* this.#syncFailed();
      yield* this.#leave(applyFault('syncfs', status));
      return false;
    }
    if (!(yield* this.#persist(this.#together(lineage.resyncedTarget(this.record, source))))) {
      yield* this.#leave(this.#ports.persist.fault ?? applyFault('record', -5));
      return false;
    }
    this.#unwritten = false;
    this.#isRecorded = false;
    this.#progress = null;
    this.#fault = null;
    this.#purging = true;
    this.#tellStatus();
    return true;
  }

  #sourceRecord(bytes: Buffer): VolumeRecord {
    let json: unknown;
    try {
      json = JSON.parse(bytes.toString());
    } catch {
      throw malformed('a record that is not one');
    }
    const parsed = volumeRecordSchema.safeParse(json);
    if (!parsed.success || parsed.data.volumeUuid !== this.record.volumeUuid || parsed.data.copy !== 'up-to-date')
      throw malformed('a record that is not the source’s');
    return parsed.data;
  }

  *#cleanStop(frame: Frame): Generator<Operation, boolean, number> {
    if (this.#resync?.active === true) throw malformed('a clean stop of copies that are not in sync');
    if (this.record.copy !== 'up-to-date') {
      // The source had not heard of it yet.
      yield* this.#leave(Fault.fromRecord(copiesDifferFault(this.#ports.volume)));
      return false;
    }
    const status = yield this.#ports.syncAll;
    if (status < 0) {
      yield* this.#syncFailed();
      yield* this.#leave(applyFault('syncfs', status));
      return false;
    }
    const settled = lineage.contactSettled(this.record, this.#contacts);
    if (yield* this.#persist(lineage.checkpointed(settled, frame.size))) return true;
    yield* this.#leave(this.#ports.persist.fault ?? applyFault('record', -5));
    return false;
  }

  /** The first frame says what kind of a resync this is. */
  *#beginning(frame: Frame): Generator<Operation, boolean, number> {
    if (this.#resync?.active !== true || frame.kind === kind.marked) return true;
    if (!this.record.marks && !this.record.hot) return true;
    if (yield* this.#persist(lineage.resyncedWhole(this.record))) return true;
    yield* this.#leave(this.#ports.persist.fault ?? applyFault('record', -5));
    return false;
  }

  /**
   * A copy that is known to differ is not one to go on with: that is on disk before anybody hears of it, so that no failover comes to it in between.
   * Changes are applied as before.
   */
  *#compare(frame: Frame): Generator<Operation, boolean, number> {
    if (!this.#verify || this.#resync?.active === true) throw malformed('a comparison of copies that are not in sync');
    const findings = this.#verify.answer(frame.bytes);
    if (findings.stale && this.record.copy === 'up-to-date') {
      if (!(yield* this.#persist(lineage.foundDifferent(this.record)))) {
        yield* this.#leave(this.#ports.persist.fault ?? applyFault('record', -5));
        return false;
      }
      // What was to be recorded of marks would say that this copy has all that they do not name.
      this.#checkpoint = null;
      this.#setFault(copiesDifferFault(this.#ports.volume));
    }
    const { answer } = this.#ports;
    answer.length = encodeVerified(answer.bytes, frame.sequence, encodeFindings(findings));
    if ((yield answer) < 0) this.#suspend();
    return this.#linked;
  }

  /** From here on only what is marked is told. The record says so still: this may be interrupted and taken up. */
  #marked(frame: Frame): void {
    const isOurs = this.record.marks?.log === frame.id || this.record.hot?.log === frame.id;
    if (!isOurs || this.#resync?.active !== true || this.#applied !== 0)
      throw malformed('marks of a log that is not ours');
    this.#resync.byMarks = true;
  }

  *#beginCheckpoint(frame: Frame): Lane {
    if (this.#resync?.active === true) throw malformed('a checkpoint at the wrong time');
    // Found to differ, which the source had not heard of yet.
    if (this.record.copy !== 'up-to-date') return;
    const call = ++this.#syncCall;
    this.#checkpoint = { call, log: frame.id, checkpoint: frame.size };
    this.#ports.beginSync.call = call;
    yield this.#ports.beginSync;
  }

  *#synced(message: ToSecondary & { type: 'synced' }): Lane {
    const pending = this.#checkpoint;
    // It is told once, whoever waited for it.
    if (message.status < 0) {
      this.#checkpoint = null;
      yield* this.#syncFailed();
      if (this.#linked) yield* this.#leave(applyFault('syncfs', message.status));
      else this.#endLink();
      return;
    }
    if (pending?.call !== message.call) return;
    this.#checkpoint = null;
    const met = lineage.contactSettled(this.record, this.#contacts);
    const settled = lineage.contactsFollow(met, this.#sourceContacts);
    if (!(yield* this.#persist(lineage.markedSince(settled, pending.log, pending.checkpoint)))) {
      yield* this.#leave(this.#ports.persist.fault ?? applyFault('record', -5));
      return;
    }
    this.#toldCheckpoint = pending.checkpoint;
    if (this.#linked && !(yield* this.#tellCheckpoint())) this.#suspend();
  }

  // --- status ---------------------------------------------------------------------------------------------------------

  #setFault(fault: FaultRecord | null): void {
    if (fault === null) return;
    this.#fault = fault;
    this.#tellStatus();
  }

  #tellStatus(): void {
    this.#ports.tell({
      type: 'status',
      record: this.record,
      link: this.#linked,
      resync: this.#progress,
      fault: this.#fault,
      unwritten: this.#unwritten,
      peerHot: this.#peerHot,
    });
  }
}
