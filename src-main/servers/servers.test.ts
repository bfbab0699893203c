import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Fault } from '../../agent/contract/fault.ts';
import { checkDestination } from './destination.ts';
import { nodeNameOf, parseFacts } from './facts.ts';
import { fileLoginMemory } from './login-memory.ts';

describe('destinations', () => {
  it.each([
    'n1',
    'root@10.0.0.11',
    'admin@server1.example.com',
    'dom.user@db_1',
    'root@[fe80::1%eth0]:2222',
    'ssh://root@n1:22',
  ])('%s', (destination) => {
    expect(() => checkDestination(destination)).not.toThrow();
  });
  it.each([
    '',
    ' ',
    'root@',
    '-oProxyCommand=x',
    'root@-x',
    'a b',
    'root@n1:0',
    'root@n1:99999',
    '-x@n1',
    'n1;ls',
    'a\nb',
  ])('not %j', (destination) => {
    const refusing = (): void => checkDestination(destination);
    expect(refusing).toThrow(Fault);
    expect(refusing).toThrow(/server/);
  });
});

it.each([
  ['db1.example.com', 'db1'],
  ['DB_Server 1', 'db-server-1'],
  ['-x-', 'x'],
  ['a'.repeat(40), 'a'.repeat(32)],
  ['日本', 'server'],
])('a node name of %s', (hostname, name) => {
  expect(nodeNameOf(hostname)).toBe(name);
});

const own = { user: 'admin', hostKeyFingerprint: 'SHA256:x', firstContactMs: 12 };

function answer(facts: Readonly<Record<string, string | readonly string[]>>): string {
  return Object.entries(facts)
    .flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : value.map((one) => [key, one])))
    .map(([key, value]) => `${key}=${Buffer.from(value ?? '').toString('base64')}`)
    .join('\n');
}
const debian = {
  system: 'Linux',
  kernel: '6.1.0',
  machine: 'x86_64',
  hostname: 'db1.example.com',
  sudo: '1000',
  os: 'Debian GNU/Linux 12 (bookworm)',
  cores: '4',
  memory: 'MemTotal:        8048576 kB\nMemFree: 1 kB\n',
  'machine-id': 'abc\n',
  address: ['lo 127.0.0.1/8', 'eth0@if4 10.0.0.11/24'],
  end: 'yes',
};

describe('facts', () => {
  it('of a bare server', () => {
    expect(parseFacts(answer(debian), 'n1', own)).toEqual({
      ...own,
      suggestedName: 'db1',
      hostname: 'db1.example.com',
      isRoot: false,
      osName: 'Debian GNU/Linux 12 (bookworm)',
      kernel: '6.1.0',
      architecture: 'x86_64',
      cores: 4,
      memoryBytes: 8_048_576 * 1024,
      machineId: 'abc',
      addresses: [
        { interface: 'lo', address: '127.0.0.1', prefixLength: 8 },
        { interface: 'eth0', address: '10.0.0.11', prefixLength: 24 },
      ],
      cluster: null,
      agentVersion: null,
    });
  });
  it('of a server that belongs to a cluster; what cannot be known is null, not 0', () => {
    const facts = parseFacts(
      answer({
        ...debian,
        sudo: '',
        cores: '0',
        memory: '',
        agent: '/opt/holdfast/agent/0.1.0-beta-0123456789ab',
        cluster: '{"format":1,"cluster":"site-a"}',
      }),
      'n1',
      own,
    );
    expect(facts).toMatchObject({
      isRoot: true,
      cores: null,
      memoryBytes: null,
      cluster: 'site-a',
      agentVersion: '0.1.0-beta',
    });
  });
  it('of a server whose record cannot be read: there is a cluster', () => {
    expect(parseFacts(answer({ ...debian, cluster: '{' }), 'n1', own).cluster).toBe('?');
  });
  it.each([answer({ system: 'FreeBSD', end: 'yes' }), '', 'Welcome to the switch\n'])('not of %j', (stdout) => {
    expect(() => parseFacts(stdout, 'n1', own)).toThrow(/not Linux/);
  });
});

it('which key let us in is known tomorrow, and per port', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-logins-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'state', 'logins.json');
  const memory = fileLoginMemory(file);
  expect(memory.identityOf('root@n1', null)).toBeNull();
  await memory.remember('root@n1', null, '/home/me/.ssh/customer');
  await memory.remember('root@n1', 2222, '/home/me/.ssh/other');
  const tomorrow = fileLoginMemory(file);
  expect(tomorrow.identityOf('root@n1', null)).toBe('/home/me/.ssh/customer');
  expect(tomorrow.identityOf('root@n1', 2222)).toBe('/home/me/.ssh/other');
});
