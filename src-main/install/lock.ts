/**
 * One installation at a time on a server, whichever laptop it comes from. A script on each node holds a directory in /run for as long as it
 * hears from us; an owner who is not heard of any more loses it, without anybody having to compare clocks: whoever waits sees that the count
 * of its signs of life stands still.
 */
import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import type { Duplex } from 'node:stream';
import { Fault } from '../../agent/contract/fault.ts';
import { quoted, type Transport } from '../ssh/index.ts';
import { layout } from './layout.ts';

const signIntervalMs = 2000;

export interface LockPlace {
  readonly directory: string;
  /** An SSH connection counts as lost after 9 s of silence; its installation has ended by then. */
  readonly silenceSecondsMax: number;
}
const usualPlace: LockPlace = { directory: layout.installLock, silenceSecondsMax: 12 };
/** Where no lock can be made at all (a read-only system), nobody waits for ever. */
const roundsMax = 40;

export interface LockedNode {
  readonly name: string;
  readonly transport: Transport;
}

/** Of holds of this program that have ended: what is left of them on a server that did not notice is in nobody's way. */
const formerTokens: string[] = [];
const formerTokensMax = 50;

/**
 * Says `held`, `busy WHO|SINCE|`, `own` (of the same hold: two names of one server), or `cannot`. While it is held each line on stdin is a sign
 * of life; at its end the directory goes, unless somebody else has taken it over, which is told by the end of the script.
 */
function holdScript(place: LockPlace, token: string, since: string, own: readonly string[]): string {
  const who = `${userInfo().username}@${hostname()}`;
  return `lock=${quoted(place.directory)}; token=${token}
umask 022
line() { sed -n "$1" $lock/owner 2>/dev/null; }
take() { mkdir $lock 2>/dev/null && printf '%s\n' $token ${quoted(who)} ${quoted(since)} > $lock/owner && echo 0 > $lock/sign; }
among() { holder=$(line 1p); for one in "$@"; do [ "$one" != "$holder" ] || return 0; done; return 1; }
silent=0; last=; rounds=0
until take; do
  rounds=$((rounds+1)); [ $rounds -lt ${roundsMax} ] || { echo cannot; exit 0; }
  [ -d $lock ] || continue
  if among ${own.join(' ')}; then echo own; exit 0; fi
  if [ $silent -ge ${place.silenceSecondsMax} ] || among ${formerTokens.join(' ')}; then
    # By one rename: of two who wait for the same silent owner one takes it.
    mv $lock $lock.$token 2>/dev/null && rm -rf $lock.$token
    silent=0; last=; continue
  fi
  sign=$(cat $lock/sign 2>/dev/null)
  if [ -n "$last" ] && [ "$sign" != "$last" ]; then echo "busy $(line '2,$p' | tr '\n' '|')"; exit 0; fi
  last=\${sign:-none}; sleep 1; silent=$((silent+1))
done
echo held
sign=0
while read -r life; do
  [ "$(line 1p)" = $token ] || exit 0
  sign=$((sign+1)); echo $sign > $lock/sign
done
[ "$(line 1p)" = $token ] && rm -rf $lock
exit 0
`;
}

interface Hold {
  readonly token: string;
  release(): Promise<void>;
  readonly lost: Promise<never>;
}

function elsewhere(name: string, host: string, said: string): Fault {
  const [who = '', since = ''] = said.split('|');
  return new Fault(
    'installation-running-elsewhere',
    {
      message: `Another installation is running on ${name}: ${who === '' ? 'by somebody else' : `by ${who}, since ${since}`}.`,
      remedy: 'Wait until it has ended, then start again: what it has done is not done twice.',
    },
    { node: name, host, who, since },
  );
}

/** First line, then what comes after is nobody's. Null: the script ended without one. */
function firstLine(stream: Duplex, signal: AbortSignal | undefined): Promise<string | null> {
  return new Promise((resolve, reject) => {
    let text = '';
    const end = (action: () => void): void => {
      stream.off('data', onData);
      signal?.removeEventListener('abort', onAbort);
      action();
    };
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('utf8');
      const at = text.indexOf('\n');
      if (at >= 0) end(() => resolve(text.slice(0, at)));
    };
    const onAbort = (): void => end(() => reject(signal?.reason as Error));
    signal?.addEventListener('abort', onAbort, { once: true });
    stream.on('data', onData);
    stream.resume();
    stream.once('error', (error) => end(() => reject(error)));
    stream.once('close', () => end(() => resolve(null)));
  });
}

async function hold(
  place: LockPlace,
  node: LockedNode,
  own: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Hold | null> {
  const { transport, name } = node;
  const token = randomBytes(8).toString('hex');
  const stream = await transport.connect(holdScript(place, token, new Date().toISOString(), own), {
    elevated: true,
    signal,
  });
  const answer = await firstLine(stream, signal);
  if (answer !== 'held') {
    stream.destroy();
    if (answer?.startsWith('busy') === true) throw elsewhere(name, transport.host, answer.slice('busy '.length));
    // The same server twice, read-only, no Linux: what the checks have to say of that is said better there.
    return null;
  }
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  stream.on('error', () => undefined);
  stream.resume();
  const timer = setInterval(() => {
    if (stream.writable) stream.write('\n');
  }, signIntervalMs);
  let released = false;
  void closed.then(() => {
    clearInterval(timer);
    if (!released)
      lost.reject(
        new Fault(
          'connection-lost',
          { message: `The connection to ${transport.host} was lost.` },
          { host: transport.host },
        ),
      );
  });
  return {
    token,
    lost: lost.promise,
    async release() {
      released = true;
      clearInterval(timer);
      formerTokens.push(token);
      formerTokens.splice(0, formerTokens.length - formerTokensMax);
      stream.end();
      // A server that is gone says nothing any more; its lock ends by itself.
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, signIntervalMs))]);
      stream.destroy();
    },
  };
}

/**
 * Runs `action` while this program has the lock of every node; its signal ends when one is lost. Faults: installation-running-elsewhere, and
 * those of the action.
 */
export async function withInstallLock<T>(
  nodes: readonly LockedNode[],
  signal: AbortSignal | undefined,
  action: (signal: AbortSignal) => Promise<T>,
  place = usualPlace,
): Promise<T> {
  const holds: Hold[] = [];
  const ended = new AbortController();
  const during = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
  try {
    // One after the other, in the same order from wherever: two who begin at once do not each get half.
    for (const node of [...nodes].sort((a, b) => (a.transport.host < b.transport.host ? -1 : 1))) {
      const held = await hold(
        place,
        node,
        holds.map(({ token }) => token),
        signal,
      );
      if (held === null) continue;
      holds.push(held);
      held.lost.catch((fault: unknown) => ended.abort(fault));
    }
    return await action(during);
  } finally {
    await Promise.all(holds.map((held) => held.release()));
  }
}
