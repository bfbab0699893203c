/** holdfast resync MODULE --estimate: how much a server that comes back has to be compared with. A resync begins by itself; nothing is ordered here. */
import type { ControlApi } from '../../agent/contract/control-api.ts';
import { changedObjectsMax, type ResyncEstimate, type WholeReason } from '../../agent/contract/estimate.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { Result } from '../../agent/contract/rpc.ts';
import { moduleStatus } from '../cluster/orders.ts';
import type { CommandContext } from './module-commands.ts';
import { bytesText, secondsText } from './text.ts';

type Estimates = Result<ControlApi, 'estimate'>;

const filesShown = 20;

export async function resyncCommand({ args, access, terminal }: CommandContext): Promise<number> {
  const [module = ''] = args.words;
  if (!args.estimate)
    throw new Fault('wrong-usage', {
      message: 'A resync begins by itself as soon as both servers see each other.',
      remedy: `How much it would have to compare: holdfast resync ${module} --estimate. To compare everything by order: holdfast verify ${module}.`,
    });
  await moduleStatus(access, module);
  const node = await access.primaryOf(module);
  const files = args.files ? changedObjectsMax : filesShown;
  const volumes = await access.call(node, 'estimate', { module, files });
  if (args.json) terminal.out(`${JSON.stringify({ module, node, volumes })}\n`);
  else for (const one of volumes) terminal.out(estimateText(one));
  return 0;
}

const reasons: Readonly<Record<WholeReason, string>> = {
  'no-log':
    'there is no log of what was changed (the replication was started anew, or the other server never confirmed a checkpoint)',
  'too-many-changes': 'more was changed than the log holds',
  unwritten: 'the disk of this server has failed to write, so all of it is compared and written again',
  'copies-differ': 'the other copy was found to differ, and waits for an order: holdfast verify MODULE --repair',
};

/** Pure. */
export function estimateText({ path, estimate }: Estimates[number]): string {
  const { scope, why, objects, bytes } = estimate;
  if (scope === 'nothing') return `${path}: both copies are in sync; nothing is to be compared.\n`;
  const size = bytes === null ? 'an unknown amount' : `at most ${bytesText(bytes)}`;
  if (scope === 'everything')
    return `${path}: everything is compared, ${size}${objects === null ? '' : ` in at most ${objects} files and directories`}${timeText(estimate)}: ${reasons[why ?? 'no-log']}.\n`;
  return `${path}: ${size} in ${objects ?? 0} files and directories and ${estimate.names ?? 0} names ${wholeText(estimate)}to compare, if the other copy comes back as it was left${timeText(estimate)}. What is the same is not sent.\n${filesText(estimate)}`;
}

const timeText = ({ seconds, bytesPerSecond }: ResyncEstimate): string =>
  seconds === null || bytesPerSecond === null
    ? ''
    : `, at most ${secondsText(seconds)} at ${bytesText(bytesPerSecond)}/s as last measured`;

const wholeText = ({ wholeDirectories }: ResyncEstimate): string =>
  wholeDirectories === 0 ? '' : `(and all that is in ${wholeDirectories} directories that were moved) `;

function filesText({ files, objects }: ResyncEstimate): string {
  const lines = files.map(
    ({ path, kind, bytes }) => `  ${path === '' ? '.' : path}: ${kind}${bytes > 0 ? `, ${bytesText(bytes)}` : ''}\n`,
  );
  const rest = (objects ?? 0) - files.length;
  return `${lines.join('')}${rest > 0 ? `  … and ${rest} more (--files)\n` : ''}`;
}
