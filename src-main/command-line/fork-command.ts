/** holdfast fork: both servers wrote without each other. Whose version is kept, what was set aside, how to bring it back. */
import type { KeptComparison, KeptCopy, VolumeSpace } from '../../agent/contract/forks.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { giveOrder, moduleStatus, runningOn, type ModuleStatus } from '../cluster/orders.ts';
import { waitFor, type CommandContext } from './module-commands.ts';
import { confirm, confirmByName } from './terminal.ts';
import { bytesText } from './text.ts';

/** Whole trees are read or copied. */
const longMs = 24 * 3_600_000;
/** Of what is free: the disk must not be filled to the brim by what Holdfast does. */
const spareBytes = 256 * 1024 * 1024;

interface KeptOn extends KeptCopy {
  readonly node: string;
}

export async function forkCommand(context: CommandContext): Promise<number> {
  const [what = '', module = '', id, path] = context.args.words;
  await moduleStatus(context.access, module);
  if (what === 'list' && id === undefined) return list(context, module);
  if (what === 'keep' && id === undefined) return keep(context, module);
  if (id === undefined || (path !== undefined && what !== 'restore'))
    throw new Fault('wrong-usage', {
      message: 'usage: holdfast fork list|keep MODULE, holdfast fork show|restore|discard MODULE ID [PATH]',
    });
  switch (what) {
    case 'show':
      return show(context, module, await find(context, module, id));
    case 'restore':
      return restore(context, module, await find(context, module, id), path ?? null);
    case 'discard':
      return discard(context, module, await find(context, module, id));
    default:
      throw new Fault('wrong-usage', { message: `There is no command fork ${what}.` });
  }
}

function done({ args, terminal }: CommandContext, text: string, more: object = {}): number {
  terminal.out(args.json ? `${JSON.stringify({ done: true, message: text, ...more })}\n` : `${text}\n`);
  return 0;
}

function notConfirmed({ terminal }: CommandContext): number {
  terminal.err('Nothing was changed.\n');
  return 1;
}

/** Of all nodes that can be asked; one that cannot is named, because what is kept there is not in the list. */
async function keptOn({ access, args, terminal }: CommandContext, module: string): Promise<KeptOn[]> {
  const all: KeptOn[] = [];
  for (const node of access.nodes.filter((one) => args.node === null || args.node === one))
    try {
      for (const kept of await access.call(node, 'kept', { module }, longMs)) all.push({ node, ...kept });
    } catch (error) {
      terminal.err(`${node} could not be asked: ${Fault.from(error).message}\n`);
    }
  return all;
}

async function find(context: CommandContext, module: string, id: string): Promise<KeptOn> {
  const kept = (await keptOn(context, module)).find((one) => one.id === id);
  if (kept) return kept;
  throw new Fault(
    'no-such-kept-copy',
    { message: `Nothing was set aside as ${id}.`, remedy: `Look at holdfast fork list ${module}.` },
    { id },
  );
}

async function list(context: CommandContext, module: string): Promise<number> {
  const { args, terminal } = context;
  const all = await keptOn(context, module);
  if (args.json) terminal.out(`${JSON.stringify({ module, kept: all })}\n`);
  else if (all.length === 0) terminal.out(`Nothing of ${module} was set aside.\n`);
  else for (const kept of all) terminal.out(keptText(kept));
  return 0;
}

/** Pure. */
export function keptText({ node, id, directory, at, bytes, complete }: KeptOn): string {
  const size = bytes === null ? 'size not known' : bytesText(bytes);
  const rest = complete ? '' : '  interrupted: order again which version is kept';
  return `${node}  ${id}  since ${at}  ${size}  ${directory}${rest}\n`;
}

async function show(context: CommandContext, module: string, { node, id }: KeptOn): Promise<number> {
  const { access, args, terminal } = context;
  const comparison = await access.call(
    node,
    'compareKept',
    { module, id, limit: Math.min(args.lines, 10_000) },
    longMs,
  );
  terminal.out(args.json ? `${JSON.stringify({ module, node, id, ...comparison })}\n` : comparisonText(comparison));
  return 0;
}

const kindTexts = { 'only-kept': 'only set aside', 'only-living': 'only in the data', differs: 'differs' } as const;

/** Pure. */
export function comparisonText({ same, differing, differences }: KeptComparison): string {
  const side = (one: KeptComparison['differences'][number]['kept']): string =>
    one === null ? '-' : `${one.type === 'file' ? bytesText(one.bytes) : one.type}, ${one.modified}`;
  const lines = differences.map(
    ({ path, kind, kept, living }) =>
      `  ${kindTexts[kind]}: ${path}   set aside: ${side(kept)}   data: ${side(living)}\n`,
  );
  const rest = differing - differences.length;
  return `${String(same)} the same, ${String(differing)} different.\n${lines.join('')}${rest > 0 ? `  … and ${String(rest)} more (--lines)\n` : ''}`;
}

async function restore(
  context: CommandContext,
  module: string,
  { node, id }: KeptOn,
  path: string | null,
): Promise<number> {
  const { access, args, terminal } = context;
  const what = path ?? 'all of it';
  const question = `Copy ${what} to ${args.to ?? `the data of ${module}`} on ${node}? What stands there of the same name is overwritten.`;
  if (!(await confirm(terminal, question, args.yes))) return notConfirmed(context);
  await access.call(node, 'restoreKept', { module, id, path, to: args.to }, longMs);
  return done(
    context,
    `${path ?? 'Everything'} was copied to ${args.to ?? `the data of ${module}`}; what was set aside is still kept.`,
  );
}

async function discard(context: CommandContext, module: string, { node, id, bytes }: KeptOn): Promise<number> {
  const { access, args, terminal } = context;
  const size = bytes === null ? '' : ` (${bytesText(bytes)})`;
  const question = `Remove ${id}${size} on ${node} for good? What only it holds is lost.`;
  if (!(await confirmByName(terminal, question, module, args.yes))) return notConfirmed(context);
  await access.call(node, 'discardKept', { module, id }, longMs);
  return done(context, `${id} was removed from ${node}.`);
}

/** Faults: not-forked, no-room, and those of the orders. Interrupted anywhere, it can be given again. */
async function keep(context: CommandContext, module: string): Promise<number> {
  const { access, args, terminal } = context;
  const status = await moduleStatus(access, module);
  const winner = args.node ?? '';
  const loser = status.nodes.find((one) => one.name !== winner)?.name ?? '';
  if (!status.nodes.some((one) => one.name === winner))
    throw new Fault('wrong-usage', { message: `Say whose version is kept: holdfast fork keep ${module} --node NODE` });
  mustBeForked(status, winner, loser);
  await mustHaveRoom(context, module, winner, loser);
  const question = `Keep the version of ${module} that ${winner} has? That of ${loser} is set aside on ${loser}, and ${loser} is filled again from ${winner}.`;
  if (!(await confirmByName(terminal, question, module, args.yes))) return notConfirmed(context);
  await access.call(loser, 'stop', { module });
  await waitFor(
    context,
    `The stop of ${module} on ${loser}`,
    (now) => stateOn(now.modules, module, loser) === 'stopped',
  );
  const { keptAt } = await access.call(
    loser,
    'initialise',
    { module, as: 'blank', keepAside: true, replaceRecord: true },
    longMs,
  );
  // The witness may have promised more to the loser than the winner's copy has: a person has decided, and that is recorded.
  if (runningOn(await moduleStatus(access, module)) !== winner) await promote(context, module, winner);
  await access.call(loser, 'start', { module });
  if (args.wait) {
    const isDone = (one: ModuleStatus | undefined): boolean =>
      one !== undefined && one.protected && runningOn(one) === winner;
    await waitFor(context, `The resync of ${loser}`, (now) => isDone(now.modules.find((one) => one.name === module)));
  }
  const where = keptAt.length === 0 ? 'it had none' : keptAt.join(', ');
  return done(context, `The version of ${winner} is kept. That of ${loser} is set aside: ${where}.`, { keptAt });
}

async function promote({ access }: CommandContext, module: string, node: string): Promise<void> {
  try {
    await giveOrder(access, { kind: 'promote', node, confirmed: module, module });
  } catch (error) {
    // It went ahead by itself as soon as the other copy was out of the way.
    if (Fault.from(error).code !== 'already-primary') throw error;
  }
}

function stateOn(modules: readonly ModuleStatus[], module: string, node: string): string | undefined {
  return modules.find((one) => one.name === module)?.nodes.find((one) => one.name === node)?.state;
}

/** Or an earlier order was interrupted: then the loser's copy is used for nothing. */
export function mustBeForked(status: ModuleStatus, winner: string, loser: string): void {
  const data = (node: string): string => status.nodes.find((one) => one.name === node)?.data ?? 'unknown';
  const begun =
    data(loser) === 'stale' &&
    ['stopped', 'wait'].includes(status.nodes.find((one) => one.name === loser)?.state ?? '');
  const forked = data(winner) === 'forked' || data(loser) === 'forked';
  if ((forked || begun) && ['forked', 'up-to-date'].includes(data(winner))) return;
  throw new Fault('not-forked', {
    message: `The copies of ${status.name} have not forked: ${winner} ${data(winner)}, ${loser} ${data(loser)}.`,
    remedy: 'Look at holdfast status. Start the module, so that both servers look at each other.',
  });
}

/** What is set aside moves and takes no room; what comes instead of it does. */
async function mustHaveRoom({ access }: CommandContext, module: string, winner: string, loser: string): Promise<void> {
  const needed = await access.call(winner, 'volumeSpace', { module, measured: true }, longMs);
  const there = await access.call(loser, 'volumeSpace', { module, measured: false });
  const full = fullDisk(needed, there);
  if (full === null) return;
  throw new Fault(
    'no-room',
    {
      message: `The disk of ${full.paths.join(', ')} on ${loser} has ${bytesText(full.freeBytes)} free; ${bytesText(full.neededBytes)} of ${winner} have to be there beside what is set aside.`,
      remedy: `Make room on ${loser}.`,
    },
    { needed: full.neededBytes, free: full.freeBytes },
  );
}

/** Directories of one disk share what is free there; those of another one have their own. What could not be measured is not asked for. Null: there is room. */
export function fullDisk(
  needed: readonly VolumeSpace[],
  there: readonly VolumeSpace[],
): { paths: string[]; neededBytes: number; freeBytes: number } | null {
  const disks = new Map<string, { paths: string[]; neededBytes: number; freeBytes: number }>();
  for (const { volume, path, disk, freeBytes } of there) {
    const one = disks.get(disk) ?? { paths: [], neededBytes: 0, freeBytes };
    one.paths.push(path);
    one.neededBytes += needed.find((other) => other.volume === volume)?.dataBytes ?? 0;
    disks.set(disk, one);
  }
  return [...disks.values()].find((one) => one.neededBytes + spareBytes > one.freeBytes) ?? null;
}
