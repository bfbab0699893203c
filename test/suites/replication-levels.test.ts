/** The levels at work, each promise taken at its word: one server is killed, or both lose their power, right after the answer. */
import {
  closeSync,
  chmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AcknowledgeLevel } from '../../agent/contract/index.ts';
import { openBackingDirectory } from '../../agent/fuse/index.ts';
import { close } from '../../agent/sys/linux.ts';
import { missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { makePair, startPair } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();

describe('levels', () => {
  let pair: readonly ReplicatorNode[] = [];

  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
  });
  afterEach(async () => {
    for (const node of pair) await node.dispose();
    pair = [];
  });

  async function begin(
    acknowledge: AcknowledgeLevel,
    cache: 'none' | 'writeback',
  ): Promise<readonly [ReplicatorNode, ReplicatorNode]> {
    const [n1, n2] = await makePair('levels', { acknowledge, cache });
    pair = [n1, n2];
    await startPair(n1, n2);
    await n1.mode('in-sync');
    return [n1, n2];
  }

  /** Names, a mode and contents, none of them synced. The descriptor stays open unless `closes`. */
  function change(path: string, closes: boolean): void {
    mkdirSync(join(path, 'made'));
    const file = openSync(join(path, 'written'), 'w');
    for (let n = 0; n < 20; n++) writeSync(file, `record ${n}\n`);
    renameSync(join(path, 'written'), join(path, 'made', 'renamed'));
    chmodSync(join(path, 'made', 'renamed'), 0o640);
    writeSync(file, 'the last one\n');
    if (closes) closeSync(file);
  }

  function expectChanged(path: string): void {
    const file = join(path, 'made', 'renamed');
    const text = readFileSync(file, 'utf8');
    expect(text.split('\n').slice(-3)).toEqual(['record 19', 'the last one', '']);
    expect(statSync(file).mode & 0o777).toBe(0o640);
  }

  /** A secondary's directory is covered: what lies below. */
  function expectChangedBelow(node: ReplicatorNode): void {
    const fd = openBackingDirectory(node.path);
    try {
      expectChanged(`/proc/self/fd/${fd}`);
    } finally {
      close(fd);
    }
  }

  it('received: what was answered is on the peer when the primary is killed', async () => {
    const [n1, n2] = await begin('received', 'none');
    change(n1.path, false);
    await n1.kill();
    expectChangedBelow(n2);
  });

  it('received with a write-back cache: what was closed is on the peer', async () => {
    const [n1, n2] = await begin('received', 'writeback');
    change(n1.path, true);
    await n1.kill();
    expectChangedBelow(n2);
  });

  it('received: an fsync is on the disk of the primary, whatever becomes of the peer', async () => {
    const [n1] = await begin('received', 'none');
    const file = openSync(join(n1.path, 'synced'), 'w');
    writeSync(file, 'synced');
    fsyncSync(file);
    n1.disk.cutPower();
    expect(readFileSync(join(n1.disk.recovered(), 'data', 'synced'), 'utf8')).toBe('synced');
  });

  it.each(['none', 'writeback'] as const)(
    'write-through, cache %s: what was answered is on both disks after a power cut of both',
    async (cache) => {
      const [n1, n2] = await begin('write-through', cache);
      change(n1.path, false);
      for (const node of [n1, n2]) {
        node.disk.cutPower();
        // Each program that is started from here closes its copy of the descriptor: a request that nobody may be left to answer.
        await node.kill();
      }
      for (const { disk } of [n1, n2]) expectChanged(join(disk.recovered(), 'data'));
    },
  );
});
