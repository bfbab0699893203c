/**
 * The node's voice: heartbeats and votes to the peer on every network of the cluster, votes to the witness. One socket per network,
 * bound to the node's own address on it and to nothing else.
 */
import type { Heartbeat, DatagramBody, Vote } from '../contract/index.ts';
import { ports } from '../contract/index.ts';
import { Conversation } from './conversation.ts';
import type { DatagramPort, Endpoint, OpenDatagramPort } from './datagram-port.ts';
import type { SealingKey } from './datagram-seal.ts';
import { openDatagram, sealDatagram } from './datagram-seal.ts';
import { fittingHeartbeat } from './heartbeat-size.ts';
import { VoteOutbox, votesOf, votesTogether } from './votes-together.ts';

export const witnessName = 'witness';

export interface HeartbeatNetwork {
  readonly name: string;
  readonly ownAddress: string;
  readonly peerAddress: string;
}
export interface HeartbeatConfiguration {
  readonly key: SealingKey;
  readonly session: string;
  readonly node: string;
  readonly peer: string;
  readonly networks: readonly HeartbeatNetwork[];
  readonly witness: Endpoint | null;
}
export interface HeartbeatListener {
  /** `order` grows with what the peer says: what came late by a slower network has a lower one. */
  heartbeat(network: string, message: Heartbeat, order: number): void;
  vote(from: 'peer' | 'witness', message: Vote): void;
  /** Anything authentic and fresh. */
  heard(from: 'peer' | 'witness', network: string): void;
}
/** Dropped datagrams, by cause. */
export interface DatagramCounters {
  unsealed: number;
  unreadable: number;
  notForUs: number;
  replayed: number;
  unprovenSession: number;
  notSent: number;
}
const counterOf = { 'not-for-us': 'notForUs', replayed: 'replayed', 'unproven-session': 'unprovenSession' } as const;

interface Line {
  readonly network: HeartbeatNetwork;
  readonly port: DatagramPort;
}

export class HeartbeatSocket implements Disposable {
  private said: Heartbeat | null = null;
  readonly counters: DatagramCounters = {
    unsealed: 0,
    unreadable: 0,
    notForUs: 0,
    replayed: 0,
    unprovenSession: 0,
    notSent: 0,
  };
  private readonly configuration: HeartbeatConfiguration;
  private readonly listener: HeartbeatListener;
  private readonly nowMs: () => number;
  private readonly lines: readonly Line[];
  private readonly peer: Conversation;
  private readonly witness: Conversation;
  private readonly outbox = {
    peer: new VoteOutbox((votes) => this.sendVotes(this.peer, votes, (body) => this.toPeer(body))),
    witness: new VoteOutbox((votes) => this.sendVotes(this.witness, votes, (body) => this.toWitness(body))),
  };
  /**
   * Highest number taken, by correspondent, session, kind, module and the session of the request: a vote travels on every network and
   * counts once, and a late one to a former life of this node must not silence those to this one.
   */
  private readonly taken = new Map<string, number>();

  constructor(
    configuration: HeartbeatConfiguration,
    listener: HeartbeatListener,
    open: OpenDatagramPort,
    nowMs: () => number,
  ) {
    this.configuration = configuration;
    this.listener = listener;
    this.nowMs = nowMs;
    const own = { cluster: configuration.key.cluster, name: configuration.node, session: configuration.session };
    this.peer = new Conversation(own, configuration.peer);
    this.witness = new Conversation(own, witnessName);
    this.lines = configuration.networks.map((network) => ({
      network,
      port: open({ address: network.ownAddress, port: ports.heartbeat }, (datagram, from) => {
        this.receive(network, datagram, from);
      }),
    }));
  }

  /** Once per interval, on every network. An empty word to the witness keeps its session known: at a failover there is no time to introduce oneself. */
  beat(message: Heartbeat, alsoWitness: boolean): void {
    for (const line of this.lines) line.port.ensureBound();
    this.said = fittingHeartbeat(message);
    this.toPeer(this.said);
    if (alsoWitness) this.toWitness(null);
  }

  /** The last heartbeat once more: of the four in an interval one arrives, also on a network that loses many. */
  repeat(): void {
    if (this.said !== null) this.toPeer(this.said);
  }

  /** At the end of this turn, with what else is said until then. */
  send(to: 'peer' | 'witness', message: Vote): void {
    this.outbox[to].add(message);
  }

  [Symbol.dispose](): void {
    for (const outbox of Object.values(this.outbox)) outbox.flush();
    for (const line of this.lines) line.port[Symbol.dispose]();
  }

  private sendVotes(to: Conversation, votes: readonly Vote[], say: (body: DatagramBody) => void): void {
    for (const body of to.takesTogether ? votesTogether(votes) : votes) say(body);
  }
  private toPeer(body: DatagramBody | null): void {
    for (const line of this.lines) this.post(line, this.peer, body, this.peerEndpoint(line));
  }
  private toWitness(body: DatagramBody | null): void {
    const endpoint = this.configuration.witness;
    if (endpoint !== null) for (const line of this.lines) this.post(line, this.witness, body, endpoint);
  }
  private peerEndpoint(line: Line): Endpoint {
    return { address: line.network.peerAddress, port: ports.heartbeat };
  }
  private post(line: Line, conversation: Conversation, body: DatagramBody | null, to: Endpoint): void {
    try {
      line.port.send(sealDatagram(this.configuration.key, conversation.envelope(line.network.name, body)), to);
    } catch {
      this.counters.notSent++;
    }
  }

  private receive(network: HeartbeatNetwork, datagram: Buffer, from: Endpoint): void {
    const opened = openDatagram(this.configuration.key, datagram);
    if ('refused' in opened) {
      this.counters[opened.refused]++;
      return;
    }
    const { envelope } = opened;
    const fromWitness = envelope.from === witnessName;
    const conversation = fromWitness ? this.witness : this.peer;
    const verdict = conversation.receive(envelope, network.name, this.nowMs());
    if (verdict.introduce) {
      const line = this.lines.find((one) => one.network === network);
      if (line) this.post(line, conversation, null, fromWitness ? from : this.peerEndpoint(line));
    }
    if ('drop' in verdict) {
      this.counters[counterOf[verdict.drop]]++;
      return;
    }
    const source = fromWitness ? 'witness' : 'peer';
    this.listener.heard(source, network.name);
    const body = verdict.take;
    if (body === null) return;
    if (body.kind === 'heartbeat') {
      if (source === 'peer') this.listener.heartbeat(network.name, body, verdict.order);
      return;
    }
    for (const vote of votesOf(body)) {
      const key = `${source} ${envelope.session} ${vote.kind} ${vote.module} ${vote.session ?? ''}`;
      if (vote.number <= (this.taken.get(key) ?? 0)) continue;
      this.remember(key, vote.number);
      this.listener.vote(source, vote);
    }
  }

  private remember(key: string, number: number): void {
    this.taken.set(key, number);
    // Former sessions leave their entries behind; the oldest go first.
    for (const oldest of this.taken.keys()) {
      if (this.taken.size <= 4096) break;
      this.taken.delete(oldest);
    }
  }
}
