/** A virtual machine of libvirt: what `virsh` says, from its own words. */
import { describe, expect, test } from 'vitest';
import { parsePing, parseState, parseStatistics, pingCommand, stateCommand } from './vm-libvirt.ts';
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
