/**
 * Failover stories as text (README.md beside the files): what happens, `----`, what is expected. Reading and playing know nothing of what the
 * cluster is made of: whatever can do the deeds and say how its nodes stand can play them.
 */
import { durationMs, readDeed, type Deed } from './deed.ts';

export interface ScenarioCluster {
  /** @returns why this cluster cannot do it; null: done. */
  perform(deed: Deed): string | null | Promise<string | null>;
  /** `off`, `down` (no agent), or the state of the module; with what is not good about it. */
  stand(node: string): NodeStand | Promise<NodeStand>;
  /** Codes of the events of one node, oldest first. */
  told(node: string): readonly string[] | Promise<readonly string[]>;
  /** Lets time pass. */
  pass(forMs: number): void | Promise<void>;
}

export interface NodeStand {
  readonly state: string;
  readonly data: string;
  readonly reason: string | null;
  /** Clients reach the application here. */
  readonly answers: boolean;
  readonly protected: boolean;
}

export interface ScenarioSettings {
  readonly witness: boolean;
  /** `witness` is a router then, and answers pings. */
  readonly pingWitness: boolean;
  readonly withoutWitness: 'prefer-one-copy' | 'prefer-availability';
  readonly prefer: string | null;
  readonly failback: 'manual' | 'automatic';
  readonly acknowledge: 'received' | 'durable';
  /** There is a checker of what the application needs around it, the network of its clients for one: `wait`. */
  readonly surroundings: boolean;
  readonly volumes: 1 | 2;
}

export type Wish =
  | { readonly is: 'stand'; readonly node: string; readonly among: readonly string[] }
  | { readonly is: 'answers'; readonly node: string }
  | { readonly is: 'protected' }
  | { readonly is: 'told'; readonly node: string; readonly code: string; readonly not: boolean };

export interface Expectation {
  readonly line: number;
  readonly text: string;
  readonly withinMs: number;
  /** It holds for so long, from now on. */
  readonly forMs: number;
  readonly wishes: readonly Wish[];
}

export interface Block {
  readonly deeds: readonly { readonly line: number; readonly text: string; readonly deed: Deed }[];
  readonly expectations: readonly Expectation[];
}

export interface Scenario {
  readonly name: string;
  readonly settings: ScenarioSettings;
  readonly blocks: readonly Block[];
}

const nodes = ['n1', 'n2'] as const;
const startMs = 60_000;

/** @throws Error that names the file and the line. */
export function readScenario(name: string, text: string): Scenario {
  const settings = {
    witness: true,
    pingWitness: false,
    withoutWitness: 'prefer-one-copy',
    prefer: null,
    failback: 'manual',
    acknowledge: 'durable',
    surroundings: false,
    volumes: 1,
  };
  const blocks: { deeds: Block['deeds'][number][]; expectations: Expectation[] }[] = [];
  let expecting = false;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    const words = raw.replace(/#.*$/, '').trim();
    const wrong = (what: string): Error => new Error(`${name}:${String(line)}: ${what}: "${words}"`);
    if (words === '') {
      if (expecting) expecting = false;
      continue;
    }
    const setting = /^(cluster|prefer|failback|checkers|acknowledge|volumes): (.+)$/.exec(words);
    if (setting !== null) {
      if (!readSetting(settings, setting[1] ?? '', setting[2] ?? '')) throw wrong('unknown setting');
    } else if (words === '----') expecting = true;
    else if (words.startsWith('start n')) {
      const deed: Deed = { do: 'power-on', places: ['n1', 'n2', 'witness'] };
      const expectation = readExpectation(`within ${String(startMs / 1000)}s: ${words.slice(6)}`, line);
      if (expectation === null) throw wrong('unknown state');
      blocks.push({ deeds: [{ line, text: words, deed }], expectations: [expectation] });
    } else if (expecting) {
      const expectation = readExpectation(words, line);
      if (expectation === null) throw wrong('unknown expectation');
      blocks.at(-1)?.expectations.push(expectation);
    } else {
      const deed = readDeed(words);
      if (deed === null) throw wrong('unknown deed');
      const last = blocks.at(-1);
      if (last === undefined || last.expectations.length > 0) blocks.push({ deeds: [], expectations: [] });
      blocks.at(-1)?.deeds.push({ line, text: words, deed });
    }
  }
  if (blocks.every((block) => block.expectations.length === 0)) throw new Error(`${name}: expects nothing`);
  return { name, settings: settings as ScenarioSettings, blocks };
}

function readSetting(settings: Record<string, unknown>, name: string, value: string): boolean {
  if (name === 'cluster' && value === 'witness') return true;
  if (name === 'cluster' && /^(no|ping) witness, prefer (one copy|availability)$/.test(value)) {
    settings['witness'] = false;
    settings['pingWitness'] = value.startsWith('ping');
    settings['withoutWitness'] = value.endsWith('copy') ? 'prefer-one-copy' : 'prefer-availability';
  } else if (name === 'prefer' && (value === 'n1' || value === 'n2')) settings['prefer'] = value;
  else if (name === 'failback' && (value === 'automatic' || value === 'manual')) settings['failback'] = value;
  else if (name === 'acknowledge' && (value === 'received' || value === 'durable')) settings['acknowledge'] = value;
  else if (name === 'checkers' && value === 'surroundings') settings['surroundings'] = true;
  else if (name === 'volumes' && value === '2') settings['volumes'] = 2;
  else return false;
  return true;
}

/** `within 8s: n2=alone n1=off`, `for 20s: …`, `n2 tells alone`, `n1 does not tell fenced`, `nobody tells fenced`. */
export function readExpectation(text: string, line: number): Expectation | null {
  const timed = /^(within|for) (\S+): (.+)$/.exec(text);
  const span = timed === null ? 0 : durationMs(timed[2] ?? '');
  if (span === null) return null;
  const wishes = readWishes(timed?.[3] ?? text);
  const withinMs = timed?.[1] === 'within' ? span : 0;
  return wishes === null ? null : { line, text, withinMs, forMs: timed?.[1] === 'for' ? span : 0, wishes };
}

function readWishes(text: string): Wish[] | null {
  const told = /^(n1|n2|nobody) (tells|does not tell|tell) ([a-z-]+)$/.exec(text);
  if (told !== null) {
    const [, who = '', verb = '', code = ''] = told;
    const not = who === 'nobody' || verb !== 'tells';
    return (who === 'nobody' ? nodes : [who]).map((node) => ({ is: 'told', node, code, not }));
  }
  const wishes = text.split(/\s+/).map((word): Wish | null => {
    if (word === 'protected') return { is: 'protected' };
    const answers = /^(n1|n2)=answers$/.exec(word);
    if (answers !== null) return { is: 'answers', node: answers[1] ?? '' };
    const stand = /^(n1|n2)=([a-z-]+(?:\/[a-z-]+)?(?:\([a-z-]+\))?(?:\|[a-z-]+(?:\/[a-z-]+)?(?:\([a-z-]+\))?)*)$/.exec(
      word,
    );
    return stand === null ? null : { is: 'stand', node: stand[1] ?? '', among: (stand[2] ?? '').split('|') };
  });
  return wishes.every((wish) => wish !== null) ? wishes : null;
}

const lookEveryMs = 100;

/** @returns what was not as expected; null: all was. */
export async function playScenario(scenario: Scenario, cluster: ScenarioCluster): Promise<string | null> {
  for (const { deeds, expectations } of scenario.blocks) {
    const before = { n1: (await cluster.told('n1')).length, n2: (await cluster.told('n2')).length };
    for (const { line, text, deed } of deeds) {
      const obstacle = await cluster.perform(deed);
      if (obstacle !== null) return `${scenario.name}:${String(line)}: "${text}" cannot be done: ${obstacle}`;
    }
    for (const expectation of expectations) {
      const wrong = await wrongWith(expectation, cluster, before);
      if (wrong !== null)
        return `${scenario.name}:${String(expectation.line)}: expected "${expectation.text}", but ${wrong}`;
    }
  }
  return null;
}

type Marks = Readonly<Record<'n1' | 'n2', number>>;

async function wrongWith(expectation: Expectation, cluster: ScenarioCluster, before: Marks): Promise<string | null> {
  const { withinMs, forMs, wishes } = expectation;
  const wrongNow = async (): Promise<string | null> => {
    for (const wish of wishes) {
      const wrong = await missing(wish, cluster, before);
      if (wrong !== null) return wrong;
    }
    return null;
  };
  let wrong = await wrongNow();
  for (let waitedMs = 0; wrong !== null && waitedMs < withinMs; waitedMs += lookEveryMs) {
    await cluster.pass(lookEveryMs);
    wrong = await wrongNow();
  }
  for (let heldMs = 0; wrong === null && heldMs < forMs; heldMs += lookEveryMs) {
    await cluster.pass(lookEveryMs);
    wrong = await wrongNow();
  }
  return wrong;
}

async function missing(wish: Wish, cluster: ScenarioCluster, before: Marks): Promise<string | null> {
  switch (wish.is) {
    case 'protected':
      for (const node of nodes) {
        const stand = await cluster.stand(node);
        if (!stand.protected) return `${node} is ${inWords(stand)} and not protected`;
      }
      return null;
    case 'answers':
      return (await cluster.stand(wish.node)).answers ? null : `no client is answered by ${wish.node}`;
    case 'stand': {
      const stand = await cluster.stand(wish.node);
      return wish.among.some((one) => matches(stand, one)) ? null : `${wish.node} is ${inWords(stand)}`;
    }
    case 'told': {
      const told = (await cluster.told(wish.node)).slice(before[wish.node === 'n1' ? 'n1' : 'n2']);
      return told.includes(wish.code) === wish.not ? `${wish.node} told ${told.join(', ') || 'nothing'}` : null;
    }
  }
}

/** `wait`, `secondary/stale`, `wait(copy-stale)`. */
function matches({ state, data, reason }: NodeStand, wished: string): boolean {
  const [, wishedState, wishedData, wishedReason] = /^([a-z-]+)(?:\/([a-z-]+))?(?:\(([a-z-]+)\))?$/.exec(wished) ?? [];
  return (
    state === wishedState &&
    (wishedData === undefined || data === wishedData) &&
    (wishedReason === undefined || reason === wishedReason)
  );
}

function inWords({ state, data, reason }: NodeStand): string {
  return `${state}/${data}${reason === null ? '' : `(${reason})`}`;
}
