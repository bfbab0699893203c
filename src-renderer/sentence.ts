/** The one sentence on top: is the data protected, what is happening, what should I do. Colour only repeats it. */
import type { ClusterStatus, ModuleOnNode } from '../agent/contract/index.ts';
import type { ClusterView } from '../src-main/app-api/index.ts';
import { reasonText, type Messages } from './messages/messages.ts';

export type { Tone } from './ui/tone.ts';
export interface Sentence {
  readonly tone: Tone;
  readonly text: string;
}

type Module = ClusterStatus['modules'][number];

const serving = ['primary', 'alone', 'up'];

export function clockTime(words: Messages, iso: string, seconds = false): string {
  const format = new Intl.DateTimeFormat(words.language === 'fr' ? 'fr-FR' : 'en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
  });
  return format.format(new Date(iso));
}

export function toneOf(on: ModuleOnNode): Tone {
  if (on.data === 'forked') return 'bad';
  if (on.state === 'unknown') return 'unknown';
  if (on.data === 'resynchronising' || on.state === 'transient') return 'working';
  if (on.state === 'wait' || on.data === 'stale') return 'attention';
  if (on.state === 'alone' || on.state === 'stopped') return 'attention';
  return 'good';
}

function timeLeft(words: Messages, module: Module): string {
  const seconds = module.nodes.map((on) => on.resync?.etaSeconds).find((eta) => typeof eta === 'number');
  return seconds === undefined ? words.unknownDuration : words.duration(seconds);
}

function whyNotProtected(words: Messages, status: ClusterStatus, module: Module): Sentence {
  if (module.maintenance) return { tone: 'attention', text: words.maintenance(module.name) };
  const runs = module.nodes.find((on) => serving.includes(on.state));
  const resynchronising = module.nodes.find((on) => on.data === 'resynchronising');
  if (runs && resynchronising)
    return { tone: 'working', text: words.notProtectedResynchronising(resynchronising.name, timeLeft(words, module)) };
  // Whoever runs the application knows best why it runs alone; otherwise whoever gives a reason.
  const telling = runs ?? module.nodes.find((on) => on.reason !== undefined && on.state !== 'unknown');
  const unreachable = status.nodes.find((node) => !node.reachable);
  const peer = module.nodes.find((on) => on.name !== telling?.name)?.name ?? '';
  const reason =
    (telling && reasonText(words, telling, peer)) ??
    (unreachable ? words.unreachable(unreachable.name) : words.states.unknown);
  const time = telling?.since === undefined ? null : clockTime(words, telling.since);
  return { tone: runs ? 'attention' : 'bad', text: words.notProtected(time, reason) };
}

function ofStatus(words: Messages, status: ClusterStatus): Sentence {
  if (status.modules.some((module) => module.nodes.some((on) => on.data === 'forked')))
    return { tone: 'bad', text: words.forked };
  if (status.modules.length === 0) return { tone: 'attention', text: words.noModules };
  // The worst module speaks for the cluster.
  const order: readonly Tone[] = ['bad', 'attention', 'unknown', 'working', 'good'];
  const [worst] = status.modules
    .filter((module) => !module.protected)
    .map((module) => whyNotProtected(words, status, module))
    .sort((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone));
  if (worst) return worst;
  const resynchronising = status.modules.find((module) => module.nodes.some((on) => on.resync !== undefined));
  if (resynchronising)
    return { tone: 'working', text: words.protectedResynchronising(timeLeft(words, resynchronising)) };
  return { tone: 'good', text: words.protected };
}

export function sentenceOf(words: Messages, view: ClusterView): Sentence {
  switch (view.kind) {
    case 'reading':
      return { tone: 'unknown', text: words.reading };
    case 'none':
      return { tone: 'unknown', text: words.noCluster };
    case 'read':
      return ofStatus(words, view.status);
    case 'unreadable':
      return { tone: 'unknown', text: words.cannotRead(clockTime(words, view.since)) };
  }
}
