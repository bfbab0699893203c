/** What no run ever shows, and why. A longer run fails when this is not so (coverage.ts). */

/** Of `allStates`. */
export const unreachable: Readonly<Record<string, string>> = {
  'wait + takeover': 'the wish to take over belongs to a secondary and ends with that phase',
  'wait + handover': 'the wish to be handed the application belongs to a secondary and ends with that phase',
  'secondary + start': 'a secondary takes over, or is handed the application',
};

/** Reasons and events. */
export const neverSaid: Readonly<Record<string, string>> = {
  'leftover-mount':
    'here whatever ends a machine while something is mounted leaves its role on disk, so that the next one resumes',
  'not-initialised': 'simulated volumes are always set up, be it with nothing in them',
  'checker-unusable': 'simulated checkers can always look',
};

interface Rule {
  readonly holds: (from: string, to: string) => boolean;
  readonly why: string;
}

const is = (state: string, ...names: readonly string[]): boolean => names.some((name) => state.startsWith(name));

/** What the code does not allow. The first that fits counts. */
const rules: readonly Rule[] = [
  {
    holds: (from, to) => to === 'resuming' && from !== 'down',
    why: 'only a process that starts asks whether the application runs',
  },
  {
    holds: (from, to) => from === 'down' && !['wait', 'stopped', 'resuming'].includes(to),
    why: 'a process that starts has heard nothing yet',
  },
  {
    holds: (from, to) =>
      from === 'resuming' && !is(to, 'active', 'fencing, then wait', 'down', 'deactivating, then stopped'),
    why: 'it goes on with the application or ends it, and does nothing else',
  },
  {
    holds: (from, to) => to === 'active' && !is(from, 'activating', 'resuming'),
    why: 'only a plan that has started the application ends in it',
  },
  {
    holds: (from, to) => is(to, 'deactivating') && !is(from, 'activating', 'active', 'resuming'),
    why: 'only a running application is stopped, and a stop that runs is not replaced by another one',
  },
  {
    holds: (from, to) => from === 'activating' && to === 'deactivating, then restart',
    why: 'an application that is being started is not restarted: orders for it are refused, and its checkers begin anew',
  },
  {
    holds: (from, to) => is(from, 'active', 'resuming') && to === 'deactivating, then start-failed',
    why: 'its start has not failed',
  },
  {
    holds: (from, to) => to === 'fencing, then start-failed' && from !== 'deactivating, then start-failed',
    why: 'only the stop after a failed start ends there',
  },
  {
    holds: (from, to) =>
      to === 'fencing, then stopped' && !is(from, 'deactivating, then stopped', 'stopped', 'wait', 'fencing'),
    why: 'only a stop by order ends there',
  },
  {
    holds: (from, to) => is(to, 'fencing') && is(from, 'secondary'),
    why: 'a secondary has nothing to fence',
  },
  {
    holds: (from, to) => is(to, 'fencing') && is(from, 'fencing'),
    why: 'what is fenced is fenced until it is done',
  },
  {
    holds: (from, to) => is(to, 'fencing') && is(from, 'stopped', 'wait'),
    why: 'only for a mount that nobody knows of (leftover-mount)',
  },
  { holds: (from, to) => is(to, 'secondary') && !is(from, 'wait', 'secondary'), why: 'a secondary has waited before' },
  {
    holds: (from, to) => is(from, 'wait +') && to === 'secondary',
    why: 'the wish ends before the node serves as secondary',
  },
  {
    holds: (from, to) => is(to, 'secondary +') && is(from, 'wait +'),
    why: 'a wish ends before the phase changes',
  },
];

const rare = 'needs two things at the same instant, or a second wish in the place of the first';

/** Transitions that were seen: the core must go on taking them. */
const taken: ReadonlySet<string> = new Set<string>(
  `
activating → active; deactivating, then handover; deactivating, then start-failed; deactivating, then stopped; deactivating, then wait; down; fencing, then wait
active → activating; deactivating, then handover; deactivating, then restart; deactivating, then stopped; deactivating, then wait; down; fencing, then wait
deactivating, then handover → down; fencing, then wait; stopped; wait
deactivating, then restart → activating; down; fencing, then wait; stopped; wait + start
deactivating, then start-failed → down; fencing, then start-failed; fencing, then wait; stopped; wait; wait + start
deactivating, then stopped → activating; down; fencing, then stopped; fencing, then wait; stopped; wait + start
deactivating, then wait → stopped; wait; wait + start
down → resuming; stopped; wait
fencing, then start-failed → wait
fencing, then stopped → down; stopped; wait + start
fencing, then wait → activating; down; stopped; wait; wait + start
resuming → active; deactivating, then stopped; down; fencing, then wait
secondary → activating; down; secondary + handover; secondary + order; secondary + takeover; stopped; wait; wait + order; wait + start
secondary + handover → activating; down; secondary; secondary + order
secondary + order → activating; down; secondary
secondary + takeover → activating; down; secondary; secondary + order; stopped; wait
stopped → activating; down; wait; wait + order; wait + start
wait → activating; down; secondary; stopped; wait + order; wait + start
wait + order → activating; down; stopped; wait
wait + start → activating; down; stopped; wait; wait + order
`
    .split('\n')
    .flatMap((line) => {
      const [from, to] = line.split(' → ');
      return from === undefined || to === undefined ? [] : to.split('; ').map((one) => `${from} → ${one}`);
    }),
);

export interface Untaken {
  readonly why: string;
  /** The code forbids it: seeing it is a mistake of this list or of the core. Else it may be seen some day. */
  readonly forbidden: boolean;
}

/** Why a machine never goes from one state to another; null: it does. */
export function neverTaken(from: string, to: string): Untaken | null {
  if (taken.has(`${from} → ${to}`)) return null;
  const rule = rules.find(({ holds }) => holds(from, to));
  return { why: rule?.why ?? rare, forbidden: rule !== undefined };
}
