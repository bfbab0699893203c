/**
 * Votes of many modules in few datagrams. What one turn of the event loop asks or answers leaves at its end; a vote that waits for a disk leaves with a later turn and holds
 * up no other. When a vote was asked for is noted before it comes here, so waiting only shortens what it is worth.
 */
import type { DatagramBody, Vote, Votes } from '../contract/index.ts';
import { voteSchema } from '../contract/index.ts';

/** With envelope, seal and headers below the 1500 bytes of a frame: a datagram in pieces is lost with any of them. */
const bytesMax = 1000;

/** As they are sent to somebody who takes them together: no datagram above `bytesMax`, unless a single vote is. */
export function votesTogether(votes: readonly Vote[]): DatagramBody[] {
  return [...Map.groupBy(votes, ({ kind }) => kind).values()].flatMap(ofOneKind);
}

/** Those that this version can read. */
export function votesOf(body: Vote | Votes): Vote[] {
  if (body.kind !== 'votes') return [body];
  return body.each.flatMap((own) => {
    const parsed = voteSchema.safeParse({ ...body.same, ...own });
    return parsed.success ? [parsed.data] : [];
  });
}

function ofOneKind(votes: readonly Vote[]): DatagramBody[] {
  const [first] = votes;
  if (first === undefined || votes.length === 1) return [...votes];
  const texts = votes.map((vote) => new Map(Object.entries(vote).map(([key, value]) => [key, JSON.stringify(value)])));
  const common = (key: string): boolean => {
    const text = texts[0]?.get(key);
    return text !== undefined && texts.every((one) => one.get(key) === text);
  };
  const sameKeys = new Set(Object.keys(first).filter(common));
  const pick = (vote: Vote, isSame: boolean): Record<string, unknown> =>
    Object.fromEntries(Object.entries(vote).filter(([key]) => sameKeys.has(key) === isSame));
  const same = pick(first, true);
  const sameBytes = Buffer.byteLength(JSON.stringify(same));
  const bodies: Votes[] = [];
  let roomBytes = 0;
  for (const vote of votes) {
    const own = pick(vote, false);
    const bytes = Buffer.byteLength(JSON.stringify(own)) + 1;
    if (bytes > roomBytes || bodies.length === 0) {
      bodies.push({ kind: 'votes', same, each: [] });
      roomBytes = bytesMax - sameBytes;
    }
    bodies.at(-1)?.each.push(own);
    roomBytes -= bytes;
  }
  return bodies;
}

/** Collects until the end of the turn. */
export class VoteOutbox {
  private waiting: Vote[] = [];
  private readonly post: (votes: readonly Vote[]) => void;

  constructor(post: (votes: readonly Vote[]) => void) {
    this.post = post;
  }

  add(vote: Vote): void {
    if (this.waiting.push(vote) === 1) setImmediate(() => this.flush());
  }

  /** At once. */
  flush(): void {
    const votes = this.waiting;
    this.waiting = [];
    if (votes.length > 0) this.post(votes);
  }
}
