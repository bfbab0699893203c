/** What a server that is away has to be compared with when it returns, in words. Pure. */
import type { ChangedObject, ResyncEstimate } from '../../agent/contract/index.ts';
import type { Estimate } from '../../src-main/app-api/index.ts';
import type { Finding } from '../cluster/findings.ts';
import type { Messages } from '../messages/messages.ts';
import { bytesText, durationText, numberText } from '../ui/format.ts';

/** Whose return is awaited, and in which module. */
export interface Awaited {
  readonly module: string;
  readonly node: string;
}

export function awaitedIn(finding: Finding): Awaited | null {
  switch (finding.kind) {
    case 'alone':
    case 'link-cut':
      return { module: finding.module, node: finding.peer };
    case 'not-following':
    case 'peer-stopped':
      return { module: finding.module, node: finding.on.name };
    case 'agent-dead':
      return finding.module === null ? null : { module: finding.module, node: finding.node };
    default:
      return null;
  }
}

type Total = Pick<ResyncEstimate, 'scope' | 'why' | 'objects' | 'names' | 'wholeDirectories' | 'bytes' | 'seconds'>;
const scopes = ['nothing', 'marks', 'everything'] as const;

/** Null when one of them is not known. */
const sum = (numbers: readonly (number | null)[]): number | null =>
  numbers.reduce<number | null>((total, one) => (total === null || one === null ? null : total + one), 0);

/** Of all directories of the module. */
export function totalOf({ volumes }: Estimate): Total {
  const all = volumes.map(({ estimate }) => estimate);
  const worst = Math.max(0, ...all.map(({ scope }) => scopes.indexOf(scope)));
  return {
    scope: scopes[worst] ?? 'nothing',
    why: all.find(({ why }) => why !== null)?.why ?? null,
    objects: sum(all.map(({ objects }) => objects)),
    names: sum(all.map(({ names }) => names)),
    wholeDirectories: sum(all.map(({ wholeDirectories }) => wholeDirectories)) ?? 0,
    bytes: sum(all.map(({ bytes }) => bytes)),
    seconds: sum(all.map(({ seconds }) => seconds)),
  };
}

/** A whole sentence; null: there is nothing to say. */
export function estimateText(words: Messages, estimate: Estimate, node: string): string | null {
  const said = words.cluster.estimate;
  const { scope, why, objects, names, wholeDirectories, bytes, seconds } = totalOf(estimate);
  if (scope === 'nothing') return null;
  const time = seconds === null || seconds < 1 ? '' : ` ${said.time(durationText(words, seconds))}`;
  if (scope === 'everything') {
    const reason = said.reasons[why ?? 'no-log'];
    return bytes === null
      ? said.everythingUnknown(node, reason)
      : `${said.everything(node, bytesText(words, bytes), reason)}${time}`;
  }
  if ((objects ?? 0) === 0 && (names ?? 0) === 0) return said.unchanged(node);
  const count = numberText(words, objects);
  const text = bytes === 0 ? said.namesOnly(node, count) : said.marked(node, bytesText(words, bytes), count);
  return `${text}${wholeDirectories === 0 ? '' : ` ${said.whole(numberText(words, wholeDirectories))}`}${time}`;
}

/** The first of them. */
export function changedIn({ volumes }: Estimate): readonly (ChangedObject & { readonly under: string })[] {
  return volumes.flatMap(({ path, estimate }) => estimate.files.map((one) => ({ ...one, under: path })));
}
