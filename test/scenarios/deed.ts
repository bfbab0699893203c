/** What may happen in a scenario. */
export type Place = 'n1' | 'n2' | 'witness';
export type OrderName = 'start' | 'stop' | 'restart' | 'swap' | 'promote';

export type Deed =
  | { readonly do: 'power-off' | 'power-on'; readonly places: readonly Place[] }
  /** Nothing passes from the first to the second; both ways unless `oneWay`. `network` null: all of them. */
  | {
      readonly do: 'cut';
      readonly from: Place;
      readonly to: Place;
      readonly oneWay: boolean;
      readonly network: string | null;
    }
  | { readonly do: 'isolate'; readonly place: Place }
  | { readonly do: 'heal' }
  | { readonly do: 'flap'; readonly forMs: number }
  | { readonly do: 'lose'; readonly percent: number }
  | { readonly do: 'freeze' | 'thaw' | 'kill-agent' | 'kill-replicator'; readonly node: string }
  | { readonly do: 'order'; readonly node: string; readonly order: OrderName }
  | { readonly do: 'maintenance'; readonly on: boolean }
  /** `good`: from now on it works again. */
  | { readonly do: 'application' | 'script' | 'surroundings' | 'mount'; readonly node: string; readonly good: boolean }
  /** That of the first or the second volume takes nothing any more; it can be read. */
  | { readonly do: 'disk'; readonly node: string; readonly volume: 0 | 1; readonly good: boolean }
  /** `set-aside`: the other one's version goes on; the node and what it has promised stay what they are. */
  | {
      readonly do: 'replace-disk' | 'reinstall' | 'take-image' | 'restore-image' | 'set-aside';
      readonly node: string;
    }
  /** `going`: false: each resync into the node halts before its end. */
  | { readonly do: 'resync'; readonly node: string; readonly going: boolean }
  | { readonly do: 'wall-clock'; readonly place: Place; readonly years: number }
  | { readonly do: 'wait'; readonly forMs: number };

/** `300ms`, `8s`, `2m`; null: something else. */
export function durationMs(text: string): number | null {
  const found = /^(\d+)(ms|s|m)$/.exec(text);
  if (found === null) return null;
  return Number(found[1]) * { ms: 1, s: 1000, m: 60_000 }[found[2] as 'ms' | 's' | 'm'];
}

const place = '(n1|n2|witness)';
const node = '(n1|n2)';

/** The words of a deed, and what they mean. The first that fits counts. */
const grammar: readonly (readonly [RegExp, (words: readonly string[]) => Deed | null])[] = [
  [/^power (on|off) (room|(?:(?:n1|n2|witness) ?)+)$/, ([, way = '', places = '']) => powered(way, places)],
  [
    new RegExp(`^cut ${place} (> )?${place}(?: network (lan|sync))?$`),
    ([, from, arrow, to, network]) => ({
      do: 'cut',
      from: from as Place,
      to: to as Place,
      oneWay: arrow !== undefined,
      network: network ?? null,
    }),
  ],
  [new RegExp(`^isolate ${place}$`), ([, where]) => ({ do: 'isolate', place: where as Place })],
  [/^heal$/, () => ({ do: 'heal' })],
  [/^flap (\S+)$/, ([, span = '']) => spanned('flap', span)],
  [/^wait (\S+)$/, ([, span = '']) => spanned('wait', span)],
  [/^lose (\d+)%$/, ([, percent]) => ({ do: 'lose', percent: Number(percent) })],
  [new RegExp(`^(freeze|thaw) ${node}$`), ([, what, on = '']) => ({ do: what as 'freeze' | 'thaw', node: on })],
  [
    new RegExp(`^kill (agent|replicator) ${node}$`),
    ([, what, on = '']) => ({ do: what === 'agent' ? 'kill-agent' : 'kill-replicator', node: on }),
  ],
  [
    new RegExp(`^order ${node} (start|stop|restart|swap|promote)$`),
    ([, on = '', order]) => ({ do: 'order', node: on, order: order as OrderName }),
  ],
  [/^maintenance (on|off)$/, ([, way]) => ({ do: 'maintenance', on: way === 'on' })],
  [
    new RegExp(`^(application|script|surroundings|mount) of ${node} (fails?|works?)$`),
    ([, what = '', on = '', way = '']) => ({
      do: what as 'application' | 'script' | 'surroundings' | 'mount',
      node: on,
      good: way.startsWith('work'),
    }),
  ],
  [
    new RegExp(`^(second )?disk of ${node} (fails|works)$`),
    ([, second, on = '', way]) => ({
      do: 'disk',
      node: on,
      volume: second === undefined ? 0 : 1,
      good: way === 'works',
    }),
  ],
  [
    new RegExp(`^(replace disk of|reinstall|take image of|restore image of) ${node}$`),
    ([, what = '', on = '']) => ({
      do: what.replace(' of', '').replace(' ', '-') as 'replace-disk' | 'reinstall' | 'take-image' | 'restore-image',
      node: on,
    }),
  ],
  [
    new RegExp(`^resync of ${node} (stands still|goes on)$`),
    ([, on = '', way]) => ({ do: 'resync', node: on, going: way === 'goes on' }),
  ],
  [new RegExp(`^set aside copy of ${node}$`), ([, on = '']) => ({ do: 'set-aside', node: on })],
  [
    new RegExp(`^wall clock of ${place} ([+-]\\d+) years$`),
    ([, where, years]) => ({ do: 'wall-clock', place: where as Place, years: Number(years) }),
  ],
];

/** Null: nobody knows how to do that. */
export function readDeed(text: string): Deed | null {
  for (const [pattern, make] of grammar) {
    const found = pattern.exec(text);
    if (found !== null) return make(found);
  }
  return null;
}

function powered(way: string, places: string): Deed {
  const all: readonly Place[] = places === 'room' ? ['n1', 'n2', 'witness'] : (places.trim().split(' ') as Place[]);
  return { do: way === 'on' ? 'power-on' : 'power-off', places: all };
}

function spanned(what: 'flap' | 'wait', span: string): Deed | null {
  const forMs = durationMs(span);
  return forMs === null ? null : { do: what, forMs };
}
