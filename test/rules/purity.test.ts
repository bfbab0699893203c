/** The lint rules that keep agent/core pure and node:ffi in one place catch a deliberate violation each. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { toolPath } from '../../resources/tools.ts';
import { createScratchTree } from './scratch-tree.ts';

const impure: Readonly<Record<string, string>> = {
  'wall-clock': 'export const now = (): number => Date.now();\n',
  'monotonic-clock': 'export const now = (): number => performance.now();\n',
  randomness: 'export const roll = (): number => Math.random();\n',
  timer: 'export const later = (): unknown => setTimeout(() => undefined, 1);\n',
  process: 'export const id = (): number => process.pid;\n',
  promise: 'export const soon = (): unknown => Promise.resolve(1);\n',
  async: 'export async function soon(): Promise<void> {}\n',
  node: "export { readFileSync } from 'node:fs';\n",
  'dynamic-import': "export const late = (): unknown => import('./wall-clock.ts');\n",
};

const reportSchema = z.array(
  z.object({ filePath: z.string(), messages: z.array(z.object({ ruleId: z.string().nullable() })) }),
);

test('impure code in agent/core and node:ffi outside agent/sys are lint errors', () => {
  using tree = createScratchTree();
  const ffi = "import * as ffi from 'node:ffi';\nexport const library = ffi.dlopen;\n";
  tree.write(Object.fromEntries(Object.entries(impure).map(([name, text]) => [`agent/core/${name}.ts`, text])));
  tree.write({ 'agent/network/ffi.ts': ffi, 'src-main/ffi.ts': ffi, 'agent/sys/linux.ts': ffi });
  const { output } = tree.node(toolPath('eslint'), '--format', 'json', 'agent', 'src-main');
  const restricted = reportSchema
    .parse(JSON.parse(output))
    .filter(({ messages }) => messages.some(({ ruleId }) => ruleId?.startsWith('no-restricted-')))
    .map(({ filePath }) => filePath.slice(tree.directory.length + 1).replaceAll('\\', '/'))
    .sort();
  expect(restricted).toEqual(
    [...Object.keys(impure).map((name) => `agent/core/${name}.ts`), 'agent/network/ffi.ts', 'src-main/ffi.ts'].sort(),
  );
});
