/** What must always hold, and what must hold in the end. The invariants are those of DESIGN §4. */
import type { EventDraft } from '../../agent/contract/index.ts';
import type { MirrorAction, MirrorEvent, MirrorState } from '../../agent/core/index.ts';
import { Breach } from './breach.ts';
import { Judge as CheckerJudge } from './checker-judge.ts';
import { DiskJudge } from './disk-judge.ts';
import { leaseBreach } from './lease-judge.ts';
import type { SimulatedNode } from './node.ts';
import { orderBreach } from './order-judge.ts';
import { PingJudge } from './ping-judge.ts';
import type { SimulatedWitness } from './witness.ts';
import type { World } from './world.ts';

export interface Judged {
  readonly world: World;
  readonly nodes: readonly [SimulatedNode, SimulatedNode];
  /** Null: there is none. */
  readonly witness: SimulatedWitness | null;
  /** The ping witness; null: there is none. */
  readonly router: SimulatedWitness | null;
  readonly restartLimit: number;
}

export class Judges {
  private acknowledged = new Set<number>();
  private readonly judged: Judged;
  readonly checkers: CheckerJudge;
  /** By node: what was in its memory when it lost its power last. */
  private readonly losses = new Map<string, ReadonlySet<number>>();
  private readonly pings: PingJudge | null;
  private readonly disks: DiskJudge;
  private lastServing: string | null = null;
  acknowledgedCount = 0;
  failovers = 0;
  /** A person has ordered the use of a copy: what it lacks is given up, and the copies may have forked. */
  ordered = false;
  /** Two may run: the policy says so, or a person has ordered it where nobody could know. */
  twoAllowed = false;

  constructor(judged: Judged) {
    this.judged = judged;
    this.checkers = new CheckerJudge(judged.restartLimit);
    const { world, nodes, router } = judged;
    this.disks = new DiskJudge(world, nodes);
    this.pings = router === null ? null : new PingJudge(world, nodes, router);
  }

  acknowledge(write: number): void {
    this.acknowledged.add(write);
    this.acknowledgedCount += 1;
  }

  /** Everything that was acknowledged, and not given up by an order, is in this copy. */
  isWhole(node: SimulatedNode): boolean {
    const data = new Set(node.replica.durable.data);
    return [...this.acknowledged].every((id) => data.has(id));
  }

  /**
   * What both had in memory only, and both have lost the memory: nobody has promised it any more, even where one disk has it by luck. What the other one still
   * has it has to give back, unless its disk has failed too: two losses at the level `received`.
   */
  powerLost(node: SimulatedNode): void {
    const other = this.peerOf(node).replica;
    const lost = this.losses.get(other.name) ?? new Set();
    const kept = new Set(node.replica.durable.data);
    const isLeft = this.peerOf(node).record.doubted !== null;
    for (const id of node.replica.unsynced)
      if (lost.has(id) || !other.durable.data.includes(id) || (isLeft && !kept.has(id))) this.acknowledged.delete(id);
    this.losses.set(node.name, new Set(node.replica.unsynced));
  }

  /** How much of what was acknowledged is in this copy. */
  worthOf(node: SimulatedNode): number {
    return node.replica.durable.data.filter((id) => this.acknowledged.has(id)).length;
  }

  private peerOf(node: SimulatedNode): SimulatedNode {
    const [first, second] = this.judged.nodes;
    return node === first ? second : first;
  }

  beforeAction(node: SimulatedNode, action: MirrorAction): void {
    const { witness, world } = this.judged;
    const peer = this.peerOf(node);
    const stored = witness === null ? null : [witness.durable, peer.record.newest];
    const breach =
      orderBreach(node.facts(stored), action) ??
      (action.type === 'extend-lease' && witness !== null
        ? leaseBreach(world, node, peer, witness, action.deadlineMs)
        : null) ??
      this.pings?.breach(node, action) ??
      this.disks.breach(node, action) ??
      null;
    if (breach !== null) throw new Breach(breach);
    if (action.type === 'run' && action.steps.some((step) => step.do === 'mount' && step.order)) this.orderObeyed(node);
  }

  /** Of two versions this one goes on. */
  chosen(node: SimulatedNode): void {
    this.orderObeyed(node);
  }

  /** From here on its copy is the data: what it lacks was given up by a person, even if the application does not start. */
  private orderObeyed(node: SimulatedNode): void {
    this.ordered = true;
    const data = new Set(node.replica.durable.data);
    this.acknowledged = new Set([...this.acknowledged].filter((id) => data.has(id)));
  }

  told(node: SimulatedNode, event: EventDraft): void {
    const breach = this.checkers.told(node.name, node.record.maintenance, event);
    if (breach !== null) throw new Breach(breach);
    if (event.code === 'start-failed' && node.endedByLoss && event.evidence['losses'] === undefined)
      throw new Breach(`calm: the end of ${node.name}'s replicator counts against the application`);
    this.disks.told(node, event);
    if (event.code === 'disk-failover') this.copyIsWhole(this.peerOf(node), 'is said to have everything');
    if (event.code === 'resumed') node.resumes = false;
    if (event.code === 'became-secondary' && node.record.order !== null)
      throw new Breach(`invariant 3: an order to promote outlives its end on ${node.name}`);
    if (event.code === 'becomes-primary' && event.evidence['purpose'] === 'takeover' && node.record.maintenance)
      throw new Breach(`H5: ${node.name} takes over in maintenance`);
    if (event.code !== 'fenced') return;
    const { reason } = event.evidence;
    const forNothing = reason === 'restarted' || reason === 'leftover-mount';
    if (node.resumes && forNothing && node.replica.alive && node.replica.role === 'primary')
      throw new Breach(`calm: the restart of ${node.name}'s control plane ends a running application`);
    node.resumes = false;
  }

  stepped(node: SimulatedNode, before: MirrorState | null, after: MirrorState | null, event: MirrorEvent | null): void {
    if (after === null) return;
    const { session } = after.identity;
    const counted = Object.values(after.ballots).map(({ reply }) => reply);
    if (event?.type === 'vote-reply' && event.message.session !== session && counted.includes(event.message))
      throw new Breach(`lease: ${node.name} counts an answer that was given to its former life`);
    const now = node.localNow();
    if (before === null) {
      const given = node.lastVoter?.grant ?? null;
      const kept = after.voter.grant?.untilMs ?? 0;
      if (given !== null && given.untilMs > now && kept < given.untilMs - 1 && !after.resuming)
        throw new Breach(`lease: ${node.name} forgets in a restart whom it has given its vote`);
    } else if (after.beatOrder < before.beatOrder)
      throw new Breach(`order: ${node.name} believes what ${node.identity.peer} said before`);
    const served = after.phase.name === 'secondary' && after.seek === null && event?.type === 'heard';
    if (served && after.beat?.state === 'primary' && after.record.order !== null)
      throw new Breach(`invariant 3: an order to promote ${node.name} outlives the return of ${node.identity.peer}`);
  }

  afterStep(): void {
    this.pings?.look();
    const stays = this.disks.look();
    if (stays !== null) throw new Breach(stays);
    const { nodes, world } = this.judged;
    const [first, second] = nodes;
    if (first.serving() && second.serving() && couldAnswer(first) && couldAnswer(second) && !this.twoAllowed)
      throw new Breach(`invariant 1: two primaries at ${world.nowMs.toFixed(0)} ms`);
    for (const node of nodes) {
      if (node.serving() && this.lastServing !== node.name) {
        if (this.lastServing !== null) this.failovers += 1;
        this.lastServing = node.name;
      }
      if (node.replica.fault?.code === 'forked' && !this.ordered && !this.twoAllowed)
        throw new Breach('invariant 3: the copies have forked, and nobody has ordered anything');
    }
  }

  /** Invariants 2 and 3: whatever was acknowledged is in the copy that the application gets. */
  applicationStarted(node: SimulatedNode): void {
    this.copyIsWhole(node, 'starts the application');
  }

  private copyIsWhole(node: SimulatedNode, when: string): void {
    if (this.twoAllowed) return;
    const data = new Set(node.replica.durable.data);
    for (const id of this.acknowledged)
      if (!data.has(id)) throw new Breach(`invariant 2: ${node.name} ${when} without acknowledged write ${String(id)}`);
  }

  /** @param healMs since the last fault. */
  atTheEnd(healMs: number): void {
    const { nodes } = this.judged;
    if (!nodes.every((node) => node.protected())) {
      const stands = nodes.map((node) => `${node.name} ${node.describe()}`).join(', ');
      throw new Breach(`liveness: not protected ${String(healMs / 1000)} s after the last fault: ${stands}`);
    }
    for (const node of nodes) {
      this.copyIsWhole(node, 'ends');
      if (node.application && node.crashed)
        throw new Breach(`liveness: the application of ${node.name} has crashed, and its checker did nothing about it`);
    }
    // Invariant 7: the client has ended some seconds ago, what was under way has arrived.
    const [one, other] = nodes.map((node) => [...node.replica.durable.data].sort((a, b) => a - b).join());
    if (one !== other) throw new Breach('invariant 7: the two copies differ although both are called up to date');
  }
}

function couldAnswer(node: SimulatedNode): boolean {
  return node.replica.role === 'primary' && node.localNow() < node.replica.leaseUntilMs;
}
