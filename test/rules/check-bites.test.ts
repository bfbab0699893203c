/** `npm run check` fails on a broken file of each kind, and names it. */
import { expect, test } from 'vitest';
import { createScratchTree } from './scratch-tree.ts';

const sound = {
  'agent/sound.ts': `export const heartbeatTimeoutMs: number = 3000;\n`.replace(': number', ''),
  'test/sound.ts': `export const answer = 42;\n`,
  'src-main/sound.ts': `export const title = 'Holdfast';\n`,
  'src-renderer/Sound.svelte': `<script lang="ts">\n  const { count }: { count: number } = $props();\n</script>\n\n<p>{count}</p>\n`,
};

/** Each kind of file has a name of its own: all are judged in one run. */
const broken: readonly { path: string; text: string; step: string }[] = [
  { path: 'agent/wrong-type.ts', text: `export const heartbeatTimeoutMs: number = 'three seconds';\n`, step: 'types' },
  {
    path: 'src-main/unchecked-index.ts',
    text: `export function first(names: readonly string[]): string {\n  return names[0];\n}\n`,
    step: 'types',
  },
  {
    path: 'src-renderer/WrongType.svelte',
    text: `<script lang="ts">\n  const count: number = 'three';\n</script>\n\n<p>{count}</p>\n`,
    step: 'types of the renderer',
  },
  {
    path: 'agent/promise-that-nobody-waits-for.ts',
    text: `async function save(): Promise<void> {\n  await Promise.resolve();\n}\nexport function stop(): void {\n  save();\n}\n`,
    step: 'lint',
  },
  {
    path: 'src-renderer/UncheckedHtml.svelte',
    text: `<script lang="ts">\n  const { text }: { text: string } = $props();\n</script>\n\n{@html text}\n`,
    step: 'lint',
  },
  { path: 'agent/crooked.ts', text: `export const  a = "1"\n`, step: 'formatting' },
  { path: 'src-renderer/Crooked.svelte', text: `<p   >crooked</p>\n`, step: 'formatting' },
];

test('check passes on a sound tree and fails on each broken file, by the step that is meant for it', () => {
  using tree = createScratchTree();
  tree.write(sound);
  const clean = tree.node('resources/check.ts', '--sources-only');
  expect(clean.status, clean.output).toBe(0);

  for (const { path, text } of broken) tree.write({ [path]: text });
  const { status, output } = tree.node('resources/check.ts', '--sources-only');
  expect(status, output).toBe(1);
  // What a step said follows its own line.
  const said = new Map(output.split(/^(?=[✔✘] )/m).map((part) => [/^✘ (.*) \(/.exec(part)?.[1], part]));
  for (const { path, step } of broken) expect(said.get(step), `${path}\n${output}`).toContain(path.split('/').at(-1));
});
