/** A way through the model in words. */
import { Breach } from './draft.ts';
import { apply, type Move } from './moves.ts';
import { nameOf, type Address, type Message, type World } from './model.ts';

const whose = (address: Address): string => (address === 'w' ? 'the witness' : nameOf(address));

function messageInWords({ from, to, body }: Message): string {
  const what = body.kind === 'vote-reply' ? `vote-reply (${body.granted ? 'granted' : body.reason})` : body.kind;
  return `${what} of ${whose(from)} to ${whose(to)}`;
}

export function moveInWords(move: Move): string {
  const crash =
    'crash' in move && move.crash !== null ? `, then ${move.crash.kind} after ${String(move.crash.after)} actions` : '';
  switch (move.do) {
    case 'deliver':
      return `arrives: ${messageInWords(move.message)}${move.keep ? ', and will arrive again' : ''}${crash}`;
    case 'delay':
    case 'drop':
      return `${move.do}: ${messageInWords(move.message)}`;
    case 'time':
      return 'one tick passes';
    case 'gain':
    case 'lose':
      return `the clock of ${whose(move.clock)} ${move.do}s a tick`;
    case 'sever':
      return `cables are cut (${move.paths.toString(2)})`;
    case 'heal':
      return 'all cables are healed';
    case 'restart-witness':
      return 'the witness restarts';
    case 'plan':
      return `${nameOf(move.side)}: next step of the plan${move.fails ? ' fails' : ''}`;
    case 'order':
      return `a person orders ${nameOf(move.side)}: ${move.order}${crash}`;
    default:
      return `${nameOf(move.side)}: ${move.do}${crash}`;
  }
}

export function trace(root: World, moves: readonly Move[]): string[] {
  const lines: string[] = [];
  let world = root;
  for (const [index, move] of moves.entries()) {
    const step = move.do === 'plan' ? world.nodes[move.side].plan : null;
    const now = step?.steps[step.next];
    const detail = now === undefined ? '' : ` (${now.do === 'script' ? now.script : now.do})`;
    lines.push(`${String(index + 1).padStart(3)} ${moveInWords(move)}${detail}`);
    try {
      const made = apply(world, move);
      lines.push(...made.words.map((word) => `        ${word}`));
      world = made.world;
    } catch (error) {
      if (!(error instanceof Breach)) throw error;
      lines.push(`    ${error.message}`);
    }
  }
  return lines;
}
