/** While a whole filesystem is asked what it has failed to write: what waits for that, and what does not. */
import { describe, expect, it } from 'vitest';
import type { AcknowledgeLevel, VolumeRecord } from '../contract/index.ts';
import { Memory } from '../sys/memory.ts';
import { operation } from './operations.ts';
import type { Lane } from './operations.ts';
import { PrimaryAnswers } from './primary-answers.ts';
import { outcome } from './primary-context.ts';
import type { LaneContext } from './primary-context.ts';
import { PrimaryFailures } from './primary-failures.ts';
import { PrimaryFormerErrors } from './primary-former-errors.ts';
import { PrimaryRequests } from './primary-requests.ts';
import { PrimaryResync } from './primary-resync.ts';
import { PrimarySending } from './primary-sending.ts';
import { PrimarySyncs } from './primary-syncs.ts';
import { RequestInHand } from './request-in-hand.ts';
import { freshGood, goneAlone } from './volume-lineage.ts';

type Kind = 'read' | 'write' | 'sync';

function run(lane: Lane): void {
  for (let step = lane.next(); step.done !== true; step = lane.next(step.value.run()));
}

/** Of a volume whose disk has been asked what it has failed to write. */
class Primary {
  unheard = true;
  nowMs = 1;
  #isAsked = false;
  readonly askedAtFirst: boolean;
  record: VolumeRecord = goneAlone(freshGood('u', null), { number: 1, id: 'g1' });
  readonly answered: string[] = [];
  readonly told: string[] = [];
  readonly heard: number[] = [];
  readonly requests: PrimaryRequests;
  readonly #formerErrors: PrimaryFormerErrors;
  readonly #failures: PrimaryFailures;
  /** The peer is being made from this copy. */
  resyncs = false;
  #isBroken = false;
  readonly #kinds: Kind[] = [];
  readonly #request = new Memory(8);
  #current = 0;

  constructor(level: AcknowledgeLevel = 'durable', takenOver = true, lost = false) {
    this.unheard = takenOver && !lost;
    const lane = this.#lane(level, lost);
    const hand = new RequestInHand();
    const sending = new PrimarySending(lane);
    const answers = new PrimaryAnswers(lane);
    const failures = (this.#failures = new PrimaryFailures(lane, { end: () => undefined } as never));
    const syncs = new PrimarySyncs(lane, { hand, sending, answers, failures });
    const idle = { running: false, served: (): void => undefined };
    const formerErrors = (this.#formerErrors = new PrimaryFormerErrors(lane, failures));
    const room = { waits: false };
    const parts = { hand, sending, answers, failures, formerErrors, syncs, resync: idle, verify: idle, room };
    this.requests = new PrimaryRequests(lane, parts);
    run(formerErrors.begin());
    this.askedAtFirst = this.#isAsked;
    formerErrors.decided();
  }

  #lane(level: AcknowledgeLevel, lost: boolean): LaneContext {
    const isUnheard = (): boolean => this.unheard;
    const isAsked = (): boolean => this.#isAsked;
    const record = (): VolumeRecord => this.record;
    const apply = { name: 'apply', memory: this.#request, length: 0, run: (): number => this.#apply(apply.memory) };
    const readRequest = (): number => this.#request.bytes.writeUInt32LE(this.#kinds.length - 1, 0);
    const lease = { fenced: false, leaseDeadlineMs: Infinity };
    const ports = {
      level,
      apply,
      request: this.#request,
      control: { ...lease, parked: { count: 0 }, measures: { answered: () => undefined } },
      collected: { count: 0, full: false, age: 0 },
      stream: {
        open: false,
        writer: { length: 0, sequence: 0 },
        localFailure: (call: string, errno: number) => {
          this.#failures.note(call, errno);
          this.#isBroken = this.resyncs;
        },
      },
      window: { totalBytes: 0 },
      touched: [],
      formerErrors: {
        ask: () => {
          this.#isAsked = true;
        },
        heard: (status: number) => {
          this.heard.push(status);
          this.#isAsked = this.unheard = false;
        },
        get asked() {
          return isAsked();
        },
        get unheard() {
          return isUnheard();
        },
        lost,
      },
      readRequest: operation('read request', readRequest),
      reply: operation('reply', () => this.answered.push(`${this.#kinds[this.#current]} ${this.#current}`)),
      wait: { ...operation('wait', () => 0), timeoutMs: 0 },
      hold: (length: number) => Memory.copyOf(this.#request.bytes.subarray(0, length)),
      linkBroken: () => this.#isBroken,
      noneHeld: () => this.told.push('none-held'),
      nowMs: () => this.nowMs,
      tell: ({ type }: { type: string }) => this.told.push(type),
    };
    const persistIfPossible = (next: VolumeRecord): Lane => this.#persist(next);
    return {
      ports,
      mode: 'alone',
      stopping: false,
      persistIfPossible,
      lost: () => this.#lost(),
      get record() {
        return record();
      },
    } as unknown as LaneContext;
  }
  *#lost(): Lane {
    this.told.push('link-lost');
    yield operation('lost', () => 0);
  }
  *#persist(record: VolumeRecord): Lane {
    yield operation('persist', () => 0);
    this.record = record;
  }

  #apply(memory: Memory): number {
    this.#current = memory.bytes.readUInt32LE(0);
    const kind = this.#kinds[this.#current];
    if (kind !== 'read' && !this.requests.changesAllowed()) return outcome.deferred;
    return kind === 'sync' && this.unheard ? outcome.syncWaits : outcome.reply;
  }

  ask(...kinds: Kind[]): void {
    for (const kind of kinds) {
      this.#kinds.push(kind);
      run(this.requests.serve());
    }
  }
  hear(status: number): void {
    run(this.#formerErrors.heard(status));
    this.requests.syncsGoOn();
    while (this.requests.areHeld && this.requests.mayChange()) run(this.requests.replay());
  }
}

describe('while a whole filesystem is asked what it has failed to write', () => {
  it('only syncs wait, and go on in their order', () => {
    const primary = new Primary();
    primary.ask('sync', 'write', 'read', 'sync', 'write');
    expect(primary.answered).toEqual(['write 1', 'read 2', 'write 4']);
    primary.hear(0);
    expect(primary.answered.slice(3)).toEqual(['sync 0', 'sync 3']);
    expect([primary.heard, primary.told]).toEqual([[0], ['none-held']]);
  });

  it('every change waits at the level that syncs all of them', () => {
    const primary = new Primary('write-through');
    primary.ask('write', 'read', 'write');
    expect(primary.answered).toEqual(['read 1']);
    primary.hear(0);
    expect(primary.answered.slice(1)).toEqual(['write 0', 'write 2']);
  });

  it('an error is in the record before a sync goes on', () => {
    const primary = new Primary();
    primary.ask('sync');
    primary.hear(-5);
    expect([primary.heard, primary.told[0], primary.record.unwritten]).toEqual([[-5], 'local-failure', true]);
  });

  it('an error ends a resync from this copy', () => {
    const primary = new Primary();
    primary.resyncs = true;
    primary.hear(-5);
    expect([primary.told, primary.record.unwritten]).toEqual([['local-failure', 'link-lost'], true]);
  });

  it('one that nobody can ask any more has failed, and the record says so before anything is answered', () => {
    const primary = new Primary('durable', true, true);
    expect([primary.askedAtFirst, primary.told, primary.record.unwritten]).toEqual([false, ['errors-lost'], true]);
  });

  it('a resync takes no step', () => {
    const formerErrors = { unheard: true };
    const control = { acknowledged: 0 };
    const stream = { hotRecorded: () => undefined, tellUnnamed: () => undefined, walk: null };
    const tree = { node: () => ({}), hold: () => undefined };
    const ports = { formerErrors, control, stream, nowMs: () => 0, resyncBuffer: new Memory(4 << 20), tree };
    const resync = new PrimaryResync({ ports } as unknown as LaneContext, {} as never);
    resync.begin(false);
    expect([resync.mayStep(true), resync.dueInMs()]).toEqual([false, null]);
    formerErrors.unheard = false;
    expect(resync.mayStep(true)).toBe(true);
  });

  it('is not asked before there can be syncs: each kill while it is costs a description', () => {
    expect([new Primary().askedAtFirst, new Primary('durable', false).askedAtFirst]).toEqual([false, true]);
  });

  it('an error from before the first change of a new role is told, and is not of this copy', () => {
    const primary = new Primary('durable', false);
    primary.ask('read', 'write');
    expect(primary.answered).toEqual(['read 0']);
    primary.hear(-5);
    expect(primary.answered).toEqual(['read 0', 'write 1']);
    expect([primary.heard, primary.told[0], primary.record.unwritten]).toEqual([[0], 'earlier-failure', undefined]);
  });

  it('changes of a new role wait for a moment only, and an error that may be of them counts', () => {
    const primary = new Primary('durable', false);
    primary.nowMs = 2000;
    primary.ask('write');
    expect(primary.answered).toEqual(['write 0']);
    primary.hear(-5);
    expect([primary.heard, primary.told, primary.record.unwritten]).toEqual([[-5], ['local-failure'], true]);
  });
});
