/** A virtual machine of libvirt: what `virsh` says, from its own words. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../contract/index.ts';
import type { Checker } from './checker.ts';
import { libvirtChecker, parsePing, parseState, parseStatistics, pingCommand, stateCommand } from './vm-libvirt.ts';
import { Progress } from './vm-progress.ts';

const said = (output: string, exitCode: number | null = 0) => ({ exitCode, output });

test.each([
  ['running (booted)', 0, null],
  ['idle (unknown)', 0, null],
  ['paused (I/O error)', 0, { code: 'not-running', found: 'paused (I/O error)' }],
  ['crashed (panicked)', 0, { code: 'not-running', found: 'crashed (panicked)' }],
  ['shut off (destroyed)', 0, { code: 'not-running', found: 'shut off (destroyed)' }],
  ["error: failed to get domain 'guest'", 1, { code: 'not-running', found: 'no such domain' }],
  [
    "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/var/run/libvirt/libvirt-sock'",
    1,
    { code: 'not-checked', found: "error: Failed to connect socket to '/var/run/libvirt/libvirt-sock'" },
  ],
])('the state "%s"', (output, exitCode, finds) => {
  expect(parseState(said(`${output}\n\n`, exitCode))).toEqual(finds);
});

test.each([
  ['{"return":{}}', 0, 'answers'],
  ['error: argument unsupported: QEMU guest agent is not configured', 1, 'absent'],
  ['error: Guest agent is not responding: QEMU guest agent is not connected', 1, 'absent'],
  [
    "error: Guest agent is not responding: guest agent didn't respond to synchronization within '5' seconds",
    1,
    'silent',
  ],
  ['error: Guest agent is not responding: Guest agent disappeared while executing command', 1, 'silent'],
  [
    'error: Timed out during operation: cannot acquire state change lock (held by agent=remoteDispatchDomainAgent)',
    1,
    'silent',
  ],
  ["error: internal error: unable to execute QEMU agent command 'guest-ping': disabled", 1, 'answers'],
  ['error: something new', 1, { unknown: 'error: something new' }],
])('the agent "%s"', (output, exitCode, finds) => {
  expect(parsePing(said(`${output}\n`, exitCode))).toEqual(finds);
});

describe('statistics', () => {
  const told = (time: number, reads: number, fine = true): string => `Domain: 'guest'
  vcpu.current=1
  vcpu.0.state=1
  vcpu.0.time=${time}
${fine ? `  vcpu.0.delay=${time}\n` : ''}  block.count=1
  block.0.name=vda
  block.0.rd.reqs=${reads}
`;
  const judged = (...looks: readonly (readonly [nowMs: number, text: string])[]) => {
    const progress = new Progress();
    return looks.map(([nowMs, text]) => progress.judge(parseStatistics(said(text))!, nowMs).code);
  };
  test('that stand still mean that the guest hangs', () => {
    expect(judged([0, told(1, 1)], [5000, told(1, 1)], [10_000, told(2, 1)], [15_000, told(2, 2)])).toEqual([
      'good',
      'guest-hung',
      'good',
      'good',
    ]);
  });
  test('of an older libvirt are given more time', () => {
    const looks = [0, 60_000, 119_000, 120_000].map((ms) => [ms, told(1, 1, false)] as const);
    expect(judged(...looks)).toEqual(['good', 'good', 'good', 'guest-hung']);
  });
  test('that are none say nothing', () => {
    expect(parseStatistics(said('error: x', 1))).toBeNull();
    expect(parseStatistics(said("Domain: 'guest'\n"))).toBeNull();
  });
});

test('a name cannot become an option', () => {
  for (const command of [stateCommand('guest'), pingCommand('guest')])
    expect(command[command.indexOf('guest') - 1]).toBe('--domain');
});

describe('a program that speaks like virsh', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-virsh-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  let nowMs = 0;
  const speaking = async (name: string, lines: string): Promise<Checker> => {
    const file = path.join(directory, name);
    await writeFile(file, `#!/bin/sh\ncase "$*" in\n${lines}\n*) echo "error: $*" >&2; exit 1;;\nesac\n`, {
      mode: 0o755,
    });
    return libvirtChecker('guest', () => nowMs, file);
  };
  const look = (checker: Checker, timeoutMs = 10_000): Promise<Finding> => checker.look(AbortSignal.timeout(timeoutMs));
  const runs = `*"domstate --reason --domain guest") echo "running (booted)";;`;

  test('is asked as it understands', async () => {
    const ping = `*"--domain guest --cmd {\\"execute\\":\\"guest-ping\\"}") echo '{"return":{}}';;`;
    expect(await look(await speaking('answers', `${runs}\n${ping}`))).toMatchObject({ code: 'good' });
    const paused = await speaking('paused', `*domstate*) echo "paused (I/O error)";;`);
    expect(await look(paused)).toEqual({ code: 'not-running', found: 'paused (I/O error)' });
  });
  test('waits for an agent as long as the look may take', async () => {
    const waits = await speaking('waits', `${runs}\n*guest-ping*) sleep 60;;`);
    expect(await look(waits, 400)).toEqual({ code: 'guest-silent', found: '' });
  });
  test('tells of a guest without an agent', async () => {
    const checker = await speaking(
      'without',
      `${runs}
*guest-ping*) echo "error: argument unsupported: QEMU guest agent is not configured" >&2; exit 1;;
*"domstats --vcpu --block --domain guest") printf "Domain: 'guest'\\n  vcpu.0.time=10\\n  vcpu.0.delay=3\\n";;`,
    );
    expect(await look(checker)).toMatchObject({ code: 'good' });
    nowMs = 5000;
    expect(await look(checker)).toEqual({ code: 'guest-hung', found: '5 s' });
  });
  test('that is missing counts for nothing', async () => {
    expect(await look(libvirtChecker('guest', () => 0, '/no/virsh'))).toMatchObject({ code: 'not-checked' });
  });
});
