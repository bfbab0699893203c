/** The part against a lab command that only pretends: what it is told to do, and what is left when that fails or is cut off. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Fault } from '../../agent/contract/index.ts';
import type { Answers, Practice, PracticeHandlers, ServerFacts } from '../app-api/index.ts';
import type { AppPart } from '../app.ts';
import { reasonOf } from './lab.ts';
import { meaningOf } from './make.ts';
import { createPracticePart } from './practice-part.ts';

/** `sh FOLDER/lab VERB …`, as test/lab/main.ts answers. Files in the folder make it fail or wait. */
const pretendedLab = `#!/bin/sh
here=$(dirname "$0")
echo "$HOLDFAST_LAB $*" >>"$here/calls"
host() { printf '{"name":"%s","address":"10.77.0.%s","state":"%s","unplugged":[]}' "$1" "$2" "$(cat "$here/state-$1")"; }
case $1 in
  up)
    echo 'Installing the Debian packages debootstrap …' >&2
    echo 'lab: starting n1, n2, w' >&2
    [ -e "$here/refuse" ] && { echo 'lab: no loop devices' >&2; echo '     modprobe loop' >&2; exit 1; }
    for name in n1 n2 w; do echo running >"$here/state-$name"; done
    touch "$here/is-up"
    if [ -e "$here/wait" ]; then sleep 60 & wait; fi ;;
  exec) cat >"$here/installed-$2"; [ ! -e "$here/refuse-$2" ] || { echo 'initdb: no space left' >&2; exit 1; } ;;
  status)
    [ -e "$here/is-up" ] || { echo 'lab: the lab is not up' >&2; exit 1; }
    echo "{\\"hosts\\":[$(host n1 11),$(host n2 12),$(host w 13)]}" ;;
  poweroff) echo off >"$here/state-$2" ;;
  start)
    [ "$(cat "$here/state-$2")" = off ] || { echo "lab: $2 is on already" >&2; exit 1; }
    echo running >"$here/state-$2" ;;
  down) rm -f "$here/is-up" ;;
esac
`;

const facts: ServerFacts = {
  suggestedName: 'n1',
  hostname: 'n1',
  user: 'root',
  isRoot: true,
  hostKeyFingerprint: 'SHA256:x',
  osName: 'Debian',
  kernel: '6.1',
  architecture: 'x86_64',
  cores: 2,
  memoryBytes: null,
  machineId: '1',
  addresses: [],
  cluster: null,
  agentVersion: null,
  firstContactMs: 1,
};
const { signal } = new AbortController();
let folder: string;
let shown: Practice[];
let parts: AppPart<PracticeHandlers>[];
let drafts: Answers[];
let forgotten: number;
let discarded: string;

function openPart(): PracticeHandlers {
  const part = createPracticePart({
    labCommand: ['/bin/sh', path.join(folder, 'lab')],
    labName: 'pretended',
    recordFile: path.join(folder, 'record.json'),
    machine: { platform: 'linux', isRoot: true, hasDebianPackaging: true, hasLoopDevices: true, environment: {} },
    readFacts: async ({ destination }) => {
      if (destination.startsWith('root@w.')) throw new Fault('ssh-unreachable', { message: 'It does not answer yet.' });
      return { ...facts, hostname: destination };
    },
    createDraft: async (answers) => {
      drafts.push(answers);
      return `draft-${String(drafts.length)}`;
    },
    hasDraft: async (id) => id !== discarded,
    forget: async () => {
      forgotten += 1;
    },
  });
  parts.push(part);
  return part.serve({
    emit: (event, data) => {
      if (event === 'practice') shown.push(data as Practice);
    },
    onClose: () => undefined,
  });
}

const calls = (): string[] => {
  const file = path.join(folder, 'calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};
const isUp = (): boolean => existsSync(path.join(folder, 'is-up'));
const put = (name: string): void => writeFileSync(path.join(folder, name), '');

async function state(wanted: Practice['state']): Promise<Practice> {
  return vi.waitUntil(() => shown.find((one) => one.state === wanted), { timeout: 10_000 });
}

beforeEach((context) => {
  if (process.platform !== 'linux') context.skip('the practice cluster is for Linux');
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-practice-'));
  writeFileSync(path.join(folder, 'lab'), pretendedLab);
  chmodSync(path.join(folder, 'lab'), 0o755);
  shown = [];
  parts = [];
  drafts = [];
  forgotten = 0;
  discarded = '';
});
afterEach(async () => {
  for (const part of parts) await part[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function made(): Promise<PracticeHandlers> {
  const handlers = openPart();
  await handlers.makePractice({}, signal);
  await state('ready');
  return handlers;
}

test('made: progress with times, PostgreSQL on both, data on n1 only, a draft that names this lab', async () => {
  const handlers = await made();
  const practice = await handlers.practice({}, signal);
  expect(practice).toMatchObject({ obstacle: null, state: 'ready', fault: null, draft: 'draft-1' });
  expect(practice.progress.map(({ code }) => code)).toEqual([
    'begin',
    'packages',
    'boot',
    'postgresql',
    'draft',
    'ready',
  ]);
  const times = practice.progress.map(({ atMs }) => atMs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(practice.hosts).toEqual([
    { name: 'n1', address: '10.77.0.11', on: true, connected: true },
    { name: 'n2', address: '10.77.0.12', on: true, connected: true },
    { name: 'witness', address: '10.77.0.13', on: true, connected: true },
  ]);
  expect(calls()[0]).toBe('pretended up --nodes 2 --witness --layer postgresql --json');
  const installed = (host: string): string => readFileSync(path.join(folder, `installed-${host}`), 'utf8');
  expect(installed('n1')).toContain('initdb');
  expect(installed('n2')).not.toContain('initdb');
  expect(installed('n2')).toContain('[Service]');
  expect(drafts[0]?.goodNode).toBe('n1');
  // What was seen at the login is filled in; where it failed, the wizard asks.
  expect(drafts[0]?.nodes.map((node) => node.facts?.hostname)).toEqual(['root@n1.pretended', 'root@n2.pretended']);
  expect(drafts[0]?.witness.facts).toBeNull();
  expect(drafts[0]?.nodes.map(({ machine }) => machine.destination)).toEqual([
    'root@n1.pretended',
    'root@n2.pretended',
  ]);
});

test('found again by the next start, with what happened to its servers meanwhile', async () => {
  const first = await made();
  await first.practiceFault({ host: 'n1', what: 'power-off' }, signal);
  shown = [];
  const practice = await openPart().practice({}, signal);
  expect(practice).toMatchObject({ state: 'ready', draft: 'draft-1' });
  expect(practice.hosts.find(({ name }) => name === 'n1')?.on).toBe(false);
});

test('a draft that was discarded leads nowhere; asked for again, the wizard is filled in again for the same servers', async () => {
  const handlers = await made();
  discarded = 'draft-1';
  expect(await handlers.practice({}, signal)).toMatchObject({ state: 'ready', draft: null });
  await handlers.makePractice({}, signal);
  expect(shown.at(-1)).toMatchObject({ state: 'ready', draft: 'draft-2' });
  expect(calls().filter((line) => line.includes(' up '))).toHaveLength(1);
  expect(await openPart().practice({}, signal)).toMatchObject({ draft: 'draft-2' });
});

test('half a lab of an app that crashed is taken away', async () => {
  const maker = { pid: 4_000_000, startTime: '1' };
  const record = path.join(folder, 'record.json');
  writeFileSync(record, JSON.stringify({ format: 1, state: 'making', maker, draft: null }));
  put('is-up');
  const practice = await openPart().practice({}, signal);
  expect(practice.state).toBe('none');
  expect({ up: isUp(), record: existsSync(record), forgotten }).toEqual({ up: false, record: false, forgotten: 1 });
});

test('what another copy of the app is making is left alone', async () => {
  // The first process is always there, and never this one.
  const startTime = readFileSync('/proc/1/stat', 'utf8').split(') ')[1]?.split(' ')[19];
  const record = { format: 1, state: 'making', maker: { pid: 1, startTime }, draft: null };
  writeFileSync(path.join(folder, 'record.json'), JSON.stringify(record));
  put('is-up');
  await expect(openPart().makePractice({}, signal)).rejects.toMatchObject({ code: 'practice-made-elsewhere' });
  expect(isUp()).toBe(true);
});

test.each([
  ['the lab', 'refuse', 'no loop devices modprobe loop'],
  ['PostgreSQL', 'refuse-n1', 'initdb: no space left'],
])('%s refuses: the reason is told, nothing stays, and it can be tried again', async (_what, file, reason) => {
  put(file);
  const handlers = openPart();
  await handlers.makePractice({}, signal);
  const { fault } = await state('failed');
  expect(fault).toMatchObject({ code: 'practice-lab-failed', details: { reason } });
  expect({ up: isUp(), record: existsSync(path.join(folder, 'record.json')) }).toEqual({ up: false, record: false });
  rmSync(path.join(folder, file));
  await handlers.makePractice({}, signal);
  expect((await state('ready')).fault).toBeNull();
});

test('cancelled while it is made: nothing stays', async () => {
  put('wait');
  const handlers = openPart();
  await handlers.makePractice({}, signal);
  await vi.waitUntil(isUp, { timeout: 10_000 });
  await expect(handlers.makePractice({}, signal)).rejects.toMatchObject({ code: 'practice-busy' });
  await handlers.removePractice({}, signal);
  expect(await handlers.practice({}, signal)).toMatchObject({ state: 'none', fault: null, progress: [] });
  expect({ up: isUp(), record: existsSync(path.join(folder, 'record.json')) }).toEqual({ up: false, record: false });
});

test('the app ends while it is made: nothing stays', async () => {
  put('wait');
  await openPart().makePractice({}, signal);
  await vi.waitUntil(isUp, { timeout: 10_000 });
  await parts[0]?.[Symbol.asyncDispose]();
  expect(isUp()).toBe(false);
});

test('plugs and cables go to the lab in its words; the witness has its own name there', async () => {
  const handlers = await made();
  await handlers.practiceFault({ host: 'n1', what: 'power-off' }, signal);
  expect(shown.at(-1)?.hosts.map(({ on }) => on)).toEqual([false, true, true]);
  await handlers.practiceFault({ host: 'n1', what: 'power-on' }, signal);
  await handlers.practiceFault({ host: 'witness', what: 'cut' }, signal);
  await handlers.practiceFault({ host: 'n2', what: 'heal' }, signal);
  const orders = calls().filter((line) => /poweroff|start|cut|heal/.test(line));
  expect(orders).toEqual(['pretended poweroff n1', 'pretended start n1', 'pretended cut w', 'pretended heal n2']);
});

test('what the lab refuses, and who is not there, is a fault that says so', async () => {
  const handlers = await made();
  const refused = handlers.practiceFault({ host: 'n2', what: 'power-on' }, signal);
  await expect(refused).rejects.toMatchObject({ code: 'practice-lab-failed', details: { reason: 'n2 is on already' } });
  await expect(handlers.practiceFault({ host: 'n3', what: 'cut' }, signal)).rejects.toMatchObject({
    code: 'no-such-host',
  });
  await handlers.removePractice({}, signal);
  await expect(handlers.practiceFault({ host: 'n1', what: 'cut' }, signal)).rejects.toMatchObject({
    code: 'practice-none',
  });
});

test('taken away outside of the app: the next look says so', async () => {
  const handlers = await made();
  rmSync(path.join(folder, 'is-up'));
  expect(await handlers.practice({}, signal)).toMatchObject({ state: 'none', hosts: [], draft: null });
});

test('where there can be none, orders are refused with the reason', async () => {
  const part = createPracticePart({
    labCommand: null,
    machine: { platform: 'darwin', isRoot: false, hasDebianPackaging: false, hasLoopDevices: false, environment: {} },
    readFacts: async () => facts,
    createDraft: async () => '',
    hasDraft: async () => false,
    forget: async () => undefined,
  });
  const handlers = part.serve({ emit: () => undefined, onClose: () => undefined });
  expect((await handlers.practice({}, signal)).obstacle?.code).toBe('practice-needs-linux');
  await expect(handlers.makePractice({}, signal)).rejects.toMatchObject({ code: 'practice-needs-linux' });
});

test('what the lab and the launcher say while they work is understood', () => {
  const root = path.resolve(import.meta.dirname, '../..');
  // The words stand in programs that this one only starts: when they change there, they have to change here.
  const said = (file: string, words: string): string => {
    expect(readFileSync(path.join(root, file), 'utf8')).toContain(words);
    return words;
  };
  expect(meaningOf(said('resources/launch.mjs', 'Installing the Debian packages '))?.code).toBe('packages');
  expect(
    `lab: ${said('test/lab/roots.ts', 'building ')}${said('test/lab/roots.ts', 'the bare server root')}`,
  ).toSatisfy((line: string) => meaningOf(line)?.code === 'root');
  expect(meaningOf(`lab: building ${said('test/lab/roots.ts', 'the layer ')}postgresql`)?.code).toBe('layer');
  expect(meaningOf(`lab: ${said('test/lab/lab.ts', 'starting ')}n1`)?.code).toBe('boot');
  expect(meaningOf('anything else')).toBeNull();
});

test('the reason is what the lab says last of itself, not what it was doing, and no stack', () => {
  const building = 'lab: building the bare server root, once (needs the network; log: x.log)';
  const failed =
    'lab: the bare server root could not be built: no mirror\n     read x.log\n    at build (roots.ts:1:1)';
  expect(reasonOf(`${building}\n${failed}\n`)).toBe('the bare server root could not be built: no mirror read x.log');
  expect(reasonOf('These Debian packages could not be installed: debootstrap.\n')).toContain('debootstrap');
  expect(reasonOf('lab: n1: \n\n\nFailed to open /dev/fuse\n')).toBe('n1: Failed to open /dev/fuse');
  expect(reasonOf('')).toBe('');
});
