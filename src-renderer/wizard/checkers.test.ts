import { describe, expect, test } from 'vitest';
import type { Answers, DetectedService } from '../../src-main/app-api/index.ts';
import { blankAnswers } from './answers.ts';
import { foreignAddress, newChecker, proposedCheckers } from './checkers.ts';
import { suggest } from './suggest.ts';

const unit = 'postgresql@15-main.service';
const answers: Answers = {
  ...blankAnswers,
  application: {
    ...blankAnswers.application,
    service: unit,
    directories: ['/var/lib/postgresql/15/main', ' '],
    start: `systemctl start ${unit}`,
  },
  vip: '10.0.0.50/24',
};
const postgres = (...listeners: DetectedService['listeners']): DetectedService => ({
  unit,
  description: '',
  product: 'postgresql',
  on: [],
  ports: listeners.map(({ port }) => port),
  listeners,
  directories: [],
});
const proposed = (given: Answers, service: DetectedService): string[] =>
  proposedCheckers(given, [service]).map(({ kind, target, action }) => `${kind} ${target} ${action}`);

describe('the proposal', () => {
  test('a database that listens everywhere: its unit, its port at the virtual IP, its disk', () => {
    const service = postgres({ port: 80, at: 'everywhere' }, { port: 5432, at: 'everywhere' });
    expect(proposed(answers, service)).toEqual([
      `service ${unit} restart`,
      'tcp 10.0.0.50:5432 restart',
      'disk /var/lib/postgresql/15/main none',
    ]);
  });
  test('one that only hears its own server is not asked at an address where it would never answer', () => {
    expect(proposed(answers, postgres({ port: 5432, at: 'loopback' }))).toContain('tcp 5432 restart');
    expect(proposed(answers, postgres({ port: 5432, at: 'one-address' })).join()).not.toContain('tcp');
  });
  test('without a virtual IP the port alone; without a port none', () => {
    expect(proposed({ ...answers, vip: '' }, postgres({ port: 5432, at: 'everywhere' }))).toContain('tcp 5432 restart');
    expect(proposed(answers, postgres()).join()).not.toContain('tcp');
  });
  test('the unit only where the start command is about it', () => {
    const wrapped = { ...answers, application: { ...answers.application, start: '/usr/local/bin/start-db' } };
    expect(proposed(wrapped, postgres()).join()).not.toContain('service');
  });
});

const machines: readonly (readonly [start: string, expected: readonly string[]])[] = [
  ['virsh start guest', ['guest', '']],
  ['/usr/bin/virsh --connect qemu:///system start --domain "guest 1"', ['guest 1', '']],
  ['virsh -q start guest; sleep 1', ['guest', '']],
  ['virsh start 7', []],
  ['virsh start $NAME', []],
  ['virsh start --paused', []],
  ['virsh destroy guest', []],
  ['systemctl start app', []],
  [
    `qemu-system-x86_64 -m 64 -chardev socket,id=ga,path=/run/vm/qga.sock,server=on,wait=off -device virtio-serial
     -device virtserialport,chardev=ga,name=org.qemu.guest_agent.0 -qmp unix:/run/vm/qmp.sock,server=on,wait=off`,
    ['/run/vm/qmp.sock', '/run/vm/qga.sock'],
  ],
  ['qemu-kvm -qmp unix:/run/vm/qmp.sock,server,nowait', ['/run/vm/qmp.sock', '']],
  ['qemu-system-x86_64 -qmp tcp:localhost:4444', []],
  [`qemu-kvm -qmp unix:${answers.application.directories[0]}/qmp.sock`, []],
];
test.each(machines)('of the start command %s', (start, expected) => {
  const given = { ...answers, application: { ...answers.application, start } };
  const found = proposedCheckers(given, []).find(({ kind }) => kind === 'vm');
  expect(found === undefined ? [] : [found.target, found.guestAgent]).toEqual(expected);
});

describe('whose they are', () => {
  const said = { services: [postgres({ port: 5432, at: 'everywhere' })], copies: null, suggestions: null };
  const first = { ...answers, ...suggest('checkers', answers, said, false) };
  test('untouched they follow the other answers', () => {
    expect(first.checkersBy).toBe('proposal');
    expect(suggest('checkers', first, said, false)).toBe(null);
    const moved = suggest('checkers', { ...first, vip: '10.0.0.60/24' }, said, false);
    expect(moved?.checkers?.map(({ target }) => target)).toContain('10.0.0.60:5432');
  });
  test('what a person has changed stays, none at all included', () => {
    expect(suggest('checkers', { ...first, checkers: [], checkersBy: 'person' }, said, false)).toBe(null);
  });
  test('nothing is proposed before it is known where the service listens', () => {
    expect(suggest('checkers', answers, { ...said, services: null }, false)).toBe(null);
  });
});

test.each([
  ['tcp', '5432', null],
  ['tcp', 'localhost:5432', null],
  ['tcp', '10.0.0.50:5432', null],
  ['tcp', '10.0.0.60:5432', '10.0.0.60'],
  ['http', 'http://127.0.0.1:80/', null],
  ['http', 'http://10.0.0.60/', '10.0.0.60'],
  ['http', 'http', null],
  ['ping', '10.0.0.1', null],
] as const)('%s %s is of another machine: %s', (kind, target, expected) => {
  expect(foreignAddress(newChecker(kind, { target }), '10.0.0.50/24')).toBe(expected);
});
