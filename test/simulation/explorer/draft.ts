/** One move being made: the world is copied where it is touched, and every breach of an invariant ends the move. */
import type { VolumeRecord } from '../../../agent/contract/index.ts';
import type { MirrorAction, MirrorEvent } from '../../../agent/core/index.ts';
import { beatOf, initialMirror, release, stepMirror, vote, newVoter } from '../../../agent/core/index.ts';
import { sameGeneration } from '../../../agent/core/voter.ts';
import { orderBreach, type NodeFacts } from '../order-judge.ts';
import { goneAlone, heldInMemory } from '../../../agent/replication/volume-lineage.ts';
import {
  answersApplication,
  bootIdOf,
  identityOf,
  nameOf,
  noMessages,
  otherOf,
  passes,
  reachesThird,
  servesClients,
  sides,
  slotOf,
  statusOf,
  tickMs,
  timing,
  type Budget,
  type Message,
  type NodeModel,
  type Side,
  type Volume,
  type World,
} from './model.ts';

export class Breach extends Error {}

export type Crash = 'kill' | 'power-off';
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Draft {
  readonly world: Mutable<World>;
  private readonly before: World;
  /** What the machine said, for a readable trace. */
  readonly words: string[] = [];
  /** How many actions the last step of a machine asked for. */
  actionCount = 0;

  constructor(before: World) {
    this.before = before;
    this.world = { ...before };
  }

  spend(what: keyof Budget): void {
    this.world.budget = { ...this.world.budget, [what]: this.world.budget[what] - 1 };
  }

  node(side: Side): NodeModel {
    return this.world.nodes[side];
  }

  change(side: Side, change: Partial<NodeModel>): void {
    const [first, second] = this.world.nodes;
    this.world.nodes = side === 0 ? [{ ...first, ...change }, second] : [first, { ...second, ...change }];
  }

  /** The machine is told of it later, in a move of its own. */
  changeVolume(side: Side, change: Partial<Volume>): void {
    this.change(side, { volume: { ...this.node(side).volume, ...change }, untold: true });
  }

  post(message: Message): void {
    if (!passes(this.world, message.from, message.to)) return;
    const slots = [...this.world.slots];
    slots[slotOf(message)] = message;
    this.world.slots = slots;
  }

  take(message: Message): void {
    if (this.world.stray === message) {
      this.world.stray = null;
      return;
    }
    const slots = [...this.world.slots];
    slots[slotOf(message)] = null;
    this.world.slots = slots;
  }

  /** A datagram arrives within the tick in which it was sent, or is lost; later ones are strays. */
  passTick(): void {
    this.world.ticksLeft -= 1;
    if (this.world.disorder === 'any' && this.world.slots.some((message) => message !== null))
      this.world.slots = noMessages;
    for (const side of sides)
      if (this.node(side).pingSentMs !== null && !this.node(side).frozen) this.change(side, { pingSentMs: null });
  }

  deliver(message: Message, crash: { kind: Crash; after: number } | null): void {
    const { body, from, to } = message;
    if (to === 'w') {
      if (from !== 'w') this.toWitness(from, message);
      return;
    }
    if (body.kind === 'heartbeat')
      this.step(to, { type: 'heard', network: 'lan', beat: body.modules[0] ?? null, order: 0 }, crash);
    else if (body.kind === 'vote-request') this.step(to, { type: 'vote-request', message: body }, crash);
    else if (body.kind === 'vote-reply')
      this.step(to, { type: 'vote-reply', from: from === 'w' ? 'witness' : 'peer', message: body }, crash);
    else this.step(to, { type: 'vote-release', message: body }, crash);
  }

  /** The record of a vote is on disk before the answer leaves (agent/witness): one step here. */
  private toWitness(from: Side, message: Message): void {
    const { body } = message;
    const { witness } = this.world;
    if (body.kind === 'vote-request') {
      const result = vote(witness.voter, nameOf(from), body, witness.clockMs, timing.grantMs);
      const durable = result.persist ? result.state.newest : witness.durable;
      if (result.reply.granted && !sameGeneration(durable, result.state.newest))
        throw new Breach('order: the witness promised a generation that is not on its disk');
      this.world.witness = { ...witness, voter: result.state, durable };
      this.post({ from: 'w', to: from, body: result.reply });
    } else if (body.kind === 'vote-release')
      this.world.witness = { ...witness, voter: release(witness.voter, nameOf(from), body) };
  }

  /** What is under way on these paths is lost with them. */
  sever(paths: number): void {
    this.world.severed = paths;
    this.world.slots = this.world.slots.map((message) =>
      message !== null && passes(this.world, message.from, message.to) ? message : null,
    );
    for (const side of sides) if (!reachesThird(this.world, side)) this.change(side, { pingSentMs: null });
  }

  restartWitness(): void {
    const { witness } = this.world;
    this.world.witness = {
      ...witness,
      voter: newVoter(witness.durable, witness.clockMs + timing.grantMs, witness.voter.contacts),
    };
  }

  /** One event through the real machine, and its actions in order. `crash` ends the process after that many of them. */
  step(side: Side, event: MirrorEvent, crash: { kind: Crash; after: number } | null): void {
    const { mirror, clockMs } = this.node(side);
    if (mirror === null) return;
    const { state, actions } = stepMirror(mirror, { ...event, atMs: clockMs });
    this.change(side, { mirror: state });
    this.actionCount = actions.length;
    for (const [index, action] of actions.entries()) {
      if (crash !== null && index === crash.after) {
        this.crash(side, crash.kind);
        return;
      }
      this.execute(side, action);
    }
    if (event.type === 'tick') this.beat(side);
  }

  /** The answer to a ping arrives, within the tick in which it was asked for. */
  reach(side: Side): void {
    const { pingSentMs } = this.node(side);
    if (pingSentMs === null) return;
    this.change(side, { pingSentMs: null });
    this.step(side, { type: 'reached', sentMs: pingSentMs }, null);
  }

  private beat(side: Side): void {
    const { mirror, clockMs } = this.node(side);
    if (mirror === null) return;
    const body = {
      kind: 'heartbeat' as const,
      agentVersion: '0',
      revision: 1,
      modules: [beatOf(mirror, clockMs)],
    };
    this.post({ from: side, to: otherOf(side), body });
    const pings = typeof this.world.third === 'object' && reachesThird(this.world, side);
    this.change(side, { tickDueMs: clockMs + tickMs, pingSentMs: pings ? clockMs : null });
  }

  private execute(side: Side, action: MirrorAction): void {
    const node = this.node(side);
    const breach = orderBreach(this.factsOf(node), action);
    if (breach !== null) throw new Breach(breach);
    switch (action.type) {
      case 'persist':
        this.change(side, { record: action.record });
        break;
      case 'send':
        this.post({ from: side, to: action.to === 'witness' ? 'w' : otherOf(side), body: action.message });
        break;
      case 'extend-lease':
        this.change(side, {
          kernelLeaseMs: Math.max(node.kernelLeaseMs, action.deadlineMs),
          volume: { ...node.volume, leaseMs: Math.max(node.volume.leaseMs, action.deadlineMs) },
        });
        break;
      case 'cut-lease':
        this.change(side, { kernelLeaseMs: 0, volume: { ...node.volume, leaseMs: 0 } });
        break;
      case 'go-alone':
        this.change(side, { allowedAlone: action.generation });
        break;
      case 'run': {
        const mount = action.steps.find((one) => one.do === 'mount');
        this.change(side, {
          plan: {
            id: action.id,
            steps: action.steps,
            next: 0,
            failed: null,
            agreed: null,
            clean: false,
            order: mount?.order ?? false,
          },
        });
        break;
      }
      case 'emit':
        this.words.push(`${nameOf(side)}: ${action.event.message}`);
        break;
      case 'halt':
        throw new Breach(`${nameOf(side)} halts: ${action.because}`);
    }
  }

  require(holds: boolean, breach: string): void {
    if (!holds) throw new Breach(breach);
  }

  private factsOf(node: NodeModel): NodeFacts {
    const { side, record, application, vip, volume } = node;
    return {
      name: nameOf(side),
      record,
      bootId: bootIdOf(node),
      leased: node.clockMs < node.kernelLeaseMs,
      mayAnswer: (application || vip) && node.clockMs < node.kernelLeaseMs,
      idle: !application && !vip && volume.role !== 'primary',
      storedElsewhere:
        this.world.third === 'witness' ? [this.world.witness.durable, this.node(otherOf(side)).record.newest] : null,
    };
  }

  /** The replicator obeys the order some time later. */
  goAlone(side: Side): void {
    const { volume, allowedAlone: generation } = this.node(side);
    this.change(side, { allowedAlone: null });
    if (generation === null || !volume.alive || volume.role !== 'primary') return;
    if (volume.record.generation?.id !== generation.id) {
      this.breakLink(side);
      this.noticeLoss(side);
      const { record } = this.node(side).volume;
      this.changeVolume(side, { record: goneAlone(record, generation), inMemory: false });
    }
    if (this.node(side).volume.mode === 'undecided') this.changeVolume(side, { mode: 'alone' });
  }

  breakLink(side: Side): void {
    if (!this.node(side).volume.linked) return;
    for (const end of sides) {
      const primary = this.node(end).volume.role === 'primary';
      this.changeVolume(end, { linked: false, losing: primary });
    }
  }

  noticeLoss(side: Side): void {
    const { volume } = this.node(side);
    if (!volume.losing) return;
    const certain = volume.mode === 'resynchronising' && volume.finish === 'none';
    this.changeVolume(side, { losing: false, finish: 'none', mode: certain ? 'alone' : 'undecided' });
  }

  crash(side: Side, kind: Crash): void {
    if (kind === 'kill') {
      this.change(side, { mirror: null, plan: null, allowedAlone: null, pingSentMs: null });
      return;
    }
    this.loseMemory(side);
    this.endReplicator(side);
    this.change(side, {
      powered: false,
      mirror: null,
      plan: null,
      application: false,
      vip: false,
      kernelLeaseMs: 0,
      untold: false,
      frozen: false,
      allowedAlone: null,
      pingSentMs: null,
    });
  }

  /** What both had in memory only is given up when both have lost it, but for what was synced: that was the source's to keep. */
  private loseMemory(side: Side): void {
    const { volume } = this.node(side);
    if (!volume.inMemory) return;
    const other = otherOf(side);
    const bothLost = this.node(other).volume.lacks;
    const keeps = bothLost && volume.record.syncedHere === true;
    this.change(side, { volume: { ...volume, inMemory: false, lacks: !keeps } });
    if (bothLost) this.change(other, { volume: { ...this.node(other).volume, lacks: keeps } });
  }

  /** From this record on both are in sync. */
  together(side: Side, record: VolumeRecord): VolumeRecord {
    const node = this.node(side);
    const boot = this.world.received ? bootIdOf(node) : null;
    return heldInMemory(record, boot, node.volume.role === 'primary' ? 'source' : 'target');
  }

  endReplicator(side: Side): void {
    this.breakLink(side);
    this.changeVolume(side, { alive: false, role: 'idle', mode: null, leaseMs: 0, losing: false, finish: 'none' });
  }

  startReplicator(side: Side): void {
    this.changeVolume(side, { alive: true, fault: null });
  }

  startControlPlane(side: Side): void {
    const node = { ...this.node(side), sessions: this.node(side).sessions + 1 };
    const mirror = initialMirror(identityOf(node, this.world.third), node.record, node.clockMs);
    this.change(side, { sessions: node.sessions, mirror, untold: true, tickDueMs: node.clockMs });
  }

  powerOn(side: Side): void {
    this.change(side, { powered: true, boots: this.node(side).boots + 1 });
    this.startReplicator(side);
    this.startControlPlane(side);
  }

  tell(side: Side, crash: { kind: Crash; after: number } | null): void {
    this.change(side, { untold: false });
    this.step(side, { type: 'data', volumes: statusOf(this.node(side).volume) }, crash);
  }

  /** What every judge looks at after every move. The application writes whenever it may. */
  finish(): World {
    const { world } = this;
    const [first, second] = world.nodes;
    if (first === this.before.nodes[0] && second === this.before.nodes[1]) return world;
    if (servesClients(first) && servesClients(second)) throw new Breach('invariant 1: two primaries answer clients');
    if (answersApplication(first) && answersApplication(second))
      throw new Breach('invariant 1: two applications get answers from their files');
    for (const side of sides) this.write(side);
    return world;
  }

  private write(side: Side): void {
    const node = this.node(side);
    if (!node.application || !answersApplication(node)) return;
    if (this.world.received && node.volume.mode === 'in-sync' && node.volume.linked)
      for (const one of sides) {
        const { volume } = this.node(one);
        if (!volume.inMemory) this.change(one, { volume: { ...volume, inMemory: true } });
      }
    if (node.volume.mode !== 'alone') return;
    this.require(
      node.volume.record.peerStale,
      'invariant 2: a write is acknowledged before "peer is stale" is on disk',
    );
    const other = otherOf(side);
    if (!this.node(other).volume.lacks) this.change(other, { volume: { ...this.node(other).volume, lacks: true } });
  }
}
