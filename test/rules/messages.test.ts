/** The words on the screens: all of them used, none of them written past the messages, and said the way we say things. */
import { expect, test } from 'vitest';
import { repositoryRoot } from '../../resources/tools.ts';
import { english } from '../../src-renderer/messages/english/index.ts';
import { french } from '../../src-renderer/messages/french/index.ts';
import { textsOf, textsOfLanguage, type MessageText } from './message-texts.ts';
import { inspectRenderer } from './renderer-inspection.ts';
import { createScratchTree } from './scratch-tree.ts';

interface Ban {
  readonly pattern: RegExp;
  readonly example: string;
  readonly why: string;
}

const inBoth: readonly Ban[] = [
  { pattern: /!/, example: 'Done!', why: 'no exclamation marks' },
  { pattern: /\.\.\./, example: 'Reading ...', why: 'the ellipsis is one character: …' },
  { pattern: /\p{L}'\p{L}/u, example: "the server's", why: 'the apostrophe is ’' },
  { pattern: /\b(master|slave|esclave)\b/i, example: 'the master', why: 'the vocabulary: primary, secondary' },
  { pattern: / {2}/, example: 'two  spaces', why: 'one space is enough' },
];
const bans: Readonly<Record<'english' | 'french', readonly Ban[]>> = {
  english: [
    ...inBoth,
    { pattern: /\bplease\b/i, example: 'Please wait', why: 'no “please”' },
    { pattern: /\b(oops|sorry|unfortunately)\b/i, example: 'Oops', why: 'facts instead of feelings' },
    { pattern: /\berror (has )?occurred\b/i, example: 'An error occurred', why: 'say what happened' },
    { pattern: /\bsomething went wrong\b/i, example: 'Something went wrong', why: 'say what happened' },
    { pattern: /\p{L} [:;?]/u, example: 'Why ?', why: 'English sets no space before : ; ?' },
  ],
  french: [
    ...inBoth,
    { pattern: /\bveuillez\b|s’il vous pla[iî]t/i, example: 'Veuillez patienter', why: 'no “veuillez”' },
    { pattern: /\b(oups|désolée?s?|malheureusement)\b/i, example: 'Oups', why: 'facts instead of feelings' },
    {
      pattern: /\berreur (s’est|est) (produite|survenue)/i,
      example: 'Une erreur s’est produite',
      why: 'say what happened',
    },
    {
      pattern: /\b(heartbeats?|failover|failback|fencing|drill)\b/i,
      example: 'le failover',
      why: 'the French vocabulary of UX',
    },
    { pattern: /[\p{L}\d)»’][;?»]/u, example: 'Pourquoi?', why: 'French sets a space before ; ? »' },
    { pattern: /[\p{L})»]:(?=\s|$)/u, example: 'État: bon', why: 'French sets a space before :' },
    { pattern: /«\S/, example: '«ainsi»', why: 'French sets a space after «' },
    {
      pattern: /[\u00a0\u202f]/,
      example: 'un\u00a0: deux',
      why: 'write ordinary spaces: typeset.ts makes them no-break',
    },
  ],
};

/** Equal in both languages on purpose. */
const sameWords: ReadonlySet<string> = new Set([
  'app.commandsKey: Ctrl K',
  'app.palette.terminal: Terminal',
  'app.start.situation: Situation',
  'cluster.modules: Modules',
  'cluster.timelineModule: Module',
  'cluster.severities.attention: attention',
  'cluster.evidenceWords.purpose: Occasion',
  'cluster.moduleMaintenance: maintenance',
  'measurements.ranges.quarter: 15 min',
  'terminal.title: Terminal',
  'terminal.show: Terminal',
  'terminal.groups.holdfast: Holdfast',
]);

/** What a person would type or what a program says is no sentence: `networks: [{ name: lan }]`, ProxyCommand, addresses. */
const withoutCode = (text: string): string => text.replace(/`[^`]*`/g, '').replace(/https?:\S+/g, '');

function broken(texts: readonly MessageText[], rules: readonly Ban[]): string[] {
  return texts.flatMap(({ place, text }) =>
    rules.filter(({ pattern }) => pattern.test(withoutCode(text))).map(({ why }) => `${place}: ${text} (${why})`),
  );
}

function* leavesOf(words: unknown, path = ''): Generator<{ path: string; value: unknown }> {
  if (typeof words !== 'object' || words === null) yield { path, value: words };
  else for (const [key, value] of Object.entries(words)) yield* leavesOf(value, path === '' ? key : `${path}.${key}`);
}

test('every ban catches its example', () => {
  for (const rules of Object.values(bans)) for (const { pattern, example } of rules) expect(example).toMatch(pattern);
});

test('texts are found wherever they stand, and names of facts are none', () => {
  const source =
    "export const m = { a: 'one', b: (d) => d['kind'] === 'x' ? `two ${fact(d, 'host', 'three')} four` : 'five' };";
  expect(textsOf(source, 'm.ts').map(({ text }) => text)).toEqual(['one', 'two ', 'three', ' four', 'five']);
});

test('the words are said the way we say things', () => {
  const found = (['english', 'french'] as const).flatMap((language) => {
    const texts = textsOfLanguage(repositoryRoot, language);
    expect(texts.length).toBeGreaterThan(200);
    return broken(texts, bans[language]);
  });
  expect(found).toEqual([]);
});

test('no word is empty, and French is French', () => {
  const english_ = new Map([...leavesOf(english)].map(({ path, value }) => [path, value]));
  const french_ = [...leavesOf(french)];
  expect(french_.length).toBeGreaterThan(200);
  const empty = [...english_, ...french_.map(({ path, value }) => [path, value] as const)]
    .filter(([, value]) => typeof value === 'string' && value.trim() === '')
    .map(([path]) => path);
  expect(empty).toEqual([]);
  const same = french_
    .filter(({ path, value }) => typeof value === 'string' && /\p{L}{3}/u.test(value) && english_.get(path) === value)
    .map(({ path, value }) => `${path}: ${String(value)}`)
    .filter((one) => !sameWords.has(one));
  expect(same).toEqual([]);
});

test('the inspection of the screens finds an unused message and a text that is no message, and nothing else', async () => {
  using tree = createScratchTree();
  tree.write({
    'src-renderer/messages/english/index.ts': `const inner = { used: 'a', unused: 'b' };
export const english = {
  one: 'one', two: 'two', three: (n: number) => String(n), never: 'x', inner,
  states: { up: 'up', down: 'down' }, byCode: { a: 'a', b: 'b' }, pair: { left: 'l', right: 'r' },
  orders: { up: { title: 'Up', text: 'u' }, down: { title: 'Down', text: 'd' } },
};
export type Messages = typeof english;
export function any(words: Readonly<Record<string, string>>, key: string): string | undefined { return words[key]; }
`,
    'src-renderer/Screen.svelte': `<script lang="ts">
  import { any, english, type Messages } from './messages/english/index.ts';
  const { words = english, up }: { words?: Messages; up: 'up' | 'down' } = $props();
  const inner = $derived(words.inner);
  const { two } = $derived(words);
  const { left } = $derived(words.pair);
  const { text } = $derived(words.orders[up]);
</script>

<h1 title={words.one} class="not a word">{two} {words.three(2)} {inner.used} {any(words.byCode, up)} {left}</h1>
<p aria-label="Spoken">Written {words.states[up]} {words.orders[up].title} {text} {up === 'up' ? words.one : 'Conditional'} Holdfast <b>ms</b></p>
`,
  });
  const { unused, written } = await inspectRenderer(tree.directory);
  expect(unused).toEqual(['inner.unused', 'never', 'pair.right']);
  expect(written.map((line) => line.replace(/^.*:\d+: /, '')).sort()).toEqual(['Conditional', 'Spoken', 'Written']);
});

test('every message is used by a screen, and every text of a screen is a message', async () => {
  const { unused, written } = await inspectRenderer(repositoryRoot);
  expect(unused).toEqual([]);
  expect(written).toEqual([]);
});
