import { expect, it } from 'vitest';
import type { Vote, VoteRequest } from '../contract/index.ts';
import { bodySchema } from '../contract/index.ts';
import { votesOf, votesTogether } from './votes-together.ts';

function request(index: number): VoteRequest {
  return {
    kind: 'vote-request',
    module: `module-${index}`,
    number: 1000 + index,
    session: '0123456789abcdef',
    leaseMs: 2000,
    generation: { number: 2, id: `2.server-one.${index}` },
    contacts: { [`${index}/0`]: 12 },
    pending: [],
    store: index % 3 === 0 ? { number: 3, id: 'three' } : null,
    order: false,
  };
}
const release = (module: string): Vote => ({ kind: 'vote-release', module, number: 1, session: 's' });

/** As it comes out of a datagram. */
function received(votes: readonly Vote[]): Vote[] {
  return votesTogether(votes).flatMap((body) => {
    const parsed = bodySchema.parse(JSON.parse(JSON.stringify(body)));
    return parsed.kind === 'heartbeat' ? [] : votesOf(parsed);
  });
}

it('brings every vote as it was, whatever its kind', () => {
  const votes = [request(0), release('a'), request(1), release('b'), request(2)];
  const sorted = (all: readonly Vote[]): string[] => all.map((vote) => `${vote.kind} ${vote.module}`).sort();
  expect(sorted(received(votes))).toEqual(sorted(votes));
  expect(received(votes)).toEqual(expect.arrayContaining(votes));
});

it('a vote alone is said as always', () => {
  expect(votesTogether([request(1)])).toEqual([request(1)]);
});

it('many fit few datagrams, each below the size of a frame', () => {
  const bodies = votesTogether(Array.from({ length: 128 }, (_, index) => request(index)));
  expect(bodies.length).toBeLessThan(24);
  for (const body of bodies) expect(JSON.stringify(body).length).toBeLessThan(1100);
});

it('one that cannot be read leaves the others', () => {
  const same = { kind: 'vote-release', number: 1, session: 's' };
  const body = { kind: 'votes' as const, same, each: [{ module: 'a' }, { module: 1 }, { module: 'b' }] };
  expect(votesOf(body).map(({ module }) => module)).toEqual(['a', 'b']);
});
