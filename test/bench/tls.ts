/** What encryption and two verified certificates cost the stream, beside the same bytes without them, in the same run and in turns. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from '../../agent/network/certificate.ts';
import { Memory } from '../../agent/sys/linux.ts';
import { connectTcp } from '../../agent/sys/socket.ts';
import { judge, median, type Report, type Row } from './report.ts';
import { cpuMs, Line, plan, type Keys } from './tls-line.ts';

const megabytes = 512;
const blocks = (megabytes * 1024 * 1024) / plan.blockBytes;
const peer = fileURLToPath(new URL('tls-peer.ts', import.meta.url));

interface Measured {
  readonly megabytesPerSecond: number;
  /** 4 KiB there, 64 bytes back: a small fsync without its disks. */
  readonly roundTripUs: number;
  /** Of both sides together. */
  readonly cpuUsPerMegabyte: number;
}

async function measureOnce(port: number, ours: Keys | null, theirs: Keys | null): Promise<Measured> {
  const files = theirs === null ? [] : [theirs.certificateFile, theirs.keyFile, theirs.peerCertificateFile];
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', peer, String(port), String(blocks), ...files],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  const told = once(lines, 'line');
  const fd = connectTcp('127.0.0.1', port, 5000);
  if (fd < 0) throw new Error(`connect: ${fd}`);
  using line = new Line(fd, 'client', ours);
  const memory = new Memory(plan.blockBytes);
  const began = performance.now();
  for (let round = 0; round < plan.rounds; round += 1) {
    line.send(memory, plan.questionBytes);
    line.receive(memory, plan.answerBytes);
  }
  const between = performance.now();
  const used = cpuMs();
  for (let block = 0; block < blocks; block += 1) line.send(memory, plan.blockBytes);
  line.receive(memory, plan.answerBytes);
  const ended = performance.now();
  const ownMs = cpuMs() - used;
  const [text] = (await told) as [string];
  const { cpuMs: theirMs } = JSON.parse(text) as { cpuMs: number };
  return {
    megabytesPerSecond: megabytes / ((ended - between) / 1000),
    roundTripUs: ((between - began) * 1000) / plan.rounds,
    cpuUsPerMegabyte: ((ownMs + theirMs) * 1000) / megabytes,
  };
}

async function makeKeys(directory: string): Promise<readonly [Keys, Keys]> {
  for (const name of ['n1', 'n2']) {
    const { certificatePem, keyPem } = await makeCertificate(name);
    writeFileSync(join(directory, `${name}.crt`), certificatePem);
    writeFileSync(join(directory, `${name}.key`), keyPem, { mode: 0o600 });
  }
  const keys = (name: string, other: string): Keys => ({
    certificateFile: join(directory, `${name}.crt`),
    keyFile: join(directory, `${name}.key`),
    peerCertificateFile: join(directory, `${other}.crt`),
  });
  return [keys('n1', 'n2'), keys('n2', 'n1')];
}

export async function measureTls(options: {
  readonly rounds: number;
  readonly say: (line: string) => void;
}): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-tls-'));
  try {
    const [ours, theirs] = await makeKeys(directory);
    const found: { readonly tls: Measured; readonly plain: Measured }[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      options.say(`round ${round + 1} of ${options.rounds}`);
      const port = 30_000 + ((process.pid + round * 2) % 10_000);
      const tls = await measureOnce(port, ours, theirs);
      found.push({ tls, plain: await measureOnce(port + 1, null, null) });
    }
    return report(found);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function report(found: readonly { readonly tls: Measured; readonly plain: Measured }[]): Report {
  const middle = (pick: (one: (typeof found)[number]) => number): number => Math.round(median(found.map(pick)) ?? 0);
  const ratio = (what: string, pick: (one: Measured) => number, bound: number | null): Row => ({
    what: `${what}, with TLS ÷ without`,
    unit: '',
    // The median decides: one round beside somebody else's work tells nothing of TLS.
    values: [median(found.map(({ tls, plain }) => pick(tls) / pick(plain))) ?? 0],
    bound,
  });
  return {
    rows: [
      ratio('time for a megabyte', (one) => 1 / one.megabytesPerSecond, null),
      ratio('time for 4 KiB there and 64 bytes back', (one) => one.roundTripUs, null),
      ratio('processor time for a megabyte', (one) => one.cpuUsPerMegabyte, null),
    ].map(judge),
    facts: {
      rounds: found.length,
      'MB/s with TLS': middle(({ tls }) => tls.megabytesPerSecond),
      'MB/s without': middle(({ plain }) => plain.megabytesPerSecond),
      'round trip with TLS, µs': middle(({ tls }) => tls.roundTripUs),
      'round trip without, µs': middle(({ plain }) => plain.roundTripUs),
      'processor µs per MB with TLS, both sides': middle(({ tls }) => tls.cpuUsPerMegabyte),
      'processor µs per MB without, both sides': middle(({ plain }) => plain.cpuUsPerMegabyte),
    },
  };
}
