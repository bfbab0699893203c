/** status, events, logs: looking, changing nothing. */
import type { TimelineEvent } from '../../agent/contract/event.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { CommandContext } from './module-commands.ts';
import { waitFor } from './module-commands.ts';
import { eventText, statusText } from './text.ts';

const notProtected = 3;
const protectedTimeoutMs = 600_000;
const journalTimeoutMs = 60_000;
const eventsMax = 10_000;

export async function statusCommand(context: CommandContext): Promise<number> {
  const { access, args, terminal } = context;
  let status = await access.status();
  if (args.wait && !status.protected) {
    try {
      status = await waitFor(context, 'Protection', (one) => one.protected, protectedTimeoutMs);
    } catch (error) {
      if (Fault.from(error).code !== 'timed-out') throw error;
      status = await access.status();
    }
  }
  terminal.out(args.json ? `${JSON.stringify(status)}\n` : statusText(status));
  return status.protected ? 0 : notProtected;
}

function chosenNodes({ access, args }: CommandContext): readonly string[] {
  if (args.node === null) return access.nodes;
  if (access.nodes.includes(args.node)) return [args.node];
  throw new Fault('no-such-node', {
    message: `No node is named ${args.node}.`,
    remedy: `Write one of: ${access.nodes.join(', ')}.`,
  });
}

/** What one node says; a node that cannot be reached is named and left out, unless it is the only one. */
async function fromEach<T>(
  context: CommandContext,
  read: (node: string) => Promise<T>,
): Promise<{ node: string; value: T }[]> {
  const nodes = chosenNodes(context);
  const results = await Promise.allSettled(nodes.map((node) => read(node)));
  const found: { node: string; value: T }[] = [];
  for (const [index, result] of results.entries()) {
    const node = nodes[index] ?? '';
    if (result.status === 'fulfilled') {
      found.push({ node, value: result.value });
    } else {
      const fault = Fault.from(result.reason);
      if (nodes.length === 1) throw fault;
      context.terminal.err(`${node}: ${fault.message}\n`);
    }
  }
  if (found.length === 0) throw new Fault('ssh-unreachable', { message: 'Neither server can be reached.' });
  return found;
}

export async function eventsCommand(context: CommandContext): Promise<number> {
  const { access, args, terminal, signal } = context;
  const show = (event: TimelineEvent): void => {
    terminal.out(args.json ? `${JSON.stringify(event)}\n` : eventText(event));
  };
  const limit = Math.min(args.lines, eventsMax);
  const histories = await fromEach(context, (node) => access.call(node, 'events', { limit, newest: true }));
  const merged = histories.flatMap(({ value }) => value).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  for (const event of merged.slice(-args.lines)) show(event);
  if (!args.follow) return 0;
  await Promise.all(
    histories.map(async ({ node, value }) => {
      let last = value.at(-1)?.sequence ?? 0;
      const fresh = (event: TimelineEvent): void => {
        if (event.sequence <= last) return;
        last = event.sequence;
        show(event);
      };
      // A node that goes away is asked again until it is back: following is for the time when things happen.
      while (!signal.aborted) {
        try {
          const client = await access.client(node);
          const ended = new Promise<void>((resolve) => client.onClose(() => resolve()));
          const forget = client.on('event', fresh);
          for (const event of await access.call(node, 'events', { after: last, limit: eventsMax })) fresh(event);
          await Promise.race([ended, aborted(signal)]);
          forget();
        } catch {
          await Promise.race([new Promise((resolve) => setTimeout(resolve, 1000)), aborted(signal)]);
        }
      }
    }),
  );
  return 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

export async function logsCommand(context: CommandContext): Promise<number> {
  const { access, args, terminal } = context;
  const logs = await fromEach(context, (node) => access.call(node, 'logs', { lines: args.lines }, journalTimeoutMs));
  if (args.json) {
    terminal.out(`${JSON.stringify(Object.fromEntries(logs.map(({ node, value }) => [node, value])))}\n`);
    return 0;
  }
  for (const { node, value } of logs) {
    const prefix = logs.length > 1 ? `${node}: ` : '';
    terminal.out(value.map((line) => `${prefix}${line}\n`).join(''));
  }
  return 0;
}
