/** start, stop, restart, swap, maintenance, promote: orders to a module, and waiting for what comes of them. */
import { Fault } from '../../agent/contract/fault.ts';
import type { ClusterStatus } from '../../agent/contract/status.ts';
import type { ClusterAccess } from '../cluster/access.ts';
import {
  giveOrder,
  moduleStatus,
  refusalIn,
  runningOn,
  type ModuleOrder,
  type ModuleStatus,
} from '../cluster/orders.ts';
import type { Arguments } from './arguments.ts';
import { confirm, confirmByName, type Terminal } from './terminal.ts';

export interface CommandContext {
  readonly args: Arguments;
  readonly terminal: Terminal;
  readonly access: ClusterAccess;
  readonly signal: AbortSignal;
}

const waitTimeoutMs = 180_000;
const pollIntervalMs = 300;

/** Fault: timed-out. */
export async function waitFor(
  context: CommandContext,
  what: string,
  condition: (status: ClusterStatus) => boolean,
  limitMs: number = waitTimeoutMs,
  look: () => Promise<void> = () => Promise.resolve(),
): Promise<ClusterStatus> {
  const untilMs = performance.now() + (context.args.timeoutMs ?? limitMs);
  for (;;) {
    await look();
    const status = await context.access.status();
    if (condition(status)) return status;
    if (performance.now() > untilMs) {
      throw new Fault('timed-out', { message: `${what} has not happened in time. ${status.sentence}` });
    }
    context.signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
  }
}

function waitModule(
  context: CommandContext,
  what: string,
  condition: (module: ModuleStatus) => boolean,
  look?: () => Promise<void>,
): Promise<ClusterStatus> {
  const [name] = context.args.words.slice(-1);
  const moduleIs = (status: ClusterStatus): boolean => {
    const module = status.modules.find((one) => one.name === name);
    return module !== undefined && condition(module);
  };
  return waitFor(context, what, moduleIs, waitTimeoutMs, look);
}

/** A node that cannot be reached is named; a refusal is an answer to the order, and a failure. */
async function order(context: CommandContext, what: ModuleOrder): Promise<void> {
  const given = await giveOrder(context.access, what);
  for (const { node, fault } of given.notTold) context.terminal.err(`${node} was not told: ${fault.message}\n`);
  const refusal = refusalIn(given);
  if (refusal) throw refusal;
}

function done(context: CommandContext, text: string): number {
  if (context.args.json) context.terminal.out(`${JSON.stringify({ done: true, message: text })}\n`);
  else context.terminal.out(`${text}\n`);
  return 0;
}

function notConfirmed(context: CommandContext): number {
  context.terminal.err('Nothing was changed.\n');
  return 1;
}

async function start(context: CommandContext, name: string): Promise<number> {
  await moduleStatus(context.access, name);
  await order(context, { kind: 'start', module: name });
  if (!context.args.wait) return done(context, `${name} is being started.`);
  const status = await waitModule(context, `The start of ${name}`, (module) => runningOn(module) !== null);
  const module = status.modules.find((one) => one.name === name);
  return done(context, `${name} runs on ${(module && runningOn(module)) ?? 'a server'}.`);
}

async function stop(context: CommandContext, name: string): Promise<number> {
  const module = await moduleStatus(context.access, name);
  const where = runningOn(module);
  const both = context.access.nodes.length > 1;
  const question = both
    ? `Stop the application of ${name} on both servers? ${where === null ? '' : `It runs on ${where}. `}It is not available then.`
    : `Stop ${name} on ${context.access.nodes[0] ?? 'this server'}? The other server may take the application over.`;
  if (!(await confirm(context.terminal, question, context.args.yes))) return notConfirmed(context);
  await order(context, { kind: 'stop', module: name });
  if (!context.args.wait) return done(context, `${name} is being stopped.`);
  const own = context.access.nodes;
  await waitModule(context, `The stop of ${name}`, (one) =>
    one.nodes.every((node) => !own.includes(node.name) || node.state === 'stopped' || node.state === 'unknown'),
  );
  return done(context, `${name} is stopped.`);
}

async function restart(context: CommandContext, name: string): Promise<number> {
  await moduleStatus(context.access, name);
  const node = await context.access.primaryOf(name);
  const question = `Restart the application of ${name} on ${node}? It is not available meanwhile.`;
  if (!(await confirm(context.terminal, question, context.args.yes))) return notConfirmed(context);
  const before = (await context.access.call(node, 'events', { limit: 1, newest: true })).at(-1)?.sequence ?? 0;
  await order(context, { kind: 'restart', module: name });
  if (!context.args.wait) return done(context, `${name} is being restarted on ${node}.`);
  // The state alone would not tell a restart that has not begun from one that has ended.
  let restarted = false;
  await waitModule(
    context,
    `The restart of ${name}`,
    (module) => restarted && runningOn(module) !== null,
    async () => {
      const events = await context.access.call(node, 'events', { after: before, limit: 10_000 });
      restarted = events.some((event) => event.module === name && event.code === 'became-primary');
    },
  );
  return done(context, `${name} runs on ${node}.`);
}

async function swap(context: CommandContext, name: string): Promise<number> {
  const module = await moduleStatus(context.access, name);
  const from = await context.access.primaryOf(name);
  const to = module.nodes.find((node) => node.name !== from)?.name ?? 'the other server';
  const question = `Move ${name} from ${from} to ${to}? The application stops for a moment.`;
  if (!(await confirm(context.terminal, question, context.args.yes))) return notConfirmed(context);
  await order(context, { kind: 'swap', from, module: name });
  if (!context.args.wait) return done(context, `${name} moves to ${to}.`);
  await waitModule(context, `The move of ${name} to ${to}`, (one) => runningOn(one) === to && one.protected);
  return done(context, `${name} runs on ${to}.`);
}

async function maintenance(context: CommandContext): Promise<number> {
  const [mode = '', name = ''] = context.args.words;
  if (mode !== 'on' && mode !== 'off') {
    throw new Fault('wrong-usage', { message: 'usage: holdfast maintenance on|off MODULE' });
  }
  await moduleStatus(context.access, name);
  const on = mode === 'on';
  if (on) {
    const question = `Suspend automatic failover of ${name}? It is not protected until maintenance ends.`;
    if (!(await confirm(context.terminal, question, context.args.yes))) return notConfirmed(context);
  }
  await order(context, { kind: 'maintenance', on, module: name });
  if (context.args.wait) await waitModule(context, `Maintenance ${mode}`, (module) => module.maintenance === on);
  return done(context, on ? `${name} is in maintenance: nothing fails over by itself.` : `${name} is watched again.`);
}

async function promote(context: CommandContext, name: string): Promise<number> {
  const { node, acceptDataLoss, yes } = context.args;
  if (node === null || !acceptDataLoss) {
    throw new Fault('wrong-usage', {
      message: `To use a copy that may lack changes, say which and that you accept it: holdfast promote ${name} --node NODE --accept-data-loss`,
    });
  }
  const module = await moduleStatus(context.access, name);
  const copy = module.nodes.find((one) => one.name === node);
  const question =
    `Use the copy of ${name} on ${node} (${copy === undefined ? 'unknown' : copy.data.replaceAll('-', ' ')})? ` +
    'Changes that only the other server has will not be in it.';
  if (!(await confirmByName(context.terminal, question, name, yes))) return notConfirmed(context);
  await order(context, { kind: 'promote', node, confirmed: name, module: name });
  if (!context.args.wait) return done(context, `The order is recorded: ${node} uses its copy of ${name}.`);
  await waitModule(context, `The start of ${name} on ${node}`, (one) => runningOn(one) === node);
  return done(context, `${name} runs on ${node}.`);
}

export async function moduleCommand(context: CommandContext): Promise<number> {
  const { command, words } = context.args;
  const [name = ''] = words;
  switch (command) {
    case 'start':
      return start(context, name);
    case 'stop':
      return stop(context, name);
    case 'restart':
      return restart(context, name);
    case 'swap':
      return swap(context, name);
    case 'maintenance':
      return maintenance(context);
    case 'promote':
      return promote(context, name);
    default:
      throw new Fault('wrong-usage', { message: `There is no command ${command}.` });
  }
}
