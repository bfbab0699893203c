import { describe, expect, it } from 'vitest';
import type { Generation, ModuleBeat, VolumeStatus, VoteRequest } from '../contract/index.ts';
import { Bench, generation, identity, promised, requestOfPeer, secondary, timing, volume } from './mirror-bench.ts';
import { beatOf, describeOwn, voteGivenTo } from './mirror.ts';
import { votesInWords } from './right.ts';
import { timingFor } from './timing.ts';
import { newVoter, vote } from './voter.ts';

describe('votes, promises and what the other one said', () => {
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

  it('forgets an order to promote when the other one turns out to run the application, though this node was secondary all the time', () => {
    const bench = secondary();
    bench.after(timing.detectionMs);
    bench.event({ type: 'command', command: { name: 'promote', orderedBy: 'Alice' } });
    bench.now += 1;
    bench.reply('witness', { granted: false, stored: null, reason: 'lease-held', holder: 'n2' });
    expect(bench.state.record.order).toEqual({ by: 'Alice' });
    for (let step = 0; step < 3; step += 1) {
      bench.after(500);
      bench.peer({ active: true, state: 'primary' });
    }
    expect(bench.state.phase.name).toBe('secondary');
    expect(bench.state.record.order).toBeNull();
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
    // Ordered on an older copy, and never carried out: the newer copy of the other one goes on.
    const promise = { ...wish, number: 5 };
    const behind = new Bench({ newest: promise, pending: [promise] });
    behind.event({ type: 'data', volumes: [volume()] });
    behind.after(timing.grantMs);
    const ahead = requestOfPeer({ generation: { number: 2, id: '2.n2.s' }, store: { number: 6, id: '6.n2.s' } });
    const given = behind.event({ type: 'vote-request', message: ahead });
    expect(given.find((action) => action.type === 'send')).toMatchObject({ message: { granted: true } });
    // A node that can start keeps what was promised to it.
    const able = new Bench({ newest: wish, pending: [wish] });
    able.event({ type: 'data', volumes: [volume()] });
    const refused = able.event({ type: 'vote-request', message: requestOfPeer({ store: newer }) });
    expect(refused.find((action) => action.type === 'send')).toMatchObject({ message: { granted: false } });
  });

  it('gives way from nothing of which one volume has already been written', () => {
    const wish = { number: 2, id: '2.n1.s1' };
    const written = { ...volume().record!, generation: wish, history: [generation.id] };
    const refuses = (change: Partial<VoteRequest>): void => {
      const half = new Bench({ startFailed: true, newest: wish, pending: [wish] });
      half.event({ type: 'data', volumes: [volume({ record: written }), volume({ id: 'db/1', path: '/data/log' })] });
      half.after(timing.grantMs);
      const said = half.event({ type: 'vote-request', message: requestOfPeer(change) });
      expect(said.find((action) => action.type === 'send')).toMatchObject({ message: { granted: false } });
    };
    const newer = { number: 3, id: '3.n2.s2' };
    refuses({ store: newer, pending: [newer] });
    refuses({ generation: { number: 2, id: '2.n2.s' }, store: newer, pending: [newer] });
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

  it('takes a newer generation where the other one holds this very copy and still votes for a former one of its own', () => {
    const former = { number: 2, id: '2.n2.x' };
    const ours = { number: 2, id: '2.n1.s0' };
    const record = { ...volume().record!, generation: ours, history: [generation.id] };
    const running = { activeBoot: 'b1', running: true, runningSinceMs: 7000, newest: ours };
    const synced = volume({ record, role: 'primary', mode: 'in-sync', link: 'up' });
    const renewing = (beat: Partial<ModuleBeat>, newest: Generation): Bench => {
      const bench = new Bench(running, { witness: false });
      bench.event({ type: 'data', volumes: [synced] });
      bench.ran();
      bench.peer({ generation: ours, data: 'stale', ...beat });
      bench.after(500);
      bench.reply('peer', { granted: false, stored: null, reason: 'older-generation', newest });
      return bench;
    };
    const bench = renewing({}, former);
    expect(bench.actions).toContainEqual({ type: 'go-alone', generation: { number: 3, id: '3.n1.s1' } });
    // Asked for once, although the answer stays in sight.
    bench.event({
      type: 'data',
      volumes: [{ ...synced, mode: 'alone', record: { ...record, generation: { number: 3, id: '3.n1.s1' } } }],
    });
    bench.after(500);
    expect(bench.state.goingAlone).toBeNull();
    // What the other one holds is not this copy, or is not all of it: somebody may still have what it votes for.
    expect(renewing({ generation: former }, former).state.goingAlone).toBeNull();
    expect(renewing({ copy: 'stale' }, former).state.goingAlone).toBeNull();
    expect(renewing({}, ours).state.goingAlone).toBeNull();
  });

  it('does not run a copy that was set back to an image: not alone, and not before one that has met more often', () => {
    const counted = (contacts: number): VolumeStatus => volume({ record: { ...volume().record!, contacts } });
    const bench = new Bench({ newest: generation });
    bench.event({ type: 'data', volumes: [counted(7)] });
    expect(bench.state.record.contacts).toEqual({ generation: 'first', counts: { u: 7 } });
    const restored = new Bench(bench.state.record);
    restored.event({ type: 'data', volumes: [counted(5)] });
    restored.after(timing.settleMs + 1);
    expect(restored.state.seek).toBeNull();
    expect(describeOwn(restored.state, restored.now)).toMatchObject({ data: 'stale', reason: 'copy-stale' });
    // Its memory went with the image: the other one's words tell.
    const whole = new Bench({}, { prefer: 'n1' });
    whole.event({ type: 'data', volumes: [counted(5)] });
    whole.after(timing.grantMs);
    whole.peer({ state: 'wait', contacts: { u: 7 } });
    expect(describeOwn(whole.state, whole.now)).toMatchObject({ reason: 'waiting-for-primary' });
    whole.after(1);
    whole.peer({ state: 'wait', contacts: { u: 6 } });
    expect(whole.state.seek?.purpose).toBe('start');
  });

  it('does not wait for one that gets no vote: it is behind what was heard of it, and this copy behind by less', () => {
    const heard = { generation: 'first', counts: { u: 8 } };
    const bench = new Bench({ newest: generation, contacts: heard, grantedMs: 0 }, { prefer: 'n2' });
    bench.event({ type: 'data', volumes: [volume({ record: { ...volume().record!, contacts: 7 } })] });
    bench.after(timing.grantMs);
    bench.peer({ state: 'wait', contacts: { u: 6 }, lastPrimary: true });
    expect(bench.state.seek?.purpose).toBe('start');
  });

  it('carries on what the other one gave up, so that the witness, which stored it, accepts this copy when that one dies', () => {
    const wish = { number: 2, id: '2.n1.s1' };
    const broken = new Bench({ startFailed: true, newest: wish, pending: [wish] });
    broken.event({ type: 'data', volumes: [volume()] });
    broken.after(timing.grantMs);
    const other = new Bench({}, { node: 'n2', peer: 'n1', session: 's2' });
    other.event({ type: 'data', volumes: [volume()] });
    other.after(timing.grantMs);
    other.peer({ ...beatOf(broken.state, broken.now), generation, unable: 'start-failed', committed: true });
    other.after(500);
    const store = { number: 3, id: '3.n2.s2' };
    const given = broken.event({ type: 'vote-request', message: requestOfPeer({ store, pending: [store] }) });
    const reply = given.flatMap((action) =>
      action.type === 'send' && action.message.kind === 'vote-reply' ? [action.message] : [],
    )[0];
    expect(reply).toMatchObject({ granted: true, givenUp: [wish] });
    other.reply('peer', { givenUp: reply?.givenUp });
    expect(other.state.record.pending).toContainEqual(wish);
    const asked = other
      .after(500)
      .flatMap((action) =>
        action.type === 'send' && action.message.kind === 'vote-request' ? [action.message] : [],
      )[0];
    if (asked === undefined) throw new Error('no vote was asked for');
    // It asked for one of the same number before it had heard of this one.
    const renumbered = { ...asked, store, pending: [...asked.pending, store] };
    const witness = vote(newVoter(wish, 0), 'n2', renumbered, 0, timing.grantMs);
    expect(witness.reply).toMatchObject({ granted: true });
    // Written: what was wished for before is over.
    other.event({ type: 'data', volumes: [volume({ record: { ...volume().record!, generation: store } })] });
    expect(other.state.record.pending).toEqual([]);
  });
});
