/** `npm run check` fails on a broken file of each kind, and names it. */
import { expect, test } from 'vitest';
import { createScratchTree } from './scratch-tree.ts';

const sound = {
  'agent/sound.ts': `export const heartbeatTimeoutMs: number = 3000;\n`.replace(': number', ''),
  'test/sound.ts': `export const answer = 42;\n`,
  'src-main/sound.ts': `export const title = 'Holdfast';\n`,
  'src-renderer/Sound.svelte': `<script lang="ts">\n  const { count }: { count: number } = $props();\n</script>\n\n<p>{count}</p>\n`,
};

const broken: Readonly<Record<string, { path: string; text: string; step: string }>> = {
  'a type error in a .ts file': {
    path: 'agent/broken.ts',
    text: `export const heartbeatTimeoutMs: number = 'three seconds';\n`,
    step: 'types',
  },
  'an unchecked index in a .ts file': {
    path: 'src-main/broken.ts',
    text: `export function first(names: readonly string[]): string {\n  return names[0];\n}\n`,
    step: 'types',
  },
  'a type error in a .svelte file': {
    path: 'src-renderer/Broken.svelte',
    text: `<script lang="ts">\n  const count: number = 'three';\n</script>\n\n<p>{count}</p>\n`,
    step: 'types of the renderer',
  },
  'a promise that nobody waits for, in a .ts file': {
    path: 'agent/broken.ts',
    text: `async function save(): Promise<void> {\n  await Promise.resolve();\n}\nexport function stop(): void {\n  save();\n}\n`,
    step: 'lint',
  },
  'unchecked HTML in a .svelte file': {
    path: 'src-renderer/Broken.svelte',
    text: `<script lang="ts">\n  const { text }: { text: string } = $props();\n</script>\n\n{@html text}\n`,
    step: 'lint',
  },
  'a crooked .ts file': { path: 'agent/broken.ts', text: `export const  a = "1"\n`, step: 'formatting' },
  'a crooked .svelte file': { path: 'src-renderer/Broken.svelte', text: `<p   >crooked</p>\n`, step: 'formatting' },
};

test('check passes on a sound tree and fails on each broken file, by the step that is meant for it', () => {
  using tree = createScratchTree();
  tree.write(sound);
  const clean = tree.node('resources/check.ts', '--sources-only');
  expect(clean.status, clean.output).toBe(0);

  for (const [name, { path, text, step }] of Object.entries(broken)) {
    tree.write({ [path]: text });
    const { status, output } = tree.node('resources/check.ts', '--sources-only', '--only', step);
    expect(status, `${name}\n${output}`).toBe(1);
    expect(output, name).toContain(`✘ ${step} (`);
    expect(output, name).toContain(path.split('/').at(-1));
    tree.remove(path);
  }
});
