import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ApplicationGroups, unifiedHierarchy } from './application-groups.ts';
import { KnownApplications } from './known-applications.ts';
import { applicationUnits, dismissedUnits, parseUnits } from './service-manager-units.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'holdfast-groups-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const group = (name: string): bigint => {
  mkdirSync(path.join(root, name), { recursive: true });
  return statSync(path.join(root, name), { bigint: true }).ino;
};

const answers = (text: string) => async () => text;

describe('where an application lives', () => {
  test('is its own slice, its services, and what those consist of', async () => {
    const asked: string[][] = [];
    const run = async (argv: readonly string[]) => {
      asked.push([...argv.slice(4)]);
      return argv.includes('postgresql.service')
        ? 'Id=postgresql.service\nControlGroup=\nConsistsOf=postgresql@15-main.service x.timer\n'
        : 'Id=postgresql@15-main.service\nControlGroup=/system.slice/system-postgresql.slice/postgresql@15-main.service\n';
    };
    const groups = new ApplicationGroups({ run, hierarchy: root });
    await groups.learn('db-a', ['postgresql.service']);
    expect(asked).toEqual([['postgresql.service'], ['postgresql@15-main.service']]);
    expect(groups.numbers('db-a')).toEqual([]);
    const slice = group('holdfast.slice/holdfast-db\\x2da.slice/run-1.scope');
    const service = group('system.slice/system-postgresql.slice/postgresql@15-main.service');
    expect(groups.numbers('db-a')).toEqual([slice, service]);
  });
  test('is guessed for a service before systemd was asked, and by its new number after a restart', async () => {
    const groups = new ApplicationGroups({
      run: () => Promise.reject(new Error('systemd is busy')),
      hierarchy: root,
    });
    await expect(groups.learn('web', ['app.service'])).rejects.toThrow('busy');
    expect(groups.knows('web')).toBe(false);
    const first = group('system.slice/app.service');
    expect(groups.numbers('web')).toEqual([first]);
    rmSync(path.join(root, 'system.slice/app.service'), { recursive: true });
    expect(groups.numbers('web')).toEqual([]);
  });
  test('is known to the process after this one, and to this one while systemd does not answer', async () => {
    const directory = path.join(root, 'run');
    const options = { hierarchy: root, known: new KnownApplications(directory) };
    const own = group('custom.slice/app.service');
    const groups = new ApplicationGroups({
      ...options,
      run: answers('Id=app.service\nControlGroup=/custom.slice/app.service\n'),
    });
    await groups.learn('web', ['app.service']);
    const next = new ApplicationGroups({
      hierarchy: root,
      known: new KnownApplications(directory),
      run: () => Promise.reject(new Error('systemd is busy')),
    });
    expect(next.knows('web')).toBe(true);
    expect(next.numbers('web')).toEqual([own]);
    await expect(next.learn('web', ['app.service'])).rejects.toThrow('busy');
    expect(next.numbers('web')).toEqual([own]);
    await next.learn('web', []);
    expect(new KnownApplications(directory).get('web')).toBeUndefined();
  });
  test('is never a service of the machine, by whatever name, nor a whole slice', async () => {
    const machine = [
      'sshd',
      'holdfastd',
      'systemd-networkd',
      'network',
      'iscsid',
      'wg-quick@wg0',
      'user@1000',
      'libvirtd',
    ];
    expect(applicationUnits([...machine.map((name) => `${name}.service`), 'app.socket'])).toEqual([]);
    expect(dismissedUnits(['ssh.socket', 'app.socket', 'app.target', 'app.service'])).toEqual([
      'app.socket',
      'app.service',
    ]);
    const own = ['app.service', 'sshpiper.service', 'db@1.service', 'network-shop.service'];
    expect(applicationUnits(own)).toEqual(own);
    const shown = `Id=NetworkManager.service\nControlGroup=/system.slice/NetworkManager.service\n
Id=app.service\nControlGroup=/\n\nControlGroup=/\n\nId=b.service\nControlGroup=/user.slice\n`;
    const groups = new ApplicationGroups({ run: answers(shown), hierarchy: root });
    await groups.learn('web', ['nm-alias.service']);
    group('user.slice');
    group('system.slice/NetworkManager.service');
    expect(groups.numbers('web')).toEqual([]);
  });
  test('is not what another application has as well: ending one would end the other', async () => {
    const dismissed: string[][] = [];
    const run = async (argv: readonly string[]) => {
      if (argv[1] === 'stop') dismissed.push([...argv.slice(4)]);
      return '';
    };
    const groups = new ApplicationGroups({ run, hierarchy: root });
    const [a, b] = [group('system.slice/a.service'), group('system.slice/b.service')];
    group('system.slice/shared.service');
    await groups.learn('a', ['a.service', 'shared.service']);
    await groups.learn('b', ['b.service', 'shared.service']);
    expect([groups.numbers('a'), groups.numbers('b')]).toEqual([[a], [b]]);
    await groups.dismiss('a');
    expect(dismissed).toEqual([['a.service']]);
  });
  test('is found on a host with version 1 as well, to be ended there; only version 2 has numbers', async () => {
    const groups = new ApplicationGroups({ run: answers(''), hierarchy: null, formerHierarchy: root });
    group('system.slice/app.service');
    await groups.learn('web', ['app.service']);
    expect(groups.directories('web')).toEqual([path.join(root, 'system.slice/app.service')]);
    expect(groups.numbers('web')).toEqual([]);
    expect(unifiedHierarchy([root])).toBeNull();
    writeFileSync(path.join(root, 'cgroup.procs'), '');
    writeFileSync(path.join(root, 'cgroup.controllers'), '');
    expect(unifiedHierarchy([root])).toBe(root);
  });
});

test('what systemctl shows of several units is read block by block', () => {
  expect(
    parseUnits(
      'Id=a.service\nControlGroup=/system.slice/a.service\nConsistsOf=\n\nControlGroup=\nConsistsOf=b.service c.service\n',
    ),
  ).toEqual([
    { id: 'a.service', controlGroup: '/system.slice/a.service', consistsOf: [] },
    { id: '', controlGroup: '', consistsOf: ['b.service', 'c.service'] },
  ]);
});
