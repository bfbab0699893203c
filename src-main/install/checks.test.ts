import { describe, expect, it } from 'vitest';
import { pingWitnessCheck } from './ping-witness.ts';
import { subjectOf, type Check, type CheckSubject, type ProbedMachine } from './check.ts';
import { copyChecks } from './check-servers.ts';
import { runChecks } from './checks.ts';
import { parseCopies, type CopyMeasure } from './copies.ts';
import { passageChecks } from './reach.ts';
import { parseCalled, parseHeard, passageOf, type Endpoint, type Passage } from './reach-script.ts';
import { parseConfiguration } from '../configuration/index.ts';
import { parseProbe, type DirectoryProbe, type Probe } from './probe.ts';
import { noSurroundings, parseMounts } from './surroundings.ts';
import { startedUnits, unitsIn } from '../../agent/contract/service-units.ts';
import { compareVersions, versionAtLeast } from './versions.ts';

it.each([
  ['4.18.0-513.el8', '4.18', true],
  ['4.9.0', '4.18', false],
  ['6.1', '4.18', true],
  ['4', '4.18', false],
  ['glibc 2.28', '2.28', true],
  ['ldd (GNU libc) 2.17', '2.28', false],
  ['5', '4.18', true],
])('%s is at least %s: %s', (version, least, expected) => {
  expect(versionAtLeast(version, least)).toBe(expected);
});

it('versions are compared number by number', () => {
  expect(compareVersions('0.10.0', '0.9.3')).toBeGreaterThan(0);
  expect(compareVersions('1.2', '1.2.0')).toBe(0);
});

it('refuses an answer that was cut short', () => {
  expect(() => parseProbe('n1', 'uid=MA==\n')).toThrow(/does not answer as a Linux server/);
});

it.each([
  ['systemctl start app; systemctl reload-or-restart haproxy; systemctl try-restart x', ['app.service']],
  ['systemctl restart app && systemctl stop other && service nginx stop', ['app.service']],
  ['service mysql start', ['mysql.service']],
])('%s brings up %j', (command, expected) => {
  expect(startedUnits(command)).toEqual(expected);
});

it.each([
  ['systemctl start app', ['app.service']],
  ['systemctl --no-block restart a.service b@1 && echo x', ['a.service', 'b@1.service']],
  ['/usr/bin/systemctl start "my-app" ; systemctl stop other', ['my-app.service', 'other.service']],
  ['service mysql start', ['mysql.service']],
  ['systemctl start $UNIT', []],
  ['systemctl start app.target', ['app.target']],
  ['/opt/app/start --now', []],
  ['systemctl status app', []],
])('%s is about %j', (command, expected) => {
  expect(unitsIn(command)).toEqual(expected);
});

const directory: DirectoryProbe = {
  path: '/data/db',
  type: 'directory',
  parentExists: true,
  filesystem: 'ext4',
  owner: '110:110',
  mode: '700',
  label: null,
  ownerName: 'postgres',
  availableBytes: 10e9,
  holders: [],
  entries: 0,
  hasRecord: false,
  isMountPoint: false,
  isCovered: false,
};

function probe(change: Partial<Probe> = {}): Probe {
  return {
    os: 'debian 12',
    osName: 'Debian GNU/Linux 12',
    system: 'Linux',
    kernel: '6.1.0',
    machine: 'x86_64',
    architecture: 'x64',
    libc: 'glibc 2.36',
    systemd: true,
    isRoot: true,
    tools: ['tar', 'gzip', 'sha256sum', 'base64', 'systemctl', 'ip', 'nft', 'ping'],
    fuse: 'ok',
    nft: 'ok',
    lacking: [],
    space: [{ path: '/opt/holdfast', availableBytes: 10e9, writable: true }],
    selinuxEnforcing: false,
    clockMs: 0,
    machineId: 'a',
    bootId: 'a',
    addresses: [{ interface: 'eth0', address: '10.0.0.11', prefixLength: 24 }],
    speeds: {},
    sshAddress: '10.0.0.11',
    memoryBytes: 4e9,
    loginShell: '/bin/bash',
    accounts: { postgres: 110 },
    activeUnits: [],
    takenPorts: [],
    units: [],
    directories: [directory],
    surroundings: noSurroundings,
    vips: [{ address: '10.0.0.50', answer: 'free' }],
    installed: {
      agents: [],
      runtimes: [],
      current: null,
      runtimeCurrent: null,
      scriptSha256: null,
      units: {},
      node: null,
      record: null,
      certificate: null,
      peers: {},
      secretSha256: null,
      witnessSecrets: {},
    },
    ...change,
  };
}

function machines(
  first: Partial<Probe> = {},
  second: Partial<Probe> = {},
  clocks: readonly [number, number] = [0, 0],
): ProbedMachine[] {
  const own = { machineId: 'b', bootId: 'b', sshAddress: '10.0.0.12' };
  const addresses = [{ interface: 'eth0', address: '10.0.0.12', prefixLength: 24 }];
  return [
    { name: 'n1', role: 'node', probe: probe(first), clockDifferenceMs: clocks[0] },
    { name: 'n2', role: 'node', probe: probe({ ...own, addresses, ...second }), clockDifferenceMs: clocks[1] },
  ];
}

const subject: CheckSubject = subjectOf(
  parseConfiguration(
    `version: 1
cluster: site-a
nodes: [{ name: n1, ssh: root@10.0.0.11 }, { name: n2, ssh: root@10.0.0.12 }]
modules:
  - { name: db, kind: mirror, replicate: [{ path: /data/db }], vip: 10.0.0.50/24, start: systemctl start db, stop: systemctl stop db }
`,
    'x',
  ),
);

const unusual = (checks: readonly Check[]): string[] =>
  checks
    .filter(({ ok, attention }) => !ok || attention)
    .map(({ host, code, ok }) => `${host ?? '-'} ${code}${ok ? '' : ' ■'}`);

function run(found: readonly ProbedMachine[], about: CheckSubject = subject): string[] {
  return unusual(runChecks(found, about, { space: [], agentVersion: '0.1.0' }));
}

const unit = { unit: 'db.service', known: true, active: false, startsByItself: false, startFile: null };

describe('the checks', () => {
  it('find nothing unusual on two good servers', () => {
    expect(run(machines({ units: [unit] }, { units: [unit] }))).toEqual([]);
    expect(run(machines(), { cluster: null, networks: [], modules: [], pingWitness: null })).toEqual([]);
  });

  it('say that a service which several modules start is fenced with none of them', () => {
    const module = subject.modules[0]!;
    const web = { ...module, name: 'web', directories: [], vips: [], units: [...module.units, 'haproxy.service'] };
    const about = { ...subject, modules: [{ ...module, units: web.units }, web] };
    expect(run(machines(), about)).toEqual(['- unit-shared']);
    expect(run(machines(), { ...about, modules: [module, { ...web, started: ['web.service'] }] })).toEqual([]);
  });

  it('say for every failure why it matters and what mends it', () => {
    const bad = probe({
      system: 'FreeBSD',
      kernel: '3.10.0',
      architecture: null,
      libc: 'musl',
      systemd: false,
      tools: [],
      fuse: 'there is no /dev/fuse',
      nft: null,
      space: [{ path: '/opt/holdfast', availableBytes: 1000, writable: false }],
    });
    const checks = runChecks(machines({}, bad), subject, { space: [], agentVersion: null }).filter(({ ok }) => !ok);
    expect(checks.map(({ code }) => code)).toEqual(
      expect.arrayContaining([
        'operating-system',
        'kernel',
        'architecture',
        'libc',
        'systemd',
        'tools',
        'fuse',
        'disk-space',
      ]),
    );
    for (const { what, why, remedy, facts } of checks) {
      expect([what, why, remedy].every((words) => words !== '')).toBe(true);
      expect(Object.keys(facts).length).toBeGreaterThan(0);
    }
  });

  it.each<[string, ProbedMachine[], string[]]>([
    [
      'a unit that is on one server only',
      machines({ units: [unit] }, { units: [{ ...unit, known: false }] }),
      ['n2 unit-missing ■'],
    ],
    [
      'a unit that starts at boot',
      machines({ units: [{ ...unit, startsByItself: true }] }),
      ['n1 unit-starts-by-itself'],
    ],
    ['a user with another number', machines({}, { accounts: { postgres: 115 } }), ['n2 owner-differs ■']],
    ['a user that is not there', machines({}, { accounts: {} }), []],
    [
      'files of root',
      machines({ directories: [{ ...directory, owner: '0:0', ownerName: 'root' }] }, { accounts: { root: 5 } }),
      [],
    ],
    [
      'an application that runs',
      machines({ directories: [{ ...directory, holders: ['postgres'] }] }),
      ['n1 application-running'],
    ],
    ['another cluster software', machines({ activeUnits: ['pacemaker', 'firewalld'] }), ['n1 other-cluster-software']],
    [
      'a port that is taken',
      machines({ takenPorts: [{ port: 7411, protocol: 'tcp', program: 'x' }] }),
      ['n1 port-taken ■'],
    ],
    ['the port of a witness, on a node', machines({ takenPorts: [{ port: 7413, protocol: 'udp', program: 'x' }] }), []],
    [
      'an old kernel',
      machines({ lacking: ['application-fence', 'kill-at-once'] }),
      ['n1 application-fence', 'n1 kill-at-once'],
    ],
    ['little memory', machines({ memoryBytes: 300e6 }), ['n1 memory']],
    [
      'a directory on a disk that is read-only',
      machines({
        surroundings: {
          ...noSurroundings,
          ownMounts: parseMounts('31 1 8:17 / /data ro,relatime shared:9 - ext4 /dev/sdb1 ro'),
        },
      }),
      ['n1 directory-read-only ■'],
    ],
    [
      'a directory with a disk in it',
      machines({
        surroundings: {
          ...noSurroundings,
          ownMounts: parseMounts('32 1 8:33 / /data/db/archive rw shared:9 - ext4 /dev/sdc1 rw'),
        },
      }),
      ['n1 directory-holds-mounts ■'],
    ],
    [
      'memory for a disk',
      machines({ directories: [{ ...directory, filesystem: 'tmpfs' }] }),
      ['n1 directory-filesystem ■', '- filesystems-differ ■'],
    ],
    [
      'a disk where nothing is overwritten in place',
      machines(
        { directories: [{ ...directory, filesystem: 'zfs' }] },
        { directories: [{ ...directory, filesystem: 'zfs' }] },
      ),
      ['n1 directory-copies-on-write', 'n2 directory-copies-on-write'],
    ],
    ['a fish shell', machines({ loginShell: '/usr/bin/fish' }), []],
    ['a clock that is wrong', machines({}, {}, [0, 90_000]), ['n2 clock']],
    ['a wrong clock here', machines({}, {}, [-95_000, -90_000]), ['- clock-of-this-computer']],
    ['two clocks that are wrong each in its way', machines({}, {}, [-95_000, 90_000]), ['n1 clock', 'n2 clock']],
    ['SSH through a translated address', machines({ sshAddress: '192.0.2.1' }), ['- networks-unknown ■']],
  ])('see %s', (_name, found, expected) => {
    expect(run(found)).toEqual(expected);
  });

  it('see that virsh is missing where a virtual machine of libvirt is watched', () => {
    const [module] = subject.modules;
    const about = { ...subject, modules: [{ ...module!, domains: ['guest'] }] };
    expect(run(machines({ tools: [...probe().tools, 'virsh'] }), about)).toEqual(['n2 virsh-missing']);
    expect(run(machines())).toEqual([]);
  });

  it('see a network that a node is not in', () => {
    const about = { ...subject, networks: [{ name: 'sync', subnet: '10.9.0.0/24' }] };
    expect(run(machines(), about)).toEqual(['n1 network-without-node ■', 'n2 network-without-node ■']);
  });

  it('see another cluster, and an agent that is newer', () => {
    const { installed } = probe();
    const record = { cluster: 'site-b', modules: [] } as unknown as NonNullable<Probe['installed']['record']>;
    const current = '0.2.0-0123456789ab';
    expect(run(machines({ installed: { ...installed, record, current } }))).toEqual([
      'n1 agent-newer',
      'n1 belongs-to-another-cluster ■',
    ]);
    expect(run(machines({ installed: { ...installed, current: '0.1.0-0123456789ab' } }))).toEqual([]);
  });
});

describe('the copies', () => {
  const measure = (change: Partial<CopyMeasure>): CopyMeasure[] => [
    {
      path: '/data/db',
      exists: true,
      empty: false,
      files: 1,
      bytes: 1e9,
      newestFile: null,
      version: null,
      atLeast: false,
      mount: 'none',
      ...change,
    },
  ];
  const empty = measure({ empty: true, files: 0, bytes: 0 });
  const check = (n1: CopyMeasure[], n2: CopyMeasure[], chosen: string | null, freeBytes = 10e9): string[] =>
    copyChecks(
      machines({}, { directories: [{ ...directory, availableBytes: freeBytes }] }),
      subject,
      new Map([
        ['n1', n1],
        ['n2', n2],
      ]),
      chosen,
    ).map(({ code, host, ok, attention }) => `${host ?? ''} ${code} ${ok ? (attention ? '▲' : '●') : '■'}`);

  it.each<[string, string[], string[]]>([
    ['fits', check(measure({}), empty, 'n1'), ['n2 data-space ●']],
    ['does not fit', check(measure({ bytes: 20e9 }), empty, 'n1'), ['n2 data-space ■']],
    ['is the only one that has anything', check(measure({ bytes: 20e9 }), empty, null), ['n2 data-space ■']],
    ['is not decided between two', check(measure({}), measure({}), null), []],
    ['is too large to be counted', check(measure({ atLeast: true }), empty, 'n1'), ['n2 data-space ▲']],
    ['is empty, and the other is not', check(measure({}), empty, 'n2'), ['n2 good-copy-empty ■', 'n1 data-space ●']],
  ])('the good one %s', (_name, found, expected) => {
    expect(found).toEqual(expected);
  });

  it('are read from an answer that may hold any name', () => {
    const line = (key: string, value: string): string => `${key}=${Buffer.from(value).toString('base64')}`;
    const output = [
      line('copy', '/a b'),
      line('mount', ''),
      line('entries', '3'),
      line('count', '3 4096 0 1700000000.5 /a b/x y=z'),
      line('count', 'late'),
      line('version', 'PostgreSQL 15\n'),
      'done=',
      line('copy', '/covered'),
      line('mount', 'tmpfs holdfast-cover ro'),
      'done=',
      line('copy', '/gone'),
      'done=',
      // `ls` failed: the disk is ill.
      line('copy', '/ill'),
      line('mount', ''),
      'done=',
    ].join('\n');
    expect(parseCopies(output)).toMatchObject([
      {
        path: '/a b',
        files: 3,
        bytes: 4096,
        newestFile: { path: '/a b/x y=z', at: '2023-11-14T22:13:20.500Z' },
        version: 'PostgreSQL 15',
        atLeast: true,
        empty: false,
      },
      { path: '/covered', exists: true, empty: false, mount: 'cover', bytes: null },
      { path: '/gone', exists: false, empty: true, bytes: null },
      { path: '/ill', exists: true, empty: false, bytes: null },
    ]);
  });
});

describe('a ping witness', () => {
  const [node] = machines();
  const told = (address: string, pingMs: number | null): string => {
    if (node === undefined) throw new Error('no node');
    const { code, ok, attention } = pingWitnessCheck(node, address, pingMs);
    return `${code}${ok ? '' : ' refused'}${attention ? ' remark' : ''}`;
  };
  it('that answers is good', () => {
    expect(told('10.0.0.1', 0.4)).toBe('ping-witness');
  });
  it('that does not is a remark: it may be off just now', () => {
    expect(told('10.0.0.1', null)).toBe('ping-witness-unanswered remark');
  });
  it('that is the server itself is refused, though it answers', () => {
    expect(told('10.0.0.11', 0.1)).toBe('ping-witness-own refused');
  });
});

describe('the ways between the servers', () => {
  const ends: Endpoint[] = [
    { protocol: 'tcp', address: '10.0.0.12', port: 7411 },
    { protocol: 'udp', address: '10.0.0.12', port: 7412 },
  ];
  const way = { network: { name: 'lan', subnet: '10.0.0.0/24' }, from: 'n1', to: 'n2', address: '10.0.0.12' };
  const passage = (called: string, heard: string): Passage =>
    passageOf(way, ends, parseCalled(called), parseHeard(heard), ['10.0.0.11']);
  const code = (one: Passage, change: Partial<Probe> = {}): string => {
    const [check] = passageChecks([one], machines({}, change));
    return `${check?.host ?? ''} ${check?.code ?? ''} ${check?.ok === true ? '' : (check?.remedy ?? '')}`.trim();
  };
  const good = 'ping 10.0.0.12 0.3\ntcp tcp:10.0.0.12:7411 ok';

  it('are good when everything arrives', () => {
    const one = passage(good, 'ready\nheard udp:10.0.0.12:7412 10.0.0.11\nheard tcp:10.0.0.12:7411 10.0.0.11');
    expect(one).toMatchObject({ tcp: 'ok', udp: 'ok', pingMs: 0.3 });
    expect(code(one)).toBe('n2 peer-link');
  });
  it('are good as far as known where nothing could listen', () => {
    const one = passage('ping 10.0.0.12 0.3\ntcp tcp:10.0.0.12:7411 refused', 'none');
    expect(one).toMatchObject({ tcp: 'unchecked', udp: 'unchecked' });
    expect(code(one)).toBe('n2 peer-link');
  });
  it('are good where our own agent has the ports', () => {
    const one = passage(good, 'busy tcp:10.0.0.12:7411\nbusy udp:10.0.0.12:7412\nready');
    expect(one).toMatchObject({ tcp: 'ok', udp: 'unchecked' });
  });
  it('are slow when an answer takes long', () => {
    expect(code(passage(good.replace('0.3', '25'), 'ready\nheard udp:10.0.0.12:7412 10.0.0.11'))).toMatch(
      /^n2 peer-slow/,
    );
  });
  it('are blocked when one kind of packet does not arrive, and the firewall there is named', () => {
    const one = passage(good, 'ready\nheard tcp:10.0.0.12:7411 10.0.0.11\nheard udp:10.0.0.12:7412 10.0.0.99');
    expect(one).toMatchObject({ tcp: 'ok', udp: 'silent' });
    expect(code(one)).toMatch(/^n2 peer-ports-blocked Let 7411\/tcp and 7412\/udp/);
    expect(code(one, { activeUnits: ['firewalld'] })).toContain(
      'firewall-cmd --permanent --add-port=7411/tcp --add-port=7412/udp && firewall-cmd --reload',
    );
    expect(code(one, { activeUnits: ['ufw'] })).toContain('ufw allow 7412/udp');
  });
  it('are not there when nothing answers', () => {
    const one = passage('ping 10.0.0.12 -\ntcp tcp:10.0.0.12:7411 silent', 'ready');
    expect(code(one)).toMatch(/^n2 peer-unreachable/);
  });
  it('are there when only pings are dropped', () => {
    const one = passage(good.replace('0.3', '-'), 'ready\nheard udp:10.0.0.12:7412 10.0.0.11');
    expect(code(one)).toBe('n2 peer-link');
  });
});
