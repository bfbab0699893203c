/**
 * What a resync costs, beside the bounds that are promised: two replicators over loopback, each with an ext4 of its own. Bytes are those of the
 * stream's frames from primary to secondary; times are of this machine and say how busy it was (`load`).
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { openBackingDirectory } from '../../agent/fuse/index.ts';
import { DirectoryHotDisk } from '../../agent/replication/hot-disk.ts';
import { HotLog } from '../../agent/replication/hot-log.ts';
import { bootTimeMs, close } from '../../agent/sys/linux.ts';
import buildAgentOfSuites from '../suites/built-agent.ts';
import { missingForFilesystemTests } from '../suites/filesystem/loop-disk.ts';
import { makePair, nextGeneration, startPair, until, volume } from '../suites/replication/pair.ts';
import type { ReplicatorNode } from '../suites/replication/pair.ts';
import { latency, latencyDiskMb } from './resync-latency.ts';

export interface Row {
  readonly part: string;
  readonly what: string;
  readonly bound: string;
  readonly measured: string;
  readonly met: boolean;
}

const inWords = ({ part, what, bound, measured, met }: Row): string =>
  `${met ? 'met   ' : 'MISSED'}  ${part.padEnd(6)}  ${what}: ${measured} (bound: ${bound})`;

const kib = 1024;
const mib = 1024 * kib;
const gib = 1024 * mib;
const syncMs = 1_200_000;

const inMb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
const inMiB = (bytes: number): string => `${(bytes / mib).toFixed(2)} MiB`;

interface Return {
  readonly sentBytes: number;
  readonly comparedBytes: number;
  readonly seconds: number;
}

async function sentBytes(node: ReplicatorNode): Promise<number> {
  const { primary } = (await node.call('metrics', {}))[0]!;
  return (primary?.resyncBytes ?? 0) + (primary?.changeBytes ?? 0);
}

/** The secondary goes, something is done, it comes back: from then until both are up to date. */
async function away(n1: ReplicatorNode, n2: ReplicatorNode, change: () => void): Promise<Return> {
  await n2.kill();
  await n1.mode('undecided');
  await n1.call('goAlone', { volume, generation: nextGeneration() });
  change();
  await n2.start();
  await n2.configure();
  return await comesBack(n1, n2);
}

async function comesBack(primary: ReplicatorNode, secondary: ReplicatorNode): Promise<Return> {
  const before = await sentBytes(primary);
  let comparedBytes = 0;
  const off = primary.client!.on(
    'volume',
    ({ resync }) => (comparedBytes = Math.max(comparedBytes, resync?.doneBytes ?? 0)),
  );
  const startedMs = bootTimeMs();
  await secondary.call('serveSecondary', { volume });
  await primary.mode('in-sync', syncMs);
  const seconds = (bootTimeMs() - startedMs) / 1000;
  off();
  return { sentBytes: (await sentBytes(primary)) - before, comparedBytes, seconds };
}

/** Works below the mount and the cover. */
function below<T>(node: ReplicatorNode, work: (path: string) => T): T {
  const fd = openBackingDirectory(node.path);
  try {
    return work(`/proc/self/fd/${fd}`);
  } finally {
    close(fd);
  }
}

function writeRandom(file: string, bytes: number): void {
  const fd = openSync(file, 'w');
  for (let at = 0; at < bytes; at += mib) writeSync(fd, randomBytes(mib));
  closeSync(fd);
}

/** 4 KiB each, far from each other. */
function writeScattered(file: string, sizeBytes: number, count: number): void {
  const fd = openSync(file, 'r+');
  for (let index = 0; index < count; index++)
    writeSync(fd, randomBytes(4 * kib), 0, 4 * kib, Math.floor((index * sizeBytes) / count / mib) * mib + 12 * kib);
  fsyncSync(fd);
  closeSync(fd);
}

/** Names of both copies are written below them while nobody runs: quicker than to send them. */
async function startFilled(n1: ReplicatorNode, n2: ReplicatorNode, fill: (path: string) => void): Promise<void> {
  await startPair(n1, n2);
  await n1.mode('in-sync', syncMs);
  if (!(await n1.call('stop', { volume })).clean) throw new Error('the stop was not clean');
  await n2.call('stop', { volume });
  for (const node of [n1, n2]) {
    await node.kill();
    below(node, fill);
    await node.start(installedEnvironment());
    await node.configure();
  }
  await n1.servePrimary();
  await n2.call('serveSecondary', { volume });
  await n1.mode('in-sync', syncMs);
}

async function big(n1: ReplicatorNode, n2: ReplicatorNode): Promise<Row[]> {
  const part = 'big';
  writeRandom(join(n1.path, 'big'), gib);
  mkdirSync(join(n1.path, 'many'));
  for (let file = 0; file < 10_000; file++) closeSync(openSync(join(n1.path, 'many', String(file)), 'w'));
  await startPair(n1, n2);
  await n1.mode('in-sync', syncMs);
  const renamed = await away(n1, n2, () => {
    renameSync(join(n1.path, 'big'), join(n1.path, 'large'));
    renameSync(join(n1.path, 'many'), join(n1.path, 'few'));
  });
  const written = await away(n1, n2, () => {
    writeScattered(join(n1.path, 'large'), gib, 100);
  });
  return [
    {
      part,
      what: 'a file of 1 GiB and a directory with 10,000 files renamed while the peer was away: sent',
      bound: 'no data',
      measured: `${renamed.sentBytes} bytes, ${renamed.comparedBytes} compared, ${renamed.seconds.toFixed(1)} s`,
      met: renamed.comparedBytes === 0 && renamed.sentBytes < 64 * kib,
    },
    {
      part,
      what: '100 changes of 4 KiB in a file of 1 GiB while the peer was away: sent',
      bound: '8 MiB',
      measured: `${inMiB(written.sentBytes)}, ${inMiB(written.comparedBytes)} compared, ${written.seconds.toFixed(1)} s`,
      met: written.sentBytes <= 8 * mib,
    },
  ];
}

const filesPerDirectory = 1000;
const unitFile = new URL('../../resources/systemd/holdfast-replicator.service', import.meta.url);

/** What its unit gives it where it is installed. */
function installedEnvironment(): Record<string, string> {
  const lines = readFileSync(unitFile, 'utf8').matchAll(/^Environment=(\w+)=(.*)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name = '', value = '']) => [name, value]));
}

/** `resident`: with the pages of the program's file, which the control plane has in memory anyway. `own`: what nobody else has. */
function memoryOf(node: ReplicatorNode): { readonly resident: number; readonly own: number } {
  const memory = readFileSync(`/proc/${node.child!.pid}/smaps_rollup`, 'utf8');
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(memory)?.[1]) * kib;
  return { resident: bytes('Rss'), own: bytes('Private_Clean') + bytes('Private_Dirty') };
}

/** Each file is looked up through the mount. */
async function lookUpAll(node: ReplicatorNode): Promise<number> {
  const child = spawn('find', [node.path, '-type', 'f', '-size', '-1', '-printf', '.'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let found = 0;
  child.stdout.on('data', (text: Buffer) => (found += text.length));
  await new Promise((resolve) => child.once('close', resolve));
  return found;
}

async function files(n1: ReplicatorNode, n2: ReplicatorNode, count: number): Promise<Row[]> {
  const part = 'files';
  const nameOf = (file: number): string => `${Math.floor(file / filesPerDirectory)}/${file}`;
  await startFilled(n1, n2, (path) => {
    for (let file = 0; file < count; file++) {
      if (file % filesPerDirectory === 0) mkdirSync(join(path, String(file / filesPerDirectory)));
      closeSync(openSync(join(path, nameOf(file)), 'w'));
    }
  });
  const empty = memoryOf(n1);
  const found = await lookUpAll(n1);
  const known = memoryOf(n1);
  const changed = await away(n1, n2, () => {
    for (let index = 0; index < 100; index++) writeRandomPage(join(n1.path, nameOf(Math.floor((index * count) / 100))));
  });
  return [
    {
      part,
      what: `the replicator with ${found} files known: resident`,
      bound: '250 MB',
      measured: `${inMb(known.resident)}, of it its own ${inMb(known.own)}; before ${inMb(empty.resident)}, ${inMb(empty.own)}`,
      met: known.resident < 250e6,
    },
    {
      part,
      what: `${count} files, 100 of them changed while the peer was away: until up to date`,
      bound: '5 s, no scan',
      measured: `${changed.seconds.toFixed(2)} s, ${inMiB(changed.sentBytes)} sent, ${inMiB(changed.comparedBytes)} compared`,
      met: changed.seconds < 5 && changed.comparedBytes <= 100 * 64 * kib,
    },
  ];
}

function writeRandomPage(file: string): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, randomBytes(4 * kib));
  closeSync(fd);
}

/** Writes 4 KiB at random places until the mount fails, in a process of its own. */
function startRandomWriter(file: string, sizeBytes: number): { written: () => number; ended: Promise<unknown> } {
  const program = `
    const fs = require('fs'); const fd = fs.openSync(process.argv[1], 'r+'); const page = require('crypto').randomBytes(4096);
    for (let n = 1; ; n++) { page.writeUInt32LE(n, 0); fs.writeSync(fd, page, 0, 4096, Math.floor(Math.random() * ${sizeBytes / (4 * kib)}) * 4096);
      if (n % 100 === 0) fs.writeSync(1, '.'); }`;
  const child = spawn(process.execPath, ['-e', program, file], { stdio: ['ignore', 'pipe', 'ignore'] });
  let hundreds = 0;
  child.stdout.on('data', (text: Buffer) => (hundreds += text.length));
  return { written: () => hundreds * 100, ended: new Promise((resolve) => child.once('close', resolve)) };
}

/** In pages of 4 KiB. */
function differingBytes(one: string, other: string): number {
  const [a, b] = [openSync(one, 'r'), openSync(other, 'r')];
  const [left, right] = [Buffer.alloc(mib), Buffer.alloc(mib)];
  let bytes = 0;
  for (let at = 0; ; at += mib) {
    const count = readSync(a, left, 0, mib, at);
    readSync(b, right, 0, mib, at);
    if (count === 0) break;
    if (left.equals(right)) continue;
    for (let page = 0; page < count; page += 4 * kib)
      if (!left.subarray(page, page + 4 * kib).equals(right.subarray(page, page + 4 * kib))) bytes += 4 * kib;
  }
  closeSync(a);
  closeSync(b);
  return bytes;
}

async function crash(n1: ReplicatorNode, n2: ReplicatorNode): Promise<Row[]> {
  const sizeBytes = 4 * gib;
  const page = randomBytes(mib);
  await startFilled(n1, n2, (path) => {
    const fd = openSync(join(path, 'data'), 'w');
    for (let at = 0; at < sizeBytes; at += mib) {
      page.writeUInt32LE(at / mib, 0);
      writeSync(fd, page);
    }
    closeSync(fd);
  });
  await until('both disks have a checkpoint', async () => (await n1.status()).record?.hot?.checkpoint ?? false, 60_000);
  const writer = startRandomWriter(join(n1.path, 'data'), sizeBytes);
  await until('the writer writes', () => writer.written() >= 20_000, 120_000);
  await n1.losePower();
  await writer.ended;
  await n2.servePrimary(nextGeneration());
  const differing = below(n1, (one) => below(n2, (other) => differingBytes(join(one, 'data'), join(other, 'data'))));
  await n1.start();
  await n1.configure();
  const returned = await comesBack(n2, n1);
  const boundBytes = 2 * differing + mib;
  return [
    {
      part: 'crash',
      what: 'the primary lost its power under random writes on 4 GiB: sent',
      bound: `2 × the ${inMiB(differing)} that differ + 1 MiB = ${inMiB(boundBytes)}`,
      measured: `${inMiB(returned.sentBytes)}, ${inMiB(returned.comparedBytes)} compared, ${returned.seconds.toFixed(1)} s`,
      met: returned.sentBytes <= boundBytes,
    },
  ];
}

/** Of the newest record of the hot log. */
async function hotLogNumber(node: ReplicatorNode): Promise<number> {
  const claim = (await node.status()).record?.hot ?? null;
  const fd = openBackingDirectory(node.path);
  try {
    return (claim && new HotLog(new DirectoryHotDisk(fd)).restore(claim.log, claim.checkpoint)?.number) ?? 0;
  } finally {
    close(fd);
  }
}

/** Synchronous writes of 8 KiB a second, at random places. In a process of its own: this one drives the replicators. */
async function synchronousWrites(file: string, sizeBytes: number, count: number): Promise<number> {
  const program = `
    const fs = require('fs'); const fd = fs.openSync(process.argv[1], 'r+'); const page = require('crypto').randomBytes(8192);
    const began = performance.now();
    for (let n = 0; n < ${count}; n++) { fs.writeSync(fd, page, 0, 8192, Math.floor(Math.random() * ${sizeBytes / (8 * kib)}) * 8192); fs.fdatasyncSync(fd); }
    fs.writeSync(1, String(${count} * 1000 / (performance.now() - began)));`;
  const child = spawn(process.execPath, ['-e', program, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  return Number(said);
}

async function log(n1: ReplicatorNode, n2: ReplicatorNode): Promise<Row[]> {
  const sizeBytes = gib;
  const count = 3000;
  writeRandom(join(n1.path, 'database'), sizeBytes);
  await startPair(n1, n2);
  await n1.mode('in-sync', syncMs);
  const file = join(n1.path, 'database');
  const rates: { kept: number[]; none: number[] } = { kept: [], none: [] };
  let [cold, warm] = [0, 0];
  for (const kept of [true, false, true, false]) {
    process.env['HOLDFAST_HOT_LOG'] = kept ? '1' : '0';
    await n1.call('stop', { volume });
    await n1.kill();
    await n1.start();
    await n1.configure();
    await n1.servePrimary();
    await n1.mode('in-sync', syncMs);
    const hot = async (): Promise<number> => (kept ? await hotLogNumber(n1) : 0);
    if (kept)
      await until(
        'both disks have a checkpoint',
        async () => (await n1.status()).record?.hot?.checkpoint ?? false,
        60_000,
      );
    const before = await hot();
    await synchronousWrites(file, sizeBytes, count);
    cold = Math.max(cold, (await hot()) - before);
    const between = await hot();
    rates[kept ? 'kept' : 'none'].push(await synchronousWrites(file, sizeBytes, count));
    warm = Math.max(warm, (await hot()) - between);
  }
  delete process.env['HOLDFAST_HOT_LOG'];
  const mean = (of: number[]): number => of.reduce((sum, rate) => sum + rate, 0) / of.length;
  const ratio = mean(rates.kept) / mean(rates.none);
  return [
    {
      part: 'log',
      what: `records of the hot log for ${count} synchronous writes of 8 KiB all over 1 GiB, warm`,
      bound: 'one for each checkpoint',
      measured: `${warm}, cold ${cold}`,
      met: warm <= 20,
    },
    {
      part: 'log',
      what: 'the rate of these writes, with the log beside without',
      bound: '0.8',
      measured: `${ratio.toFixed(2)} (${mean(rates.kept).toFixed(0)}/s beside ${mean(rates.none).toFixed(0)}/s)`,
      met: ratio > 0.8,
    },
  ];
}

interface Part {
  readonly diskMb: number;
  readonly run: (n1: ReplicatorNode, n2: ReplicatorNode, files: number) => Promise<Row[]>;
}
const parts: Readonly<Record<string, Part>> = {
  big: { diskMb: 2500, run: big },
  files: { diskMb: 20_000, run: files },
  crash: { diskMb: 5500, run: crash },
  latency: { diskMb: latencyDiskMb, run: latency },
  log: { diskMb: 2000, run: log },
};

/** `only`: one part. `count`: files of the part that has many. */
export async function measureResync(
  only: string | undefined,
  count: number,
): Promise<{ readonly rows: readonly Row[]; readonly load: string; readonly text: string; readonly kept: boolean }> {
  const missing = missingForFilesystemTests();
  if (missing !== '') throw new Error(`this cannot be measured here: ${missing}`);
  await buildAgentOfSuites();
  if (only !== undefined && !Object.hasOwn(parts, only))
    throw new Error(`resync has no part ${only}. There are: ${Object.keys(parts).join(', ')}.`);
  const rows: Row[] = [];
  for (const [name, part] of Object.entries(parts)) {
    if (only !== undefined && only !== name) continue;
    const [n1, n2] = await makePair(`bench-${name}`, {
      diskMb: [part.diskMb, part.diskMb],
      acknowledgeTimeoutMs: 30_000,
    });
    try {
      rows.push(...(await part.run(n1, n2, count)));
    } finally {
      await n1.dispose();
      await n2.dispose();
    }
  }
  return {
    rows,
    load: loadavg()
      .map((load) => load.toFixed(1))
      .join(' '),
    text: rows.map(inWords).join('\n'),
    kept: rows.every(({ met }) => met),
  };
}
