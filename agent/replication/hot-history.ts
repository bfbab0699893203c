/**
 * What a primary knows beyond its own life: from the log on its disk, and from the one on the disk of the former primary, which that one brings along when it
 * comes back. With them a resync after a crash compares what may differ.
 *
 * - A server that is primary again goes on with its own log.
 * - One that took over begins a log of its own under the number of the former one, from the checkpoint that its record names. What it had received since
 *   stands in the log of the former primary, so that nothing is known without it; nor is a log believed that is older than what was heard of it.
 * Objects are known by their paths, and what has moved is compared as a whole, see Marks.adopt.
 */
import type { VolumeRecord } from '../contract/index.ts';
import type { ChangeStream } from './change-stream.ts';
import type { HotOffer } from './handshake.ts';
import { addHotMarks } from './hot-marks.ts';
import { offeredSet } from './hot-offer.ts';
import type { PeerHot, ToPrimary } from './lane-messages.ts';
import { Marks } from './marks.ts';
import type { MarksStamp } from './marks.ts';
import type { SourceTree } from './tree.ts';
import type { HotClaim } from './volume-lineage.ts';

export class HotHistory {
  /** What the record may say of the hot log: that is what a crash now would leave. */
  claim: HotClaim | null = null;
  /** Marks are still to be made of what the log on our own disk names. */
  #isRestored = false;
  readonly #stream: ChangeStream;
  readonly #tree: SourceTree;
  readonly #record: VolumeRecord;
  readonly #peerHot: PeerHot | null;

  constructor(stream: ChangeStream, tree: SourceTree, record: VolumeRecord, peerHot: PeerHot | null) {
    this.#stream = stream;
    this.#tree = tree;
    this.#record = record;
    this.#peerHot = peerHot;
  }

  /** Before any change of this role. */
  begin(): void {
    const { hot, marks } = this.#stream;
    const { hot: claim, copy, marks: held, unwritten } = this.#record;
    if (!hot || copy !== 'up-to-date' || unwritten === true) return;
    if (claim) {
      if (!hot.restore(claim.log, claim.checkpoint, claim.peer !== null)) return;
      this.claim = claim;
      this.#isRestored = true;
    } else if (held && held.log === this.#peerHot?.log) {
      hot.begin(held.log, held.checkpoint, true);
      if (!hot.kept) return;
      marks.adopt(held.log, held.checkpoint, held.checkpoint);
      this.claim = { log: held.log, checkpoint: held.checkpoint, peer: this.#peerHot.number };
    }
  }

  /** Everything is compared, now or next time. */
  end(): void {
    this.#stream.marks.end();
    this.#stream.hot?.end();
    this.#isRestored = false;
    this.claim = null;
  }

  /** Another log, from here on. The record claims nothing of the former one. */
  beginLog(log: number): void {
    this.end();
    this.#stream.marks.begin(log);
    this.#stream.hot?.begin(log, this.#stream.marks.stamp.checkpoint);
  }

  /**
   * What will be marked when a target comes back as it was left: to be counted only, and ended afterwards. Null: the marks of the stream are what there is, or nothing can be
   * made of the log.
   */
  toBeMarked(): Marks | null {
    const { hot } = this.#stream;
    const { claim } = this;
    if (!this.#isRestored || hot?.kept !== true || claim === null) return null;
    const marks = new Marks({
      hold: (id) => {
        this.#tree.hold(id);
      },
      release: (id) => {
        this.#stream.giveBack(id);
      },
    });
    marks.adopt(claim.log, hot.given, claim.checkpoint);
    if (addHotMarks(marks, this.#tree, hot.set)) return marks;
    marks.end();
    marks.tidy();
    return null;
  }

  /** The target has everything but what is marked. */
  covers(target: ToPrimary & { type: 'linked' }): boolean {
    const { marks } = this.#stream;
    const { hot: offer, heardHot } = target;
    const theirs = target.marks ?? null;
    if (this.#isRestored) return this.#isAsNewAs(heardHot) && this.#restoredCovers(theirs, offer);
    const { claim } = this;
    const heardOf = claim?.peer ?? null;
    if (!marks.adopted || claim === null || heardOf === null) return marks.cover(theirs);
    return this.#peerCovers(offer, heardOf);
  }

  /** It is this copy that was set back, when the target has heard of more than our log has. */
  #isAsNewAs(heard: PeerHot | null): boolean {
    return heard?.log !== this.claim?.log || (this.#stream.hot?.number ?? 0) >= (heard?.number ?? 0);
  }

  #restoredCovers(theirs: MarksStamp | null, offer: HotOffer | null): boolean {
    const { hot, marks } = this.#stream;
    const { claim } = this;
    if (!hot?.kept || claim === null) return false;
    marks.adopt(claim.log, hot.given, claim.checkpoint);
    if (!addHotMarks(marks, this.#tree, hot.set)) return false;
    this.#isRestored = false;
    return claim.peer === null ? marks.cover(theirs) : this.#peerCovers(offer, claim.peer);
  }

  #peerCovers(offer: HotOffer | null, heardOf: number): boolean {
    const { marks, hot } = this.#stream;
    if (offer?.log !== marks.log || offer.number < heardOf || !marks.kept || hot?.set.everything !== false)
      return false;
    // What it names begins behind what this copy is known to have: it is this copy that was set back.
    if (offer.checkpoint > (this.claim?.checkpoint ?? 0)) return false;
    const set = offeredSet(offer);
    return set !== null && addHotMarks(marks, this.#tree, set);
  }
}
