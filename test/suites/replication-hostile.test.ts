/** Two real replicators whose disks fail, or become read-only, on one side; and certificates that are retired or come from wrong clocks. */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { basename, join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificate } from '../../agent/network/certificate.ts';
import { missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { makePair, nextGeneration, startPair, until, volume } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();
const stopFilesystem = fileURLToPath(new URL('../lab/shutdown-filesystem.ts', import.meta.url));

/** Ends with the shell's own code; never waited for without a limit. */
async function shell(script: string): Promise<number | null> {
  const child = spawn('bash', ['--norc', '-c', script], { stdio: 'ignore' });
  const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
  try {
    return await new Promise((resolve) => child.once('exit', resolve));
  } finally {
    clearTimeout(limit);
  }
}

/** Every request of the disk fails from now on: what ext4 does after FS_IOC_SHUTDOWN. */
function failDisk(node: ReplicatorNode): void {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', stopFilesystem, node.disk.root],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
}

/** ext4 found an error, and was told to go read-only then. False: this kernel offers no way to say so. */
function makeReadOnly(node: ReplicatorNode): boolean {
  if (spawnSync('mount', ['-o', 'remount,errors=remount-ro', node.disk.root]).status !== 0) return false;
  const source = spawnSync('findmnt', ['-no', 'SOURCE', node.disk.root], { encoding: 'utf8' }).stdout.trim();
  const trigger = `/sys/fs/ext4/${basename(source)}/trigger_fs_error`;
  return spawnSync('sh', ['-c', `echo a test > ${trigger}`]).status === 0;
}

describe('a replicated directory in bad company', () => {
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

  async function inSync(suite: string): Promise<void> {
    [n1, n2] = await makePair(suite);
    await startPair(n1, n2);
    await n1.mode('in-sync');
    expect(await shell(`cd ${n1.path}; echo before > before; sync before`)).toBe(0);
  }

  const failures = [
    { name: 'cannot be read or written', suite: 'failing', fail: (node: ReplicatorNode) => (failDisk(node), true) },
    { name: 'has become read-only', suite: 'read-only', fail: makeReadOnly },
  ] as const;

  it.for(failures)('lets a secondary go whose disk $name, and goes on', async ({ suite, fail }, context) => {
    await inSync(`${suite}-secondary`);
    if (!fail(n2)) context.skip('this kernel cannot make a file system fail');
    const writing = shell(`cd ${n1.path}; echo after > after; sync after`);
    await n1.mode('undecided');
    await n1.call('goAlone', { volume, generation: nextGeneration() });
    expect(await writing).toBe(0);
    expect((await n1.status()).record).toMatchObject({ copy: 'up-to-date', peerStale: true });
    const code = await until('it says why', async () => (await n2.status()).fault?.code ?? null);
    expect(['apply-failed', 'disk-failed']).toContain(code);
    expect(readFileSync(join(n1.path, 'after'), 'utf8')).toBe('after\n');
  });

  it.for(failures)('tells of a primary whose disk $name; the other copy has all', async ({ suite, fail }, context) => {
    await inSync(`${suite}-primary`);
    if (!fail(n1)) context.skip('this kernel cannot make a file system fail');
    expect(await shell(`cd ${n1.path}; echo lost > lost && sync lost`)).not.toBe(0);
    await until('it says why', async () => (await n1.status()).fault?.code === 'disk-failed');
    await n1.call('fence', { volume });
    await n2.servePrimary(nextGeneration());
    await n2.mode('alone');
    expect(readFileSync(join(n2.path, 'before'), 'utf8')).toBe('before\n');
    expect(await shell(`cd ${n2.path}; echo more > more && sync more`)).toBe(0);
  });

  it.for(failures)('lives on when the disk of a primary with a hot log $name', async ({ suite, fail }, context) => {
    await inSync(`${suite}-hot`);
    const isClaimed = async (): Promise<boolean> => ((await n1.status()).record?.hot ?? null) !== null;
    await until('its record claims a hot log', isClaimed);
    if (!fail(n1)) context.skip('this kernel cannot make a file system fail');
    expect(await shell(`mkdir ${n1.path}/lost`)).not.toBe(0);
    await until('it says why', async () => (await n1.status()).fault?.code === 'disk-failed');
    // Neither the next attempt to write the record ends the process, nor the next change.
    expect(await shell(`mkdir ${n1.path}/more`)).not.toBe(0);
    await n1.call('fence', { volume });
    expect((await n1.status()).role).toBe('idle');
    expect([n1.child?.exitCode, n1.child?.signalCode]).toEqual([null, null]);
    await n2.servePrimary(nextGeneration());
    await n2.mode('alone');
    expect(readFileSync(join(n2.path, 'before'), 'utf8')).toBe('before\n');
  });

  it('speaks to a peer whose clock is wrong by decades', async () => {
    [n1, n2] = await makePair('clocks');
    const keep = async (node: ReplicatorNode, from: string, to: string): Promise<void> => {
      const dates = { notBefore: new Date(from), notAfter: new Date(to) };
      const identity = await makeCertificate(node.name, dates);
      writeFileSync(join(node.directory, 'node.crt'), identity.certificatePem);
      writeFileSync(join(node.directory, 'node.key'), identity.keyPem, { mode: 0o600 });
    };
    // Made by a clock of the last century, and by one of the next.
    await keep(n1, '1971-01-01', '1972-01-01');
    await keep(n2, '2090-01-01', '2091-01-01');
    await startPair(n1, n2);
    await n1.mode('in-sync');
  });

  it('ends a link whose certificate is retired, and makes it anew with the next one', async () => {
    await inSync('retired');
    // New keys on one side, told to both: the link is made again.
    const modes: unknown[] = [];
    n1.client!.on('volume', ({ mode }) => modes.push(mode));
    await n1.makeKeys();
    await n1.configure();
    await n2.configure();
    await until('the link is cut', () => modes.includes('undecided'));
    await n1.mode('in-sync');
    const inUse = statSync(join(n1.directory, 'node.crt')).mtimeMs;
    // Retired on one side, and nothing told to the other: it is not let in any more, and what is there is cut.
    const other = await makeCertificate('n1');
    n2.peerCertificateFile = join(n2.directory, 'other.crt');
    writeFileSync(n2.peerCertificateFile, other.certificatePem);
    await n2.configure();
    await n1.mode('undecided');
    await n1.call('goAlone', { volume, generation: nextGeneration() });
    await until('it is named', () => n2.output.includes('has another certificate than the one this node knows'));
    expect([(await n1.status()).mode, statSync(join(n1.directory, 'node.crt')).mtimeMs]).toEqual(['alone', inUse]);
  });

  it('lets nobody in who has begun under a certificate that is retired before it has a link', async () => {
    await inSync('retired-meanwhile');
    const [key, cert] = ['node.key', 'node.crt'].map((name) => readFileSync(join(n1.directory, name)));
    const tls = { key, cert, rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const;
    const handshakeSoFar = createConnection(n2.port, n2.address);
    const secured = connect(n2.port, n2.address, tls);
    const ended = [handshakeSoFar, secured].map(async (socket) => {
      await new Promise((resolve) => socket.on('error', resolve).on('close', resolve).on('end', resolve).resume());
      return performance.now();
    });
    await Promise.all([
      new Promise((resolve) => handshakeSoFar.once('connect', resolve)),
      new Promise((resolve) => secured.once('secureConnect', resolve)),
    ]);
    n2.peerCertificateFile = join(n2.directory, 'other.crt');
    writeFileSync(n2.peerCertificateFile, (await makeCertificate('n1')).certificatePem);
    const beganMs = performance.now();
    await n2.configure();
    // Whoever only says nothing is left five seconds.
    for (const endedMs of await Promise.all(ended)) expect(endedMs - beganMs).toBeLessThan(2500);
    secured.destroy();
    handshakeSoFar.destroy();
  });

  it('makes no link to a peer whose certificate is retired, also when it had one before', async () => {
    [n1, n2] = await makePair('retired-peer');
    // A file of its own, as on two servers.
    n1.peerCertificateFile = join(n1.directory, 'peer.crt');
    copyFileSync(join(n2.directory, 'node.crt'), n1.peerCertificateFile);
    await startPair(n1, n2);
    await n1.mode('in-sync');
    writeFileSync(n1.peerCertificateFile, (await makeCertificate('n2')).certificatePem);
    await n1.configure();
    await n1.mode('undecided');
    await until('it says why', async () => (await n1.status()).fault?.code === 'peer-unknown-certificate');
    await n1.call('goAlone', { volume, generation: nextGeneration() });
    await n1.mode('alone');
  });
});
