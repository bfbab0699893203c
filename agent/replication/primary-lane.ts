/**
 * The primary lane: one thread that reads the application's requests, applies them, tells the peer and answers, in this order; between requests it
 * takes bounded steps of a resync. Modes and their transitions are those of docs/replication.md. Here are the mode, the record, the link and the order in which
 * the parts get their turn (`primary-*.ts`, one for each concern).
 *
 * Invariants: the record that allows a mode is on disk before the first change in it · nothing is answered after the lease · in `undecided`
 * no change is made · a sync is answered only when both disks have it, or when this one had recorded "the peer is stale" before.
 */
import { Fault, invariant } from '../contract/index.ts';
import type { VolumeRecord } from '../contract/index.ts';
import { E } from '../sys/errno.ts';
import type { LaneHooks } from './change-stream.ts';
import type { Mode } from './control-block.ts';
import { HotHistory } from './hot-history.ts';
import type { ToPrimary } from './lane-messages.ts';
import type { Lane, Operation } from './operations.ts';
import { PrimaryAnswers } from './primary-answers.ts';
import { PrimaryCheckpoints } from './primary-checkpoints.ts';
import { PrimaryCleanStop } from './primary-clean-stop.ts';
import { woken } from './primary-context.ts';
import type { LaneContext, PrimaryPorts } from './primary-context.ts';
import { PrimaryEstimates } from './primary-estimates.ts';
import { PrimaryFailures, recordNotWritten } from './primary-failures.ts';
import { PrimaryFormerErrors } from './primary-former-errors.ts';
import { PrimaryRequests } from './primary-requests.ts';
import { PrimaryResync } from './primary-resync.ts';
import { PrimaryRoom } from './primary-room.ts';
import { PrimarySending } from './primary-sending.ts';
import { PrimarySyncs } from './primary-syncs.ts';
import { PrimaryVerify } from './primary-verify.ts';
import { RequestInHand } from './request-in-hand.ts';
import * as lineage from './volume-lineage.ts';

const progressIntervalMs = 500;
const livenessIntervalMs = 1000;
/** Contents that nobody waits for go with what comes next, or after this: each record costs both nodes a wake-up. */
const lingerMs = 2;

export class PrimaryLane implements LaneHooks {
  mode: Mode = 'undecided';
  record: VolumeRecord;
  #recordVersion = 0;
  /** One that speaks of a hot log could not be written, and stands on the disk or does not. */
  #mayClaimHot = false;
  /** Of the link in use, 0: none. */
  #session = 0;
  /** Since the last goAlone: a target may have this generation. */
  #peerMayHaveGeneration: boolean;
  /** The target of this link has our generation: without it we go on under another one only, or what it lacks could not be told from what it has. */
  #sharedGeneration = false;
  #ended = false;
  /** A clean stop that waits for a syncfs that is under way. */
  #cleanStopCall: number | null = null;
  #acknowledgedNow = 0;
  #lastProgressMs = 0;
  readonly #ports: PrimaryPorts;
  readonly #hand = new RequestInHand();
  readonly #history: HotHistory;
  readonly #sending: PrimarySending;
  readonly #answers: PrimaryAnswers;
  readonly #failures: PrimaryFailures;
  readonly #formerErrors: PrimaryFormerErrors;
  readonly #syncs: PrimarySyncs;
  readonly #checkpoints: PrimaryCheckpoints;
  readonly #resync: PrimaryResync;
  readonly #verify: PrimaryVerify;
  /** What the peer has room for. */
  readonly room: PrimaryRoom;
  readonly #estimates: PrimaryEstimates;
  readonly #cleanStop: PrimaryCleanStop;
  readonly #requests: PrimaryRequests;

  constructor(ports: PrimaryPorts, record: VolumeRecord) {
    this.#ports = ports;
    this.record = record;
    // A role cannot know what a former one, of a process that was killed, has given away.
    this.#peerMayHaveGeneration = record.generation !== null;
    const { control } = ports;
    this.#recordVersion = control.recordVersion > 0 ? control.recordVersion : control.publishRecord(record);
    const context = this.#context();
    const hand = this.#hand;
    const history = (this.#history = new HotHistory(ports.stream, ports.tree, record, ports.peerHot));
    const sending = (this.#sending = new PrimarySending(context));
    const answers = (this.#answers = new PrimaryAnswers(context));
    const failures = (this.#failures = new PrimaryFailures(context, history));
    const formerErrors = (this.#formerErrors = new PrimaryFormerErrors(context, failures));
    const syncs = (this.#syncs = new PrimarySyncs(context, { hand, sending, answers, failures }));
    const checkpoints = (this.#checkpoints = new PrimaryCheckpoints(context, { history, sending, failures }));
    const resync = (this.#resync = new PrimaryResync(context, { hand, sending, checkpoints }));
    const verify = (this.#verify = new PrimaryVerify(context, { hand, sending, checkpoints }));
    const room = (this.room = new PrimaryRoom(ports));
    this.#estimates = new PrimaryEstimates(context, history);
    this.#cleanStop = new PrimaryCleanStop(context, { sending, failures });
    this.#requests = new PrimaryRequests(context, {
      hand,
      sending,
      answers,
      failures,
      formerErrors,
      syncs,
      resync,
      verify,
      room,
    });
  }

  #context(): LaneContext {
    const mode = (): Mode => this.mode;
    const record = (): VolumeRecord => this.record;
    const session = (): number => this.#session;
    const isStopping = (): boolean => this.#cleanStop.running;
    const claimsHot = (): boolean => this.#mayClaimHot || (this.record.hot ?? null) !== null;
    return {
      ports: this.#ports,
      get mode() {
        return mode();
      },
      get record() {
        return record();
      },
      get session() {
        return session();
      },
      get stopping() {
        return isStopping();
      },
      get claimsHot() {
        return claimsHot();
      },
      setMode: (next) => {
        this.#setMode(next);
      },
      persist: (next) => this.#persist(next),
      persistIfRoom: (next) => this.#persistIfRoom(next),
      persistIfPossible: (next) => this.#persistIfPossible(next),
      persistAtOnce: (next) => {
        this.#persistAtOnce(next);
      },
      lost: () => this.#lost(),
      generationIsGiven: () => {
        this.#peerMayHaveGeneration = true;
      },
      tellStatus: () => {
        this.#tellStatus();
      },
      tellProgress: () => {
        this.#tellProgress();
      },
    };
  }

  /** Until the supervisor says so. */
  *run(): Lane {
    const { wait, stream } = this.#ports;
    this.#tellStatus();
    this.#history.begin();
    yield* this.#formerErrors.begin();
    yield* this.#requests.takeOver();
    while (!this.#isEnded()) {
      const message = this.#ports.message();
      if (message !== null) {
        yield* this.#message(message);
        continue;
      }
      if (this.#checkpoints.claimTooMuch()) yield* this.#checkpoints.disclaimIfDue();
      if (this.#requests.areHeld && this.#requests.mayChange()) {
        yield* this.#requests.replay();
        continue;
      }
      if (this.#resync.finishing || this.#cleanStop.running) yield* this.#observe();
      if (this.#failures.unrecorded) yield* this.#failures.record();
      stream.tidyMarks();
      if (this.#checkpoints.isDue()) yield* this.#checkpoints.ask();
      else if (this.#checkpoints.isLogDue()) yield* this.#checkpoints.beginLog();
      wait.timeoutMs = this.#waitMs();
      const bits = yield wait;
      if ((bits & woken.request) !== 0) yield* this.#requests.serve();
      else this.#hand.stepBeganMs = 0;
      this.#estimates.step(bits === 0);
      if (bits === 0 && stream.writer.length > 0) yield* this.#sending.send();
      if (this.#resync.mayStep(bits === 0)) yield* this.#resync.step();
      else if (this.#verify.mayStep(bits === 0)) yield* this.#verify.step();
    }
    // What has ended in the last turn: the record would go on to claim it. Nothing is changed any more, on a disk that may have failed.
    if (this.#checkpoints.claimTooMuch()) yield* this.#persistIfPossible(lineage.hotSince(this.record, null));
    this.#ports.control.stop();
    if (stream.writer.length > 0) yield* this.#sending.send();
    this.#endLink();
    this.#ports.tell({ type: 'ended' });
  }

  #isEnded(): boolean {
    return this.#ended || this.#cleanStop.ended;
  }

  #waitMs(): number {
    const { control, stream } = this.#ports;
    control.mayGoOn = this.#mayGoOn();
    control.wakeOnAcknowledgement =
      this.#resync.waits || this.#resync.finishing || this.#requests.areHeld || this.#cleanStop.running;
    // What was acknowledged before the flag was up wakes nobody: look once more.
    if (control.wakeOnAcknowledgement && this.#acknowledgedNow !== control.acknowledged) {
      this.#acknowledgedNow = control.acknowledged;
      // Its rest may not be over yet: then it is looked at when it is.
      this.#resync.acknowledged();
      return 0;
    }
    if (this.#estimates.asked) return 0;
    const restMs = stream.writer.length > 0 ? lingerMs : livenessIntervalMs;
    const dueInMs = this.#resync.dueInMs() ?? this.#verify.dueInMs();
    return Math.min(dueInMs ?? restMs, restMs);
  }

  // --- LaneHooks: what the stream asks while a request is applied -----------------------------------------------------

  changesAllowed(): boolean {
    return this.#requests.changesAllowed();
  }

  park(unique: number, sequence: number, written: number): boolean {
    return this.#requests.park(unique, sequence, written);
  }

  syncWaits(): boolean {
    return this.mode === 'undecided';
  }

  collect(unique: number, sequence: number, fd: number, dataOnly: boolean, written: number): boolean {
    this.#syncs.collect(unique, sequence, fd, dataOnly, written);
    return true;
  }

  localFailure(call: string, errno: number): void {
    this.#failures.note(call, errno);
  }

  claimsTooMuch(): boolean {
    return this.#checkpoints.claimTooMuch();
  }

  /** The hot log could not be written. */
  hotAbandoned(): void {
    this.#checkpoints.abandoned();
  }

  // --- modes ----------------------------------------------------------------------------------------------------------

  #setMode(mode: Mode): void {
    if (this.mode === mode) return;
    this.mode = mode;
    if (mode !== 'undecided') this.#formerErrors.decided();
    this.#tellStatus();
  }

  *#persist(record: VolumeRecord): Generator<Operation, boolean, number> {
    const { persist } = this.#ports;
    persist.record = record;
    return this.#failures.noteRecord(this.#persisted(record, yield persist));
  }

  *#persistIfRoom(record: VolumeRecord): Generator<Operation, boolean, number> {
    const { persist } = this.#ports;
    persist.record = record;
    const status = this.#persisted(record, yield persist);
    return status !== -E.NOSPC && this.#failures.noteRecord(status);
  }

  *#persistIfPossible(record: VolumeRecord): Lane {
    const { persistIfPossible } = this.#ports;
    persistIfPossible.record = record;
    this.#persisted(record, yield persistIfPossible);
  }

  #persistAtOnce(record: VolumeRecord): void {
    const { persist } = this.#ports;
    persist.record = record;
    this.#failures.noteRecord(this.#persisted(record, persist.run()));
  }

  /** A failed write leaves the former record on the disk, or this one: nothing may go on that either of them does not allow. */
  #persisted(record: VolumeRecord, status: number): number {
    if (status < 0) {
      if (record.hot) this.#mayClaimHot = true;
      return status;
    }
    this.#mayClaimHot = false;
    this.record = record;
    this.#recordVersion = this.#ports.control.publishRecord(record);
    this.#tellStatus();
    return status;
  }

  *#message(message: ToPrimary): Lane {
    switch (message.type) {
      case 'linked':
        yield* this.#linked(message);
        return;
      case 'goes-on':
        yield* this.#goesOn(message);
        return;
      case 'link-lost':
        if (message.session !== this.#session) return;
        // Marks that lead to what the target cannot do would do so for ever.
        if (message.refused && this.#resync.byMarks) this.#checkpoints.endLog();
        yield* this.#lost();
        return;
      case 'checkpoint':
        if (message.session === this.#session) yield* this.#checkpoints.confirmed(message.checkpoint);
        return;
      case 'blocks-answered':
        if (message.session === this.#session) this.#resync.answered(message);
        return;
      case 'verified':
        if (message.session === this.#session) yield* this.#verify.answered(message);
        return;
      case 'peer-differs':
        this.#verify.refused();
        return;
      case 'verify':
        yield* this.#verify.begin(message);
        return;
      case 'stop-verify':
        this.#verify.stop(message.call);
        return;
      case 'estimate':
        this.#estimates.begin({ ...message, copiesDiffer: this.#verify.copiesDiffer });
        return;
      case 'go-alone':
        yield* this.#goAlone(message);
        return;
      case 'synced':
        yield* this.#checkpoints.synced(message);
        if (this.#cleanStopCall !== null) yield* this.#beginCleanStop(this.#cleanStopCall);
        return;
      case 'kept-synced':
        yield* this.#formerErrors.heard(message.status);
        this.#requests.syncsGoOn();
        if (this.#cleanStopCall !== null) yield* this.#beginCleanStop(this.#cleanStopCall);
        return;
      case 'sync-failed':
        this.#failures.note('fsync', -message.status);
        return;
      case 'clean-stop':
        yield* this.#beginCleanStop(message.call);
        return;
      case 'end':
        this.#ended = true;
        return;
    }
  }

  *#beginCleanStop(call: number): Lane {
    this.#ports.control.stop();
    this.#formerErrors.decided();
    // Its error would be told to nobody else.
    this.#cleanStopCall = this.#checkpoints.syncing || this.#formerErrors.asked ? call : null;
    if (this.#cleanStopCall !== null) return;
    // Nothing is asked behind the checkpoint that both sides agree on.
    this.#verify.interrupted();
    yield* this.#cleanStop.begin(call);
  }

  *#linked(message: ToPrimary & { type: 'linked' }): Lane {
    this.#ports.takeConnection(message);
    // The contact was decided on a record that has changed since (goAlone came in between): once more, with the new one.
    if (message.recordVersion !== this.#recordVersion || this.#cleanStop.running) {
      this.#ports.dropConnection();
      return;
    }
    const { stream, control, window } = this.#ports;
    const resync = message.contact === 'resync';
    const byMarks = resync && this.#history.covers(message);
    const hot = byMarks ? this.#history.claim : null;
    const met = lineage.inContact(this.record, message.contacts);
    const inContact = resync ? lineage.resyncSource(met, hot) : this.#together(lineage.connectedClean(met));
    if (!(yield* this.#persist(inContact))) {
      this.#ports.dropConnection();
      return;
    }
    // Requests of an earlier link: either the peer is recorded as stale by now, or nothing was changed since the checkpoint.
    yield* this.#answers.reached(null);
    // What was acknowledged on the former link means nothing to the requests of this one.
    control.acknowledged = 0;
    this.#session = message.session;
    this.#verify.linked(message.verifies);
    this.#sharedGeneration = message.sharedGeneration;
    if (message.sharedGeneration) this.#peerMayHaveGeneration = true;
    window.clear();
    control.sent = 0;
    stream.begin(!resync);
    this.room.linked();
    this.#checkpoints.linked(message, byMarks);
    if (resync) this.#resync.begin(byMarks);
    this.#setMode(resync ? 'resynchronising' : 'in-sync');
    if (!resync) yield* this.#checkpoints.beginLog();
  }

  /** The stream goes on over another network. Nobody has noticed anything but a pause. */
  *#goesOn(message: ToPrimary & { type: 'goes-on' }): Lane {
    const { replaceConnection, dropConnection, sendAgain } = this.#ports;
    replaceConnection(message.data);
    if (message.session !== this.#session) {
      dropConnection();
      return;
    }
    sendAgain.applied = message.applied;
    if (!this.#mayGoOn() || (yield sendAgain) < 0) yield* this.#lost();
  }

  /** Only changes are under way: what is lost of other answers would be waited for. */
  #mayGoOn(): boolean {
    const { control, stream } = this.#ports;
    return this.#session !== 0 && stream.open && this.mode === 'in-sync' && !this.#verify.running && !control.stopping;
  }

  /** The link is gone. Without the peer only what is recorded allows to go on. */
  *#lost(): Lane {
    if (this.#session === 0) return;
    // Once `finish` is sent the target may have become up to date: its copy could be used, so ours needs a new right. And the target may have had this
    // generation from the beginning.
    const alone = this.mode === 'resynchronising' && !this.#resync.finishing && !this.#sharedGeneration;
    this.#endLink();
    this.#cleanStop.disconnected();
    if (alone) invariant(this.record.peerStale, 'a resync runs under a record that calls the peer stale');
    this.#setMode(alone ? 'alone' : 'undecided');
    if (alone) yield* this.#answers.reached(null);
  }

  #endLink(): void {
    this.#ports.control.mayGoOn = false;
    this.#ports.dropConnection();
    this.#session = 0;
    this.#resync.disconnected();
    this.#verify.disconnected();
    this.room.disconnected();
    this.#sharedGeneration = false;
    this.#ports.stream.end();
    this.#ports.stream.marks.disconnected();
    this.#checkpoints.disconnected();
    this.#ports.window.clear();
  }

  *#goAlone(message: ToPrimary & { type: 'go-alone' }): Lane {
    const repeated = this.record.generation?.id === message.generation.id;
    const used = this.#peerMayHaveGeneration || !this.record.peerStale || this.record.copy === 'stale';
    if (repeated && this.mode === 'undecided' && used) {
      const fault = new Fault('generation-used', {
        message: 'The peer may hold a copy of this generation: going on alone takes a new one.',
      });
      this.#ports.tell({ type: 'done', call: message.call, clean: false, fault: fault.toRecord() });
      return;
    }
    if (!repeated || this.mode === 'undecided') {
      this.#endLink();
      if (!(yield* this.#persist(lineage.goneAlone(this.record, message.generation, this.#history.claim)))) {
        // Without the peer only what is recorded allows to go on.
        if (this.mode !== 'alone') this.#setMode('undecided');
        this.#ports.tell({ type: 'done', call: message.call, clean: false, fault: recordNotWritten().toRecord() });
        return;
      }
      this.#peerMayHaveGeneration = false;
      this.#setMode('alone');
    }
    this.#ports.tell({ type: 'done', call: message.call, clean: false, fault: null });
    if (this.mode === 'alone') yield* this.#answers.reached(null);
  }

  /** What acknowledgements bring about: the end of a resync, the end of a clean stop. */
  *#observe(): Lane {
    if (this.#resync.takeEnd()) {
      this.#sharedGeneration = true;
      this.#checkpoints.resynced();
      if (yield* this.#persist(this.#together(lineage.resyncedSource(this.record)))) {
        this.#verify.resynced();
        this.#setMode('in-sync');
      } else {
        // The target goes by its own record, which calls it up to date: only under another generation is anything done without it.
        yield* this.#lost();
      }
    }
    yield* this.#cleanStop.observe();
  }

  /** From this record on both are in sync. */
  #together(record: VolumeRecord): VolumeRecord {
    const { memoryBoot, level } = this.#ports;
    return lineage.heldInMemory(record, memoryBoot, 'source', level);
  }

  // --- status ---------------------------------------------------------------------------------------------------------

  #tellProgress(): void {
    const now = this.#ports.nowMs();
    if (now - this.#lastProgressMs < progressIntervalMs) return;
    this.#lastProgressMs = now;
    this.#tellStatus();
  }

  #tellStatus(): void {
    const resync = this.#resync.progress();
    const verification = this.#verify.tell(this.#ports.nowMs());
    this.#estimates.measured(resync?.bytesPerSecond ?? verification?.bytesPerSecond ?? null);
    const { mode, record } = this;
    this.#ports.tell({ type: 'status', mode, record, resync, verification, differs: this.#verify.differs });
  }
}
