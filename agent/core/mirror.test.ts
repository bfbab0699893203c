import { describe, expect, it } from 'vitest';
import type { ModuleBeat, VolumeStatus, VoteReply, VoteRequest } from '../contract/index.ts';
import {
  beatOf,
  describeOwn,
  freshRecord,
  initialMirror,
  isProtected,
  stepMirror,
  voteGivenTo,
  type MirrorState,
} from './mirror.ts';
import type { MirrorAction, MirrorEvent, MirrorIdentity, ModuleRecord } from './mirror-types.ts';
import { votesInWords } from './right.ts';
import { timingFor } from './timing.ts';

const timing = timingFor(3000);
const generation = { number: 1, id: 'first' };
const identity: MirrorIdentity = {
  module: 'db',
  node: 'n1',
  peer: 'n2',
  prefer: null,
  failback: 'manual',
  witness: true,
  withoutWitness: 'prefer-one-copy',
  timing,
  checkers: [],
  restartLimit: { count: 3, windowMs: 86_400_000 },
  session: 's1',
  bootId: 'b1',
};

function volume(change: Partial<VolumeStatus> = {}): VolumeStatus {
  return {
    id: 'db/0',
    path: '/data/db',
    record: {
      format: 1,
      volumeUuid: 'u',
      generation,
      history: [],
      copy: 'up-to-date',
      peerStale: false,
      cleanCheckpoint: null,
    },
    role: 'idle',
    mode: null,
    link: 'down',
    resync: null,
    fault: null,
    ...change,
  };
}

/** A machine whose plans succeed at once and whose voters answer as told. */
class Bench {
  state: MirrorState;
  now = 100_000;
  actions: MirrorAction[] = [];
  constructor(record: Partial<ModuleRecord> = {}, change: Partial<MirrorIdentity> = {}) {
    this.state = initialMirror(
      { ...identity, ...change },
      { ...freshRecord(), wanted: 'started', ...record },
      this.now,
    );
  }
  event(event: MirrorEvent): MirrorAction[] {
    const result = stepMirror(this.state, { ...event, atMs: this.now });
    this.state = result.state;
    this.actions = [...result.actions];
    return this.actions;
  }
  after(milliseconds: number, event: MirrorEvent = { type: 'tick' }): MirrorAction[] {
    this.now += milliseconds;
    return this.event(event);
  }
  reply(from: 'peer' | 'witness', change: Partial<VoteReply> = {}): MirrorAction[] {
    const request = this.actions.find((action) => action.type === 'send' && action.message.kind === 'vote-request');
    if (request?.type !== 'send') throw new Error('no vote was asked for');
    const { number, store } = request.message as VoteRequest;
    return this.event({
      type: 'vote-reply',
      from,
      message: {
        kind: 'vote-reply',
        module: 'db',
        number,
        granted: true,
        stored: store,
        reason: 'granted',
        newest: null,
        holder: null,
        ...change,
      },
    });
  }
  ran(): MirrorAction[] {
    return this.event({ type: 'ran', id: this.state.runId, failed: null, clean: false });
  }
  peer(change: Partial<ModuleBeat> = {}, order = this.now): MirrorAction[] {
    const beat: ModuleBeat = {
      module: 'db',
      state: 'secondary',
      data: 'up-to-date',
      generation,
      unsettled: false,
      committed: false,
      copy: 'up-to-date',
      peerStale: false,
      clean: false,
      active: false,
      lastPrimary: false,
      wanted: 'started',
      maintenance: false,
      handoverTo: null,
      ...change,
    };
    return this.event({ type: 'heard', network: 'lan', beat, order });
  }
  plan(): string[] {
    const run = this.actions.find((action) => action.type === 'run');
    return run?.type === 'run' ? run.steps.map((step) => (step.do === 'script' ? step.script : step.do)) : [];
  }
}

function secondary(): Bench {
  const bench = new Bench();
  bench.event({ type: 'data', volumes: [volume()] });
  bench.peer({ active: true, state: 'primary' });
  bench.event({ type: 'data', volumes: [volume({ role: 'secondary', link: 'up' })] });
  bench.ran();
  return bench;
}

/** A good copy whose node has promised something newer to the other one, and is free to vote again. */
function promised(): Bench {
  const bench = new Bench({ newest: { number: 2, id: '2.n2.x' } });
  bench.event({ type: 'data', volumes: [volume()] });
  bench.after(timing.grantMs);
  return bench;
}

/** The peer asks for this node's vote. */
function requestOfPeer(change: Partial<VoteRequest> = {}): VoteRequest {
  return {
    kind: 'vote-request',
    module: 'db',
    number: 1,
    session: 'x',
    leaseMs: timing.leaseMs,
    generation,
    pending: [],
    store: null,
    order: false,
    ...change,
  };
}

describe('the mirror machine', () => {
  it('serves as secondary when the peer is active', () => {
    expect(secondary().state.phase.name).toBe('secondary');
  });

  it('takes over when the peer has been silent for the detection time and the witness stores the new generation', () => {
    const bench = secondary();
    bench.after(timing.detectionMs - 1);
    expect(bench.state.seek).toBeNull();
    bench.after(1);
    expect(bench.state.seek?.purpose).toBe('takeover');
    const first = bench.actions.findIndex((action) => action.type === 'persist');
    const sent = bench.actions.findIndex((action) => action.type === 'send');
    expect(first).toBeGreaterThanOrEqual(0);
    expect(first).toBeLessThan(sent); // a wish is on disk before any voter hears of it
    bench.reply('witness');
    expect(bench.plan()).toEqual(['mount', 'raise-vip', 'prestart', 'start']);
    expect(bench.actions.map((action) => action.type).indexOf('persist')).toBeLessThan(
      bench.actions.map((action) => action.type).indexOf('run'),
    );
  });

  it('stays secondary while the witness has given the lease to the silent peer', () => {
    const bench = secondary();
    bench.after(timing.detectionMs);
    bench.reply('witness', { granted: false, stored: null, reason: 'lease-held', holder: 'n2' });
    expect(bench.plan()).toEqual([]);
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ state: 'secondary', reason: 'peer-active' });
  });

  it('never starts a stale copy, and says so', () => {
    const bench = new Bench();
    const record = volume().record;
    if (record === null) throw new Error('no record');
    bench.event({ type: 'data', volumes: [volume({ record: { ...record, copy: 'stale' } })] });
    bench.after(timing.settleMs + 1);
    expect(bench.state.seek).toBeNull();
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ state: 'wait', data: 'stale', reason: 'copy-stale' });
  });

  it('does not call a copy up to date that the witness knows to be behind', () => {
    const bench = new Bench();
    bench.event({ type: 'data', volumes: [volume()] });
    bench.after(timing.settleMs + 1);
    const newest = { number: 2, id: 'of the peer' };
    bench.reply('witness', { granted: false, stored: null, reason: 'older-generation', newest, holder: null });
    bench.after(500);
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ state: 'wait', data: 'stale', reason: 'copy-stale' });
  });

  it('without a witness nothing is taken over automatically; a person may order it', () => {
    const bench = new Bench({}, { witness: false });
    bench.event({ type: 'data', volumes: [volume()] });
    bench.peer({ active: true, state: 'primary' });
    bench.event({ type: 'data', volumes: [volume({ role: 'secondary', link: 'up' })] });
    bench.ran();
    for (let step = 0; step < 100; step += 1) bench.after(500);
    expect(bench.state.phase.name).toBe('secondary');
    bench.event({ type: 'command', command: { name: 'promote', orderedBy: 'Alice' } });
    expect(bench.plan()).toContain('start');
    expect(bench.state.record.order).toEqual({ by: 'Alice' });
  });

  it('an order to promote asks for a newer generation when the witness holds another one of the same age', () => {
    const bench = new Bench();
    bench.event({ type: 'data', volumes: [volume()] });
    bench.after(timing.settleMs + 1);
    const wish = bench.state.seek?.store;
    expect(wish?.number).toBe(2);
    const newest = { number: 2, id: 'of the peer' };
    bench.reply('witness', { granted: false, stored: null, reason: 'older-generation', newest, holder: null });
    for (let step = 0; step < 10 && bench.state.seek !== null; step += 1) bench.after(500);
    bench.event({ type: 'command', command: { name: 'promote', orderedBy: 'Alice' } });
    expect(bench.state.seek).toMatchObject({ purpose: 'order', store: { number: 3 } });
    // Nobody answers for a while: the order stands.
    for (let step = 0; step < 20; step += 1) bench.after(500);
    expect(bench.state.record.order).toEqual({ by: 'Alice' });
    expect(bench.state.seek).toMatchObject({ purpose: 'order' });
    // The other one runs the application after all: the order is void.
    bench.peer({ active: true, state: 'primary' });
    for (let step = 0; step < 20; step += 1) {
      bench.after(500);
      bench.peer({ active: true, state: 'primary' });
    }
    bench.event({ type: 'data', volumes: [volume({ role: 'secondary', link: 'up' })] });
    bench.ran();
    expect(bench.state.phase.name).toBe('secondary');
    expect(bench.state.record.order).toBeNull();
  });

  it('refuses to swap to a peer that is not ready, and does not run', () => {
    const bench = secondary();
    const result = stepMirror(bench.state, { type: 'command', command: { name: 'swap' }, atMs: bench.now });
    expect(result.refused).toMatchObject({ code: 'not-primary' });
    expect(result.actions).toEqual([]);
  });

  it('gives the vote to one at a time: whoever wants to be primary refuses', () => {
    const bench = secondary();
    bench.after(timing.detectionMs);
    bench.event({
      type: 'vote-request',
      message: {
        kind: 'vote-request',
        module: 'db',
        number: 1,
        session: 'x',
        leaseMs: 2000,
        generation,
        pending: [],
        store: null,
        order: false,
      },
    });
    const answer = bench.actions.find((action) => action.type === 'send');
    expect(answer).toMatchObject({ message: { granted: false, reason: 'lease-held', holder: 'n1' } });
  });

  it('does not take back at its restart the vote that it has given', () => {
    const before = new Bench();
    before.event({ type: 'data', volumes: [volume()] });
    before.after(timing.grantMs);
    before.event({ type: 'vote-request', message: requestOfPeer() });
    expect(voteGivenTo(before.state, before.now)).toBe('n2');
    const restarted = (): Bench => {
      const bench = new Bench(before.state.record);
      bench.event({ type: 'data', volumes: [volume()] });
      return bench;
    };
    const ordered = restarted();
    ordered.now += 300;
    ordered.event({ type: 'command', command: { name: 'promote', orderedBy: 'Alice' } });
    expect(ordered.state.seek).toBeNull();
    const bench = restarted();
    bench.peer({ state: 'secondary' });
    expect(bench.state.seek).toBeNull();
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ state: 'wait', reason: 'vote-given' });
    bench.after(timing.grantMs - 1);
    expect(bench.state.seek).toBeNull();
    bench.after(1);
    expect(bench.state.seek?.purpose).toBe('start');
  });

  it('lets the other one renew after its restart the vote that it has given, and keeps none that it cannot have given', () => {
    const bench = new Bench();
    bench.event({ type: 'data', volumes: [volume()] });
    bench.event({ type: 'vote-request', message: requestOfPeer() });
    expect(bench.actions.find((action) => action.type === 'send')).toMatchObject({ message: { granted: true } });
    const running = new Bench({ activeBoot: 'b1', running: true, runningSinceMs: 7000 });
    expect(running.state.voter.grant).toBeNull();
  });

  it('keeps its vote given for as long as the other one asked, and leaves a request for longer than any lease unanswered', () => {
    const bench = new Bench();
    bench.event({ type: 'data', volumes: [volume()] });
    const granted = bench.event({ type: 'vote-request', message: requestOfPeer({ leaseMs: 40_000 }) });
    expect(granted.find((action) => action.type === 'send')).toMatchObject({ message: { granted: true } });
    const untilMs = bench.state.voter.grant?.untilMs ?? 0;
    expect(untilMs).toBeGreaterThan(bench.now + 40_000);
    for (const leaseMs of [40_001, 0, -1]) {
      const actions = bench.event({ type: 'vote-request', message: requestOfPeer({ number: 2, leaseMs }) });
      expect(actions.filter((action) => action.type === 'send')).toEqual([]);
    }
    expect(bench.state.voter.grant).toMatchObject({ untilMs, number: 1 });
    const short = new Bench();
    short.event({ type: 'data', volumes: [volume()] });
    short.event({ type: 'vote-request', message: requestOfPeer({ leaseMs: 10 }) });
    expect(short.state.voter.grant?.untilMs).toBe(short.now + timing.grantMs);
  });

  it('counts no answer that was given to its former life', () => {
    const bench = secondary();
    bench.after(timing.detectionMs);
    bench.reply('witness', { session: 'of an earlier process' });
    expect(bench.plan()).toEqual([]);
    expect(bench.state.ballots.witness).toMatchObject({ deadlineMs: 0, stored: null, reply: null });
    bench.after(500);
    bench.reply('witness', { session: identity.session });
    expect(bench.plan()).toContain('start');
  });

  it('says in every answer whose request it answers', () => {
    const answers = (bench: Bench): unknown[] =>
      bench
        .event({ type: 'vote-request', message: requestOfPeer({ session: 'x' }) })
        .flatMap((action) => (action.type === 'send' ? [action.message] : []));
    const bench = secondary();
    expect(answers(bench)).toMatchObject([{ granted: true, session: 'x' }]);
    const seeking = secondary();
    seeking.after(timing.detectionMs * 2);
    expect(answers(seeking)).toMatchObject([{ granted: false, holder: 'n1', session: 'x' }]);
  });

  it('starts only with the vote of the other one when it has promised that one something newer', () => {
    const bench = new Bench();
    bench.event({ type: 'data', volumes: [volume()] });
    const store = { number: 2, id: '2.n2.x' };
    const { kind, module, session } = { kind: 'vote-request', module: 'db', session: 'x' } as const;
    const message = {
      kind,
      module,
      number: 1,
      session,
      leaseMs: 2000,
      generation,
      pending: [store],
      store,
      order: false,
    };
    bench.event({ type: 'vote-request', message });
    expect(bench.state.record.newest).toEqual(store);
    bench.event({ type: 'vote-release', message: { kind: 'vote-release', module, number: 1, session } });
    // Said before it took the application, wrote the new generation, and stopped again: there may be writes that this copy lacks.
    bench.peer({ state: 'wait', unsettled: true });
    expect(bench.state.seek?.purpose).toBe('start');
    bench.reply('witness');
    expect(bench.state.phase.name).toBe('wait');
    bench.after(500);
    bench.reply('peer', { granted: false, stored: null, reason: 'older-generation', newest: store });
    expect(bench.state.phase.name).toBe('wait');
    bench.after(500);
    bench.reply('peer');
    expect(bench.state.phase.name).toBe('activating');
  });

  it('asks the other one alone where only its vote counts, for a generation that is newer than what it promised', () => {
    const bench = new Bench();
    bench.event({ type: 'data', volumes: [volume()] });
    const store = { number: 2, id: '2.n2.x' };
    bench.event({ type: 'vote-request', message: requestOfPeer({ pending: [store], store }) });
    bench.event({
      type: 'vote-release',
      message: { kind: 'vote-release', module: 'db', number: 1, session: 'x' },
    });
    const asked = (): unknown[] =>
      bench.actions.flatMap((action) =>
        action.type === 'send' && action.message.kind === 'vote-request' ? [action.to] : [],
      );
    bench.peer({ state: 'wait' });
    expect(bench.state.seek).toMatchObject({ purpose: 'start', store: { number: 3 } });
    expect(asked()).toEqual(['peer']);
    expect(bench.state.ballots.witness.sent).toEqual([]);
    bench.after(500);
    expect(asked()).toEqual(['peer']);
    bench.reply('peer');
    expect(bench.state.phase.name).toBe('activating');
    bench.after(500);
    expect(asked()).toEqual(['peer', 'witness']);
  });

  it('asks the witness too when a person ordered it, whatever was promised', () => {
    const bench = new Bench();
    bench.event({ type: 'data', volumes: [volume()] });
    const store = { number: 2, id: '2.n2.x' };
    bench.event({ type: 'vote-request', message: requestOfPeer({ pending: [store], store }) });
    bench.after(timing.grantMs);
    bench.event({ type: 'command', command: { name: 'promote', orderedBy: 'Alice' } });
    const asked = bench.actions.flatMap((action) => (action.type === 'send' ? [action.to] : []));
    expect(asked).toEqual(['peer', 'witness']);
  });

  it('goes on with a running application after its own restart, and fences one that was in the middle of starting', () => {
    const running = new Bench({ activeBoot: 'b1', running: true, runningSinceMs: 7000 });
    expect(beatOf(running.state, running.now).active).toBe(true);
    running.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up' })] });
    expect(running.state.phase.name).toBe('active');
    expect(describeOwn(running.state, running.now).runningSinceMs).toBe(7000);
    const starting = new Bench({ activeBoot: 'b1', running: false });
    starting.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up' })] });
    expect(starting.plan()).toEqual(['fence', 'drop-vip']);
    const other = new Bench({ activeBoot: 'an earlier boot', running: true, runningSinceMs: 7000 });
    expect(beatOf(other.state, other.now).active).toBe(false);
    expect(other.state.record.runningSinceMs).toBeNull();
  });

  it('waits at its restart for the end of the longest grant that may still run, whatever its detection time is by now', () => {
    const before = new Bench();
    before.event({ type: 'data', volumes: [volume()] });
    before.event({ type: 'vote-request', message: requestOfPeer({ leaseMs: 40_000 }) });
    const untilMs = before.state.voter.grant?.untilMs ?? 0;
    before.event({ type: 'vote-request', message: requestOfPeer({ number: 2 }) });
    const bench = new Bench(before.state.record);
    expect(bench.state.voter.grant?.untilMs).toBe(untilMs);
    const tuned = new Bench(before.state.record, { timing: timingFor(1000) });
    expect(tuned.state.voter.grant?.untilMs).toBe(untilMs);
    before.now = untilMs;
    before.event({ type: 'vote-request', message: requestOfPeer({ number: 3 }) });
    expect(before.state.record.grantedMs).toBe(timing.grantMs);
  });

  it('believes the newest words of the other one, whichever network brought them', () => {
    const bench = secondary();
    bench.peer({ active: false, state: 'wait' }, bench.now + 2);
    const beat = bench.state.beat;
    bench.after(500);
    bench.peer({ active: true, state: 'primary' }, bench.state.beatOrder - 1);
    expect(bench.state.beat).toBe(beat);
    expect(bench.state.heardMs['lan']).toBe(bench.now);
  });

  it('points to promote where it promised something newer to a node that has lost its copy', () => {
    const bench = promised();
    bench.peer({ state: 'wait', copy: 'stale', generation: null, data: 'unknown', reason: 'replicator-down' });
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ reason: 'waiting-for-primary' });
    bench.after(1);
    bench.peer({ state: 'wait', copy: 'stale', generation: null, data: 'unknown', reason: 'not-initialised' });
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ state: 'wait', reason: 'copy-stale' });
    expect(describeOwn(bench.state, bench.now).message).toContain('promote');
  });

  it('lets the other one go on from the same copy when what was promised to itself does not start here', () => {
    const wish = { number: 2, id: '2.n1.s1' };
    const broken = new Bench({ startFailed: true, newest: wish, pending: [wish] });
    broken.event({ type: 'data', volumes: [volume()] });
    broken.after(timing.grantMs);
    broken.peer({ state: 'wait' });
    expect(describeOwn(broken.state, broken.now)).toMatchObject({ reason: 'waiting-for-primary' });
    const said = beatOf(broken.state, broken.now);
    expect(said).toMatchObject({ committed: true, unable: 'start-failed' });

    const other = new Bench({}, { node: 'n2', peer: 'n1', session: 's2' });
    other.event({ type: 'data', volumes: [volume()] });
    other.after(timing.grantMs);
    other.peer(said);
    expect(other.state.seek).toMatchObject({ purpose: 'start', store: { number: 2 } });
    const answer = (change: Partial<VoteRequest>): unknown =>
      broken
        .event({ type: 'vote-request', message: requestOfPeer(change) })
        .flatMap((action) => (action.type === 'send' ? [action.message] : []))[0];
    const same = other.state.seek?.store ?? null;
    expect(answer({ store: same, pending: same === null ? [] : [same] })).toMatchObject({
      granted: false,
      newest: wish,
    });
    // Another copy than this one's gets nothing.
    const newer = { number: 3, id: '3.n2.s2' };
    expect(answer({ store: newer, generation: { number: 0, id: 'older' } })).toMatchObject({ granted: false });
    expect(answer({ store: newer, pending: [newer] })).toMatchObject({ granted: true, stored: newer });
    expect(broken.state.record).toMatchObject({ newest: newer, pending: [wish] });
    // A node that can start keeps what was promised to it.
    const able = new Bench({ newest: wish, pending: [wish] });
    able.event({ type: 'data', volumes: [volume()] });
    const refused = able.event({ type: 'vote-request', message: requestOfPeer({ store: newer }) });
    expect(refused.find((action) => action.type === 'send')).toMatchObject({ message: { granted: false } });
  });

  it('does not say that the witness is late when it was not asked', () => {
    const bench = secondary();
    const told = bench.after(timing.detectionMs - 1);
    expect(told).toEqual([]);
    const words = (one: Bench): string => votesInWords(one.state, one.now);
    expect(words(bench)).toContain('the witness was not asked');
    bench.after(1);
    expect(words(bench)).toContain('the witness has not answered yet');
  });

  it('is protected only when both sides say so', () => {
    const bench = new Bench({ activeBoot: 'b1', running: true });
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up' })] });
    expect(isProtected(bench.state, bench.now)).toBe(false);
    bench.peer({});
    expect(isProtected(bench.state, bench.now)).toBe(true);
    bench.peer({ data: 'resynchronising' });
    expect(isProtected(bench.state, bench.now)).toBe(false);
  });
});
