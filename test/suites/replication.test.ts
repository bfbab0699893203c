/** Two real replicators over loopback, each with an ext4 of its own: what an application sees, and what is on the other disk. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../../agent/contract/index.ts';
import { bootTimeMs } from '../../agent/sys/linux.ts';
import { agentMain } from './built-agent.ts';
import { missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { makePair, nextGeneration, startPair, until, volume } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();

const shell = (script: string): string => execFileSync('bash', ['--norc', '-ec', script], { encoding: 'utf8' });

/** 20 files with 20 fsyncs and all their bytes; each fsync went through the network and two disks. */
async function expectMeasured(n1: Awaited<ReturnType<typeof makePair>>[0], n2: typeof n1): Promise<void> {
  const [metrics] = await n1.call('metrics', {});
  const { link, primary } = metrics!;
  expect(link).toMatchObject({ address: n2.address });
  expect(link?.roundTripMs).toBeGreaterThan(0);
  expect(primary!.changeBytes).toBeGreaterThan(190 * 7777);
  expect(primary!.changeBytes).toBeLessThan(190 * 7777 + 100_000);
  const answered = primary!.latency.reduce((sum, [, , count]) => sum + count, 0);
  expect(answered).toBeGreaterThanOrEqual(60);
  const slower = primary!.latency.reduce((sum, [from, , count]) => sum + (from >= 20 ? count : 0), 0);
  expect(slower).toBeGreaterThanOrEqual(20);
  expect(await n2.call('metrics', {})).toMatchObject([{ link: { address: n1.address }, primary: null }]);
}

async function faultOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return error instanceof Fault ? error.code : String(error);
  }
}

async function equalTrees(n1: ReplicatorNode, n2: ReplicatorNode): Promise<void> {
  // What is written but neither synced nor closed may be on its way.
  await until('both copies are equal', () => n1.tree().join('\n') === n2.tree().join('\n'), 5000).catch(
    () => undefined,
  );
  expect(n2.tree()).toEqual(n1.tree());
}

/** Appends to a file with fsync and tells what was acknowledged, in a process of its own, until it is stopped or fails. */
function startWriter(path: string): { acknowledged: () => number; stop: () => Promise<void>; failed: () => boolean } {
  const program = `
    const fs = require('fs'); const fd = fs.openSync(process.argv[1], 'a');
    for (let n = 1; ; n++) { fs.writeSync(fd, String(n).padStart(9) + '\\n'); fs.fsyncSync(fd); fs.writeSync(1, n + '\\n'); }`;
  const child = spawn(process.execPath, ['-e', program, path], { stdio: ['ignore', 'pipe', 'ignore'] });
  let acknowledged = 0;
  let rest = '';
  child.stdout.on('data', (text: Buffer) => {
    const lines = (rest + text.toString()).split('\n');
    rest = lines.pop() ?? '';
    acknowledged = Number(lines.at(-1) ?? acknowledged);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    acknowledged: () => acknowledged,
    failed: () => child.exitCode !== null,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function lastRecord(node: ReplicatorNode, name: string): number {
  const text = readFileSync(join(node.path, name), 'utf8');
  const lines = text.split('\n').filter((line) => line.length === 9);
  lines.forEach((line, index) => expect(Number(line)).toBe(index + 1));
  return lines.length;
}

describe('replication', () => {
  let n1: ReplicatorNode;
  let n2: ReplicatorNode;
  let unexpected = true;

  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
    unexpected = true;
  });
  afterEach(async () => {
    if (missing !== '') return;
    await n1.dispose();
    await n2.dispose();
    if (unexpected) expect([n1.output, n2.output]).toEqual(['', '']);
  });

  it('brings a populated tree to a copy that held something else', async () => {
    [n1, n2] = await makePair('first-sync');
    shell(`cd ${n1.path}; cp -a ${process.cwd()}/agent .; ln agent/main.ts hard; ln -s nowhere soft; mkfifo pipe; mknod null c 1 3
      printf '\\xff\\xfe' > "$(printf 'n\\xe9\\xff')"; dd if=/dev/urandom of=big bs=1M count=20 status=none
      truncate -s 30M sparse; printf end | dd of=sparse bs=1 seek=9000000 conv=notrunc status=none; setfattr -n user.a -v b hard
      chown 12:34 big; chmod 4711 big; cp /bin/true program; setcap cap_net_raw+ep program; setfacl -m u:12:rw soft.acl 2>/dev/null || true; mkdir -p deep/er/est; touch -d 2001-02-03 deep`);
    shell(
      `cd ${n2.path}; cp -a ${process.cwd()}/agent/core agent; dd if=/dev/urandom of=big bs=1M count=9 status=none; mkdir soft hard; touch hard/x`,
    );
    await startPair(n1, n2);
    await n1.mode('in-sync');
    await equalTrees(n1, n2);
    const status = await n1.status();
    expect(status).toMatchObject({ role: 'primary', link: 'up', fault: null, resync: null });
    expect(status.record).toMatchObject({ peerStale: false, copy: 'up-to-date' });
    expect((await n2.status()).record).toMatchObject({ copy: 'up-to-date', generation: status.record!.generation });
    // What was there is kept beside, with its content; holes stay holes.
    const kept = shell(`ls ${n2.disk.root} | grep kept-`).trim();
    expect(kept).toMatch(/^data\.kept-\d{8}-\d{6}$/);
    expect(existsSync(join(n2.disk.root, kept, 'data/hard/x'))).toBe(true);
    expect(readFileSync(join(n1.path, 'sparse')).subarray(9_000_000, 9_000_003).toString()).toBe('end');
  });

  it('carries live changes; an fsynced file is on the other side when fsync returns', async () => {
    [n1, n2] = await makePair('live');
    await startPair(n1, n2);
    await n1.mode('in-sync');
    for (let round = 0; round < 20; round++) {
      const content = Buffer.alloc(1 + round * 7777, round);
      const fd = openSync(join(n1.path, `file${round}`), 'w');
      writeSync(fd, content);
      fsyncSync(fd);
      const there = n2.tree().find((line) => line.startsWith(`/file${round} `));
      const here = n1.tree().find((line) => line.startsWith(`/file${round} `));
      expect(there).toBe(here);
      closeSync(fd);
    }
    await expectMeasured(n1, n2);
    shell(`cd ${n1.path}; tar -C ${process.cwd()} -cf - agent | tar -xf -; mv agent/core moved; rm -r agent/fuse; ln moved/index.ts linked
      git init -q repository; cd repository; git config user.email a@b; git config user.name a; cp ../linked .; git add .; git commit -qm one; git gc -q
      sqlite3 ../data.db 'create table t(a); begin; insert into t select value from generate_series(1,1000); commit; delete from t where a % 3 = 0;'
      fallocate -l 3M ../allocated; fallocate -p -o 65536 -l 65536 ../allocated; setfattr -n user.x -v y ../linked; setfattr -x user.x ../linked
      truncate -s 100 ../allocated; chmod 600 ../linked; chown 5:6 ../linked; touch -d 2020-01-01 ../linked; mv -n ../linked ../renamed`);
    await equalTrees(n1, n2);
    expect((await n1.call('stop', { volume })).clean).toBe(true);
    await equalTrees(n1, n2);
  });

  it('holds an fsync while the peer is silent, answers reads, expels it, and goes on with the right to', async () => {
    [n1, n2] = await makePair('silent');
    await startPair(n1, n2);
    await n1.mode('in-sync');
    writeFileSync(join(n1.path, 'before'), 'content');
    const writer = startWriter(join(n1.path, 'log'));
    await until('the writer writes', () => writer.acknowledged() > 10);
    n2.signal('SIGSTOP');
    const stoppedAtMs = bootTimeMs();
    await until('the writer waits', async () => {
      const seen = writer.acknowledged();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return writer.acknowledged() === seen;
    });
    expect(spawnSync('cat', [join(n1.path, 'before')], { timeout: 1000 }).stdout.toString()).toBe('content');
    await n1.mode('undecided', 8000);
    const expelledAfterMs = bootTimeMs() - stoppedAtMs;
    expect(expelledAfterMs).toBeGreaterThan(n1.acknowledgeTimeoutMs * 0.8);
    expect(expelledAfterMs).toBeLessThan(n1.acknowledgeTimeoutMs + 2000);
    const held = writer.acknowledged();
    // Reads go on, writes wait, for as long as nobody says what is right.
    expect(spawnSync('cat', [join(n1.path, 'before')], { timeout: 1000 }).stdout.toString()).toBe('content');
    expect(writer.acknowledged()).toBe(held);
    await n1.call('goAlone', { volume, generation: nextGeneration() });
    await until('the writer goes on', () => writer.acknowledged() > held + 10);
    expect((await n1.status()).record).toMatchObject({ peerStale: true });
    n2.signal('SIGCONT');
    await n1.mode('in-sync');
    await until('the writer writes with both', () => writer.acknowledged() > held + 100);
    await writer.stop();
    await equalTrees(n1, n2);
  });

  it('loses nothing acknowledged when the primary is killed at any moment', { timeout: 240_000 }, async () => {
    [n1, n2] = await makePair('killed');
    await startPair(n1, n2);
    await n1.mode('in-sync');
    let [primary, secondary] = [n1, n2];
    for (let round = 0; round < 4; round++) {
      const name = `log${round}`;
      const writer = startWriter(join(primary.path, name));
      await until('the writer writes', () => writer.acknowledged() > 20);
      await new Promise((resolve) => setTimeout(resolve, (round * 137) % 211));
      await primary.kill();
      await until('the writer fails', () => writer.failed());
      await writer.stop();
      await secondary.servePrimary(nextGeneration());
      expect(lastRecord(secondary, name)).toBeGreaterThanOrEqual(writer.acknowledged());
      await primary.start();
      await primary.configure();
      await primary.call('serveSecondary', { volume });
      await secondary.mode('in-sync');
      await equalTrees(secondary, primary);
      [primary, secondary] = [secondary, primary];
    }
  });

  it('loses nothing acknowledged when the secondary is killed at any moment', { timeout: 240_000 }, async () => {
    [n1, n2] = await makePair('secondary-killed');
    await startPair(n1, n2);
    await n1.mode('in-sync');
    const writer = startWriter(join(n1.path, 'log'));
    for (let round = 0; round < 4; round++) {
      const before = writer.acknowledged();
      await until('the writer writes', () => writer.acknowledged() > before + 20);
      await new Promise((resolve) => setTimeout(resolve, (round * 173) % 307));
      await n2.kill();
      await n1.mode('undecided');
      await n1.call('goAlone', { volume, generation: nextGeneration() });
      await n2.start();
      await n2.configure();
      await n2.call('serveSecondary', { volume });
      await n1.mode('in-sync');
    }
    const acknowledged = writer.acknowledged();
    await n1.kill();
    await writer.stop();
    await n2.servePrimary(nextGeneration());
    expect(lastRecord(n2, 'log')).toBeGreaterThanOrEqual(acknowledged);
    await n1.start();
    await n1.configure();
  });

  it('ends a resync with equal trees while everything changes', { timeout: 300_000 }, async () => {
    [n1, n2] = await makePair('resync');
    shell(
      `cd ${n1.path}; for d in a b c d; do mkdir -p $d/x/y; cp -a ${process.cwd()}/agent/contract $d/x/y; dd if=/dev/urandom of=$d/big bs=1M count=6 status=none; done`,
    );
    await startPair(n1, n2);
    await n1.mode('in-sync');
    for (let seed = 1; seed <= 5; seed++) {
      await n2.kill();
      await n1.mode('undecided');
      await n1.call('goAlone', { volume, generation: nextGeneration() });
      const churn = spawn('bash', ['--norc', '-c', churnScript(seed)], { cwd: n1.path, stdio: 'ignore' });
      const ended = new Promise((resolve) => churn.once('exit', resolve));
      await n2.start();
      await n2.configure();
      await n2.call('serveSecondary', { volume });
      await n1.mode('in-sync', 60_000);
      churn.kill('SIGKILL');
      await ended;
      await equalTrees(n1, n2);
    }
    expect((await n1.call('stop', { volume })).clean).toBe(true);
    await equalTrees(n1, n2);
  });

  it(
    'compares only what was marked when the peer comes back, and moves nothing for a rename',
    { timeout: 120_000 },
    async () => {
      [n1, n2] = await makePair('marks');
      shell(`cd ${n1.path}; dd if=/dev/urandom of=big bs=1M count=48 status=none; mkdir -p many/below; for i in $(seq 1000); do echo $i > many/$i; done
      cp -a ${process.cwd()}/agent many/below; ln big linked; mkdir empty old; echo x > old/kept; echo y > old/gone`);
      await startPair(n1, n2);
      await n1.mode('in-sync');
      // A log begins with a checkpoint that is on the disk of the other one; who leaves before it is compared with everything.
      await expect.poll(async () => (await n2.status()).record?.marks ?? null).not.toBeNull();
      const away = async (change: string, doubted = false): Promise<{ sentBytes: number; comparedBytes: number }> => {
        await n2.kill();
        await n1.mode('undecided');
        await n1.call('goAlone', { volume, generation: nextGeneration() });
        shell(`cd ${n1.path}; ${change}`);
        const before = (await n1.call('metrics', {}))[0]!.primary!.resyncBytes;
        let comparedBytes = 0;
        const off = n1.client!.on(
          'volume',
          ({ resync }) => (comparedBytes = Math.max(comparedBytes, resync?.doneBytes ?? 0)),
        );
        await n2.start();
        await n2.configure();
        await n2.call('serveSecondary', { volume, doubted });
        await n1.mode('in-sync');
        off();
        await equalTrees(n1, n2);
        return { sentBytes: (await n1.call('metrics', {}))[0]!.primary!.resyncBytes - before, comparedBytes };
      };
      const renamed = await away(
        'mv big large; mv many/below empty/moved; mv many few; mv old/kept kept; rm -r old; mkdir old; chmod 600 few/7; ln kept again',
      );
      expect(renamed.sentBytes).toBeLessThan(100_000);
      expect(renamed.comparedBytes).toBeLessThan(100_000);
      const written = await away(
        `for i in $(seq 0 13 600); do dd if=/dev/urandom of=large bs=4k seek=$((i * 19)) count=1 conv=notrunc status=none; done; setfattr -n user.a -v b kept
      mv few/1 few/2; mv few/3 few/3.old; echo new > few/3; truncate -s 5 few/4; rm -r empty/moved/agent/core; mkdir -p empty/moved/agent/core/again; cp large copy; rm linked`,
      );
      expect(written.sentBytes).toBeLessThan(54 * (1 << 20));
      // 47 chunks of one file, and the copy.
      expect(written.comparedBytes).toBeLessThan(54 * (1 << 20));
      const nothing = await away('true');
      expect(nothing).toMatchObject({ comparedBytes: 0 });
      expect(nothing.sentBytes).toBeLessThan(20_000);
      expect((await n2.status()).record?.marks).toMatchObject({ checkpoint: expect.any(Number) as number });
      // Whose disk has failed: a block that went bad since is in no log.
      expect((await away('true', true)).comparedBytes).toBeGreaterThan(48 * (1 << 20));
      await expect.poll(async () => (await n2.status()).record?.marks ?? null).not.toBeNull();
      // A copy that local programs could write to has lost what was agreed about it.
      const behind = await away(`umount ${n2.path}; echo wrong > ${n2.path}/few/5; echo more > ${n2.path}/few/more`);
      expect(behind.comparedBytes).toBeGreaterThan(48 * (1 << 20));
      // Changes that the peer may or may not have seen when it went.
      const churn = spawn('bash', ['--norc', '-c', churnScript(9)], { cwd: n1.path, stdio: 'ignore' });
      const ended = new Promise((resolve) => churn.once('exit', resolve));
      for (let round = 0; round < 4; round++) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        await n2.kill();
        await n1.mode('undecided');
        await n1.call('goAlone', { volume, generation: nextGeneration() });
        await n2.start();
        await n2.configure();
        await n2.call('serveSecondary', { volume });
        await n1.mode('in-sync', 60_000);
      }
      churn.kill('SIGKILL');
      await ended;
      await equalTrees(n1, n2);
    },
  );

  it('swaps without comparing after a clean stop', async () => {
    [n1, n2] = await makePair('swap');
    shell(`cd ${n1.path}; cp -a ${process.cwd()}/agent .; dd if=/dev/urandom of=big bs=1M count=16 status=none`);
    await startPair(n1, n2);
    await n1.mode('in-sync');
    let [primary, secondary] = [n1, n2];
    for (let round = 0; round < 4; round++) {
      expect(await primary.call('stop', { volume })).toEqual({ clean: true });
      primary.letLeaseEnd();
      await secondary.servePrimary();
      expect((await secondary.status()).mode).toBe('undecided');
      let resynchronised = false;
      const off = secondary.client!.on('volume', (status) => (resynchronised ||= status.mode === 'resynchronising'));
      await primary.call('serveSecondary', { volume });
      await secondary.mode('in-sync');
      off();
      expect(resynchronised).toBe(false);
      shell(`cd ${secondary.path}; echo ${round} >> rounds; sync rounds; mv big big.moved; mv big.moved big`);
      await equalTrees(secondary, primary);
      [primary, secondary] = [secondary, primary];
    }
  });

  it('refuses forks, other data, stale copies and busy directories by name', async () => {
    [n1, n2] = await makePair('refused');
    await startPair(n1, n2);
    await n1.mode('in-sync');
    // Both go on without the other: a fork.
    n1.letLeaseEnd();
    await n1.call('fence', { volume });
    await n2.servePrimary(nextGeneration());
    await n2.call('fence', { volume });
    await n1.servePrimary(nextGeneration());
    await n2.call('serveSecondary', { volume });
    await until('the fork is told', async () => (await n1.status()).fault?.code === 'forked');
    await until('the fork is told', async () => (await n2.status()).fault?.code === 'forked');
    expect((await n1.status()).link).toBe('down');
    // A person chose n1: n2 starts from nothing, what it had is kept.
    await n2.call('stop', { volume });
    expect(
      await faultOf(
        n2.call('initialise', { volume, as: 'blank', generation: null, keepAside: true, replaceRecord: false }),
      ),
    ).toBe('already-initialised');
    writeFileSync(join(n1.path, 'from-n1'), 'x');
    await n2.call('initialise', { volume, as: 'blank', generation: null, keepAside: true, replaceRecord: true });
    expect(await faultOf(n2.call('servePrimary', { volume, order: false }))).toBe('copy-stale');
    await n2.call('serveSecondary', { volume });
    await n1.mode('in-sync');
    await equalTrees(n1, n2);
    // Somebody works in the directory: no planned stop.
    const holder = spawn('sleep', ['60'], { cwd: n1.path });
    expect(await faultOf(n1.call('stop', { volume }))).toBe('mount-busy');
    holder.kill('SIGKILL');
    await until('it stops', async () => (await faultOf(n1.call('stop', { volume }))) === 'none');
    expect(await faultOf(n1.call('goAlone', { volume, generation: nextGeneration() }))).toBe('not-primary');
    expect(await faultOf(n1.call('serveSecondary', { volume: 'none/0' }))).toBe('unknown-volume');
    // Not the same data at all.
    await n2.call('stop', { volume });
    await n2.call('release', { volume, removeRecord: true });
    n2.uuid = '5a1b1ed0-0000-4000-8000-000000000002';
    await n2.configure();
    await n2.call('initialise', { volume, as: 'blank', generation: null, keepAside: true, replaceRecord: false });
    await n2.call('serveSecondary', { volume });
    await n1.servePrimary(nextGeneration());
    await until('it is told', async () => (await n1.status()).fault?.code === 'not-the-same-data');
  });

  it('refuses who is not the peer, names it, and goes on', async () => {
    unexpected = false;
    [n1, n2] = await makePair('strangers');
    await startPair(n1, n2);
    await n1.mode('in-sync');
    const socket = connect(n2.port, n2.address);
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('GET / HTTP/1.1\r\nHost: nobody\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    await until('the stranger is named', () =>
      /127\.0\.0\.1:\d+ does not speak the Holdfast peer protocol/.test(n2.output),
    );
    expect((await n1.status()).mode).toBe('in-sync');
    // Another key than the one that was exchanged.
    await n1.call('fence', { volume });
    await n1.makeKeys();
    await n2.kill();
    await n2.start();
    n2.peerCertificateFile = join(n2.directory, 'node.crt');
    await n2.configure();
    await n2.call('serveSecondary', { volume });
    await n1.servePrimary(nextGeneration());
    await until('the certificate is refused', () =>
      n2.output.includes('has another certificate than the one this node knows'),
    );
    expect((await n1.status()).mode).toBe('alone');
  });

  it('lets a secondary go whose disk somebody else has filled, and goes on without it', async () => {
    [n1, n2] = await makePair('full', { diskMb: [192, 48] });
    await startPair(n1, n2);
    await n1.mode('in-sync');
    // Before it could say so.
    n2.signal('SIGSTOP');
    const others = join(n2.disk.root, 'others');
    spawnSync('dd', ['if=/dev/zero', `of=${others}`, 'bs=1M']);
    const big = join(n1.path, 'big');
    const writer = spawn('dd', ['if=/dev/urandom', `of=${big}`, 'bs=1M', 'count=1'], { stdio: 'ignore' });
    const written = new Promise((resolve) => writer.once('exit', resolve));
    await until('it is written here', () => statSync(big, { throwIfNoEntry: false })?.size === 1 << 20);
    n2.signal('SIGCONT');
    await n1.mode('undecided');
    await n1.call('goAlone', { volume, generation: nextGeneration() });
    await until('it says why', async () => (await n2.status()).fault?.code === 'disk-full');
    shell(`cd ${n1.path}; echo more > more; sync more`);
    await until('it says why', async () => (await n1.status()).fault?.code === 'disk-full');
    expect((await n1.status()).record).toMatchObject({ peerStale: true, copy: 'up-to-date' });
    expect(await written).toBe(0);
    rmSync(others);
    await n1.mode('in-sync');
    await equalTrees(n1, n2);
    await until('both are well', async () => (await n1.status()).fault === null && (await n2.status()).fault === null);
  });

  it('answers nothing after the lease, and goes on when it is extended', async () => {
    [n1, n2] = await makePair('lease');
    await startPair(n1, n2);
    await n1.mode('in-sync');
    writeFileSync(join(n1.path, 'file'), 'x');
    n1.letLeaseEnd();
    const deadlineMs = bootTimeMs() + 500;
    await n1.call('setLease', { module: 'db', deadlineMs });
    const writer = startWriter(join(n1.path, 'log'));
    await new Promise((resolve) => setTimeout(resolve, 700));
    const seen = writer.acknowledged();
    const reader = spawn('ls', ['-l', n1.path]);
    await new Promise((resolve) => setTimeout(resolve, n1.acknowledgeTimeoutMs + 500));
    expect(writer.acknowledged()).toBe(seen);
    expect(reader.exitCode).toBeNull();
    // The peer has acknowledged: that we may not answer is no reason to let it go.
    expect(await n1.status()).toMatchObject({ mode: 'in-sync', fault: null });
    n1.keepLease();
    await until('the reader ends', () => reader.exitCode === 0);
    await until('the writer goes on', () => writer.acknowledged() > seen + 10);
    await writer.stop();
    // A fence returns although nothing may be answered and somebody waits.
    n1.letLeaseEnd();
    await n1.call('setLease', { module: 'db', deadlineMs: 0 });
    const stuck = spawn('touch', [join(n1.path, 'never')]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const startedAtMs = bootTimeMs();
    await n1.call('fence', { volume });
    expect(bootTimeMs() - startedAtMs).toBeLessThan(3000);
    await until('whoever waited is let go', () => stuck.exitCode !== null || stuck.signalCode !== null);
    expect((await n1.status()).role).toBe('idle');
    // Nothing can be written where the mount was.
    expect(spawnSync('touch', [join(n1.path, 'never')]).status).not.toBe(0);
  });

  it('keeps its doors closed and its roles through a restart of itself and of the control plane', async () => {
    unexpected = false;
    [n1, n2] = await makePair('restart');
    await startPair(n1, n2);
    await n1.mode('in-sync');
    n1.client!.close();
    await n1.connect();
    n1.keepLease();
    expect((await n1.status()).role).toBe('primary');
    shell(`echo x > ${n1.path}/file`);
    await n1.kill();
    expect(spawnSync('touch', [join(n1.path, 'file')]).status).not.toBe(0);
    await n1.start();
    // Closed again before anybody has configured anything.
    expect(await n1.status()).toMatchObject({ role: 'idle', fault: null });
    expect(spawnSync('touch', [join(n1.path, 'new')]).status).not.toBe(0);
    mkdirSync(join(n1.directory, 'another'), { recursive: true });
    const second = spawnSync(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        agentMain,
        'replicator',
        '--socket',
        n1.socketPath,
        '--state-dir',
        join(n1.directory, 'another'),
      ],
      { timeout: 10_000 },
    );
    expect(second.status).toBe(1);
    expect(second.stderr.toString()).toMatch(/answers on .* already/);
    await n1.configure();
    await n1.servePrimary();
    await n1.mode('in-sync');
    expect(readFileSync(join(n1.path, 'file'), 'utf8')).toBe('x\n');
  });
});

describe('a thread that fails', () => {
  it.each(['main', 'rejection', 'primary', 'acknowledgement', 'secondary', 'listener'])(
    'ends the process at once, also while another one is blocked: %s',
    (what) => {
      const file = fileURLToPath(new URL('replication/throwing.ts', import.meta.url));
      const { status, signal, stderr } = spawnSync(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', file, what],
        {
          timeout: 20_000,
          encoding: 'utf8',
        },
      );
      expect([status, signal]).toEqual([70, null]);
      expect(stderr).toMatch(what === 'main' || what === 'rejection' ? /on purpose/ : new RegExp(`failing ${what}`));
    },
  );
});

/** Creates, renames, links, removes and truncates, between directories that a walk has and has not reached. */
function churnScript(seed: number): string {
  return `RANDOM=${seed}; shopt -s nullglob
    pick() { local all=(a b c d a/x b/x c/x d/x a/x/y b/x/y c/x/y d/x/y a/n* b/n* c/n*); local p=\${all[RANDOM % \${#all[@]}]}; [ -d "$p" ] && echo "$p" || echo a; }
    mkdir -p a b c d
    while :; do
      d=$(pick); e=$(pick); n=n$((RANDOM % 7)); m=n$((RANDOM % 7))
      case $((RANDOM % 12)) in
        0) echo $RANDOM > $d/$n ;;
        1) mkdir $d/$n ;;
        2) mv -T $d/$n $e/$m ;;
        3) mv -T $d $e/$m ;;
        4) ln $d/$n $e/$m ;;
        5) rm -rf $d/$n ;;
        6) truncate -s $((RANDOM * 4)) $d/$n ;;
        7) dd if=/dev/urandom of=$d/big bs=4096 count=1 seek=$((RANDOM % 1500)) conv=notrunc ;;
        8) ln -s $m $d/$n ;;
        9) chmod $((RANDOM % 8))44 $d/$n ;;
        10) cp -r $d/x $e/$m ;;
        11) mv $d/big $e/big ;;
      esac
      mkdir -p a b c d
    done 2>/dev/null`;
}
