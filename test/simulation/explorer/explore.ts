/** Breadth first through everything that can happen: the first breach that is found is one of the shortest. */
import { stateName } from './coverage.ts';
import { Breach } from './draft.ts';
import { costlyMoves, crashesWithin, ordinaryMoves } from './enabled.ts';
import { keyOf } from './key.ts';
import { apply, type Move } from './moves.ts';
import { StateTable } from './state-table.ts';
import { sides, type World } from './model.ts';

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** Every sequence of moves up to this length was tried. */
  readonly depth: number;
  /** Nothing was left to try: the depth is that of the longest shortest way. */
  readonly complete: boolean;
  /** `n1: wait → secondary`, seen on the way. */
  readonly phases: ReadonlySet<string>;
  readonly coreStates: ReadonlySet<string>;
  readonly breach: { readonly what: string; readonly moves: readonly Move[] } | null;
}

interface Limits {
  readonly statesMax: number;
  readonly depthMax: number;
}

export function explore(root: World, limits: Limits): Exploration {
  const table = new StateTable();
  const phases = new Set<string>();
  const coreStates = new Set<string>();
  let transitions = 0;
  let depth = 0;
  table.add(keyOf(root), -1);
  let frontier: { world: World; id: number }[] = [{ world: root, id: 0 }];
  const report = (complete: boolean, breach: Exploration['breach']): Exploration => ({
    states: table.size,
    transitions,
    depth,
    complete,
    phases,
    coreStates,
    breach,
  });
  while (frontier.length > 0 && depth < limits.depthMax) {
    const next: typeof frontier = [];
    for (const { world, id } of frontier) {
      for (const move of successors(world)) {
        let made: World;
        try {
          made = move.make();
        } catch (error) {
          if (!(error instanceof Breach)) throw error;
          return report(false, { what: error.message, moves: [...wayTo(root, table, id), move.move] });
        }
        transitions += 1;
        note(world, made, phases, coreStates);
        const child = table.add(keyOf(made), id);
        if (child !== null) next.push({ world: made, id: child });
        if (table.size >= limits.statesMax) return report(false, null);
      }
    }
    frontier = next;
    if (frontier.length > 0) depth += 1;
  }
  return report(frontier.length === 0, null);
}

interface Successor {
  readonly move: Move;
  make(): World;
}

function* successors(world: World): Generator<Successor> {
  for (const move of ordinaryMoves(world)) {
    let count = 0;
    yield {
      move,
      make: () => {
        const made = apply(world, move);
        count = made.actionCount;
        return made.world;
      },
    };
    if (world.budget.crashes > 0)
      for (const crash of crashesWithin(move, count)) yield { move: crash, make: () => apply(world, crash).world };
  }
  for (const move of costlyMoves(world)) yield { move, make: () => apply(world, move).world };
}

function note(before: World, after: World, phases: Set<string>, coreStates: Set<string>): void {
  for (const side of sides) {
    const one = before.nodes[side];
    const other = after.nodes[side];
    if (one.mirror === other.mirror) continue;
    const from = stateName(one.mirror);
    const to = stateName(other.mirror);
    coreStates.add(to);
    if (from !== to) phases.add(`${from} → ${to}`);
  }
}

/** The table remembers where each state came from, not by which move: the way is walked again. */
function wayTo(root: World, table: StateTable, target: number): Move[] {
  const ids: number[] = [];
  for (let id = target; id > 0; id = table.parentOf(id)) ids.unshift(id);
  const moves: Move[] = [];
  let world = root;
  for (const id of ids) {
    let found: World | null = null;
    for (const successor of successors(world)) {
      const made = successor.make();
      if (table.find(keyOf(made)) !== id) continue;
      found = made;
      moves.push(successor.move);
      break;
    }
    if (found === null) throw new Error('the way to a state is lost');
    world = found;
  }
  return moves;
}
