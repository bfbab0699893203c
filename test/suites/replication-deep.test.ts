/** Directories in each other, more of them than a stack has room for: nothing walks a tree by recursion over its depth. */
import { spawnSync } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { makePair, startPair } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();
const depth = 16_000;
let nodes: ReplicatorNode[] = [];
afterEach(async () => {
  for (const node of nodes) await node.dispose();
  nodes = [];
});

it('makes a copy equal however deep its directories are', { timeout: 180_000 }, async (context) => {
  if (missing !== '') context.skip(missing);
  const [n1, n2] = await makePair('deep', { diskMb: [512, 512] });
  nodes = [n1, n2];
  const made = spawnSync('python3', [
    '-c',
    `import os\nos.chdir('${n1.path}')\nfor n in range(${depth}):\n os.mkdir('d')\n os.chdir('d')`,
  ]);
  expect(made.status).toBe(0);
  await startPair(n1, n2);
  const ended = (node: ReplicatorNode): Promise<string> =>
    new Promise((resolve) => {
      node.child?.once('exit', (code) =>
        resolve(`${node.name} ended with ${String(code)}: ${node.output.slice(0, 400)}`),
      );
    });
  const outcome = await Promise.race([
    n1.mode('in-sync', 150_000).then(
      () => 'in-sync',
      async (error: unknown) => {
        await new Promise((resolve) => setTimeout(resolve, 2000));
        return String(error).slice(0, 400);
      },
    ),
    ended(n1),
    ended(n2),
  ]);
  expect(outcome).toBe('in-sync');
});
