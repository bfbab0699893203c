import { expect, test } from 'vitest';
import type { Envelope, DatagramBody, Vote, VoteReply } from '../contract/index.ts';
import { ports } from '../contract/index.ts';
import { Conversation } from './conversation.ts';
import type { DatagramListener, OpenDatagramPort } from './datagram-port.ts';
import { openDatagram, sealDatagram, sealingKey } from './datagram-seal.ts';
import { HeartbeatSocket } from './heartbeat-socket.ts';

const key = sealingKey('cluster-1', 'x'.repeat(40));
const peerEndpoint = { address: '10.0.0.2', port: ports.heartbeat };

/** A node n1 of the session a2, whose peer n2 is a conversation in the hands of the test. */
class Bench {
  readonly votes: Vote[] = [];
  /** What the node said. */
  readonly said: Envelope[] = [];
  readonly peer = new Conversation({ cluster: key.cluster, name: 'n2', session: 'b1' }, 'n1');
  readonly socket: HeartbeatSocket;
  private deliver: DatagramListener = () => undefined;

  constructor() {
    const open: OpenDatagramPort = (_local, listener) => {
      this.deliver = listener;
      return {
        bound: true,
        send: (datagram) => {
          const opened = openDatagram(key, datagram);
          if (!('envelope' in opened)) return;
          this.said.push(opened.envelope);
          this.peer.receive(opened.envelope, 'lan', 0);
        },
        ensureBound: () => undefined,
        [Symbol.dispose]: () => undefined,
      };
    };
    const networks = [{ name: 'lan', ownAddress: '10.0.0.1', peerAddress: peerEndpoint.address }];
    this.socket = new HeartbeatSocket(
      { key, session: 'a2', node: 'n1', peer: 'n2', networks, witness: null },
      { heartbeat: () => undefined, vote: (_from, message) => this.votes.push(message), heard: () => undefined },
      open,
      () => 0,
    );
    this.socket.beat({ kind: 'heartbeat', agentVersion: '0', revision: 1, modules: [] }, false);
  }

  /** `together`: not said by earlier versions. */
  says(body: DatagramBody | null, together = true): void {
    this.deliver(
      sealDatagram(key, { ...this.peer.envelope('lan', body), ...(together ? {} : { together: undefined }) }),
      peerEndpoint,
    );
  }
}

function reply(number: number, session: string | undefined): VoteReply {
  return {
    kind: 'vote-reply',
    module: 'db',
    number,
    session,
    granted: true,
    stored: null,
    reason: 'granted',
    newest: null,
    holder: 'n1',
  };
}

test('a vote counts once, and none that is older than the last', () => {
  const bench = new Bench();
  for (const number of [1, 2, 2, 1, 3]) bench.says(reply(number, 'a2'));
  expect(bench.votes.map((vote) => vote.number)).toEqual([1, 2, 3]);
});

test('a late answer to a former life of this node does not silence those to this one', () => {
  const bench = new Bench();
  bench.says(reply(100_000, 'a1'));
  bench.says(reply(1, 'a2'));
  bench.says(reply(1, 'a2'));
  expect(bench.votes).toMatchObject([
    { number: 100_000, session: 'a1' },
    { number: 1, session: 'a2' },
  ]);
});

test('answers of an earlier version, which do not say whose request it was, are taken', () => {
  const bench = new Bench();
  for (const number of [1, 1, 2]) bench.says(reply(number, undefined));
  expect(bench.votes.map((vote) => vote.number)).toEqual([1, 2]);
});

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const release = (module: string): Vote => ({ kind: 'vote-release', module, number: 1, session: 'a2' });

test('votes of one turn leave together, to a peer that takes them so', async () => {
  const bench = new Bench();
  bench.says(null);
  bench.said.length = 0;
  for (const module of ['db', 'web']) bench.socket.send('peer', release(module));
  expect(bench.said).toEqual([]);
  await endOfTurn();
  expect(bench.said.map(({ body }) => body?.kind)).toEqual(['votes']);
});

test('a peer of an earlier version gets each vote by itself', async () => {
  const bench = new Bench();
  bench.says(null, false);
  bench.said.length = 0;
  for (const module of ['db', 'web']) bench.socket.send('peer', release(module));
  await endOfTurn();
  expect(bench.said.map(({ body }) => body)).toEqual([release('db'), release('web')]);
});

test('what is given back in the last turn leaves before the socket is closed', () => {
  const bench = new Bench();
  bench.says(null);
  bench.said.length = 0;
  bench.socket.send('peer', release('db'));
  bench.socket[Symbol.dispose]();
  expect(bench.said.map(({ body }) => body)).toEqual([release('db')]);
});

test('of votes that came together each counts once', () => {
  const bench = new Bench();
  const body: DatagramBody = {
    kind: 'votes',
    same: { ...release('db') },
    each: [{}, { module: 'web' }, { module: 7 }],
  };
  bench.says(body);
  bench.says(body);
  expect(bench.votes.map(({ module }) => module)).toEqual(['db', 'web']);
});
