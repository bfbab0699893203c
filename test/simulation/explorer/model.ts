/**
 * The cluster as the explorer sees it: two mirror machines and a witness's voter, all of production, between them what decides about
 * safety and nothing else. A world is a value: every move makes a new one that shares what did not change.
 */
import type { Generation, MessageBody, VolumeRecord, VolumeStatus } from '../../../agent/contract/index.ts';
import {
  freshRecord,
  newVoter,
  type MirrorIdentity,
  type MirrorState,
  type ModuleRecord,
  type PlanStep,
  type Timing,
  type VoterState,
} from '../../../agent/core/index.ts';
import { freshBlank, freshGood } from '../../../agent/replication/volume-lineage.ts';

/** Time is counted in heartbeats. */
export const tickMs = 1000;

/**
 * Clocks that are never more than one tick apart measure an interval with at most two ticks of difference, so a grant has to outlive the lease by
 * two: the least that arithmetic allows.
 */
export const timing: Timing = {
  heartbeatIntervalMs: tickMs,
  leaseMs: 2 * tickMs,
  grantMs: 4 * tickMs,
  detectionMs: 4 * tickMs,
  suspendedMaxMs: 4 * tickMs,
  settleMs: 5 * tickMs,
  reachFreshMs: 2 * tickMs,
  // Its volumes come back without their mounts.
  replicatorPatienceMs: 0,
};
const clockStartMs = 1000 * tickMs;

export type Side = 0 | 1;
export const sides: readonly Side[] = [0, 1];
export const nameOf = (side: Side): string => (side === 0 ? 'n1' : 'n2');
export const otherOf = (side: Side): Side => (side === 0 ? 1 : 0);
export type Address = Side | 'w';

export interface Message {
  readonly from: Address;
  readonly to: Address;
  readonly body: MessageBody;
}

export interface Plan {
  readonly id: number;
  readonly steps: readonly PlanStep[];
  readonly next: number;
  readonly failed: PlanStep['do'] | null;
  /** The other side has recorded the clean checkpoint, this one has not yet. */
  readonly agreed: number | null;
  readonly clean: boolean;
  readonly order: boolean;
}

/** One copy. Its bytes are a single bit: whether an acknowledged write is missing in it. */
export interface Volume {
  readonly alive: boolean;
  readonly record: VolumeRecord;
  readonly role: VolumeStatus['role'];
  readonly mode: VolumeStatus['mode'];
  readonly leaseMs: number;
  readonly fault: VolumeStatus['fault'];
  readonly linked: boolean;
  /** The link is gone and this primary has not noticed yet. */
  readonly losing: boolean;
  /** Of a resync. `shared`: as `none`, and the target had the source’s generation when it began. */
  readonly finish: 'none' | 'shared' | 'sent' | 'applied';
  readonly lacks: boolean;
  /** At the level `received`: acknowledged writes are in the memory of this server, and on its disk only by luck. */
  readonly inMemory: boolean;
}

export interface NodeModel {
  readonly side: Side;
  readonly powered: boolean;
  readonly boots: number;
  readonly sessions: number;
  /** CLOCK_BOOTTIME of this node. */
  readonly clockMs: number;
  readonly mirror: MirrorState | null;
  /** On disk. */
  readonly record: ModuleRecord;
  readonly kernelLeaseMs: number;
  readonly vip: boolean;
  readonly application: boolean;
  readonly plan: Plan | null;
  readonly volume: Volume;
  /** On its way to the replicator. */
  readonly allowedAlone: Generation | null;
  /** The volume has changed since the machine was told. */
  readonly untold: boolean;
  /** Its userland is stopped: clocks and the kernel's timers go on. Only where nobody is late for free. */
  readonly frozen: boolean;
  readonly tickDueMs: number;
  /** When the ping left that the ping witness may answer; null: none is under way. */
  readonly pingSentMs: number | null;
}

/** Who may decide beside the two: a witness that votes, an address that answers pings, or nobody; then with the policy for who is left alone. */
export type Third = 'witness' | 'nobody' | { readonly pings: 'prefer-one-copy' | 'prefer-availability' };

export interface WitnessModel {
  readonly clockMs: number;
  readonly voter: VoterState;
  readonly durable: Generation | null;
}

/**
 * How much of the disorder is free. `any`: every message may be lost and every machine may be late, at any time and for ever; a frozen node and a
 * cut cable are special cases of that. `named`: what is sent arrives within its tick and timers fire, unless a cut, a freeze or a stray was paid
 * for; fewer interleavings per tick, so more ticks.
 */
export type Disorder = 'any' | 'named';

/** What may still go wrong. */
export interface Budget {
  /** Power cuts, killed processes, restarted witness, also between any two actions of a machine. */
  readonly crashes: number;
  /** The replication link breaks although both ends live; in `named` disorder also: cables are cut until they are healed. */
  readonly cuts: number;
  /** A node stops being scheduled until it is thawed. */
  readonly freezes: number;
  /** A message is lost, is overtaken by younger ones of its kind, or arrives twice. */
  readonly strays: number;
  /** A clock gains or loses a tick on the others. */
  readonly drifts: number;
  /** Start and stop scripts that fail. */
  readonly failures: number;
  readonly orders: number;
}

export interface World {
  readonly nodes: readonly [NodeModel, NodeModel];
  readonly witness: WitnessModel;
  /** Youngest message of every kind on every path, by slot (see `slotOf`): what it replaces is lost. */
  readonly slots: readonly (Message | null)[];
  readonly stray: Message | null;
  readonly budget: Budget;
  readonly ticksLeft: number;
  readonly checkpoints: number;
  readonly third: Third;
  /** The level of the module; `durable` otherwise. */
  readonly received: boolean;
  /** What a machine is told by its own node reaches it at once, before anything else happens anywhere. */
  readonly prompt: boolean;
  readonly disorder: Disorder;
  /** Directed paths on which nothing arrives, by `pathOf`. */
  readonly severed: number;
}

const kinds: readonly MessageBody['kind'][] = ['heartbeat', 'vote-request', 'vote-reply', 'vote-release'];
const addresses: readonly Address[] = [0, 1, 'w'];
const slotCount = addresses.length * addresses.length * kinds.length;
export const noMessages: readonly null[] = Array.from({ length: slotCount }, () => null);

function pathOf(from: Address, to: Address): number {
  return addresses.indexOf(from) * addresses.length + addresses.indexOf(to);
}

export function bothWays(one: Address, other: Address): number {
  return (1 << pathOf(one, other)) | (1 << pathOf(other, one));
}

export function oneWay(from: Address, to: Address): number {
  return 1 << pathOf(from, to);
}

/** There and back. */
export function reachesThird(world: World, side: Side): boolean {
  return passes(world, side, 'w') && passes(world, 'w', side);
}

export function passes(world: World, from: Address, to: Address): boolean {
  return (world.severed & oneWay(from, to)) === 0;
}

export function slotOf(message: Message): number {
  const path = pathOf(message.from, message.to);
  return path * kinds.length + kinds.indexOf(message.body.kind);
}

export function identityOf(node: NodeModel, third: Third): MirrorIdentity {
  return {
    module: 'db',
    node: nameOf(node.side),
    peer: nameOf(otherOf(node.side)),
    prefer: null,
    failback: 'manual',
    dependsOn: [],
    witness: third === 'witness',
    withoutWitness: typeof third === 'object' ? third.pings : 'prefer-one-copy',
    pingWitness: typeof third === 'object' ? '10.0.0.1' : null,
    checkers: [],
    restartLimit: { count: 3, windowMs: 86_400_000 },
    timing,
    session: `s${String(node.sessions)}`,
    bootId: bootIdOf(node),
  };
}

export function bootIdOf(node: NodeModel): string {
  return `b${String(node.boots)}`;
}

export function statusOf(volume: Volume): VolumeStatus[] | null {
  if (!volume.alive) return null;
  const { record, role, mode, fault, linked, leaseMs } = volume;
  const status = {
    id: 'db/0',
    path: '/data/db',
    record,
    role,
    mode,
    link: linked ? 'up' : 'down',
    resync: null,
    fault,
  } as const;
  return [role === 'primary' ? { ...status, answersUntilMs: leaseMs } : status];
}

export function servesClients(node: NodeModel): boolean {
  return node.powered && node.application && node.vip && node.clockMs < node.kernelLeaseMs;
}

/** The application gets answers from its files, reads at least. */
export function answersApplication(node: NodeModel): boolean {
  const { volume } = node;
  return node.powered && volume.alive && volume.role === 'primary' && node.clockMs < volume.leaseMs;
}

/** Two bare servers that are off; n1 holds the data. */
export function bareCluster(budget: Budget, third: Third, received = false): World {
  const bare = (side: Side): NodeModel => ({
    side,
    powered: false,
    boots: 0,
    sessions: 0,
    clockMs: clockStartMs,
    mirror: null,
    record: { ...freshRecord(), wanted: 'started' },
    kernelLeaseMs: 0,
    vip: false,
    application: false,
    plan: null,
    volume: {
      alive: false,
      record: side === 0 ? freshGood('uuid', { number: 1, id: 'first' }) : freshBlank('uuid'),
      role: 'idle',
      mode: null,
      leaseMs: 0,
      fault: null,
      linked: false,
      losing: false,
      finish: 'none',
      lacks: side === 1,
      inMemory: false,
    },
    allowedAlone: null,
    untold: false,
    frozen: false,
    tickDueMs: 0,
    pingSentMs: null,
  });
  return {
    nodes: [bare(0), bare(1)],
    witness: { clockMs: clockStartMs, voter: newVoter(null, 0), durable: null },
    slots: noMessages,
    stray: null,
    budget,
    ticksLeft: 0,
    checkpoints: 0,
    third,
    received,
    prompt: true,
    disorder: 'any',
    severed: 0,
  };
}
