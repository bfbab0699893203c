/** From words to an exit code: 0 done, 1 failed and why on stderr, 2 wrong usage, 3 not protected. */
import { Fault } from '../../agent/contract/fault.ts';
import type { ClusterAccess } from '../cluster/access.ts';
import { parseArguments, usage, type Arguments } from './arguments.ts';
import { forkCommand } from './fork-command.ts';
import { moduleCommand, type CommandContext } from './module-commands.ts';
import { resyncCommand } from './resync-command.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { faultText } from './text.ts';
import { verifyCommand } from './verify-command.ts';
import { eventsCommand, logsCommand, statusCommand } from './watch-commands.ts';

export interface Surroundings {
  readonly args: Arguments;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** What differs between the laptop and a node. */
export interface Place {
  /** Commands that exist only here, and do without a running cluster. */
  readonly own: Readonly<Record<string, (surroundings: Surroundings) => Promise<number>>>;
  access(surroundings: Surroundings): Promise<ClusterAccess>;
}

const wrongUsageCodes = ['wrong-usage', 'cannot-ask'];

async function runCommand(place: Place, surroundings: Surroundings): Promise<number> {
  const { args, terminal } = surroundings;
  if (args.help) {
    terminal.out(`${usage()}\n`);
    return 0;
  }
  const own = Object.hasOwn(place.own, args.command) ? place.own[args.command] : undefined;
  if (own) return own(surroundings);
  await using access = await place.access(surroundings);
  const context: CommandContext = { ...surroundings, access };
  switch (args.command) {
    case 'status':
      return await statusCommand(context);
    case 'events':
      return await eventsCommand(context);
    case 'logs':
      return await logsCommand(context);
    case 'fork':
      return await forkCommand(context);
    case 'verify':
      return await verifyCommand(context);
    case 'resync':
      return await resyncCommand(context);
    default:
      return await moduleCommand(context);
  }
}

export async function runCommandLine(
  argv: readonly string[],
  place: Place,
  terminal: Terminal = processTerminal(),
): Promise<number> {
  const controller = new AbortController();
  const cancel = (): void => controller.abort(new Fault('aborted', { message: 'Cancelled.' }));
  process.once('SIGINT', cancel);
  process.once('SIGTERM', cancel);
  let args: Arguments | null = null;
  try {
    args = parseArguments(argv);
    return await runCommand(place, { args, terminal, signal: controller.signal });
  } catch (error) {
    const fault = Fault.from(error);
    terminal.err(faultText(fault.toRecord()));
    if (fault.code === 'internal' && process.env['HOLDFAST_DEBUG'] !== undefined && error instanceof Error) {
      terminal.err(`${error.stack ?? ''}\n`);
    }
    if (args?.json === true) terminal.out(`${JSON.stringify({ fault: fault.toRecord() })}\n`);
    // A command that this version does not have is wrong usage; a file that asks for too much has failed.
    const unknownCommand = fault.code === 'not-in-this-version' && args === null;
    return wrongUsageCodes.includes(fault.code) || unknownCommand ? 2 : 1;
  } finally {
    process.off('SIGINT', cancel);
    process.off('SIGTERM', cancel);
  }
}
