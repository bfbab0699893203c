/** Everything that can happen next in a world, and what it makes of it. Whatever is not in this list cannot happen in the model. */
import type { MirrorCommand } from '../../../agent/core/index.ts';
import { contactFault, decideContact } from '../../../agent/replication/contact.ts';
import {
  checkpointed,
  connectedClean,
  contactSettled,
  contactsOfSource,
  contactsOfTarget,
  inContact,
  resyncedSource,
  resyncedTarget,
  resyncSource,
  resyncTarget,
  shareGeneration,
} from '../../../agent/replication/volume-lineage.ts';
import { Draft, type Crash } from './draft.ts';
import {
  nameOf,
  otherOf,
  passes,
  tickMs,
  type Address,
  type Message,
  type NodeModel,
  type Plan,
  type Side,
  type World,
} from './model.ts';

export type OrderName = 'start' | 'stop' | 'restart' | 'swap' | 'promote' | 'maintenance-on' | 'maintenance-off';

/** What a machine takes from outside: each may end in a crash between two of its actions. */
type Input =
  | { readonly do: 'deliver'; readonly message: Message; readonly keep: boolean }
  | { readonly do: 'tick' | 'tell' | 'ran'; readonly side: Side }
  | { readonly do: 'order'; readonly side: Side; readonly order: OrderName };

export type Move =
  | (Input & { readonly crash: { readonly kind: Crash; readonly after: number } | null })
  | { readonly do: 'time' }
  | { readonly do: 'gain' | 'lose'; readonly clock: Address }
  | { readonly do: 'delay' | 'drop'; readonly message: Message }
  | { readonly do: 'sever'; readonly paths: number }
  | { readonly do: 'heal' }
  | { readonly do: 'plan'; readonly side: Side; readonly fails: boolean }
  | {
      readonly do:
        | 'reach'
        | 'connect'
        | 'cut'
        | 'notice'
        | 'go-alone'
        | 'finish-sent'
        | 'finish-applied'
        | 'finish-acknowledged'
        | 'freeze'
        | 'thaw'
        | 'power-on'
        | 'power-off'
        | 'kill'
        | 'restart'
        | 'kill-replicator'
        | 'restart-replicator';
      readonly side: Side;
    }
  | { readonly do: 'restart-witness' };

export interface Made {
  readonly world: World;
  readonly words: readonly string[];
  /** How many actions the machine asked for: a crash may fall between any two. */
  readonly actionCount: number;
}

/** Throws `Breach` when an invariant is broken on the way or afterwards. */
export function apply(before: World, move: Move): Made {
  const draft = new Draft(before);
  make(draft, move);
  return { world: draft.finish(), words: draft.words, actionCount: draft.actionCount };
}

function make(draft: Draft, move: Move): void {
  switch (move.do) {
    case 'deliver':
    case 'tick':
    case 'tell':
    case 'ran':
    case 'order':
      input(draft, move);
      break;
    case 'time':
      draft.passTick();
      for (const clock of [0, 1, 'w'] as const) advance(draft, clock);
      break;
    case 'gain':
      draft.spend('drifts');
      advance(draft, move.clock);
      break;
    case 'lose':
      draft.spend('drifts');
      draft.passTick();
      for (const clock of [0, 1, 'w'] as const) if (clock !== move.clock) advance(draft, clock);
      break;
    case 'delay':
      draft.spend('strays');
      draft.take(move.message);
      draft.world.stray = move.message;
      break;
    case 'drop':
      draft.spend('strays');
      draft.take(move.message);
      break;
    case 'sever':
      draft.spend('cuts');
      draft.sever(move.paths);
      break;
    case 'heal':
      draft.world.severed = 0;
      break;
    case 'freeze':
      draft.spend('freezes');
      draft.change(move.side, { frozen: true });
      break;
    case 'thaw':
      draft.change(move.side, { frozen: false });
      break;
    case 'plan':
      planStep(draft, move.side, move.fails);
      break;
    case 'reach':
      draft.reach(move.side);
      break;
    case 'connect':
      connect(draft, move.side);
      break;
    case 'cut':
      if (passes(draft.world, 0, 1) && passes(draft.world, 1, 0)) draft.spend('cuts');
      draft.breakLink(move.side);
      break;
    case 'notice':
      draft.noticeLoss(move.side);
      break;
    case 'go-alone':
      draft.goAlone(move.side);
      break;
    case 'finish-sent':
      draft.changeVolume(move.side, { finish: 'sent' });
      break;
    case 'finish-applied': {
      const source = draft.node(move.side).volume;
      const target = otherOf(move.side);
      const { record } = draft.node(target).volume;
      const resynced = draft.together(target, resyncedTarget(record, source.record));
      draft.changeVolume(target, { record: resynced, lacks: source.lacks, inMemory: false });
      draft.changeVolume(move.side, { finish: 'applied' });
      break;
    }
    case 'finish-acknowledged': {
      const { record } = draft.node(move.side).volume;
      const resynced = draft.together(move.side, resyncedSource(record));
      draft.changeVolume(move.side, { record: resynced, finish: 'none', mode: 'in-sync' });
      break;
    }
    case 'power-on':
      draft.powerOn(move.side);
      break;
    case 'power-off':
    case 'kill':
      draft.spend('crashes');
      draft.crash(move.side, move.do);
      break;
    case 'restart':
      draft.startControlPlane(move.side);
      break;
    case 'kill-replicator':
      draft.spend('crashes');
      draft.endReplicator(move.side);
      break;
    case 'restart-replicator':
      draft.startReplicator(move.side);
      break;
    case 'restart-witness':
      draft.spend('crashes');
      draft.restartWitness();
      break;
  }
}

function input(draft: Draft, move: Input & { crash: { kind: Crash; after: number } | null }): void {
  const { crash } = move;
  if (crash !== null) draft.spend('crashes');
  switch (move.do) {
    case 'deliver':
      draft.take(move.message);
      if (move.keep) {
        draft.spend('strays');
        draft.world.stray = move.message;
      }
      draft.deliver(move.message, crash);
      break;
    case 'tick':
      draft.step(move.side, { type: 'tick' }, crash);
      break;
    case 'tell':
      draft.tell(move.side, crash);
      break;
    case 'ran': {
      const { plan } = draft.node(move.side);
      if (plan === null) return;
      draft.change(move.side, { plan: null });
      const fault = { code: 'failed', message: `${String(plan.failed)} failed`, remedy: '', details: {} };
      const failed = plan.failed === null ? null : { step: plan.failed, fault };
      draft.step(move.side, { type: 'ran', id: plan.id, clean: plan.clean, failed }, crash);
      break;
    }
    case 'order':
      draft.spend('orders');
      draft.step(move.side, { type: 'command', command: commandOf(move.order) }, crash);
      break;
  }
}

function commandOf(order: OrderName): MirrorCommand {
  if (order === 'promote') return { name: 'promote', orderedBy: 'person' };
  if (order === 'maintenance-on' || order === 'maintenance-off')
    return { name: 'maintenance', on: order === 'maintenance-on' };
  return { name: order };
}

function advance(draft: Draft, clock: Address): void {
  const { witness } = draft.world;
  if (clock === 'w') draft.world.witness = { ...witness, clockMs: witness.clockMs + tickMs };
  else draft.change(clock, { clockMs: draft.node(clock).clockMs + tickMs });
}

function connect(draft: Draft, side: Side): void {
  const other = otherOf(side);
  const own = draft.node(side).volume.record;
  const theirs = draft.node(other).volume.record;
  const verdict = decideContact(own, theirs);
  if (verdict.kind === 'refused') {
    draft.changeVolume(side, { fault: contactFault(verdict.code, 'db/0', nameOf(other)) });
    draft.changeVolume(other, { fault: contactFault(verdict.code, 'db/0', nameOf(side)) });
    return;
  }
  const linked = { linked: true, fault: null } as const;
  const [met, metTarget] = [
    inContact(own, contactsOfSource(own, theirs)),
    inContact(theirs, contactsOfTarget(own, theirs)),
  ];
  if (verdict.kind === 'in-sync') {
    draft.changeVolume(other, { ...linked, record: draft.together(other, connectedClean(metTarget)) });
    draft.changeVolume(side, { ...linked, record: draft.together(side, connectedClean(met)), mode: 'in-sync' });
    return;
  }
  // From the first byte on this copy is a mixture.
  draft.changeVolume(other, { ...linked, record: resyncTarget(metTarget), lacks: true });
  const finish = shareGeneration(own, theirs) ? 'shared' : 'none';
  draft.changeVolume(side, { ...linked, record: resyncSource(met), mode: 'resynchronising', finish, inMemory: false });
}

function planStep(draft: Draft, side: Side, fails: boolean): void {
  const { plan } = draft.node(side);
  const step = plan?.steps[plan.next];
  if (plan === null || step === undefined) return;
  if (fails) {
    draft.spend('failures');
    if (step.do === 'script' && step.script === 'stop') draft.change(side, { application: false });
    draft.change(side, { plan: ended(plan, step.do) });
    return;
  }
  const done = perform(draft, side, plan);
  draft.change(side, { plan: done });
}

function ended(plan: Plan, failed: Plan['failed']): Plan {
  return { ...plan, next: plan.steps.length, failed };
}

/** @returns the plan after its next step. */
function perform(draft: Draft, side: Side, plan: Plan): Plan {
  const node = draft.node(side);
  const { volume } = node;
  const step = plan.steps[plan.next];
  const after = { ...plan, next: afterIdle(plan, plan.next + 1) };
  switch (step?.do) {
    case 'mount': {
      if (!volume.alive || (volume.record.copy !== 'up-to-date' && !step.order)) return ended(plan, 'mount');
      draft.breakLink(side);
      draft.changeVolume(side, { role: 'primary', mode: 'undecided', fault: null, losing: false, finish: 'none' });
      return after;
    }
    case 'raise-vip': {
      const other = draft.node(otherOf(side));
      const answers = other.powered && other.vip && other.clockMs < other.kernelLeaseMs;
      draft.require(
        !(answers && node.clockMs < node.kernelLeaseMs),
        `invariant 5: ${nameOf(side)} raises the address while ${nameOf(otherOf(side))} still answers on it`,
      );
      draft.change(side, { vip: true });
      return after;
    }
    case 'drop-vip':
      draft.change(side, { vip: false });
      return after;
    case 'script':
      if (step.script === 'start') startApplication(draft, node, plan);
      if (step.script === 'stop') draft.change(side, { application: false });
      return after;
    case 'unmount':
      return unmount(draft, side, plan, after);
    case 'fence':
    case 'idle':
      draft.change(side, { application: false });
      if (volume.alive) {
        release(draft, side);
        draft.changeVolume(side, { leaseMs: 0 });
      }
      return after;
    case 'serve-secondary':
      if (!volume.alive) return ended(plan, 'serve-secondary');
      if (volume.role !== 'secondary') draft.changeVolume(side, { role: 'secondary', mode: null });
      return after;
    case undefined:
      return plan;
  }
}

function startApplication(draft: Draft, node: NodeModel, plan: Plan): void {
  const { side } = node;
  const accepted = plan.order || !node.volume.lacks;
  draft.require(accepted, `invariant 3: ${nameOf(side)} starts the application without acknowledged writes`);
  draft.change(side, { application: true, volume: { ...draft.node(side).volume, lacks: false } });
}

/** Target first: a checkpoint that only the target knows says nothing, one that only the source knows would be a lie. */
function unmount(draft: Draft, side: Side, plan: Plan, after: Plan): Plan {
  const { volume } = draft.node(side);
  if (!volume.alive) return ended(plan, 'unmount');
  const other = otherOf(side);
  if (volume.linked && volume.mode === 'in-sync' && plan.agreed === null) {
    draft.world.checkpoints += 1;
    const checkpoint = draft.world.checkpoints;
    const settled = contactSettled(draft.node(other).volume.record, (volume.record.contacts ?? 0) - 1);
    draft.changeVolume(other, { record: checkpointed(settled, checkpoint), inMemory: false });
    return { ...plan, agreed: checkpoint };
  }
  const clean = volume.linked && plan.agreed !== null;
  if (clean) draft.changeVolume(side, { record: checkpointed(volume.record, plan.agreed), inMemory: false });
  release(draft, side);
  return { ...after, clean };
}

function release(draft: Draft, side: Side): void {
  draft.breakLink(side);
  draft.changeVolume(side, { role: 'idle', mode: null, losing: false, finish: 'none' });
}

/** Scripts that touch neither data nor address take no move of their own. */
function afterIdle(plan: Plan, index: number): number {
  const step = plan.steps[index];
  const idle = step?.do === 'script' && step.script !== 'start' && step.script !== 'stop';
  return idle ? afterIdle(plan, index + 1) : index;
}
