/** One suite over every checker: finds what is good, says what is not and with which fact, and always ends by its signal. */
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { CheckerProbe, Finding } from '../contract/index.ts';
import { createChecker } from './index.ts';
import { outputBytesMax, Program } from './program.ts';
import { parseFreePercent, parsePing, parseScript, parseService } from './programs.ts';

const ownName = readFileSync('/proc/self/comm', 'utf8').trim();
let directory = '';
let open = 0;
let closed = 0;
let mute = 0;
let web = '';
const servers: net.Server[] = [];
const sockets = new Set<net.Socket>();

async function listening(server: net.Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as net.AddressInfo).port;
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-checkers-'));
  open = await listening(net.createServer());
  mute = await listening(net.createServer());
  const gone = net.createServer();
  closed = await listening(gone);
  await new Promise((resolve) => gone.close(resolve));
  const answers = http.createServer((request, response) => {
    response.statusCode = request.url === '/broken' ? 503 : 200;
    response.end('all is well');
  });
  web = `http://127.0.0.1:${await listening(answers)}`;
  await writeFile(
    path.join(directory, 'flood'),
    '#!/bin/sh\nyes flood | head -c 2000000\necho\necho the end\nexit 4\n',
    {
      mode: 0o755,
    },
  );
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  await rm(directory, { recursive: true });
});

const look = (probe: CheckerProbe, timeoutMs = 5000): Promise<Finding> =>
  createChecker(probe, { moduleRuns: (name) => (name === 'db' ? true : name === 'web' ? false : null) }).look(
    AbortSignal.timeout(timeoutMs),
  );
const answer = (url: string, change: { status?: number; contains?: string } = {}): CheckerProbe => ({
  kind: 'http',
  url,
  status: change.status ?? null,
  contains: change.contains ?? null,
});
const script = (...argv: string[]): CheckerProbe => ({ kind: 'script', argv });
const disk = (change: { freePercentMin?: number; latencyMsMax?: number; path?: string }): CheckerProbe => ({
  kind: 'disk',
  path: change.path ?? directory,
  freePercentMin: change.freePercentMin ?? null,
  latencyMsMax: change.latencyMsMax ?? null,
});

interface Row {
  readonly name: string;
  readonly probe: () => CheckerProbe;
  readonly finds: Partial<Finding>;
}
const rows: readonly Row[] = [
  {
    name: 'a port that listens',
    probe: () => ({ kind: 'tcp', host: '127.0.0.1', port: open }),
    finds: { code: 'good' },
  },
  {
    name: 'a port nobody listens on',
    probe: () => ({ kind: 'tcp', host: '127.0.0.1', port: closed }),
    finds: { code: 'refused' },
  },
  { name: 'a page', probe: () => answer(`${web}/`), finds: { code: 'good' } },
  {
    name: 'a page with its text',
    probe: () => answer(`${web}/`, { status: 200, contains: 'well' }),
    finds: { code: 'good' },
  },
  {
    name: 'a page without its text',
    probe: () => answer(`${web}/`, { contains: 'ill' }),
    finds: { code: 'text-missing', found: 'ill' },
  },
  {
    name: 'a page with another status',
    probe: () => answer(`${web}/broken`),
    finds: { code: 'wrong-status', found: '503' },
  },
  {
    name: 'a status that is wanted though it is an error',
    probe: () => answer(`${web}/broken`, { status: 503 }),
    finds: { code: 'good' },
  },
  { name: 'a page of nobody', probe: () => answer(`http://127.0.0.1:${closed}/`), finds: { code: 'refused' } },
  { name: 'a process that runs', probe: () => ({ kind: 'process', process: ownName }), finds: { code: 'good' } },
  {
    name: 'a process that does not',
    probe: () => ({ kind: 'process', process: 'no-such-thing' }),
    finds: { code: 'not-running' },
  },
  { name: 'an interface that is up', probe: () => ({ kind: 'interface', interface: 'lo' }), finds: { code: 'good' } },
  {
    name: 'an interface that is not there',
    probe: () => ({ kind: 'interface', interface: 'nosuch0' }),
    finds: { code: 'interface-missing' },
  },
  { name: 'a directory that is mounted', probe: () => ({ kind: 'mount', path: '/proc' }), finds: { code: 'good' } },
  {
    name: 'a directory that is not',
    probe: () => ({ kind: 'mount', path: '/no/such' }),
    finds: { code: 'not-mounted' },
  },
  { name: 'a disk with room', probe: () => disk({ freePercentMin: 0, latencyMsMax: 60_000 }), finds: { code: 'good' } },
  { name: 'a disk that is not there', probe: () => disk({ path: '/no/such' }), finds: { code: 'path-missing' } },
  { name: 'a script that is content', probe: () => script('true'), finds: { code: 'good' } },
  {
    name: 'a script that is not',
    probe: () => script('sh', '-c', 'echo too bad; exit 7'),
    finds: { code: 'exit-code', found: '7: too bad' },
  },
  { name: 'a script that is missing', probe: () => script('/no/such/script'), finds: { code: 'not-checked' } },
  { name: 'a module that runs', probe: () => ({ kind: 'module', module: 'db' }), finds: { code: 'good' } },
  { name: 'a module that does not', probe: () => ({ kind: 'module', module: 'web' }), finds: { code: 'not-running' } },
  {
    name: 'a module that is not there',
    probe: () => ({ kind: 'module', module: 'x' }),
    finds: { code: 'not-checked' },
  },
];

describe('a checker', () => {
  test.each(rows)('of $name finds it', async ({ probe, finds }) => {
    expect(await look(probe())).toMatchObject(finds);
  });

  test.each([
    ['a server that does not answer', () => answer(`http://127.0.0.1:${mute}/`)],
    ['a script that hangs', () => script('sleep', '60')],
    ['a script whose child hangs', () => script('sh', '-c', 'sleep 60 & wait')],
  ])('of %s ends with its time', async (_name, probe) => {
    const beganMs = performance.now();
    expect(await look(probe(), 200)).toMatchObject({ code: 'no-answer' });
    expect(performance.now() - beganMs).toBeLessThan(2000);
  });
});

test('a script that floods its output keeps the end of it, and nothing of its group is left', async () => {
  const finding = await look(script(path.join(directory, 'flood')));
  expect(finding).toMatchObject({ code: 'exit-code', found: '4: the end' });
  expect(Buffer.byteLength(finding.output ?? '')).toBeLessThanOrEqual(outputBytesMax);
  const file = path.join(directory, 'pid');
  await look(script('sh', '-c', `sleep 60 & echo $! > ${file}`));
  const pid = (await readFile(file, 'utf8')).trim();
  await vi.waitFor(async () => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone');
    // It may have been ended before it became "sleep".
    expect(stat).toMatch(/^gone$|^\d+ \((sleep|sh)\) Z /);
  });
});

test('a second look is not begun while the former one hangs', async () => {
  const program = new Program();
  const first = program.run(['sleep', '60'], AbortSignal.timeout(300));
  expect(await program.run(['true'], AbortSignal.timeout(300))).toEqual({ kind: 'hangs' });
  expect(await first).toMatchObject({ kind: 'timed-out' });
  await vi.waitFor(async () => {
    expect(await program.run(['true'], AbortSignal.timeout(300))).toMatchObject({ kind: 'ended' });
  });
});

describe('answers', () => {
  test('of the service manager', () => {
    const show = (active: string, load = 'loaded') => ({
      exitCode: 0,
      output: `LoadState=${load}\nActiveState=${active}\nSubState=x\n`,
    });
    expect(parseService(show('active'))).toMatchObject({ code: 'good' });
    expect(parseService(show('failed'))).toEqual({ code: 'service-not-active', found: 'failed' });
    expect(parseService(show('inactive', 'not-found')).found).toBe('not installed');
    expect(parseService({ exitCode: 1, output: 'Failed to connect to bus' }).code).toBe('not-checked');
  });
  test('of ping, a script, a filesystem', () => {
    expect(parsePing({ exitCode: 0, output: '' }).code).toBe('good');
    expect(parsePing({ exitCode: 1, output: '' }).code).toBe('no-answer');
    expect(parsePing({ exitCode: 2, output: 'ping: connect: Network is unreachable\n' })).toMatchObject({
      code: 'unreachable',
      found: 'ping: connect: Network is unreachable',
    });
    expect(parseScript({ exitCode: null, output: '' }).found).toBe('by a signal');
    expect(parseFreePercent({ exitCode: 0, output: '25 100\n' })).toBe(25);
    expect(parseFreePercent({ exitCode: 1, output: 'no such' })).toBeNull();
    expect(parseFreePercent({ exitCode: 0, output: '0 0\n' })).toBeNull();
  });
});
