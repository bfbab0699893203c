/** `holdfast witness serve` as a process of its own, over real UDP on loopback, killed and started again. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Generation, DatagramBody, VoteReply } from '../../agent/contract/index.ts';
import type { DatagramPort, SealingKey } from '../../agent/network/index.ts';
import { Conversation, openDatagram, openUdpPort, sealDatagram, sealingKey } from '../../agent/network/index.ts';
import { until } from '../lab/process.ts';
import { agentMain } from './built-agent.ts';

const address = '127.0.0.1';
const leaseMs = 600;
const first: Generation = { number: 1, id: 'one' };
const second: Generation = { number: 2, id: 'two' };

let directory: string;
let witness: ChildProcess;
let port = 0;
let said = '';
let nodes: VotingNode[] = [];

/** A node's side of the conversation with the witness. */
class VotingNode {
  readonly replies: DatagramBody[] = [];
  private readonly conversation: Conversation;
  private readonly key: SealingKey;
  private readonly socket: DatagramPort;
  private number = 0;

  constructor(name: string, key: SealingKey) {
    this.key = key;
    this.conversation = new Conversation(
      { cluster: key.cluster, name, session: `${name} ${Math.random()}` },
      'witness',
    );
    this.socket = openUdpPort({ address, port: 0 }, (datagram) => {
      const opened = openDatagram(key, datagram);
      if ('refused' in opened) return;
      const verdict = this.conversation.receive(opened.envelope, 'lan', 0);
      if ('take' in verdict && verdict.take !== null) this.replies.push(verdict.take);
    });
    nodes.push(this);
  }

  send(body: DatagramBody | null): Buffer {
    const datagram = sealDatagram(this.key, this.conversation.envelope('lan', body));
    this.socket.send(datagram, { address, port });
    return datagram;
  }
  sendRaw(datagram: Buffer): void {
    this.socket.send(datagram, { address, port });
  }

  /** Asks until it is answered, as the node does at every heartbeat. */
  async ask(generation: Generation, store: Generation | null = null, module = 'db'): Promise<VoteReply> {
    return await until('the witness answers', 5000, async () => {
      const number = ++this.number;
      this.send({
        kind: 'vote-request',
        module,
        number,
        session: 's',
        leaseMs,
        generation,
        // As a node does: what an answer that came too late has stored already is its own wish.
        pending: store === null ? [] : [store],
        store,
        order: false,
      });
      await new Promise((resolve) => setTimeout(resolve, 30));
      return this.replies.find(
        (reply): reply is VoteReply =>
          reply.kind === 'vote-reply' && reply.module === module && reply.number === number,
      );
    });
  }
  release(): void {
    this.send({ kind: 'vote-release', module: 'db', number: ++this.number, session: 's' });
  }
  close(): void {
    this.socket[Symbol.dispose]();
  }
}

async function start(): Promise<void> {
  said = '';
  witness = spawn(
    process.execPath,
    [
      ...['--disable-warning=ExperimentalWarning', agentMain, 'witness', 'serve'],
      ...['--state', path.join(directory, 'state'), '--secrets', path.join(directory, 'secrets')],
      ...['--listen', `${address}:${port}`],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  witness.stdout!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until('the witness listens', 10_000, () => said.includes('listens on'));
}
async function kill(): Promise<void> {
  const ended = new Promise((resolve) => witness.once('exit', resolve));
  witness.kill('SIGKILL');
  await ended;
}

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-witness-'));
  port = 20_000 + (process.pid % 20_000);
  await mkdir(path.join(directory, 'secrets'));
  for (const cluster of ['a', 'b'])
    await writeFile(path.join(directory, 'secrets', `${cluster}.secret`), `secret of ${cluster} `.repeat(4));
  await start();
});
afterEach(async () => {
  for (const node of nodes) node.close();
  nodes = [];
  await kill();
  await rm(directory, { recursive: true });
});

const keyOf = (cluster: string): SealingKey => sealingKey(cluster, `secret of ${cluster} `.repeat(4));

test('grants to one, refuses the other until the grant has run out or was given back', async () => {
  const n1 = new VotingNode('n1', keyOf('a'));
  const n2 = new VotingNode('n2', keyOf('a'));
  expect(await n1.ask(first)).toMatchObject({ granted: true, holder: 'n1', session: 's' });
  expect(await n2.ask(first)).toMatchObject({ granted: false, reason: 'lease-held', holder: 'n1', session: 's' });
  n1.release();
  expect((await until('n2 gets it', 5000, async () => grantedOrNothing(await n2.ask(first)))).holder).toBe('n2');
  // n2 falls silent: after its lease and both clocks' errors the other one gets it.
  const reply = await until('n1 gets it back', 5000, async () => grantedOrNothing(await n1.ask(first)));
  expect(reply.holder).toBe('n1');
});

function grantedOrNothing(reply: VoteReply): VoteReply | undefined {
  return reply.granted ? reply : undefined;
}

test('clusters and modules are strangers to each other', async () => {
  const a = new VotingNode('n1', keyOf('a'));
  const b = new VotingNode('n2', keyOf('b'));
  expect((await a.ask(first)).granted).toBe(true);
  expect((await b.ask(first)).granted).toBe(true);
  expect((await b.ask(first, null, 'web')).granted).toBe(true);
});

test('what it has stored survives a kill; grants before it are honoured by being quiet', async () => {
  const n1 = new VotingNode('n1', keyOf('a'));
  expect(await n1.ask(first, second)).toMatchObject({ granted: true, stored: second });
  await kill();
  await start();
  const n2 = new VotingNode('n2', keyOf('a'));
  expect(await n2.ask(second)).toMatchObject({ granted: false, reason: 'just-started' });
  const reply = await until('it is quiet no more', 5000, async () => {
    const answer = await n2.ask(first);
    return answer.reason === 'just-started' ? undefined : answer;
  });
  expect(reply).toMatchObject({ granted: false, reason: 'older-generation', newest: second });
  expect(await n2.ask(second)).toMatchObject({ granted: true });
});

test('forged, foreign and replayed datagrams get no vote', async () => {
  const n1 = new VotingNode('n1', keyOf('a'));
  await n1.ask(first);
  const request: DatagramBody = {
    kind: 'vote-request',
    module: 'db',
    number: 99,
    session: 's',
    leaseMs,
    generation: second,
    pending: [],
    store: second,
    order: true,
  };
  const recorded = n1.send({ ...request, number: 100, generation: first, store: null, order: false });
  const forger = new VotingNode('n2', { ...keyOf('a'), secret: Buffer.alloc(32) });
  forger.send(null);
  forger.send(request);
  await kill();
  await start();
  // A recording of the witness's former life: no echo of its new session, no vote.
  n1.sendRaw(recorded);
  n1.sendRaw(recorded.subarray(0, 40));
  n1.sendRaw(Buffer.from('rubbish'));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(forger.replies).toEqual([]);
  expect(n1.replies.filter((reply) => reply.kind === 'vote-reply' && reply.number === 99)).toEqual([]);
  expect(await n1.ask(first)).toMatchObject({ newest: first });
});

test('a cluster that is added while it runs is served without a restart', async () => {
  const key = sealingKey('late', 'the secret of a late cluster, long enough');
  const n1 = new VotingNode('n1', key);
  n1.send(null);
  await writeFile(path.join(directory, 'secrets', 'late.secret'), 'the secret of a late cluster, long enough\n');
  expect((await n1.ask(first)).granted).toBe(true);
});
