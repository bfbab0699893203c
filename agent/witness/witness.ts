/**
 * The third vote. Believes nobody's clock: a grant runs on the witness's own, from the arrival of the request, for the lease
 * that was asked for plus both clocks' errors. Many clusters, one voter per module.
 */
import type { DatagramBody, Vote, VoteReply, VoteRequest } from '../contract/index.ts';
import type { VoterState } from '../core/index.ts';
import { leaseMsMax, newVoter, release, timingFor, vote } from '../core/index.ts';
import type { DatagramPort, Endpoint, OpenDatagramPort, SealingKey } from '../network/index.ts';
import {
  Conversation,
  keyIdOf,
  openDatagram,
  sealDatagram,
  VoteOutbox,
  votesOf,
  votesTogether,
  witnessName,
} from '../network/index.ts';
import type { Journal } from '../runtime/ports.ts';
import type { Secrets } from './secrets.ts';
import type { WitnessStore } from './witness-store.ts';

/** Clusters × nodes × networks of a large installation, and small enough to forget. */
const conversationsMax = 4096;
const modulesPerClusterMax = 512;

export interface WitnessPorts {
  readonly secrets: Secrets;
  readonly store: WitnessStore;
  readonly open: OpenDatagramPort;
  readonly nowMs: () => number;
  readonly session: string;
  readonly journal: Journal;
}

interface Ballot {
  readonly cluster: string;
  readonly module: string;
  voter: VoterState;
  leaseMs: number;
  /** By node. */
  readonly said: Map<string, string>;
  /** Votes of one module are cast one after the other: the record of one is on disk before the next is judged. */
  turn: Promise<void>;
}

export class Witness implements Disposable {
  private readonly ports: WitnessPorts;
  private readonly startedMs: number;
  private readonly ballots = new Map<string, Ballot>();
  private readonly conversations = new Map<string, Conversation>();
  private port: DatagramPort | null = null;
  readonly dropped = { unsealed: 0, refused: 0 };

  private constructor(ports: WitnessPorts) {
    this.ports = ports;
    this.startedMs = ports.nowMs();
  }

  static async start(ports: WitnessPorts, listen: Endpoint): Promise<Witness> {
    const witness = new Witness(ports);
    for (const { cluster, module, newest, contacts, leaseMs } of await ports.store.load()) {
      // What was granted before this start is forgotten: nothing is granted until the longest of it has run out.
      const voter = newVoter(newest, witness.startedMs + grantMsFor(leaseMs), contacts);
      witness.ballots.set(keyOf(cluster, module), witness.ballot(cluster, module, voter, leaseMs));
    }
    witness.port = ports.open(listen, (datagram, from) => {
      witness.receive(datagram, from);
    });
    return witness;
  }

  /** Called regularly: the address may come later than the process. */
  ensureBound(): boolean {
    this.port?.ensureBound();
    return this.port?.bound ?? false;
  }

  [Symbol.dispose](): void {
    this.port?.[Symbol.dispose]();
  }

  private ballot(cluster: string, module: string, voter: VoterState, leaseMs: number): Ballot {
    return { cluster, module, voter, leaseMs, said: new Map(), turn: Promise.resolve() };
  }

  private receive(datagram: Buffer, from: Endpoint): void {
    const keyId = keyIdOf(datagram);
    const key = keyId === null ? null : this.ports.secrets.find(keyId);
    const opened = key === null ? null : openDatagram(key, datagram);
    if (key === null || opened === null || 'refused' in opened) {
      this.dropped.unsealed++;
      return;
    }
    const { envelope } = opened;
    const conversation = this.conversation(key, envelope.from);
    const verdict = conversation.receive(envelope, envelope.network, this.ports.nowMs());
    if (verdict.introduce) this.answer(key, conversation, envelope.network, null, from);
    if ('drop' in verdict) {
      this.dropped.refused++;
      return;
    }
    const body = verdict.take;
    // An empty word asks whether anybody is here.
    if (body === null) {
      if (!verdict.introduce) this.answer(key, conversation, envelope.network, null, from);
    } else if (body.kind !== 'heartbeat') {
      const outbox = new VoteOutbox((answers) => {
        for (const answer of conversation.takesTogether ? votesTogether(answers) : answers)
          this.answer(key, conversation, envelope.network, answer, from);
      });
      for (const vote of votesOf(body)) this.inTurn(key.cluster, envelope.from, vote, (answer) => outbox.add(answer));
    }
  }

  private inTurn(cluster: string, node: string, body: Vote, reply: (answer: VoteReply) => void): void {
    if (body.kind === 'vote-reply') return;
    const ballot = this.find(cluster, body.module);
    if (ballot === null) return;
    ballot.turn = ballot.turn
      .then(() => {
        if (body.kind === 'vote-request') return this.cast(ballot, node, body, reply);
        ballot.voter = release(ballot.voter, node, body);
        this.say(ballot, node, `${node} gave its lease back.`);
        return undefined;
      })
      .catch((error: unknown) => {
        // Nothing was promised: the node asks again.
        this.ports.journal.error(
          `A vote could not be stored: ${error instanceof Error ? error.message : String(error)}`,
        );
      });
  }

  private async cast(
    ballot: Ballot,
    node: string,
    request: VoteRequest,
    reply: (answer: VoteReply) => void,
  ): Promise<void> {
    if (request.leaseMs > leaseMsMax || request.leaseMs <= 0) return;
    const result = vote(ballot.voter, node, request, this.ports.nowMs(), grantMsFor(request.leaseMs));
    const leaseMs = result.reply.granted ? Math.max(ballot.leaseMs, request.leaseMs) : ballot.leaseMs;
    if (result.persist || leaseMs !== ballot.leaseMs)
      await this.ports.store.save(ballot.cluster, ballot.module, { ...result.state, leaseMs });
    ballot.voter = result.state;
    ballot.leaseMs = leaseMs;
    reply(result.reply);
    const generation = result.reply.newest === null ? '' : `, generation ${result.reply.newest.number}`;
    this.say(
      ballot,
      node,
      result.reply.granted
        ? `granted to ${node}${generation}.`
        : `refused to ${node}: ${result.reply.reason}${generation}.`,
    );
  }

  /** Renewals come twice a second: only what differs from the last line is news. */
  private say(ballot: Ballot, node: string, what: string): void {
    if (ballot.said.get(node) === what) return;
    ballot.said.set(node, what);
    this.ports.journal.info(`${ballot.cluster} ${ballot.module}: ${what}`);
  }

  private find(cluster: string, module: string): Ballot | null {
    const key = keyOf(cluster, module);
    const known = this.ballots.get(key);
    if (known !== undefined) return known;
    const ofCluster = [...this.ballots.values()].filter((one) => one.cluster === cluster).length;
    if (ofCluster >= modulesPerClusterMax) return null;
    const ballot = this.ballot(cluster, module, newVoter(null, 0), 0);
    this.ballots.set(key, ballot);
    return ballot;
  }

  private conversation(key: SealingKey, node: string): Conversation {
    const name = keyOf(key.cluster, node);
    const known = this.conversations.get(name);
    if (known !== undefined) return known;
    const made = new Conversation({ cluster: key.cluster, name: witnessName, session: this.ports.session }, node);
    this.conversations.set(name, made);
    for (const oldest of this.conversations.keys()) {
      if (this.conversations.size <= conversationsMax) break;
      this.conversations.delete(oldest);
    }
    return made;
  }

  private answer(
    key: SealingKey,
    conversation: Conversation,
    network: string,
    body: DatagramBody | null,
    to: Endpoint,
  ): void {
    this.port?.send(sealDatagram(key, conversation.envelope(network, body)), to);
  }
}

/** How long a grant is honoured: the lease is two thirds of the detection time that belongs to it. */
function grantMsFor(leaseMs: number): number {
  return timingFor(Math.ceil((leaseMs * 3) / 2)).grantMs;
}

function keyOf(cluster: string, name: string): string {
  return `${cluster}\n${name}`;
}
