import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Generation, VoteRequest } from '../contract/index.ts';
import { timingFor } from './timing.ts';
import { holderOf, newVoter, release, vote, type VoterState } from './voter.ts';

const first: Generation = { number: 1, id: 'first' };
const second: Generation = { number: 2, id: '2.n1' };
const grantMs = 2100;

function request(change: Partial<VoteRequest> = {}): VoteRequest {
  return {
    kind: 'vote-request',
    module: 'db',
    number: 1,
    session: 's',
    leaseMs: 2000,
    generation: first,
    pending: [],
    store: null,
    order: false,
    ...change,
  };
}

describe('a vote', () => {
  it('is exclusive until it has run out', () => {
    const granted = vote(newVoter(null, 0), 'n1', request(), 1000, grantMs).state;
    expect(vote(granted, 'n2', request(), 3099, grantMs).reply).toMatchObject({
      granted: false,
      reason: 'lease-held',
      holder: 'n1',
    });
    expect(vote(granted, 'n2', request(), 3100, grantMs).reply.granted).toBe(true);
  });

  it('is not given to a copy of the same generation that was set back to an image, except by order', () => {
    const known = vote(newVoter(first, 0), 'n1', request({ contacts: { u: 7 } }), 0, grantMs);
    expect(known).toMatchObject({ persist: true, state: { contacts: { generation: 'first', counts: { u: 7 } } } });
    const free = release(known.state, 'n1', { kind: 'vote-release', module: 'db', number: 1, session: 's' });
    const asked = (change: Partial<VoteRequest>): string => vote(free, 'n2', request(change), 0, grantMs).reply.reason;
    expect(asked({ contacts: { u: 5, v: 9 } })).toBe('older-generation');
    // A contact that was cut short, a copy that does not count, a generation that is newer.
    for (const contacts of [{ u: 6, v: 9 }, {}, { v: 2 }, { u: 8, v: 0 }]) expect(asked({ contacts })).toBe('granted');
    expect(asked({})).toBe('granted');
    expect(asked({ contacts: { u: 0 }, generation: second })).toBe('granted');
    expect(asked({ contacts: { u: 5 }, order: true })).toBe('granted');
    const renewed = vote(known.state, 'n1', request({ contacts: { u: 6 } }), 0, grantMs);
    expect(renewed).toMatchObject({ persist: false, state: { contacts: { counts: { u: 7 } } } });
  });

  it('is not ended by a release that was sent before it, also where a slower network repeats a request from before that', () => {
    const granted = vote(newVoter(first, 0), 'n1', request({ number: 10 }), 0, grantMs).state;
    const repeated = vote(granted, 'n1', request({ number: 8 }), 1, grantMs).state;
    const late = { kind: 'vote-release', module: 'db', number: 9, session: 's' } as const;
    expect(holderOf(release(repeated, 'n1', late), 2)).toBe('n1');
    expect(holderOf(release(repeated, 'n1', { ...late, number: 11 }), 2)).toBeNull();
    // Numbers begin anew with every process.
    const anew = vote(granted, 'n1', request({ number: 1, session: 't' }), 1, grantMs).state;
    expect(holderOf(release(anew, 'n1', { ...late, number: 2, session: 't' }), 2)).toBeNull();
  });

  it('says to whose request it belongs: numbers begin anew with every process', () => {
    const granted = vote(newVoter(null, 0), 'n1', request({ session: 'a1' }), 1000, grantMs);
    expect(granted.reply).toMatchObject({ granted: true, session: 'a1' });
    const refused = vote(granted.state, 'n2', request({ session: 'b1' }), 1001, grantMs);
    expect(refused.reply).toMatchObject({ granted: false, session: 'b1' });
  });

  it('is silent after a restart for as long as a forgotten grant may run', () => {
    expect(vote(newVoter(first, 5000), 'n1', request(), 4999, grantMs).reply.reason).toBe('just-started');
    expect(vote(newVoter(first, 5000), 'n1', request(), 5000, grantMs).reply.granted).toBe(true);
  });

  it('stores the newest generation before it confirms it, and refuses older copies for ever', () => {
    const stored = vote(newVoter(first, 0), 'n1', request({ store: second }), 0, grantMs);
    expect(stored).toMatchObject({ persist: true, reply: { granted: true, stored: second } });
    expect(vote(stored.state, 'n2', request(), 1e6, grantMs).reply).toMatchObject({
      granted: false,
      reason: 'older-generation',
      newest: second,
    });
  });

  it('accepts the copy for which it stored a wish that was never written', () => {
    const { state } = vote(newVoter(first, 0), 'n1', request({ store: second }), 0, grantMs);
    expect(vote(state, 'n1', request({ pending: [second] }), 1e6, grantMs).reply.granted).toBe(true);
    expect(vote(state, 'n1', request({ pending: [{ number: 2, id: '2.n2' }] }), 1e6, grantMs).reply.granted).toBe(
      false,
    );
  });

  it('lets a person override the age of a copy, never a running lease, and only towards a newer generation', () => {
    const newest: Generation = { number: 5, id: '5.n1' };
    const held = vote(newVoter(newest, 0), 'n1', request({ generation: newest }), 0, grantMs).state;
    expect(
      vote(held, 'n2', request({ order: true, store: { number: 6, id: '6.n2' } }), 100, grantMs).reply.reason,
    ).toBe('lease-held');
    expect(
      vote(held, 'n2', request({ order: true, store: { number: 4, id: '4.n2' } }), 1e6, grantMs).reply.granted,
    ).toBe(false);
    expect(
      vote(held, 'n2', request({ order: true, store: { number: 6, id: '6.n2' } }), 1e6, grantMs).reply.granted,
    ).toBe(true);
  });

  it('is given back only by a release that was sent after the request', () => {
    const { state } = vote(newVoter(null, 0), 'n1', request({ number: 7 }), 0, grantMs);
    const message = { kind: 'vote-release', module: 'db', session: 's', number: 8 } as const;
    expect(holderOf(release(state, 'n1', { ...message, number: 6 }), 1)).toBe('n1');
    expect(holderOf(release(state, 'n1', { ...message, session: 'older' }), 1)).toBe('n1');
    expect(holderOf(release(state, 'n2', message), 1)).toBe('n1');
    expect(holderOf(release(state, 'n1', message), 1)).toBeNull();
  });

  it('never has two holders, whatever is asked, and never forgets the newest generation', () => {
    const asked = fc.record({
      from: fc.constantFrom('n1', 'n2'),
      afterMs: fc.integer({ min: 0, max: 3000 }),
      generation: fc.integer({ min: 1, max: 6 }),
      store: fc.option(fc.integer({ min: 1, max: 8 })),
      order: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 40 }), (requests) => {
        let voter: VoterState = newVoter(null, 0);
        let now = 0;
        const ends = new Map<string, number>();
        for (const one of requests) {
          now += one.afterMs;
          const before = voter.newest;
          const step = vote(
            voter,
            one.from,
            request({
              generation: { number: one.generation, id: String(one.generation) },
              store: one.store === null ? null : { number: one.store, id: `${String(one.store)}.${one.from}` },
              order: one.order,
            }),
            now,
            grantMs,
          );
          voter = step.state;
          expect(voter.newest?.number ?? 0).toBeGreaterThanOrEqual(before?.number ?? 0);
          if (!step.reply.granted) continue;
          for (const [holder, endMs] of ends) if (holder !== one.from) expect(endMs).toBeLessThanOrEqual(now);
          ends.set(one.from, now + grantMs);
        }
      }),
    );
  });
});

describe('timing', () => {
  it.each([0.001, 0.1])(
    'a voter keeps a grant longer than its holder counts, with clocks off by %d in opposite directions',
    (rateError) => {
      for (const detectionMs of [1000, 3000, 60_000]) {
        const timing = timingFor(detectionMs, rateError);
        // The slowest holder's lease in true time against the fastest voter's grant.
        expect(timing.grantMs / (1 + rateError)).toBeGreaterThan(timing.leaseMs / (1 - rateError));
        if (rateError < 0.01) expect(timing.grantMs).toBeLessThan(detectionMs);
      }
    },
  );
});
