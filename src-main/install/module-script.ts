/** The scripts of a module, run from here: before its agent knows the module, somebody has to stop what is in the way. */
import type { ClusterRecord } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { quoted } from '../ssh/index.ts';
import type { NodeView } from './cluster-plan.ts';
import type { Machine } from './survey.ts';

/** The shell and SSH around the script. */
const slackMs = 15_000;

/** As the agent runs it. Fault: application-does-not-stop. */
export async function runModuleScript(
  node: Machine,
  record: ClusterRecord,
  moduleName: string,
  script: 'start' | 'stop',
  signal: AbortSignal | undefined,
): Promise<void> {
  const module = record.modules.find(({ name }) => name === moduleName);
  if (!module) throw new Fault('internal', { message: `no module ${moduleName}` });
  const { command, timeoutMs } = module.scripts[script];
  const peer = record.nodes.find(({ name }) => name !== node.name)?.name ?? '';
  const environment = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root',
    `HOLDFAST_MODULE=${moduleName}`,
    `HOLDFAST_SCRIPT=${script}`,
    `HOLDFAST_NODE=${node.name}`,
    `HOLDFAST_PEER=${peer}`,
  ];
  // What a start leaves behind must not hold our channel open.
  const silence = script === 'start' ? '> /dev/null 2>&1' : '> /dev/null';
  const { code, stderr } = await node.transport.command(
    `cd /; env ${environment.join(' ')} /bin/sh -c ${quoted(command)} < /dev/null ${silence}`,
    { elevated: true, signal, timeoutMs: timeoutMs + slackMs },
  );
  if (code === 0) return;
  const said = stderr.trim().split('\n').at(-1) ?? '';
  throw new Fault(
    'application-does-not-stop',
    {
      message: `The ${script} command of ${moduleName} failed on ${node.name}: ${said === '' ? `exit ${code ?? 'by signal'}` : said}.`,
      remedy: `Try the command on that server, and correct it: ${command}`,
    },
    { node: node.name, module: moduleName, command, said },
  );
}

const freedWithinMs = 5000;
const lookAgainMs = 250;

/** Processes that were told to end need a moment. */
export async function freedViews(
  view: () => Promise<NodeView[]>,
  signal: AbortSignal | undefined,
): Promise<NodeView[]> {
  const untilMs = performance.now() + freedWithinMs;
  for (;;) {
    const views = await view();
    const busy = views.some(({ inspections }) =>
      inspections.some(({ problems }) => problems.some(({ code }) => code === 'directory-in-use')),
    );
    if (!busy || performance.now() > untilMs) return views;
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
    signal?.throwIfAborted();
  }
}
