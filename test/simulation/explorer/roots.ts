/** Where explorations begin: situations reached by the same moves, taken in the order in which a quiet day takes them. */
import type { Generation } from '../../../agent/contract/index.ts';
import { isProtected, type MirrorState } from '../../../agent/core/index.ts';
import { ordinaryMoves } from './enabled.ts';
import { bareCluster, bothWays, type Budget, type Third, type World } from './model.ts';
import { apply, type Move } from './moves.ts';

const nothing: Budget = { crashes: 0, cuts: 0, freezes: 0, strays: 0, drifts: 0, failures: 0, orders: 0 };
const movesMax = 2000;

/** Everything that can be done is done before time goes on: no message is lost, nobody is late. */
export function quietUntil(
  start: World,
  reached: (world: World) => boolean,
  allowed: (move: Move) => boolean = () => true,
): World | null {
  let world: World = { ...start, budget: nothing, ticksLeft: Number.MAX_SAFE_INTEGER };
  for (let count = 0; count < movesMax; count += 1) {
    if (reached(world)) return world;
    const move = ordinaryMoves(world).find(allowed);
    if (move === undefined) return null;
    world = apply(world, move).world;
  }
  return null;
}

export function isHealthy(world: World): boolean {
  return world.nodes.every((node) => node.mirror !== null && isProtected(node.mirror, node.clockMs));
}

function reach(start: World, what: string, reached: (world: World) => boolean): World {
  const stays = what === 'protected' ? [] : ['power-on', 'heal'];
  const world = quietUntil(start, reached, (move) => !stays.includes(move.do));
  if (world === null) throw new Error(`the situation "${what}" is not reached`);
  return world;
}

function after(world: World, ...moves: readonly Move[]): World {
  let next: World = {
    ...world,
    budget: { crashes: 9, cuts: 9, freezes: 9, strays: 9, drifts: 9, failures: 9, orders: 9 },
  };
  for (const move of moves) next = apply(next, move).world;
  return next;
}

export const situations = [
  'bare',
  'protected',
  'cold-start-after-power-cut',
  'secondary-returns',
  'primary-returns',
  'stopped',
  'takeover-begins',
  'goes-alone',
  'handed-over',
  'votes-for-a-former-version',
] as const;
export type Situation = (typeof situations)[number];

export function situation(name: Situation, third: Third, received = false): World {
  const bare = bareCluster(nothing, third, received);
  if (name === 'bare') return bare;
  const healthy = reach(bare, 'protected', isHealthy);
  const [first, second] = [0, 1] as const;
  switch (name) {
    case 'protected':
      return healthy;
    case 'cold-start-after-power-cut':
      return after(healthy, { do: 'power-off', side: first }, { do: 'power-off', side: second });
    case 'secondary-returns': {
      const lost = after(healthy, { do: 'power-off', side: second });
      return reach(lost, name, (world) => world.nodes[0].volume.mode === 'alone');
    }
    case 'primary-returns': {
      const lost = after(healthy, { do: 'power-off', side: first });
      return reach(lost, name, (world) => world.nodes[1].mirror?.phase.name === 'active');
    }
    case 'takeover-begins': {
      // The primary is isolated and lives; the secondary has just begun to ask.
      const isolated = after(healthy, { do: 'sever', paths: bothWays(first, second) | bothWays(first, 'w') });
      // Without anybody to ask, the wish and its beginning are one step.
      const begun = (mirror: MirrorState | null): boolean =>
        mirror?.seek?.purpose === 'takeover' || mirror?.phase.name === 'activating';
      return reach(isolated, name, (world) => begun(world.nodes[1].mirror));
    }
    case 'goes-alone': {
      const apart = after(healthy, { do: 'sever', paths: bothWays(first, second) }, { do: 'cut', side: first });
      return reach(apart, name, (world) => (world.nodes[0].mirror?.goingAlone ?? null) !== null);
    }
    case 'handed-over': {
      const ordered = after(healthy, { do: 'order', side: first, order: 'swap', crash: null });
      return reach(ordered, name, (world) => (world.nodes[0].mirror?.handoverUntilMs ?? 0) > 0);
    }
    case 'votes-for-a-former-version':
      return remembering(healthy, { number: 7, id: '7.n2.gone' });
    case 'stopped': {
      const ordered = after(
        healthy,
        { do: 'order', side: second, order: 'stop', crash: null },
        { do: 'order', side: first, order: 'stop', crash: null },
      );
      return reach(ordered, name, (world) => world.nodes.every(({ mirror }) => mirror?.phase.name === 'stopped'));
    }
  }
}

/** The second node was primary of a version of its own once, which was set aside before it was filled from the first one. */
function remembering(world: World, newest: Generation): World {
  const [first, second] = world.nodes;
  const { mirror } = second;
  if (mirror === null) throw new Error('the machine of the second node does not run');
  const record = { ...second.record, newest };
  const told = { ...mirror, record: { ...mirror.record, newest }, voter: { ...mirror.voter, newest } };
  return { ...world, nodes: [first, { ...second, record, mirror: told }] };
}
