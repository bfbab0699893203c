/** The one sentence on top: is the data protected, what is happening, what should I do. Colour only repeats it. */
import type { ClusterStatus } from '../agent/contract/index.ts';
import type { ClusterView } from '../src-main/app-api/index.ts';
import { findingsOf, networkCount, statusOf, type Circumstances, type Finding } from './cluster/findings.ts';
import { sentenceFrom, type Telling } from './messages/cluster-words.ts';
import { faultWords, type FaultText } from './messages/fault-words.ts';
import { reasonWords, type Messages } from './messages/messages.ts';
import { clockTime, dayTime, durationText } from './ui/format.ts';
import type { Tone } from './ui/tone.ts';

export type { Tone } from './ui/tone.ts';
export interface Sentence {
  readonly tone: Tone;
  readonly text: string;
}
/** A finding in words: what happened · likely cause · what to do. */
export interface Said extends FaultText {
  readonly finding: Finding;
}

function tellingOf(words: Messages, status: ClusterStatus | null, nowMs: number): Telling {
  return {
    protected: status?.protected === true,
    onTop: false,
    names: (status?.nodes ?? []).map(({ name }) => name),
    time: (at) => (nowMs === 0 ? clockTime(words, at) : dayTime(words, at, nowMs)),
    left: (seconds) => durationText(words, seconds),
    duration: (seconds) => durationText(words, seconds),
    reason: (on, peer) => reasonWords(words, on, peer, status === null ? 1 : networkCount(status)),
    fault: (node, { code, message, ...more }) => {
      const details = { node, host: node, ...more.details };
      return faultWords(words, { code, message, remedy: more.remedy ?? '', details });
    },
  };
}

/** These name the module themselves. */
const namesModule: readonly Finding['kind'][] = ['stopped', 'maintenance'];

/** With several modules, whose. */
function named(finding: Finding, status: ClusterStatus | null, what: string): string {
  const module = 'module' in finding && !namesModule.includes(finding.kind) ? finding.module : null;
  return module === null || (status?.modules.length ?? 0) < 2 ? what : `${module} · ${what}`;
}

/** The door to a silent server is locked: what is said of the door says what to do; that it comes back by itself would not be true. */
function locksOut(top: Finding, other: Finding): boolean {
  if (top.kind !== 'alone' && top.kind !== 'waiting') return false;
  return (other.kind === 'login' || other.kind === 'host-key') && other.node === top.peer;
}

function say(words: Messages, finding: Finding, telling: Telling): FaultText {
  const wording = words.cluster.findings[finding.kind] as (finding: Finding, telling: Telling) => FaultText;
  return wording(finding, telling);
}

/** All that there is to say, the most important first. */
export function sayAll(words: Messages, view: ClusterView, circumstances: Circumstances): readonly [Said, ...Said[]] {
  const status = statusOf(view);
  const telling = tellingOf(words, status, circumstances.nowMs);
  const saidOf = (finding: Finding, onTop: boolean): Said => {
    const text = say(words, finding, { ...telling, onTop });
    return { ...text, what: named(finding, status, sentenceFrom(text.what, telling.names)), finding };
  };
  const [first, ...others] = findingsOf(view, circumstances);
  const { what, cause, remedy, finding } = saidOf(first, true);
  const top: Said = others.some((other) => locksOut(first, other))
    ? { what, finding }
    : { what, finding, ...(cause === undefined ? {} : { cause }), ...(remedy === undefined ? {} : { remedy }) };
  return [top, ...others.map((other) => saidOf(other, false))];
}

export function sentenceOf(words: Messages, view: ClusterView, circumstances: Circumstances): Sentence {
  const [first] = sayAll(words, view, circumstances);
  return { tone: first.finding.tone, text: first.what };
}
