/**
 * The acknowledgement lane of a primary: makes the link (both connections, the contact), gives the data connection to the primary lane, then reads
 * acknowledgements and answers the requests that waited for them. When the link is lost it starts again, for ever, with a pause that grows.
 */
import { Fault } from '../contract/index.ts';
import type { FaultRecord, VolumeRecord } from '../contract/index.ts';
import { contactFault, decideContact } from './contact.ts';
import type { ControlBlock } from './control-block.ts';
import { marksSinceMinor } from './handshake.ts';
import type { HotOffer } from './handshake.ts';
import type { ConnectionHandle, FromAcknowledgement, PeerHot, ToAcknowledgement, ToPrimary } from './lane-messages.ts';
import { Answer, answerKind, readAnswer } from './answer-codec.ts';
import type { Lane, Operation } from './operations.ts';
import { decodeFindings } from './verify-messages.ts';
import * as lineage from './volume-lineage.ts';

/** A peer that is off, starting or not yet told its role: no fault of the volume, and the modes say it already. */
const ordinary: ReadonlySet<string> = new Set(['peer-unreachable', 'aborted', 'not-secondary']);
const pauseFirstMs = 100;
const pauseMaxMs = 2000;
const lastingMs = 3000;

/** What the target has answered. */
export interface Welcome {
  readonly record: VolumeRecord;
  /** Of the protocol that it speaks. */
  readonly minor: number;
  /** It can answer what a comparison asks. */
  readonly verifies: boolean;
  readonly hearsHot: boolean;
  readonly countsCheckpoints: boolean;
  readonly goesOn: boolean;
  readonly hot: HotOffer | null;
  readonly heardHot: PeerHot | null;
}

export interface AcknowledgementPorts {
  readonly control: ControlBlock;
  readonly volume: string;
  readonly peer: string;
  /** Both connections up and hello said with `record`. 0, or -1 with `fault`. Then `theirs` is the target's answer. */
  readonly open: Operation & { record: VolumeRecord | null; theirs: Welcome | null; fault: FaultRecord | null };
  /** Tells the target the contact and waits until it has recorded it. 0, or -1 with `open.fault`. */
  readonly begin: Operation & { contact: 'in-sync' | 'resync' };
  /** Both connections over another network, in the place of those in use. 0, or -1: the target does not go on there, and nothing has changed. */
  readonly goOn: Operation & { applied: number };
  /** Waits for bytes of the acknowledgement connection, or a message. Appends to `bytes`; the new end, -1: the link is lost, 0: a message. */
  readonly receive: Operation & { readonly bytes: Buffer; end: number };
  readonly answerParked: Operation;
  /** Sleeps, or until a message comes. */
  readonly pause: Operation & { durationMs: number };
  readonly close: () => void;
  readonly data: () => ConnectionHandle;
  readonly nowMs: () => number;
  readonly message: () => ToAcknowledgement | null;
  readonly tell: (message: FromAcknowledgement) => void;
  readonly tellPrimary: (message: ToPrimary) => void;
  readonly wakePrimary: () => void;
}

export class AcknowledgementLane {
  readonly #ports: AcknowledgementPorts;
  readonly #answer = new Answer();
  #session = 0;
  #ended = false;
  #fault: FaultRecord | null = null;
  #goesOn = false;
  #stayedAtMs = -Infinity;

  constructor(ports: AcknowledgementPorts) {
    this.#ports = ports;
  }

  *run(): Lane {
    let pauseMs = pauseFirstMs;
    while (!this.#over()) {
      const beganAtMs = this.#ports.nowMs();
      if (!this.#ports.control.stopping && (yield* this.#connect())) {
        yield* this.#read();
        // One that ends at once will most likely do so again.
        if (this.#ports.nowMs() - beganAtMs > lastingMs) pauseMs = pauseFirstMs;
        this.#ports.close();
        this.#ports.tellPrimary({ type: 'link-lost', session: this.#session, refused: this.#fault !== null });
        this.#ports.tell({ type: 'link', up: false, fault: this.#fault });
      }
      if (this.#over()) break;
      this.#ports.pause.durationMs = pauseMs;
      yield this.#ports.pause;
      pauseMs = Math.min(pauseMs * 2, pauseMaxMs);
    }
    this.#ports.tell({ type: 'ended' });
  }

  /** Takes messages; there is only one. */
  #over(): boolean {
    while (this.#ports.message() !== null) this.#ended = true;
    return this.#ended || this.#ports.control.fenced;
  }

  #refuse(reason: FaultRecord | null): void {
    this.#ports.close();
    const fault = reason !== null && ordinary.has(reason.code) ? null : reason;
    if (fault?.code === 'copies-differ') this.#ports.tellPrimary({ type: 'peer-differs' });
    if (fault?.code !== this.#fault?.code) this.#ports.tell({ type: 'link', up: false, fault });
    this.#fault = fault;
  }

  *#connect(): Generator<Operation, boolean, number> {
    const { open, begin, control, volume, peer } = this.#ports;
    const ours = control.readRecord();
    open.record = ours.record;
    if ((yield open) < 0 || open.theirs === null) {
      this.#refuse(open.fault);
      return false;
    }
    const { record: theirs, minor } = open.theirs;
    const contact = decideContact(ours.record, theirs);
    if (contact.kind === 'refused') {
      this.#refuse(contactFault(contact.code, volume, peer));
      return false;
    }
    if (control.stopping) {
      this.#ports.close();
      return false;
    }
    begin.contact = contact.kind;
    if ((yield begin) < 0) {
      this.#refuse(open.fault);
      return false;
    }
    this.#session += 1;
    this.#goesOn = open.theirs.goesOn;
    control.forgetLateness();
    this.#stayedAtMs = -Infinity;
    this.#fault = null;
    this.#ports.receive.end = 0;
    this.#ports.tell({ type: 'link', up: true, fault: null });
    this.#ports.tellPrimary({
      type: 'linked',
      session: this.#session,
      contact: contact.kind,
      recordVersion: ours.version,
      marks: minor >= marksSinceMinor ? theirs.marks : undefined,
      verifies: open.theirs.verifies,
      sharedGeneration: lineage.shareGeneration(ours.record, theirs),
      contacts: lineage.contactsOfSource(ours.record, theirs),
      hearsHot: open.theirs.hearsHot,
      countsCheckpoints: open.theirs.countsCheckpoints,
      hot: open.theirs.hot,
      heardHot: open.theirs.heardHot,
      data: this.#ports.data(),
    });
    return true;
  }

  /** Until the link is lost or the lane ends. */
  *#read(): Lane {
    const { receive, control } = this.#ports;
    for (;;) {
      const end = yield receive;
      if (end < 0) {
        if (this.#over() || !(yield* this.#goOn())) return;
        continue;
      }
      if (this.#over()) return;
      try {
        yield* this.#answers();
      } catch (error) {
        this.#fault = Fault.from(error).toRecord();
        return;
      }
      if (control.takeMoveWanted()) yield* this.#goOn();
    }
  }

  /** Over another network, before anybody has to decide without the peer. False: there is none. */
  *#goOn(): Generator<Operation, boolean, number> {
    const { control, goOn, receive, nowMs } = this.#ports;
    const mayGoOn = this.#goesOn && control.mayGoOn && !control.stopping && !control.fenced && !control.expelled;
    // One that did not succeed took half of the time that there is.
    if (!mayGoOn || nowMs() - this.#stayedAtMs < lastingMs) return false;
    if ((yield goOn) < 0) {
      this.#stayedAtMs = nowMs();
      return false;
    }
    // The peer was given up meanwhile: what it is told now would come too late for whoever waits.
    if (this.#ports.control.expelled) return false;
    receive.end = 0;
    control.takeMoveWanted();
    const data = this.#ports.data();
    this.#ports.tellPrimary({ type: 'goes-on', session: this.#session, applied: goOn.applied, data });
    this.#ports.tell({ type: 'moved', peer: data.peer });
    return true;
  }

  *#answers(): Lane {
    const { receive, control } = this.#ports;
    const answer = this.#answer;
    let start = 0;
    let acknowledged: number | null = null;
    let hasRoom = false;
    for (let taken = 1; taken > 0; start += taken) {
      taken = readAnswer(receive.bytes, start, receive.end, answer);
      if (taken === 0) break;
      if (answer.kind === answerKind.acknowledge) acknowledged = answer.sequence;
      else if (answer.kind === answerKind.room) {
        control.room.tell(answer.sequence, answer.room);
        hasRoom = true;
      } else if (answer.kind === answerKind.blocks) this.#blocks(answer);
      else if (answer.kind === answerKind.checkpoint) this.#checkpoint(answer.sequence);
      else if (answer.kind === answerKind.verified) this.#verified(answer);
      else throw answer.fault ?? new Fault('peer-left', { message: 'The peer has left without a reason.' });
    }
    receive.bytes.copyWithin(0, start, receive.end);
    receive.end -= start;
    if (acknowledged !== null) control.acknowledged = acknowledged;
    if ((acknowledged !== null || hasRoom) && control.wakeOnAcknowledgement) this.#ports.wakePrimary();
    yield* this.#answerReached();
  }

  #checkpoint(checkpoint: number): void {
    this.#ports.tellPrimary({ type: 'checkpoint', session: this.#session, checkpoint });
  }

  #blocks(answer: Answer): void {
    this.#ports.tellPrimary({
      type: 'blocks-answered',
      session: this.#session,
      sequence: answer.sequence,
      needed: answer.needed,
    });
  }

  #verified(answer: Answer): void {
    this.#ports.tellPrimary({
      type: 'verified',
      session: this.#session,
      sequence: answer.sequence,
      // What is no answer ends the link, as everything that the peer says wrongly does.
      findings: decodeFindings(answer.needed),
    });
  }

  /**
   * Past the lease nothing is answered, but reading goes on: an acknowledgement that is not read would expel a peer that has done nothing wrong. Whoever
   * extends the lease wakes this lane.
   */
  *#answerReached(): Lane {
    const { control, nowMs, answerParked } = this.#ports;
    while (control.parked.count > 0) {
      if (control.fenced || nowMs() >= control.leaseDeadlineMs || !control.parked.claim(control.acknowledged)) return;
      yield answerParked;
      control.measures.answered('acknowledgement', nowMs() - control.parked.claimed.readAtMs);
    }
  }
}
