/** Two real replicators: copies compared under load, and what is tampered with on the other disk found and repaired. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Verification } from '../../agent/contract/index.ts';
import { openBackingDirectory } from '../../agent/fuse/index.ts';
import { close } from '../../agent/sys/linux.ts';
import { missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { makePair, startPair, until, volume } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();
const shell = (script: string): string => execFileSync('bash', ['--norc', '-ec', script], { encoding: 'utf8' });

/** Below the door, where nobody of this node should be able to write. */
function behind(node: ReplicatorNode, script: string): void {
  const fd = openBackingDirectory(node.path);
  try {
    execFileSync('bash', ['--norc', '-ec', `cd /proc/${process.pid}/fd/${fd}/.; ${script}`]);
  } finally {
    close(fd);
  }
}

async function compare(node: ReplicatorNode, repair = false): Promise<Verification> {
  await node.call('verify', { volume, repair });
  return await until(
    'the comparison ends',
    async () => {
      const { verification } = await node.status();
      return verification && verification.state !== 'running' ? verification : null;
    },
    120_000,
  );
}

/** Writes, appends, renames, removes, until it is stopped. */
function startLoad(path: string): { stop: () => Promise<void> } {
  const script = `cd ${path}; mkdir -p load; n=0; while :; do n=$((n+1))
    head -c $((n * 977 % 200000)) /dev/urandom > load/f$((n % 40)); mv load/f$((n % 40)) load/g$((n % 17)); ln -f load/g$((n % 17)) load/h$((n % 5))
    mkdir -p load/d$((n % 7)); echo $n >> load/log; sync load/log; chmod $((600 + n % 2)) load/log; setfattr -n user.n -v $n load/log
    rm -rf load/d$(((n + 3) % 7)); truncate -s $((n * 131 % 300000)) load/sparse; printf x | dd of=load/sparse bs=1 seek=$((n * 7919 % 4000000)) conv=notrunc status=none
    done`;
  const child = spawn('bash', ['--norc', '-c', script], { stdio: 'ignore', detached: true });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    stop: async () => {
      process.kill(-child.pid!, 'SIGKILL');
      await ended;
    },
  };
}

describe('comparing both copies', () => {
  let n1: ReplicatorNode;
  let n2: ReplicatorNode;

  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
  });
  afterEach(async () => {
    if (missing !== '') return;
    await n1.dispose();
    await n2.dispose();
  });

  it.each(['none', 'writeback'] as const)(
    'finds them equal while an application writes (cache %s)',
    { timeout: 180_000 },
    async (cache) => {
      [n1, n2] = await makePair(`verify-load-${cache}`, { cache });
      shell(`cd ${n1.path}; cp -a ${process.cwd()}/agent .; ln agent/main.ts hard; ln -s nowhere soft; mkfifo pipe; mknod null c 1 3
      printf '\\xff\\xfe' > "$(printf 'n\\xe9\\xff')"; dd if=/dev/urandom of=big bs=1M count=10 status=none
      truncate -s 30M sparse; printf end | dd of=sparse bs=1 seek=9000000 conv=notrunc status=none; setfattr -n user.a -v b hard`);
      await startPair(n1, n2);
      await n1.mode('in-sync');
      const load = startLoad(n1.path);
      try {
        for (let round = 0; round < 3; round++) {
          const verification = await compare(n1);
          expect(verification).toMatchObject({ state: 'equal', differing: 0, minor: 0, differences: [] });
          expect(verification.files).toBeGreaterThan(150);
          expect(verification.comparedBytes).toBeGreaterThan(10_000_000);
        }
      } finally {
        await load.stop();
      }
      expect((await n1.status()).mode).toBe('in-sync');
      expect((await n2.status()).record).toMatchObject({ copy: 'up-to-date' });
    },
  );

  it(
    'finds what was tampered with on the other disk, does not use that copy, and repairs it',
    { timeout: 180_000 },
    async () => {
      [n1, n2] = await makePair('verify-tamper');
      shell(`cd ${n1.path}; mkdir -p a/b c; for n in 1 2 3 4 5 6 7 8 9; do head -c 300000 /dev/urandom > a/f$n; done; cp a/f1 a/b/deep; ln -s f1 a/link; cp a/f2 c/gone
      ln a/f9 a/nine; setfattr -n user.x -v y a/f6; setfacl -m u:7:r a/f7 2>/dev/null || true`);
      await startPair(n1, n2);
      await n1.mode('in-sync');
      expect(await compare(n1)).toMatchObject({ state: 'equal', minor: 0 });
      behind(
        n2,
        `printf X | dd of=a/f1 bs=1 seek=150000 conv=notrunc status=none; touch -r a/f2 a/f1; chmod 4711 a/f2; chown 5:6 a/f3; rm a/f4; echo more > a/b/more
       truncate -s 100 a/f5; setfattr -n user.x -v z a/f6; ln -sfn f2 a/link; rm -r c; cp a/f9 a/tmp; mv a/tmp a/nine; touch -d 2001-01-01 a/f8; sync`,
      );
      const found = await compare(n1);
      expect(found.state).toBe('different');
      const kinds = Object.fromEntries(
        found.differences.map((one) => [one.path, one.kinds.filter((kind) => kind !== 'times')]),
      );
      expect(kinds).toMatchObject({
        'a/f1': ['content'],
        'a/f2': ['mode'],
        'a/f3': ['owner'],
        'a/f4': ['only-on-primary'],
        'a/b/more': ['only-on-secondary'],
        'a/f5': ['size', 'content'],
        'a/f6': ['extended-attributes'],
        'a/link': ['link-target'],
        c: ['only-on-primary'],
      });
      expect(kinds['a/nine']).toContain('links');
      expect(found.differences.find((one) => one.path === 'a/f8')?.kinds).toEqual(['times']);
      expect(found.differences.find((one) => one.path === 'a/f1')?.bytes).toBe(65536);
      expect(await n2.status()).toMatchObject({ record: { copy: 'stale' }, fault: { code: 'copies-differ' } });
      expect(await n1.status()).toMatchObject({ record: { peerStale: true }, fault: { code: 'copies-differ' } });
      // The application goes on with both.
      shell(`cd ${n1.path}; echo hello > a/new; sync a/new`);
      const repaired = await compare(n1, true);
      expect(['repairing', 'repaired']).toContain(repaired.state);
      await until('it is repaired', async () => (await n1.status()).verification?.state === 'repaired', 60_000);
      expect(n2.tree()).toEqual(n1.tree());
      expect(await n2.status()).toMatchObject({ record: { copy: 'up-to-date' }, fault: null });
      expect(await n1.status()).toMatchObject({ mode: 'in-sync', fault: null });
      expect(await compare(n1)).toMatchObject({ state: 'equal', minor: 0 });
    },
  );

  it(
    'is refused without the other server, stops when told, and is over when the link is lost',
    { timeout: 180_000 },
    async () => {
      [n1, n2] = await makePair('verify-stop');
      shell(
        `cd ${n1.path}; mkdir many; for n in $(seq 2000); do echo $n > many/$n; done; head -c 40M /dev/urandom > big`,
      );
      await startPair(n1, n2);
      await n1.mode('in-sync');
      await n1.call('verify', { volume, repair: false });
      await n1.call('stopVerify', { volume });
      expect((await n1.status()).verification).toMatchObject({ state: 'stopped' });
      await n1.call('verify', { volume, repair: false });
      await n2.kill();
      await until('it is over', async () => (await n1.status()).verification?.state === 'interrupted');
      await expect(n1.call('verify', { volume, repair: false })).rejects.toMatchObject({ code: 'verify-not-possible' });
      closeSync(openSync(join(n1.path, 'big'), 'r'));
    },
  );
});
