/** A file to a host: beside its name, resumed where an interrupted copy ended, verified there, then renamed. */
import { once } from 'node:events';
import { Fault } from '../../agent/contract/fault.ts';
import { quoted } from './shell.ts';
import type { CommandResult, CopyOptions, CopySource } from './transport.ts';
import type { RunningScript } from './session.ts';

export interface CopyMeans {
  readonly host: string;
  command(script: string, signal: AbortSignal | undefined): Promise<CommandResult>;
  start(script: string, signal: AbortSignal | undefined): Promise<RunningScript>;
}

/** The name says of which content it is a part: another content never continues it. */
export function partName(target: string, source: CopySource): string {
  return `${target}.${source.sha256.slice(0, 12)}.part`;
}

function diskFull(means: CopyMeans, target: string): Fault {
  return new Fault(
    'disk-full',
    {
      message: `The disk of ${means.host} is full: ${target} could not be written.`,
      remedy: 'Make room there and start again.',
    },
    { host: means.host, path: target },
  );
}

async function presentBytes(
  means: CopyMeans,
  part: string,
  source: CopySource,
  signal: AbortSignal | undefined,
): Promise<number> {
  const [file, own] = [quoted(part), quoted(`${part}.own`)];
  // A session that was cut off may still be writing to the part: what is gone on with is a copy that only we know.
  const script = `umask 077; [ -f ${file} ] || exit 0; size=$(wc -c < ${file})
head -c "$size" ${file} > ${own} && mv -f ${own} ${file} || { rm -f ${own} ${file}; exit 0; }
wc -c < ${file}; sha256sum < ${file} | cut -d ' ' -f 1`;
  const { stdout } = await means.command(script, signal);
  const [size = '0', sha256 = ''] = stdout.trim().split('\n');
  const length = Number(size);
  if (!(length > 0) || length > source.size) return 0;
  return (await source.prefixSha256(length)) === sha256.trim() ? length : 0;
}

export async function copyFile(
  means: CopyMeans,
  source: CopySource,
  target: string,
  options: CopyOptions,
): Promise<void> {
  const { signal, onProgress } = options;
  const part = partName(target, source);
  const offset = await presentBytes(means, part, source, signal);
  let done = offset;
  onProgress?.(done, source.size);
  if (offset < source.size || source.size === 0) {
    const sending = await means.start(`umask 077; exec cat ${offset > 0 ? '>>' : '>'} ${quoted(part)}`, signal);
    const abort = (): void => sending.kill();
    signal?.addEventListener('abort', abort, { once: true });
    const ended = sending.ended.then((end) => ({ end }));
    ended.catch(() => undefined);
    sending.channel.resume();
    try {
      for await (const chunk of source.read(offset)) {
        signal?.throwIfAborted();
        if (!sending.channel.writable) break;
        if (!sending.channel.write(chunk)) {
          // cat that failed never drains: then its end is what happens.
          await Promise.race([once(sending.channel, 'drain'), ended]);
        }
        done += chunk.length;
        onProgress?.(done, source.size);
      }
      sending.channel.end();
      const { end } = await ended;
      signal?.throwIfAborted();
      if (end.code !== 0) {
        if (/No space left|Disk quota|File too large/i.test(sending.stderr())) {
          await means.command(`rm -f ${quoted(part)}`, signal);
          throw diskFull(means, target);
        }
        throw new Fault(
          'copy-failed',
          {
            message: `${target} could not be written on ${means.host}: ${sending.stderr().trim().split('\n').at(-1) ?? ''}`,
          },
          { host: means.host, path: target },
        );
      }
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }
  const file = quoted(part);
  const script = `[ "$(sha256sum < ${file} | cut -d ' ' -f 1)" = ${source.sha256} ] && mv -f ${file} ${quoted(target)}`;
  const { code } = await means.command(script, signal);
  if (code !== 0) {
    await means.command(`rm -f ${file}`, signal);
    throw new Fault(
      'copy-damaged',
      { message: `${target} arrived on ${means.host} with another content than was sent.`, remedy: 'Start again.' },
      { host: means.host, path: target },
    );
  }
}
