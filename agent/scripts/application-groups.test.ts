import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applicationUnits, ApplicationGroups, parseUnits, unifiedHierarchy } from './application-groups.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'holdfast-groups-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const group = (name: string): bigint => {
  mkdirSync(path.join(root, name), { recursive: true });
  return statSync(path.join(root, name), { bigint: true }).ino;
};

describe('where an application lives', () => {
  test('is its own slice, its services, and what those consist of', async () => {
    const asked: string[][] = [];
    const groups = new ApplicationGroups(async (argv) => {
      asked.push([...argv.slice(4)]);
      return argv.includes('postgresql.service')
        ? 'Id=postgresql.service\nControlGroup=\nConsistsOf=postgresql@15-main.service x.timer\n'
        : 'ControlGroup=/system.slice/system-postgresql.slice/postgresql@15-main.service\n';
    }, root);
    await groups.learn('db-a', ['postgresql.service']);
    expect(asked).toEqual([['postgresql.service'], ['postgresql@15-main.service']]);
    expect(groups.numbers('db-a')).toEqual([]);
    const slice = group('holdfast.slice/holdfast-db\\x2da.slice/run-1.scope');
    const service = group('system.slice/system-postgresql.slice/postgresql@15-main.service');
    expect(groups.numbers('db-a')).toEqual([slice, service]);
  });
  test('is guessed for a service before systemd was asked, and by its new number after a restart', async () => {
    const groups = new ApplicationGroups(() => Promise.reject(new Error('systemd is busy')), root);
    await expect(groups.learn('web', ['app.service'])).rejects.toThrow('busy');
    const first = group('system.slice/app.service');
    expect(groups.numbers('web')).toEqual([first]);
    rmSync(path.join(root, 'system.slice/app.service'), { recursive: true });
    expect(groups.numbers('web')).toEqual([]);
  });
  test('is never a service of the machine, nor a whole slice', async () => {
    expect(applicationUnits(['sshd.service', 'holdfastd.service', 'systemd-networkd.service', 'app.socket'])).toEqual(
      [],
    );
    expect(applicationUnits(['app.service', 'sshpiper.service', 'db@1.service'])).toEqual([
      'app.service',
      'sshpiper.service',
      'db@1.service',
    ]);
    const groups = new ApplicationGroups(async () => 'ControlGroup=/\n\nControlGroup=/user.slice\n', root);
    await groups.learn('web', ['app.service']);
    group('user.slice');
    expect(groups.numbers('web')).toEqual([]);
  });
  test('is found in version 2 only', () => {
    expect(unifiedHierarchy([root])).toBeNull();
    writeFileSync(path.join(root, 'cgroup.procs'), '');
    writeFileSync(path.join(root, 'cgroup.controllers'), '');
    expect(unifiedHierarchy([root])).toBe(root);
  });
});

test('what systemctl shows of several units is read block by block', () => {
  expect(
    parseUnits('ControlGroup=/system.slice/a.service\nConsistsOf=\n\nControlGroup=\nConsistsOf=b.service c.service\n'),
  ).toEqual([
    { controlGroup: '/system.slice/a.service', consistsOf: [] },
    { controlGroup: '', consistsOf: ['b.service', 'c.service'] },
  ]);
});
