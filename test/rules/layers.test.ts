/** Every rule of .dependency-cruiser.cjs fails on a deliberate violation, and what is allowed passes. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { repositoryRoot, toolPath } from '../../resources/tools.ts';
import { createScratchTree } from './scratch-tree.ts';

const configSchema = z.object({ forbidden: z.array(z.object({ name: z.string() })) });
const { forbidden } = configSchema.parse(
  createRequire(import.meta.url)(join(repositoryRoot, '.dependency-cruiser.cjs')),
);

const reportSchema = z.object({
  summary: z.object({ violations: z.array(z.object({ from: z.string(), rule: z.object({ name: z.string() }) })) }),
});

const empty = 'export const nothing = 0;\n';
const importing = (...targets: readonly string[]): string =>
  targets.map((target, index) => `import * as a${index} from '${target}';\nexport { a${index} };\n`).join('');

const allowed: Readonly<Record<string, string>> = {
  'agent/contract/status.ts': importing('zod'),
  'agent/core/mirror.ts': importing('../contract/status.ts'),
  'agent/sys/linux.ts': importing('node:ffi', 'node:fs'),
  'agent/fuse/index.ts': importing('./codec.ts'),
  'agent/fuse/codec.ts': importing('../contract/status.ts'),
  'agent/replication/sender.ts': importing('../fuse/index.ts', '../sys/linux.ts', '../core/mirror.ts'),
  'agent/replication/lane.ts': empty,
  'agent/network/vip.ts': importing('./vip-linux.ts'),
  'agent/network/vip-linux.ts': importing('node:net'),
  'agent/runtime/loop.ts': importing('../replication/sender.ts', '../network/vip.ts'),
  'agent/main.ts': importing('./runtime/loop.ts'),
  'src-main/app-api/index.ts': importing('../../agent/contract/status.ts'),
  'src-main/main.ts': importing('./app-api/index.ts', '../agent/contract/status.ts', 'node:http'),
  'src-renderer/main.ts': importing('../src-main/app-api/index.ts', '../agent/contract/status.ts'),
  'test/suites/vip.ts': importing('../../agent/network/vip-linux.ts', '../../src-main/main.ts'),
};

/** Rule → the file that breaks it, and how. */
const violations: Readonly<Record<string, readonly [path: string, text: string]>> = {
  'contract-imports-nothing': ['agent/contract/bad.ts', importing('node:fs')],
  'core-imports-contract-only': ['agent/core/bad.ts', importing('node:crypto')],
  'drivers-below-runtime': ['agent/replication/bad-runtime.ts', importing('../runtime/loop.ts')],
  'sys-below-drivers': ['agent/sys/bad.ts', importing('../fuse/index.ts')],
  'drivers-through-index': ['agent/replication/bad.ts', importing('../fuse/codec.ts')],
  'runtime-below-main': ['agent/runtime/bad.ts', importing('../main.ts')],
  'platform-files-from-their-factory': ['agent/network/bad.ts', importing('./vip-linux.ts')],
  'agent-stays-on-the-server': ['agent/modules/bad.ts', importing('../../src-main/main.ts')],
  'main-imports-contract-only': ['src-main/bad.ts', importing('../agent/replication/lane.ts')],
  'renderer-imports-contracts-only': ['src-renderer/bad.ts', importing('../src-main/main.ts')],
  'renderer-without-node': ['src-renderer/bad-node.ts', importing('node:fs')],
  'app-api-for-both-sides': ['src-main/app-api/bad.ts', importing('../main.ts')],
  'app-api-without-node': ['src-main/app-api/bad-node.ts', importing('node:fs')],
  'nothing-imports-test': ['agent/checkers/bad.ts', importing('../../test/suites/vip.ts')],
  'ffi-only-in-sys': ['agent/fuse/bad.ts', importing('node:ffi')],
  'no-cycles': ['agent/hypervisor/bad-first.ts', importing('./bad-second.ts')],
  'nothing-unresolved': ['agent/checkers/bad-path.ts', importing('./gone.ts')],
  'only-declared-packages': ['agent/checkers/bad-package.ts', importing('semver')],
};

function violationsOf(files: Readonly<Record<string, string>>): readonly string[] {
  using tree = createScratchTree();
  tree.write(files);
  const { output } = tree.node(
    toolPath('dependency-cruiser', 'depcruise'),
    '--output-type',
    'json',
    'agent',
    'src-main',
    'src-renderer',
    'test',
  );
  const report = reportSchema.parse(JSON.parse(output));
  return report.summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`).sort();
}

test('what the layers allow passes', () => {
  expect(violationsOf(allowed)).toEqual([]);
});

test('every rule has a violation here, and catches it', () => {
  expect(Object.keys(violations).sort()).toEqual(forbidden.map(({ name }) => name).sort());
  const found = violationsOf({
    ...allowed,
    ...Object.fromEntries(Object.values(violations)),
    'src-renderer/Bad.svelte': `<script lang="ts">\n${importing('../src-main/main.ts').replaceAll(/export .*\n/g, '')}</script>\n`,
    'agent/hypervisor/bad-second.ts': importing('./bad-first.ts'),
  });
  expect(found).toContain('renderer-imports-contracts-only: src-renderer/Bad.svelte');
  for (const [rule, [path]] of Object.entries(violations)) expect(found).toContain(`${rule}: ${path}`);
});
