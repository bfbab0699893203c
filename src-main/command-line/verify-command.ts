/** holdfast verify: compare both copies of a module, show what was found, repair it. */
import type { ControlApi } from '../../agent/contract/control-api.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { Result } from '../../agent/contract/rpc.ts';
import type { Verification } from '../../agent/contract/verify.ts';
import { moduleStatus } from '../cluster/orders.ts';
import type { CommandContext } from './module-commands.ts';
import { confirm } from './terminal.ts';
import { bytesText, secondsText } from './text.ts';

type Verifications = Result<ControlApi, 'verification'>;

const pollIntervalMs = 500;
/** What was just ordered may not be told yet. */
const unknownMaxMs = 5000;
/** A comparison reads everything: hours are ordinary. */
const waitTimeoutMs = 7 * 24 * 3_600_000;

const isOver = ({ state }: Verification, repair: boolean): boolean =>
  state !== 'running' && !(repair && state === 'repairing');

export async function verifyCommand(context: CommandContext): Promise<number> {
  const { args, access, terminal } = context;
  const [module = ''] = args.words;
  if ([args.estimate, args.repair, args.show, args.stop].filter(Boolean).length > 1)
    throw new Fault('wrong-usage', { message: 'Write one of --estimate, --repair, --show and --stop.' });
  await moduleStatus(access, module);
  const node = await access.primaryOf(module);
  if (args.show) return tell(context, module, await access.call(node, 'verification', { module }));
  if (args.estimate) {
    const bytes = await access.call(node, 'dataBytes', { module }, waitTimeoutMs);
    const size = bytes === null ? 'An unknown amount of data' : bytesText(bytes);
    return done(context, `${size} would be read on each server; next to nothing is sent.`, { bytes });
  }
  if (args.stop) {
    await access.call(node, 'stopVerify', { module });
    return done(context, `The comparison of ${module} is stopped.`);
  }
  const question = `What differs on the secondary of ${module}, in times or holes too, is replaced by what ${node} has. Both copies are read whole for that, and until it has ended the application cannot move to the secondary. Compare and repair?`;
  if (args.repair && !(await confirm(terminal, question, args.yes))) {
    terminal.err('Nothing was changed.\n');
    return 1;
  }
  await access.call(node, 'verify', { module, repair: args.repair });
  if (!args.wait)
    return done(
      context,
      `The copies of ${module} are being compared; holdfast verify ${module} --show tells what comes of it.`,
    );
  return tell(context, module, await follow(context, node, module));
}

async function follow(
  { args, access, terminal, signal }: CommandContext,
  node: string,
  module: string,
): Promise<Verifications> {
  const untilMs = performance.now() + (args.timeoutMs ?? waitTimeoutMs);
  let knownMs = performance.now();
  for (;;) {
    const all = await access.call(node, 'verification', { module });
    if (terminal.interactive) terminal.err(`\r\u001B[K${progressText(all)}`);
    const known = all.every(({ verification }) => verification !== null);
    if (known && all.every(({ verification }) => verification !== null && isOver(verification, args.repair))) {
      if (terminal.interactive) terminal.err('\r\u001B[K');
      return all;
    }
    knownMs = known ? performance.now() : knownMs;
    // It had begun: whoever holds the application by now knows nothing of it.
    if (performance.now() > knownMs + unknownMaxMs)
      throw new Fault('verify-not-possible', {
        message: `The comparison of ${module} did not end: ${node} does not hold the application any more.`,
        remedy: `Compare again: holdfast verify ${module}.`,
      });
    if (performance.now() > untilMs)
      throw new Fault('timed-out', { message: `The comparison of ${module} has not ended in time; it goes on.` });
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
  }
}

function progressText(all: Verifications): string {
  return all
    .map(({ path, verification: one }) =>
      one === null
        ? ''
        : `${path}: ${one.files} files, ${amountText(one)}${one.differing > 0 ? `, ${one.differing} differ` : ''}`,
    )
    .join('   ');
}

/** How much, how fast, how long at most: the filesystem tells no more than what is used on it. */
function amountText({ comparedBytes, totalBytes = null, bytesPerSecond, etaSeconds = null }: Verification): string {
  return [
    totalBytes === null ? bytesText(comparedBytes) : `${bytesText(comparedBytes)} of at most ${bytesText(totalBytes)}`,
    ...(bytesPerSecond === null ? [] : [`${bytesText(bytesPerSecond)}/s`]),
    ...(etaSeconds === null ? [] : [`${secondsText(etaSeconds)} left at most`]),
  ].join(', ');
}

function done({ args, terminal }: CommandContext, text: string, more: object = {}): number {
  terminal.out(args.json ? `${JSON.stringify({ done: true, message: text, ...more })}\n` : `${text}\n`);
  return 0;
}

/** Exit code: copies that are known to differ are a failure, so that a script notices. */
function tell({ args, terminal }: CommandContext, module: string, all: Verifications): number {
  if (args.json) terminal.out(`${JSON.stringify({ module, volumes: all })}\n`);
  else for (const { path, verification } of all) terminal.out(verificationText(path, verification));
  const good = all.every(
    ({ verification }) => verification === null || ['equal', 'repaired', 'running'].includes(verification.state),
  );
  return good ? 0 : 1;
}

const sentences: Readonly<Record<Verification['state'], string>> = {
  running: 'are being compared',
  equal: 'are equal',
  different: 'differ. The secondary is not used until it is repaired: holdfast verify MODULE --repair',
  repairing: 'differed; the secondary is being repaired',
  repaired: 'differed, and the secondary has been repaired',
  stopped: 'were not compared to the end: stopped by order',
  interrupted:
    'were not compared to the end: the servers were separated, or one of them lacked memory or descriptors. Compare again',
};

const unreadableSentence =
  'could not all be compared: the disk of the primary does not read what is listed. Nothing was repaired. Move the application to the other server, whose copy is good there (holdfast swap MODULE), then mend the disk';

/** Pure. */
export function verificationText(path: string, verification: Verification | null): string {
  if (verification === null) return `${path}: not compared since the module was started here.\n`;
  const { state, files, unreadable = 0, directories, differing, minor, differences } = verification;
  const counted = `${files} files in ${directories} directories, ${amountText(verification)}; ${differing} differ${minor === 0 ? '' : `, ${minor} in times or holes only`}`;
  const lines = differences.map(
    ({ path: name, kinds, bytes, directory }) =>
      `  ${name === '' ? '.' : name}${directory === true && name !== '' ? '/' : ''}: ${kinds.join(', ')}${bytes > 0 && kinds.includes('content') ? ` (${bytesText(bytes)})` : ''}\n`,
  );
  const sentence = unreadable > 0 && state === 'different' && differing === 0 ? unreadableSentence : sentences[state];
  const rest = differing + minor - differences.length;
  return `${path}: the copies ${sentence}.\n  ${counted}\n${lines.join('')}${rest > 0 ? `  … and ${rest} more\n` : ''}`;
}
