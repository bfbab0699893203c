/** Which moves a world allows. Order matters only to the fair schedule, which takes the first one. */
import type { Crash } from './draft.ts';
import type { Move, OrderName } from './moves.ts';
import {
  bothWays,
  oneWay,
  otherOf,
  passes,
  sides,
  tickMs,
  type Address,
  type Message,
  type NodeModel,
  type Side,
  type World,
} from './model.ts';

/** The moves that need no luck, the most urgent first, time last. */
export function ordinaryMoves(world: World): Move[] {
  const urgent = world.prompt ? urgentMove(world) : null;
  if (urgent !== null) return [urgent];
  const moves = reactions(world);
  const [reaction] = moves;
  // In `named` disorder messages and timers have one order, the one below; whatever disturbs it is paid for.
  const orderly = world.disorder === 'named' && reaction !== undefined;
  if (orderly) moves.length = 1;
  for (const side of sides) local(world, side, moves, orderly);
  if (world.severed !== 0) moves.push({ do: 'heal' });
  if (world.ticksLeft > 0 && !orderly) moves.push({ do: 'time' });
  return moves;
}

function reactions(world: World): Move[] {
  const moves: Move[] = [];
  for (const message of world.slots)
    if (message !== null && arrives(world, message)) moves.push({ do: 'deliver', message, keep: false, crash: null });
  for (const side of sides) {
    const { mirror, clockMs, tickDueMs, frozen, pingSentMs } = world.nodes[side];
    if (mirror !== null && pingSentMs !== null && !frozen) moves.push({ do: 'reach', side });
    if (mirror !== null && clockMs >= tickDueMs && !frozen) moves.push({ do: 'tick', side, crash: null });
  }
  return moves;
}

function arrives(world: World, message: Message): boolean {
  return message.to === 'w' || !world.nodes[message.to].frozen;
}

/** Those of two nodes commute: one at a time is enough. */
export function urgentMove(world: World): Move | null {
  for (const side of sides) {
    const { mirror, untold, volume, plan: running, frozen } = world.nodes[side];
    if (frozen) continue;
    if (volume.losing) return { do: 'notice', side };
    if (mirror === null) continue;
    if (untold) return { do: 'tell', side, crash: null };
    if (running !== null && running.next >= running.steps.length) return { do: 'ran', side, crash: null };
  }
  return null;
}

/** What a node does by itself. `orderly`: only what ends a fault, the rest waits until everything has arrived. */
function local(world: World, side: Side, moves: Move[], orderly: boolean): void {
  const node = world.nodes[side];
  const { volume, mirror } = node;
  if (!node.powered) {
    moves.push({ do: 'power-on', side });
    return;
  }
  if (node.frozen) {
    moves.push({ do: 'thaw', side });
    return;
  }
  if (mirror === null) moves.push({ do: 'restart', side });
  if (orderly) return;
  if (mirror !== null && node.untold) moves.push({ do: 'tell', side, crash: null });
  if (!volume.alive) moves.push({ do: 'restart-replicator', side });
  if (volume.losing) moves.push({ do: 'notice', side });
  if (node.allowedAlone !== null) moves.push({ do: 'go-alone', side });
  if (node.plan !== null) plan(node, moves);
  if (volume.role === 'primary') link(world, node, moves);
}

function plan(node: NodeModel, moves: Move[]): void {
  const { side, plan: running, volume } = node;
  const step = running?.steps[running.next];
  if (step === undefined) {
    if (node.mirror !== null) moves.push({ do: 'ran', side, crash: null });
    return;
  }
  // An application that starts writes: it waits until its files answer.
  const waits =
    step.do === 'script' &&
    step.script === 'start' &&
    (volume.mode === null || volume.mode === 'undecided' || node.clockMs >= volume.leaseMs);
  if (!waits) moves.push({ do: 'plan', side, fails: false });
}

function link(world: World, node: NodeModel, moves: Move[]): void {
  const { side, volume } = node;
  const { volume: target, frozen } = world.nodes[otherOf(side)];
  const reachable = passes(world, 0, 1) && passes(world, 1, 0);
  if (volume.linked && !reachable) moves.push({ do: 'cut', side });
  if (frozen || !reachable) return;
  if (volume.linked) {
    if (volume.mode !== 'resynchronising') return;
    if (volume.finish === 'none' || volume.finish === 'shared') moves.push({ do: 'finish-sent', side });
    else moves.push({ do: volume.finish === 'sent' ? 'finish-applied' : 'finish-acknowledged', side });
    return;
  }
  const ready = target.alive && target.role === 'secondary' && !target.linked;
  const refused = volume.fault !== null;
  if (ready && !volume.losing && !refused && node.clockMs < volume.leaseMs) moves.push({ do: 'connect', side });
}

const cuts: readonly number[] = [
  bothWays(0, 1),
  oneWay(0, 1),
  oneWay(1, 0),
  bothWays(0, 'w'),
  bothWays(1, 'w'),
  bothWays(0, 1) | bothWays(0, 'w'),
  bothWays(0, 1) | bothWays(1, 'w'),
  // One cable in one direction, while the deaf side takes the witness.
  oneWay(0, 1) | bothWays(0, 'w'),
  oneWay(1, 0) | bothWays(1, 'w'),
];

/** As long as the two lose nothing but each other, nobody can tell which of them was cut off: that is not asked of it. */
const pingCuts = cuts.filter((paths) => (paths & (bothWays(0, 'w') | bothWays(1, 'w'))) !== 0);

const orders: readonly OrderName[] = [
  'start',
  'stop',
  'restart',
  'swap',
  'promote',
  'maintenance-on',
  'maintenance-off',
];

/** Bad luck, and people: each costs something of the budget. */
export function costlyMoves(world: World): Move[] {
  const moves: Move[] = [];
  const { stray } = world;
  if (stray !== null && arrives(world, stray)) moves.push({ do: 'deliver', message: stray, keep: false, crash: null });
  if (world.prompt && urgentMove(world) !== null) return moves;
  const { budget } = world;
  if (budget.strays > 0 && world.stray === null) {
    for (const message of world.slots) {
      if (message === null) continue;
      if (world.disorder === 'named') moves.push({ do: 'drop', message });
      moves.push({ do: 'delay', message }, { do: 'deliver', message, keep: true, crash: null });
    }
  }
  if (budget.drifts > 0) drifts(world, moves);
  if (world.disorder === 'named' && budget.cuts > 0 && world.severed === 0)
    for (const paths of typeof world.third === 'object' ? pingCuts : cuts) moves.push({ do: 'sever', paths });
  for (const side of sides) trouble(world, side, moves);
  if (budget.crashes > 0 && world.third === 'witness') moves.push({ do: 'restart-witness' });
  return moves;
}

/** The same move, ended by a crash after each of its actions but the last. */
export function crashesWithin(move: Move, actionCount: number): Move[] {
  const inside = move.do === 'deliver' || move.do === 'tick' || move.do === 'tell' || move.do === 'ran';
  if (!inside || (move.do === 'deliver' && move.message.to === 'w')) return [];
  const moves: Move[] = [];
  for (let after = 1; after < actionCount; after += 1)
    for (const kind of ['kill', 'power-off'] as const satisfies readonly Crash[])
      moves.push({ ...move, crash: { kind, after } });
  return moves;
}

function drifts(world: World, moves: Move[]): void {
  const clocks: readonly (readonly [Address, number])[] = [
    [0, world.nodes[0].clockMs],
    [1, world.nodes[1].clockMs],
    ['w', world.witness.clockMs],
  ];
  const slowest = Math.min(...clocks.map(([, clockMs]) => clockMs));
  for (const [clock, clockMs] of clocks) {
    if (clockMs === slowest) moves.push({ do: 'gain', clock });
    else if (clockMs === slowest + tickMs && world.ticksLeft > 0) moves.push({ do: 'lose', clock });
  }
}

function trouble(world: World, side: Side, moves: Move[]): void {
  const node = world.nodes[side];
  const { budget } = world;
  if (!node.powered) return;
  if (budget.crashes > 0) {
    moves.push({ do: 'power-off', side });
    if (node.mirror !== null) moves.push({ do: 'kill', side });
    if (node.volume.alive) moves.push({ do: 'kill-replicator', side });
  }
  if (node.frozen) return;
  if (budget.freezes > 0 && world.disorder === 'named') moves.push({ do: 'freeze', side });
  if (budget.cuts > 0 && node.volume.linked && node.volume.role === 'primary') moves.push({ do: 'cut', side });
  const step = node.plan?.steps[node.plan.next];
  const mayFail =
    step?.do === 'fence' || (step?.do === 'script' && (step.script === 'start' || step.script === 'stop'));
  if (budget.failures > 0 && mayFail) moves.push({ do: 'plan', side, fails: true });
  if (budget.orders > 0 && node.mirror !== null) {
    for (const order of orders) {
      const idle = order.startsWith('maintenance') && node.record.maintenance === (order === 'maintenance-on');
      const promoting = order === 'promote' && world.third !== 'witness';
      if (!idle && !promoting) moves.push({ do: 'order', side, order, crash: null });
    }
  }
}
