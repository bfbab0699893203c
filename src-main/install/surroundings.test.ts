/** Lines as `/proc` and the tools print them; those of fanotify were recorded (Linux 6.18), the others are written in that format. */
import { describe, expect, it } from 'vitest';
import type { CheckedModule, ProbedMachine } from './check.ts';
import type { Probe } from './probe.ts';
import { nameOf, namespacesBeside, noSurroundings, parseSurroundings, type Surroundings } from './surroundings.ts';
import { containerStartChecks, labelChecks, surroundingsChecks } from './surroundings-checks.ts';

const told = (...values: readonly [string, string][]): Surroundings =>
  parseSurroundings(values.map(([key, value]) => ({ key, value })));

const ownMounts: [string, string] = [
  'own-mounts',
  [
    '23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '215 23 8:17 / /srv rw,relatime shared:90 - xfs /dev/sdb1 rw',
  ].join('\n'),
];
const docker = '0::/system.slice/docker-3f1c9a72be40d1e6a9c0ffee3f1c9a72be40d1e6a9c0ffee3f1c9a72be40d1e6.scope';
const podman = '0::/machine.slice/libpod-aa51b0c2d3e4f5061728394a5b6c7d8e9f00112233445566778899aabbccddee.scope';
const elsewhere = (group: string, ...lines: string[]): [string, string] => [
  'elsewhere',
  ['4711 postgres', group, ...lines].join('\n'),
];

describe('mounts of others', () => {
  const beside = (...lines: [string, string][]): string[] =>
    namespacesBeside(told(ownMounts, ...lines), '/srv/db').map(nameOf);

  it.each<[string, string, string[]]>([
    ['the directory, private', '801 790 8:17 /db /var/lib/db rw - xfs /dev/sdb1 rw', ['docker container 3f1c9a72be40']],
    ['the directory, rslave', '801 790 8:17 /db /var/lib/db rw master:90 - xfs /dev/sdb1 rw', []],
    ['the directory, rshared', '801 790 8:17 /db /var/lib/db rw shared:90 - xfs /dev/sdb1 rw', []],
    ['a part, rslave', '801 790 8:17 /db/sub /x rw master:90 - xfs /dev/sdb1 rw', ['docker container 3f1c9a72be40']],
    ['the disk, private', '801 790 8:17 / /host rw - xfs /dev/sdb1 rw', ['docker container 3f1c9a72be40']],
    ['the disk, read-only', '801 790 8:17 / /host ro,relatime - xfs /dev/sdb1 rw', []],
    ['another directory', '801 790 8:17 /other /x rw - xfs /dev/sdb1 rw', []],
    ['a name that begins alike', '801 790 8:17 /dbx /x rw - xfs /dev/sdb1 rw', []],
    ['another disk', '801 790 8:33 /db /x rw - xfs /dev/sdc1 rw', []],
  ])('%s', (_name, line, expected) => {
    expect(beside(elsewhere(docker, line))).toEqual(expected);
  });

  it('hidden by another mount there, it is out of reach', () => {
    const disk = '801 790 8:17 / /srv rw - xfs /dev/sdb1 rw';
    expect(beside(elsewhere(podman, disk))).toEqual(['podman container aa51b0c2d3e4']);
    expect(beside(elsewhere(podman, disk, '802 801 0:60 / /srv/db ro - tmpfs holdfast-cover rw'))).toEqual([]);
  });

  it.each([
    [docker, 'docker container 3f1c9a72be40'],
    [
      '0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-0123456789abcdef0123456789abcdef.scope',
      'pod container 0123456789ab',
    ],
    ['0::/lxc.payload.web1', 'LXC container web1'],
    ['0::/machine.slice/systemd-nspawn@n1.service/payload', 'machine n1'],
    ['0::/system.slice/chrony.service', 'chrony.service'],
    ['0::/user.slice', 'sleep (pid 7)'],
  ])('%s is %s', (group, name) => {
    expect(nameOf({ pid: 7, program: 'sleep', group, mounts: [] })).toBe(name);
  });
});

const directory = { path: '/srv/db', type: 'directory', isCovered: false } as Probe['directories'][number];

function machine(surroundings: Surroundings, change: Partial<Probe> = {}, name = 'n1'): ProbedMachine {
  const probe = {
    kernel: '6.1.0',
    selinuxEnforcing: false,
    directories: [directory],
    surroundings,
    ...change,
  } as Probe;
  return { name, role: 'node', probe, clockDifferenceMs: 0 };
}

describe('scanners that are asked before a file is opened', () => {
  const programs = (...values: [string, string][]): unknown[] =>
    surroundingsChecks(machine(told(ownMounts, ...values))).map(({ code, facts }) => [code, facts['programs']]);

  it.each<[string, string, boolean]>([
    ['of the mount', 'fanotify mnt_id:d7 mflags:0 mask:10000 ignored_mask:0', true],
    ['of the file system', 'fanotify sdev:800011 mflags:0 mask:30000 ignored_mask:0', true],
    [
      'of a directory there',
      'fanotify ino:1 sdev:800011 mflags:0 mask:8010000 ignored_mask:0 fhandle-bytes:c fhandle-type:1',
      true,
    ],
    ['of another mount', 'fanotify mnt_id:17 mflags:0 mask:10000 ignored_mask:0', false],
    ['of another disk', 'fanotify sdev:800021 mflags:0 mask:10000 ignored_mask:0', false],
  ])('%s', (_name, mark, found) => {
    expect(programs(['fanotify', `900 watcher\n${mark}`])).toEqual(found ? [['on-access-scanner', ['watcher']]] : []);
  });

  it('are known by name too, and fapolicyd is none', () => {
    expect(programs(['scanner', 'clamonacc'])).toEqual([['on-access-scanner', ['clamonacc']]]);
    expect(programs(['fanotify', '900 fapolicyd\nfanotify mnt_id:d7 mflags:0 mask:10000 ignored_mask:0'])).toEqual([]);
    const [check] = surroundingsChecks(machine(told(ownMounts, ['scanner', 'clamonacc'])));
    expect(check).toMatchObject({ ok: true, attention: true });
    expect(check?.remedy).toContain('OnAccessExcludePath /srv/db');
  });
});

describe('labels and permission to run', () => {
  const codes = (surroundings: Surroundings, change: Partial<Probe> = {}): string[] =>
    surroundingsChecks(machine(surroundings, change)).map(({ code, ok }) => `${code}${ok ? '' : ' ■'}`);
  const label = (mine: string, byPolicy: string): [string, string] => ['label', `${mine} ${byPolicy} /srv/db`];
  const database = 'system_u:object_r:postgresql_db_t:s0';
  const other = 'unconfined_u:object_r:var_t:s0';

  it('tell of a label that would not last', () => {
    expect(codes(told(label(database, database)), { selinuxEnforcing: true })).toEqual(['selinux']);
    expect(codes(told(label(database, other)), { selinuxEnforcing: true })).toEqual(['selinux', 'selinux-label']);
    expect(codes(told(label(database, 'unknown')))).toEqual(['selinux']);
    expect(codes(noSurroundings)).toEqual([]);
  });

  it.each<[string, boolean, string[]]>([
    ['allow_execmem 0 0', true, ['selinux', 'selinux-execmem ■']],
    ['allow_execmem 1 1', true, ['selinux']],
    ['deny_execmem 1 1', true, ['selinux', 'selinux-execmem ■']],
    ['deny_execmem 0 0', true, ['selinux']],
    ['allow_execmem 0 0', false, []],
  ])('may the runtime run: %s, enforcing %s', (boolean, selinuxEnforcing, expected) => {
    expect(codes(told(['boolean', boolean]), { selinuxEnforcing })).toEqual(expected);
  });

  it('refuse labels that differ, and say which command makes them the same', () => {
    const [first, second] = [machine(told(label(database, database))), machine(told(label(other, other)), {}, 'n2')];
    expect(labelChecks([first, second], '/srv/db')).toMatchObject([
      { code: 'selinux-labels-differ', host: 'n2', ok: false },
    ]);
    expect(labelChecks([first, second], '/srv/db')[0]?.remedy).toContain("-t postgresql_db_t '/srv/db(/.*)?'");
    expect(labelChecks([first, first], '/srv/db')).toEqual([]);
    expect(labelChecks([first, machine(noSurroundings)], '/srv/db')).toEqual([]);
  });

  it('see noexec, and what fapolicyd has to be told', () => {
    expect(codes(told(['options', '/opt/holdfast rw,nosuid,nodev,noexec,relatime']))).toEqual(['mount-noexec ■']);
    expect(codes(told(['options', '/opt/holdfast rw,relatime']))).toEqual([]);
    expect(codes(told(['fapolicyd', '/usr/sbin/fapolicyd-cli']))).toEqual(['fapolicyd']);
    expect(codes(told(['fapolicyd', 'none']))).toEqual(['fapolicyd-command-missing ■']);
  });

  it('tell what an older kernel costs', () => {
    expect(codes(noSurroundings, { kernel: '5.4.0-150-generic' })).toEqual(['kernel-without-sync-errors']);
  });
});

describe('a start command with containers', () => {
  const found = (startCommand: string): boolean =>
    containerStartChecks({ name: 'db', directories: ['/srv/db'], startCommand } as unknown as CheckedModule).length > 0;
  it.each([
    ['docker run -d --name db -v /srv/db:/var/lib/db postgres', true],
    ['docker run -d --name db -v /srv/db:/var/lib/db:rslave postgres', false],
    ['podman run -d -v "/srv/db:/db:Z,rslave" x', false],
    ['docker compose -f /etc/db.yaml up -d', true],
    ['docker start db', true],
    ['systemctl start docker-db', false],
    ['systemctl start postgresql', false],
  ])('%s', (command, expected) => {
    expect(found(command)).toBe(expected);
  });
});
