/** A virtual machine whose QEMU and guest agent are scripted: late, broken, half said, gone. */
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../contract/index.ts';
import type { Checker } from './checker.ts';
import { agentOpenOf, diskOperationsOf } from './vm-monitor.ts';
import { monitorChecker, type MachineSurroundings } from './vm.ts';

let directory = '';
let ends: (() => void)[] = [];
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-vm-'));
});
afterEach(async () => {
  for (const end of ends) end();
  ends = [];
  await rm(directory, { recursive: true });
});

type Speaker = (socket: net.Socket, line: string) => void;

async function serve(name: string, greeting: string, speak: Speaker): Promise<string> {
  const file = path.join(directory, name);
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write(greeting);
    let rest = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) speak(socket, line);
    });
  });
  await new Promise<void>((resolve) => server.listen(file, resolve));
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return file;
}

/** What the guest and QEMU are like now; a test changes it between looks. */
interface Guest {
  status: string;
  kvm: boolean;
  reads: number;
  agentOpen: boolean;
  schedule: string | null;
  nowMs: number;
}
const guestOf = (change: Partial<Guest> = {}): Guest => ({
  ...{ status: 'running', kvm: true, reads: 5, agentOpen: true, schedule: '100 1 1', nowMs: 0 },
  ...change,
});

const greeting = '{"QMP": {"version": {}, "capabilities": ["oob"]}}\r\n';
function answerOf(guest: Guest, command: string): unknown {
  const answers: Record<string, unknown> = {
    qmp_capabilities: {},
    'query-status': { status: guest.status, running: guest.status === 'running' },
    'query-kvm': { enabled: guest.kvm, present: true },
    'query-cpus-fast': [
      { 'cpu-index': 0, 'thread-id': 41 },
      { 'cpu-index': 1, 'thread-id': 42 },
    ],
    'query-blockstats': [
      { device: 'a', stats: { rd_operations: guest.reads, wr_operations: 1, rd_bytes: 7, timed_stats: [] } },
    ],
    'query-chardev': [
      { label: 'm', filename: `unix:${directory}/qmp,server=on`, 'frontend-open': true },
      { label: 'g', filename: `disconnected:unix:${directory}/qga,server=on`, 'frontend-open': guest.agentOpen },
    ],
  };
  return answers[command];
}
const qemu =
  (guest: Guest): Speaker =>
  (socket, line) => {
    const { execute, id } = JSON.parse(line) as { execute: string; id: string };
    socket.write(
      `{"event": "RTC_CHANGE", "data": {}}\r\n${JSON.stringify({ return: answerOf(guest, execute), id })}\r\n`,
    );
  };
const agent: Speaker = (socket, line) => {
  if (line.startsWith('\u00ff')) socket.write('{"error": {"class": "GenericError", "desc": "JSON parse error"}}\n');
  const { execute, arguments: given } = JSON.parse(line.replace('\u00ff', '')) as {
    execute: string;
    arguments?: { id: number };
  };
  socket.write(`${JSON.stringify({ return: execute === 'guest-sync' ? given?.id : {} })}\n`);
};

interface Scene {
  readonly guest: Guest;
  readonly checker: Checker;
}
async function scene(
  guest: Guest,
  speakers: { monitor?: Speaker; agent?: Speaker | 'absent'; greeting?: string } = {},
  around: Partial<MachineSurroundings> = {},
): Promise<Scene> {
  const monitor = await serve('qmp', speakers.greeting ?? greeting, speakers.monitor ?? qemu(guest));
  if (typeof speakers.agent === 'function') await serve('qga', '', speakers.agent);
  const guestAgent = speakers.agent === undefined ? null : path.join(directory, 'qga');
  const checker = monitorChecker({ kind: 'vm', domain: null, monitor, guestAgent }, monitor, {
    filesystemOf: () => Promise.resolve('tmpfs'),
    schedule: () => Promise.resolve(guest.schedule),
    nowMs: () => guest.nowMs,
    ...around,
  });
  return { guest, checker };
}
const look = ({ checker }: Scene, timeoutMs = 10_000): Promise<Finding> => checker.look(AbortSignal.timeout(timeoutMs));
/** For what ends by its time. */
const shortMs = 400;
const mute: Speaker = () => undefined;

describe('what QEMU says', () => {
  test.each(['paused', 'guest-panicked', 'internal-error', 'io-error'])('the state %s is named', async (status) => {
    const made = await scene(guestOf({ status }), { agent });
    expect(await look(made)).toEqual({ code: 'not-running', found: status });
  });
  test('a machine that runs is good', async () => {
    expect(await look(await scene(guestOf()))).toMatchObject({ code: 'good' });
  });
  test('nobody at the monitor, or no monitor at all: it does not run', async () => {
    const made = await scene(guestOf());
    const gone: Scene = {
      ...made,
      checker: monitorChecker(
        { kind: 'vm', domain: null, monitor: `${directory}/no`, guestAgent: null },
        `${directory}/no`,
        { filesystemOf: () => Promise.resolve('tmpfs'), schedule: () => Promise.resolve(null), nowMs: () => 0 },
      ),
    };
    expect(await look(gone)).toMatchObject({ code: 'not-running' });
    for (const end of ends) end();
    expect((await look(made)).code).toBe('not-running');
  });
  test.each<[string, { monitor?: Speaker; greeting?: string }, Partial<Finding>]>([
    ['that says nothing', { greeting: '' }, { code: 'no-answer', found: expect.stringContaining('/qmp') as string }],
    ['that greets and then says nothing', { monitor: mute }, { code: 'no-answer' }],
    ['that says half a line', { greeting: '{"QMP": {"vers' }, { code: 'no-answer' }],
    ['that talks nonsense', { greeting: 'SSH-2.0-OpenSSH\r\n' }, { code: 'broken-answer', found: 'SSH-2.0-OpenSSH' }],
    ['that hangs up', { monitor: (socket) => socket.end() }, { code: 'broken-answer' }],
    [
      'that refuses',
      { monitor: (socket, line) => socket.write(line.replace(/"execute".*?,/, '"error": {"desc": "no"},') + '\n') },
      { code: 'broken-answer', found: 'no' },
    ],
    [
      'that answers something else',
      { monitor: (socket, line) => socket.write(line.replace(/"execute".*?,/, '"return": 5,') + '\n') },
      { code: 'broken-answer' },
    ],
  ])('a monitor %s is no good sign', async (_name, speakers, finds) => {
    expect(await look(await scene(guestOf(), speakers), shortMs)).toMatchObject(finds);
  });
  test('an answer in pieces is put together', async () => {
    const guest = guestOf();
    const inPieces: Speaker = (socket, line) => {
      const { execute, id } = JSON.parse(line) as { execute: string; id: string };
      const text = `${JSON.stringify({ return: answerOf(guest, execute), id })}\r\n`;
      socket.write(text.slice(0, 9));
      setImmediate(() => socket.write(text.slice(9)));
    };
    expect(await look(await scene(guest, { monitor: inPieces }))).toMatchObject({ code: 'good' });
  });
  test('a line without an end is not kept', async () => {
    const flood: Speaker = (socket) => {
      for (let count = 0; count < 40; count += 1) socket.write('x'.repeat(65_536));
    };
    expect(await look(await scene(guestOf(), { monitor: flood }))).toMatchObject({ code: 'broken-answer' });
  });
});

describe('the guest agent', () => {
  test('that answers is good, whatever stands in the line before', async () => {
    const late: Speaker = (socket, line) => {
      if (line.includes('sync')) socket.write('turn": {}}\n\n{"return": 12}\n{"return": {}}\n');
      agent(socket, line);
    };
    expect(await look(await scene(guestOf(), { agent }))).toMatchObject({ code: 'good' });
    for (const end of ends) end();
    expect(await look(await scene(guestOf(), { agent: late }))).toMatchObject({ code: 'good' });
  });
  test('that answers only what others have asked does not answer', async () => {
    const others: Speaker = (socket) => socket.write('{"return": 12}\n{"return": {}}\n');
    expect(await look(await scene(guestOf(), { agent: others }), shortMs)).toMatchObject({ code: 'guest-silent' });
  });
  test.each<[string, Speaker]>([
    ['says nothing', mute],
    ['hangs up', (socket) => socket.end()],
    [
      'answers the first question only',
      (socket, line) => {
        if (line.includes('sync')) agent(socket, line);
      },
    ],
  ])('that %s does not answer', async (_name, speaker) => {
    expect(await look(await scene(guestOf(), { agent: speaker }), shortMs)).toMatchObject({ code: 'guest-silent' });
  });
  test('that may not be pinged has answered', async () => {
    const refusing: Speaker = (socket, line) => {
      if (line.includes('sync')) agent(socket, line);
      else socket.write('{"error": {"desc": "Command guest-ping has been disabled"}}\n');
    };
    expect(await look(await scene(guestOf(), { agent: refusing }))).toMatchObject({ code: 'good' });
  });
  test('whose guest waited for the disk as long as a replication is held fails once and is good again', async () => {
    let held = true;
    const waiting: Speaker = (socket, line) => {
      if (!held) agent(socket, line);
    };
    const made = await scene(guestOf(), { agent: waiting });
    expect((await look(made, shortMs)).code).toBe('guest-silent');
    held = false;
    expect((await look(made)).code).toBe('good');
  });
  test('whose port the guest has not opened is not waited for: the work of the guest counts', async () => {
    const made = await scene(guestOf({ agentOpen: false }), { agent: mute });
    expect(await look(made)).toMatchObject({ code: 'good' });
    made.guest.nowMs = 10_000;
    expect(await look(made)).toEqual({ code: 'guest-hung', found: '10 s' });
  });
  test('that answers speaks for the guest while somebody else sits at the monitor', async () => {
    expect(await look(await scene(guestOf(), { agent, greeting: '', monitor: mute }), shortMs)).toMatchObject({
      code: 'good',
    });
  });
  test('without a socket says nothing about the guest', async () => {
    expect(await look(await scene(guestOf(), { agent: 'absent' }))).toMatchObject({ code: 'not-checked' });
  });
});

describe('without an agent', () => {
  test.each<[string, Partial<Guest>, string]>([
    ['nothing', {}, 'guest-hung'],
    ['the turns of a processor', { schedule: '100 1 2' }, 'good'],
    ['the operations of a disk', { reads: 6 }, 'good'],
  ])('when %s has moved in 5 s the guest is found %s', async (_name, change, code) => {
    const made = await scene(guestOf());
    await look(made);
    Object.assign(made.guest, change, { nowMs: 5000 });
    expect((await look(made)).code).toBe(code);
  });
  test('the time is counted from the last movement, and looks that follow fast on each other say nothing', async () => {
    const made = await scene(guestOf());
    await look(made);
    made.guest.nowMs = 3000;
    expect((await look(made)).code).toBe('good');
    made.guest.nowMs = 6000;
    expect(await look(made)).toEqual({ code: 'guest-hung', found: '6 s' });
    Object.assign(made.guest, { nowMs: 9000, reads: 9 });
    expect((await look(made)).code).toBe('good');
    made.guest.nowMs = 12_000;
    expect((await look(made)).code).toBe('good');
  });
  test('where QEMU emulates, what its threads use for nothing is no work', async () => {
    const made = await scene(guestOf({ kvm: false, schedule: '0 0 0' }));
    await look(made);
    // Two processors: 3 ms of 5 s, then 10 ms.
    Object.assign(made.guest, { nowMs: 5000, schedule: '1500000 9 9' });
    expect((await look(made)).code).toBe('guest-hung');
    Object.assign(made.guest, { nowMs: 10_000, schedule: '6500000 9 9' });
    expect((await look(made)).code).toBe('good');
  });
  test('whose processors are not seen from here, nothing is said', async () => {
    expect(await look(await scene(guestOf({ schedule: null })))).toMatchObject({ code: 'not-checked' });
  });
});

test('a socket on a file system that may wait is not touched', async () => {
  let connected = false;
  const touched: Speaker = () => (connected = true);
  const made = await scene(guestOf(), { monitor: touched }, { filesystemOf: () => Promise.resolve('fuse.holdfast') });
  expect(await look(made)).toMatchObject({ code: 'not-checked' });
  expect(connected).toBe(false);
});

test('what is read of answers', () => {
  expect(diskOperationsOf([{ stats: { rd_operations: 2, failed_wr_operations: 1, rd_bytes: 9 } }, { stats: {} }])).toBe(
    3,
  );
  const port = (filename: string, open: boolean) => [{ label: 'x', filename, 'frontend-open': open }];
  expect(agentOpenOf(port('unix:/run/a,server=on', true), ['/run/a'])).toBe(true);
  expect(agentOpenOf(port('disconnected:unix:/run/a,server', false), ['/b', '/run/a'])).toBe(false);
  expect(agentOpenOf(port('unix:/run/ab,server', false), ['/run/a'])).toBeNull();
});
