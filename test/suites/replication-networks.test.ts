/** Two networks between the servers, of which one is lost under an application that writes: a pause, and nothing else. */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bootTimeMs } from '../../agent/sys/linux.ts';
import { missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { Network } from './replication/network.ts';
import { makePair, startPair, until } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();
/** Of the pair: half of it is for the other network. */
const acknowledgeTimeoutMs = 3000;

/** Appends numbers with fsync, and says which was the last one and how long the longest took. */
const program = `
  const fs = require('fs'); const fd = fs.openSync(process.argv[1], 'a'); let longest = 0;
  for (let n = 1; ; n++) {
    const began = performance.now();
    fs.writeSync(fd, String(n).padStart(9) + '\\n' + 'x'.repeat(n % 7 === 0 ? 50000 : 10) + '\\n'); fs.fsyncSync(fd);
    longest = Math.max(longest, performance.now() - began); fs.writeSync(1, n + ' ' + longest + '\\n'); }`;

let nodes: readonly ReplicatorNode[] = [];
let networks: readonly Network[] = [];

beforeEach((context) => {
  if (missing !== '') context.skip(missing);
});
afterEach(async () => {
  for (const node of nodes) await node.dispose();
  for (const network of networks) network[Symbol.dispose]();
  nodes = networks = [];
});

it.each(['lost in silence', 'cut'] as const)('goes on over the other network when one is %s', async (how) => {
  const [n1, n2] = await makePair('networks', { acknowledgeTimeoutMs });
  nodes = [n1, n2];
  networks = [await Network.to(n2), await Network.to(n2)];
  n2.reachedAt = networks.map(({ endpoint }) => endpoint);
  await startPair(n1, n2);
  await n1.mode('in-sync');
  const { generation } = (await n1.status()).record!;
  const modes = new Set<string | null>();
  const watch = setInterval(() => modes.add(n1.last?.mode ?? null), 5);

  const writer = spawn(process.execPath, ['-e', program, join(n1.path, 'log')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let [last, longestMs] = [0, 0];
  writer.stdout.on('data', (text: Buffer) => {
    const line = text.toString().trim().split('\n').at(-1) ?? '';
    [last = last, longestMs = longestMs] = line.split(' ').map(Number);
  });
  try {
    for (let round = 0; round < 4; round += 1) {
      const before = last;
      await until('it writes', () => last > before + 5);
      const lost = networks.find((network) => network.carries)!;
      if (how === 'cut') lost.cut();
      else lost.lose();
      const at = last;
      await until('it writes again', () => last > at + 20, acknowledgeTimeoutMs + 2000);
      lost.heal();
    }
  } finally {
    clearInterval(watch);
    writer.kill('SIGKILL');
    await new Promise((resolve) => writer.once('close', resolve));
  }
  expect([...modes]).toEqual(['in-sync']);
  expect(longestMs).toBeLessThan(acknowledgeTimeoutMs);
  expect((await n1.status()).record).toMatchObject({ generation, peerStale: false });
  expect((await n2.status()).record).toMatchObject({ generation, copy: 'up-to-date' });
  await until('both copies are equal', () => n1.tree().join('\n') === n2.tree().join('\n'));
  expect(n1.output.match(/goes on over another network/g)?.length).toBeGreaterThanOrEqual(4);
});

it('an idle link moves too, and what is written then is on both', async () => {
  const [n1, n2] = await makePair('networks-idle', { acknowledgeTimeoutMs });
  nodes = [n1, n2];
  networks = [await Network.to(n2), await Network.to(n2)];
  n2.reachedAt = networks.map(({ endpoint }) => endpoint);
  await startPair(n1, n2);
  await n1.mode('in-sync');
  networks.find((network) => network.carries)!.cut();
  await until('it has moved', () => n1.output.includes('goes on over another network'));
  const beganMs = bootTimeMs();
  // The networks are carried by this very process, which must not wait in a call.
  await using file = await open(join(n1.path, 'file'), 'w');
  await file.writeFile('content');
  await file.sync();
  expect(bootTimeMs() - beganMs).toBeLessThan(acknowledgeTimeoutMs);
  await until('both copies are equal', () => n1.tree().join('\n') === n2.tree().join('\n'));
  expect((await n1.status()).mode).toBe('in-sync');
});
