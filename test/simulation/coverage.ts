/**
 * What the runs have shown of the core, against everything that it can be: its states are enumerated from its phases, what it waits for and tells is
 * read from its source. Whatever was not seen is on a list with the reason, or the list is wrong.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { neverSaid, neverTaken, unreachable } from './coverage-list.ts';
import type { Seen } from './seen.ts';

const core = path.join(import.meta.dirname, '../../agent/core');

const purposes = ['start', 'takeover', 'handover', 'order'] as const;

const allStates: readonly string[] = [
  'down',
  'resuming',
  'stopped',
  ...['wait', 'secondary'].flatMap((phase) => [phase, ...purposes.map((purpose) => `${phase} + ${purpose}`)]),
  'activating',
  'active',
  ...['stopped', 'handover', 'restart', 'start-failed', 'wait'].map((then) => `deactivating, then ${then}`),
  ...['wait', 'stopped', 'start-failed'].map((then) => `fencing, then ${then}`),
];

function codesIn(patterns: readonly RegExp[]): Set<string> {
  const found = new Set<string>();
  for (const name of readdirSync(core)) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    const text = readFileSync(path.join(core, name), 'utf8');
    for (const match of patterns.flatMap((pattern) => [...text.matchAll(pattern)]))
      for (const code of match.slice(1) as (string | undefined)[]) if (code !== undefined) found.add(code);
  }
  return found;
}

/** `draft.wait('code'` and the codes of fences, which are waited with afterwards. */
const allReasons = (): Set<string> =>
  codesIn([
    /draft\.wait\(\s*(?:fault\?\.code \?\? )?'([a-z-]+)'/g,
    /\bfence\(\s*draft,\s*(?:tie \? |who === null \? )?'([a-z-]+)'(?: : '([a-z-]+)')?/g,
  ]);

const allEvents = (): Set<string> => codesIn([/\.emit\(\s*(?:'[a-z]+'|[^,()]*\?[^,]*),\s*'([a-z-]+)'/g]);

export interface Coverage {
  /** Not seen, with the reason. */
  readonly never: readonly string[];
  /** Seen although it cannot be, or neither seen nor on the list. */
  readonly wrong: readonly string[];
}

export function coverageOf(seen: Seen): Coverage {
  const never: string[] = [];
  const wrong: string[] = [];
  const compare = (
    what: string,
    all: Iterable<string>,
    was: ReadonlySet<string>,
    listed: Readonly<Record<string, string>>,
  ): void => {
    for (const one of all) {
      const why = listed[one];
      if (was.has(one)) {
        if (why !== undefined) wrong.push(`${what} "${one}" was seen although it is on the list: ${why}`);
      } else if (why === undefined) wrong.push(`${what} "${one}" was neither seen nor is it on the list`);
      else never.push(`${what} "${one}": ${why}`);
    }
  };
  compare('state', allStates, seen.states, unreachable);
  compare('reason', allReasons(), seen.reasons, neverSaid);
  compare('event', allEvents(), seen.events, neverSaid);
  for (const state of seen.states)
    if (!allStates.includes(state)) wrong.push(`state "${state}" was seen and is not known`);
  const why = transitions(seen, wrong);
  for (const [reason, pairs] of why) never.push(`${String(pairs.length)} transitions (${pairs[0] ?? ''} …): ${reason}`);
  return { never, wrong };
}

/** Those that were not seen, by their reason. */
function transitions({ transitions: was }: Seen, wrong: string[]): Map<string, string[]> {
  const never = new Map<string, string[]>();
  const known = allStates.filter((state) => unreachable[state] === undefined);
  for (const from of known)
    for (const to of known) {
      if (from === to) continue;
      const pair = `${from} → ${to}`;
      const untaken = neverTaken(from, to);
      if (was.has(pair)) {
        if (untaken?.forbidden === true) wrong.push(`transition "${pair}" was seen although ${untaken.why}`);
      } else if (untaken === null) wrong.push(`transition "${pair}" was not seen any more`);
      else never.set(untaken.why, [...(never.get(untaken.why) ?? []), pair]);
    }
  return never;
}
