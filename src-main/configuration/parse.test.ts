import { describe, expect, it } from 'vitest';
import { Fault } from '../../agent/contract/fault.ts';
import { checkerDefinition } from './checkers.ts';
import { checkConfiguration, parseConfiguration } from './index.ts';

const good = `version: 1
cluster: site-a
nodes:
  - { name: n1, ssh: root@10.77.0.11 }
  - { name: n2, ssh: root@10.77.0.12 }
networks:
  - { name: lan, subnet: 10.77.0.0/24 }
witness: { ssh: root@10.77.0.13 }
detection: 3s
modules:
  - name: db
    kind: mirror
    prefer: n1
    replicate:
      - path: /data/db
    acknowledge: durable
    vip: 10.77.0.50/24
    start: systemctl start app
    stop: { command: systemctl stop app, timeout: 90s }
`;

function replaced(from: string, to: string): string {
  expect(good).toContain(from);
  return good.replace(from, to);
}

interface Case {
  readonly name: string;
  readonly text: string;
  readonly code: string;
  readonly at: readonly [line: number, column: number];
  readonly says: RegExp;
}

const cases: readonly Case[] = [
  {
    name: 'an unknown key',
    text: replaced('detection: 3s', 'detecton: 3s'),
    code: 'configuration-unknown-key',
    at: [9, 1],
    says: /`detecton` is not known.*detection/,
  },
  {
    name: 'an unknown key in a module',
    text: replaced('    prefer: n1', '    preferred: n1'),
    code: 'configuration-unknown-key',
    at: [13, 5],
    says: /preferred/,
  },
  {
    name: 'an unknown key in a node',
    text: replaced('name: n1, ssh', 'name: n1, shh: x, ssh'),
    code: 'configuration-unknown-key',
    at: [4, 17],
    says: /`shh`.*name, ssh, port, sudo/,
  },
  {
    name: 'an unknown key in a script',
    text: replaced('timeout: 90s', 'timeot: 90s'),
    code: 'configuration-unknown-key',
    at: [19, 42],
    says: /timeot.*command, timeout/,
  },
  {
    name: 'a wrong type',
    text: replaced('cluster: site-a', 'cluster: 12'),
    code: 'configuration-wrong-value',
    at: [2, 10],
    says: /cluster.*a text/,
  },
  {
    name: 'a wrong version',
    text: replaced('version: 1', 'version: 2'),
    code: 'configuration-wrong-value',
    at: [1, 10],
    says: /version.*`1`/,
  },
  {
    name: 'a missing key',
    text: replaced('cluster: site-a\n', ''),
    code: 'configuration-missing-key',
    at: [1, 1],
    says: /`cluster` is missing/,
  },
  {
    name: 'a missing start',
    text: replaced('    start: systemctl start app\n', ''),
    code: 'configuration-missing-key',
    at: [11, 5],
    says: /`start` is missing/,
  },
  {
    name: 'a bad duration',
    text: replaced('detection: 3s', 'detection: 3 seconds'),
    code: 'configuration-wrong-value',
    at: [9, 12],
    says: /duration such as/,
  },
  {
    name: 'a detection that is too short',
    text: replaced('detection: 3s', 'detection: 200ms'),
    code: 'configuration-wrong-value',
    at: [9, 12],
    says: /from 1s to 60s/,
  },
  {
    name: 'a bad address',
    text: replaced('10.77.0.50/24', '10.77.0.500/24'),
    code: 'configuration-wrong-value',
    at: [17, 10],
    says: /prefix length/,
  },
  {
    name: 'prefer naming nobody',
    text: replaced('prefer: n1', 'prefer: n3'),
    code: 'configuration-wrong-value',
    at: [13, 13],
    says: /No node is named n3.*n1, n2/,
  },
  {
    name: 'the same server twice',
    text: replaced('root@10.77.0.12', 'admin@10.77.0.11'),
    code: 'configuration-wrong-value',
    at: [5, 22],
    says: /second time/,
  },
  {
    name: 'the witness on a node',
    text: replaced('root@10.77.0.13', 'root@10.77.0.12'),
    code: 'configuration-wrong-value',
    at: [8, 17],
    says: /three different machines/,
  },
  {
    name: 'the same node name twice',
    text: replaced('name: n2', 'name: n1'),
    code: 'configuration-wrong-value',
    at: [5, 13],
    says: /Two nodes are named n1/,
  },
  {
    name: 'a node name with capitals',
    text: replaced('name: n2', 'name: N2'),
    code: 'configuration-wrong-value',
    at: [5, 13],
    says: /lower-case/,
  },
  {
    name: 'one node',
    text: replaced('  - { name: n2, ssh: root@10.77.0.12 }\n', ''),
    code: 'configuration-wrong-value',
    at: [4, 3],
    says: /two nodes/,
  },
  {
    name: 'nested directories',
    text: replaced('- path: /data/db', '- path: /data/db\n      - path: /data/db/wal'),
    code: 'configuration-wrong-value',
    at: [16, 15],
    says: /lie in one another/,
  },
  {
    name: 'a system directory',
    text: replaced('/data/db', '/etc'),
    code: 'configuration-wrong-value',
    at: [15, 15],
    says: /belongs to the system/,
  },
  {
    name: 'a relative path',
    text: replaced('/data/db', 'data/db'),
    code: 'configuration-wrong-value',
    at: [15, 15],
    says: /absolute path/,
  },
  {
    name: 'a VIP that is a node',
    text: replaced('10.77.0.50/24', '10.77.0.11/24'),
    code: 'configuration-wrong-value',
    at: [17, 10],
    says: /address of a node/,
  },
  {
    name: 'a duplicate key',
    text: replaced('detection: 3s', 'detection: 3s\ndetection: 4s'),
    code: 'configuration-duplicate-key',
    at: [10, 1],
    says: /twice/,
  },
  {
    name: 'a tab',
    text: replaced('    prefer: n1', '\tprefer: n1'),
    code: 'configuration-tab',
    at: [13, 1],
    says: /tab/i,
  },
  {
    name: 'broken YAML',
    text: replaced('ssh: root@10.77.0.12 }', 'ssh: root@10.77.0.12'),
    code: 'configuration-syntax',
    at: [6, 1],
    says: /not YAML/,
  },
  {
    name: 'kind farm',
    text: replaced('kind: mirror', 'kind: farm'),
    code: 'not-in-this-version',
    at: [12, 11],
    says: /kind: farm.*not in this version/,
  },
  {
    name: 'kind vm',
    text: replaced('kind: mirror', 'kind: vm'),
    code: 'not-in-this-version',
    at: [12, 11],
    says: /kind: vm/,
  },
  {
    name: 'library',
    text: replaced('kind: mirror', 'kind: mirror\n    library: postgresql'),
    code: 'not-in-this-version',
    at: [13, 5],
    says: /`library`/,
  },
  {
    name: 'a ping witness that is no address',
    text: replaced('{ ssh: root@10.77.0.13 }', '{ ping: router }'),
    code: 'configuration-wrong-value',
    at: [8, 18],
    says: /IPv4 address/,
  },
  {
    name: 'a ping witness that is a node',
    text: replaced('{ ssh: root@10.77.0.13 }', '{ ping: 10.77.0.12 }'),
    code: 'configuration-wrong-value',
    at: [8, 18],
    says: /10\.77\.0\.12 is n2 itself.*router/,
  },
  {
    name: 'a ping witness that is the virtual IP',
    text: replaced('{ ssh: root@10.77.0.13 }', '{ ping: 10.77.0.50 }'),
    code: 'configuration-wrong-value',
    at: [8, 18],
    says: /virtual IP of db/,
  },
  {
    name: 'a ping witness that is the machine itself',
    text: replaced('{ ssh: root@10.77.0.13 }', '{ ping: 127.0.0.1 }'),
    code: 'configuration-wrong-value',
    at: [8, 18],
    says: /no other machine/,
  },
  {
    name: 'a ping witness that is a server as well',
    text: replaced('{ ssh: root@10.77.0.13 }', '{ ping: 10.77.0.1, ssh: root@10.77.0.13 }'),
    code: 'configuration-unknown-key',
    at: [8, 12],
    says: /`ping` is not known|`ssh` is not known/,
  },
  ...(
    [
      [
        'an unknown key in a checker',
        '{ tcp: 5432, intervall: 5s }',
        'configuration-unknown-key',
        22,
        /intervall.*interval/,
      ],
      ['a port that is none', '{ tcp: 70000 }', 'configuration-wrong-value', 16, /port from 1 to 65535/],
      ['a name for an address', '{ tcp: "db:5432" }', 'configuration-wrong-value', 16, /10\.0\.0\.50:5432/],
      ['a URL with a name', '{ http: "http://db/health" }', 'configuration-wrong-value', 17, /an address and no name/],
      ['a checker of nothing', '{ interval: 5s }', 'configuration-wrong-value', 9, /Write one of: tcp, http/],
      ['a checker of two things', '{ tcp: 5432, process: db }', 'configuration-wrong-value', 22, /tcp and process/],
      ['a status of a port', '{ tcp: 5432, status: 200 }', 'configuration-wrong-value', 22, /belongs to http/],
      ['a script for a shell', '{ script: "check | grep ok" }', 'configuration-wrong-value', 19, /without one/],
      ['an unknown action', '{ tcp: 5432, action: reboot }', 'configuration-wrong-value', 30, /`restart`.*`failover`/],
      [
        'a timeout beyond its interval',
        '{ tcp: 1, interval: 2s, timeout: 3s }',
        'configuration-wrong-value',
        42,
        /3s > 2s/,
      ],
      ['a disk without a question', '{ disk: { path: /data } }', 'configuration-wrong-value', 17, /freePercentMin: 10/],
      [
        'a disk to wait for that is covered elsewhere',
        '{ disk: { path: /data/db/wal, freePercentMin: 5 }, action: wait }',
        'configuration-wrong-value',
        68,
        /\/data\/db is covered on the server/,
      ],
      ['a virtual machine by its name alone', '{ vm: guest }', 'configuration-wrong-value', 15, /domain: NAME/],
      ['a virtual machine of nobody', '{ vm: {} }', 'configuration-wrong-value', 15, /domain: NAME.*monitor/],
      [
        'a virtual machine reached in two ways',
        '{ vm: { domain: guest, monitor: /run/vm/qmp.sock } }',
        'configuration-wrong-value',
        32,
        /has both/,
      ],
      ['a monitor somewhere', '{ vm: { monitor: qmp.sock } }', 'configuration-wrong-value', 26, /absolute path/],
      [
        'a socket with too long a name',
        `{ vm: { monitor: /${'long/'.repeat(22)}x } }`,
        'configuration-wrong-value',
        26,
        /107 bytes/,
      ],
      ['a domain by its number', '{ vm: { domain: "7" } }', 'configuration-wrong-value', 25, /virsh list/],
      ['a domain that is an option', '{ vm: { domain: --all } }', 'configuration-wrong-value', 25, /virsh list/],
      [
        'an agent beside libvirt',
        '{ vm: { domain: guest, guestAgent: /run/vm/qga.sock } }',
        'configuration-wrong-value',
        32,
        /belongs to `monitor`/,
      ],
      [
        'an agent at the monitor',
        '{ vm: { monitor: /run/vm/a, guestAgent: /run/vm/a } }',
        'configuration-wrong-value',
        49,
        /a socket each/,
      ],
      [
        'a monitor that waits with the data',
        '{ vm: { monitor: /data/db/qmp.sock } }',
        'configuration-wrong-value',
        26,
        /below \/run/,
      ],
      [
        'an unknown key of a virtual machine',
        '{ vm: { name: x } }',
        'configuration-unknown-key',
        17,
        /domain; or monitor/,
      ],
      ['an unknown module', '{ module: web }', 'configuration-wrong-value', 19, /No module is named web/],
      [
        'a limit that is never reached',
        '{ tcp: 1, interval: 1h, timeout: 5s, failures: 10 }',
        'configuration-wrong-value',
        56,
        /10 failures × 1h × 3 restarts = 30h, not less than 24h/,
      ],
    ] as const
  ).map(([name, checker, code, column, says]): Case => ({
    name,
    text: `${good}    checkers:\n      - ${checker}\n`,
    code,
    at: [21, column],
    says,
  })),
  {
    name: 'exclude',
    text: replaced('- path: /data/db', '- path: /data/db\n        exclude: [tmp]'),
    code: 'not-in-this-version',
    at: [16, 9],
    says: /`exclude`/,
  },
  {
    name: 'an unknown acknowledge',
    text: replaced('acknowledge: durable', 'acknowledge: sometimes'),
    code: 'configuration-wrong-value',
    at: [16, 18],
    says: /`durable`/,
  },
  { name: 'nothing', text: '', code: 'configuration-wrong-value', at: [1, 1], says: /empty/ },
  { name: 'binary', text: 'PK\0\u0003', code: 'configuration-not-text', at: [1, 1], says: /not a configuration file/ },
];

describe('a configuration file', () => {
  it('is taken with its defaults', () => {
    const configuration = parseConfiguration(good, 'cluster.yaml');
    expect(configuration.withoutWitness).toBe('prefer-one-copy');
    expect(configuration.modules[0]?.failback).toBe('manual');
    expect(configuration.modules[0]?.stop).toEqual({ command: 'systemctl stop app', timeout: '90s' });
  });

  it('takes an address that answers pings for a witness', () => {
    const text = replaced('{ ssh: root@10.77.0.13 }', '{ ping: 10.77.0.1 }');
    expect(parseConfiguration(text, 'cluster.yaml').witness).toEqual({ ping: '10.77.0.1' });
  });

  it('takes checkers as INTERFACES writes them, each with what follows from its kind', () => {
    const text = `${good}    restartLimit: { count: 5, within: 2h }
    checkers:
      - { tcp: 5432, interval: 5s, failures: 3, action: restart }
      - { tcp: localhost:5432 }
      - { https: "https://localhost:8443/health", status: 204, contains: ok, interval: 2s }
      - { script: "/opt/check 'two words'", gracePeriod: 2m }
      - { ping: 10.77.0.1 }
      - { vm: { domain: guest 1 } }
      - { vm: { monitor: /run/vm/qmp.sock, guestAgent: /run/vm/qga.sock } }
`;
    const [module] = parseConfiguration(text, 'x').modules;
    expect(module?.restartLimit).toEqual({ count: 5, within: '2h' });
    expect(module?.checkers.map(checkerDefinition)).toMatchObject([
      { name: 'tcp 5432', action: 'restart', failures: 3, intervalMs: 5000, timeoutMs: 5000, gracePeriodMs: 60_000 },
      { name: 'tcp localhost:5432', probe: { kind: 'tcp', host: '127.0.0.1', port: 5432 } },
      {
        probe: { kind: 'http', url: 'https://127.0.0.1:8443/health', status: 204, contains: 'ok' },
        timeoutMs: 2000,
      },
      { probe: { kind: 'script', argv: ['/opt/check', 'two words'] }, gracePeriodMs: 120_000 },
      { probe: { kind: 'ping', address: '10.77.0.1' }, action: 'failover' },
      { name: 'vm guest 1', probe: { domain: 'guest 1', monitor: null, guestAgent: null }, action: 'restart' },
      {
        name: 'vm /run/vm/qmp.sock',
        probe: { domain: null, monitor: '/run/vm/qmp.sock', guestAgent: '/run/vm/qga.sock' },
      },
    ]);
  });

  it.each([
    ['Windows line endings', good.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\uFEFF${good}`],
    ['both', `\uFEFF${good.replaceAll('\n', '\r\n')}`],
  ])('is the same with %s', (_name, text) => {
    expect(parseConfiguration(text, 'x')).toEqual(parseConfiguration(good, 'x'));
  });

  it.each(cases)('with $name is refused with its place', ({ text, code, at, says }) => {
    const { problems } = checkConfiguration(text);
    const first = problems[0]!;
    expect({ code: first.code, at: [first.line, first.column] }).toEqual({ code, at });
    expect(`${first.message} ${first.remedy}`).toMatch(says);
    expect(first.remedy).not.toBe('');
  });

  it.each(cases)('with $name has the same place with Windows line endings', ({ text, code, at }) => {
    const first = checkConfiguration(text.replaceAll('\n', '\r\n')).problems[0]!;
    expect({ code: first.code, at: [first.line, first.column] }).toEqual({ code, at });
  });

  it('names the file, the line and the column in the fault, and every problem in its details', () => {
    const text = replaced('detection: 3s', 'detecton: 3s').replace('kind: mirror', 'kind: vm');
    const fault = (() => {
      try {
        parseConfiguration(text, 'site.yaml');
      } catch (error) {
        return error;
      }
      return null;
    })();
    expect(fault).toBeInstanceOf(Fault);
    expect((fault as Fault).message).toMatch(/^site\.yaml:9:1: /);
    expect((fault as Fault).details).toMatchObject({ file: 'site.yaml', line: 9, column: 1 });
    expect((fault as Fault).details['problems']).toHaveLength(2);
  });
});

it('knows which module needs which other one, and refuses those that are not there or would wait for themselves', () => {
  const module = (name: string, dependsOn: string): string =>
    `  - { name: ${name}, kind: mirror, dependsOn: ${dependsOn}, replicate: [{ path: /data/${name} }], start: a, stop: b }\n`;
  const web = checkConfiguration(`${good}${module('web', '[db]')}`);
  expect(web.configuration?.modules.map(({ dependsOn }) => dependsOn)).toEqual([[], ['db']]);
  const told = (text: string): unknown[] => checkConfiguration(text).problems.map(({ reason, line }) => [reason, line]);
  expect(told(`${good}${module('web', '[dv]')}`)).toEqual([['dependency-unknown', 20]]);
  expect(told(`${good}${module('web', '[web]')}`)).toEqual([['dependency-cycle', 20]]);
  const circle = `${good}${module('web', '[app, db]')}${module('app', '[web]')}`;
  expect(told(circle)).toEqual([
    ['dependency-cycle', 20],
    ['dependency-cycle', 21],
  ]);
  expect(checkConfiguration(circle).problems[0]?.message).toBe('web would wait for itself: web → app → web.');
});
