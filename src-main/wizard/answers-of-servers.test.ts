/** What is made of what servers say: services, directories, networks, addresses. */
import { describe, expect, it } from 'vitest';
import type { Probe } from '../install/index.ts';
import { parseBrowse } from './browse.ts';
import { isNoise, productOf } from './products.ts';
import { directoriesInCommand, mergeServices, parseServices, parseSizes } from './services.ts';
import { candidatesFor, sharedNetworks } from './suggestions.ts';

const command = (...words: string[]): string => Buffer.from(`${words.join('\0')}\0`).toString('base64');

interface Given {
  readonly units: string;
  readonly tcp?: string;
  readonly open?: string;
  readonly unit?: string;
  readonly command?: string;
  readonly directories?: string;
  readonly postgresql?: string;
}

const answer = (given: Given): string =>
  `=== user\n0\n=== show\n${given.units}\n=== tcp\n${given.tcp ?? ''}\n=== open\n${given.open ?? ''}\n=== unit\n${given.unit ?? ''}\n=== command\n${given.command ?? ''}\n=== directories\n${given.directories ?? ''}\n=== postgresql\n${given.postgresql ?? ''}\n=== end\n`;

function unit(id: string, more: Record<string, string> = {}): string {
  const properties = {
    Id: id,
    Description: `The ${id}`,
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    UnitFileState: 'enabled',
    MainPID: '100',
    FragmentPath: `/lib/systemd/system/${id}`,
    ...more,
  };
  return `${Object.entries(properties)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;
}

describe('services', () => {
  it('are told with their ports, and the directory that a database was given', () => {
    const [found] = parseServices(
      answer({
        units: unit('postgresql@15-main.service'),
        tcp: '00000000:1538 777\n0100007F:1538 778\n00000000000000000000000001000000:1F90 779\n0B004D0A:1F91 780\n0100007F:0016 1',
        open: '100 socket:[777]\n100 socket:[778]\n100 socket:[779]\n100 socket:[780]\n100 cwd /var/lib/postgresql/15/main\n101 file /var/lib/postgresql/15/main/base/1\n101 file /mnt/wal',
        unit: '100 postgresql@15-main.service\n101 postgresql@15-main.service\n7 ssh.service',
        command: `100 ${command('/usr/lib/postgresql/15/bin/postgres', '-D', '/var/lib/postgresql/15/main', '-c', 'x=y')}`,
      }),
    )!;
    expect(found).toEqual({
      unit: 'postgresql@15-main.service',
      description: 'The postgresql@15-main.service',
      product: 'postgresql',
      active: true,
      enabled: true,
      listeners: [
        { port: 5432, at: 'everywhere' },
        { port: 8080, at: 'loopback' },
        { port: 8081, at: 'one-address' },
      ],
      directories: ['/var/lib/postgresql/15/main', '/mnt/wal'],
    });
  });

  it('that stand still are known by their product, with the directory of their configuration', () => {
    const stopped = { ActiveState: 'inactive', SubState: 'dead', MainPID: '0', UnitFileState: 'disabled' };
    const found = parseServices(
      answer({
        units: [
          unit('postgresql@15-main.service', stopped),
          unit('mariadb.service', {
            ...stopped,
            ExecStart:
              '{ path=/usr/sbin/mariadbd ; argv[]=/usr/sbin/mariadbd $X ; ignore_errors=no ; start_time=[n/a] }',
          }),
          unit('foo.service', stopped),
        ].join('\n'),
        directories: '/var/lib/mysql',
        postgresql: '15-main /srv/pg',
      }),
    );
    expect(found?.map((one) => [one.unit, one.active, one.directories])).toEqual([
      ['postgresql@15-main.service', false, ['/srv/pg']],
      ['mariadb.service', false, ['/var/lib/mysql']],
    ]);
  });

  it('made by hand are applications, also when they do not run', () => {
    const found = parseServices(
      answer({
        units: unit('my-app.service', {
          ActiveState: 'inactive',
          SubState: 'dead',
          MainPID: '0',
          FragmentPath: '/etc/systemd/system/my-app.service',
          WorkingDirectory: '/srv/my-app',
          ExecStart: '{ path=/srv/my-app/run ; argv[]=/srv/my-app/run --datadir=/data/my ; ignore_errors=no }',
        }),
      }),
    );
    expect(found?.[0]).toMatchObject({ product: null, directories: ['/data/my', '/srv/my-app'] });
  });

  it('of the system, umbrellas and what is not there are left out', () => {
    const gone = unit('mysql.service', { LoadState: 'not-found', ActiveState: 'inactive' });
    const umbrella = unit('postgresql.service', { SubState: 'exited', MainPID: '0' });
    const found = parseServices(
      answer({
        units: [unit('sshd.service'), unit('systemd-journald.service'), unit('user@1000.service'), gone, umbrella].join(
          '\n',
        ),
      }),
    );
    expect(found).toEqual([]);
  });

  it('keep their data in no directory of the system, and in none that many share', () => {
    const found = parseServices(
      answer({
        units: unit('odd.service'),
        open: '100 cwd /\n100 file /var/lib\n100 file /srv\n100 file /opt\n100 file /opt/odd/data/a\n100 file /opt/odd/data',
        unit: '100 odd.service',
      }),
    );
    expect(found?.[0]?.directories).toEqual(['/opt/odd/data']);
  });

  it('an answer that was cut short is none', () => {
    expect(parseServices(answer({ units: unit('a.service') }).replace('=== end\n', ''))).toBeNull();
  });

  it('of both servers are one list, applications first', () => {
    const one = { description: 'x', product: null, enabled: true, listeners: [], directories: [] };
    const merged = mergeServices([
      {
        node: 'n1',
        found: [
          { ...one, unit: 'zabbix.service', active: true },
          { ...one, unit: 'nginx.service', product: 'nginx', active: true, directories: ['/var/www'] },
          { ...one, unit: 'mariadb.service', product: 'mariadb', active: false, directories: ['/var/lib/mysql'] },
        ],
        bytes: new Map([['/var/www', 1024]]),
      },
      {
        node: 'n2',
        found: [
          {
            ...one,
            unit: 'mariadb.service',
            product: 'mariadb',
            active: true,
            directories: ['/data/mysql'],
            listeners: [{ port: 3306, at: 'everywhere' }],
          },
        ],
        bytes: new Map([['/data/mysql', 5]]),
      },
    ]);
    expect(merged.map((service) => service.unit)).toEqual(['mariadb.service', 'nginx.service', 'zabbix.service']);
    expect(merged[0]).toMatchObject({
      on: [
        { node: 'n1', active: false },
        { node: 'n2', active: true },
      ],
      ports: [3306],
      listeners: [{ port: 3306, at: 'everywhere' }],
      directories: [
        { path: '/data/mysql', bytes: 5 },
        { path: '/var/lib/mysql', bytes: null },
      ],
    });
  });

  it.each([
    [['-D', '/a b'], ['/a b']],
    [['--datadir=/x'], ['/x']],
    [
      ['-D/x', '--dbpath', '/y', '--dir', 'relative'],
      ['/x', '/y'],
    ],
    [['--data', '--other'], []],
  ])('%j names %j', (words, expected) => {
    expect(directoriesInCommand(words)).toEqual(expected);
  });

  it.each([
    ['postgresql-15.service', '', 'postgresql'],
    ['anything.service', '/usr/sbin/mariadbd', 'mariadb'],
    ['mysqld.service', '/usr/sbin/mysqld', 'mysql'],
    ['app.service', '/usr/bin/python3', null],
    ['httpd.service', '/usr/sbin/httpd', 'apache'],
    ['redis@6379.service', '', 'redis'],
  ])('%s with %s is %s', (name, program, product) => {
    expect(productOf(name, program)?.name ?? null).toBe(product);
  });

  it.each(['sshd', 'getty@tty1', 'dbus-broker', 'holdfastd', 'cron', 'chronyd', 'NetworkManager', 'systemd-resolved'])(
    '%s is noise',
    (name) => {
      expect(isNoise(`${name}.service`)).toBe(true);
    },
  );

  it('sizes are read line by line', () => {
    expect([...parseSizes('4 /a b\nx\n8 /c\n')]).toEqual([
      ['/a b', 4096],
      ['/c', 8192],
    ]);
  });
});

it('directories are listed with names of any kind, without what is nobody’s', () => {
  expect(parseBrowse('/', '3 proc\0  12 da\nta\0 2 lost+found\x0010002 big\0')).toEqual([
    { path: '/big', entries: null },
    { path: '/da\nta', entries: 10 },
  ]);
  expect(parseBrowse('/srv/', '2 a\0')).toEqual([{ path: '/srv/a', entries: 0 }]);
});

type Addresses = Probe['addresses'];
const own = (name: string, address: string, prefixLength = 24): Addresses[number] => ({
  interface: name,
  address,
  prefixLength,
});
const probe = (addresses: Addresses, sshAddress: string | null, speeds: Probe['speeds'] = {}): Probe =>
  ({ addresses, sshAddress, speeds }) as Probe;

describe('networks', () => {
  it('are those that both are on, the one of the users named lan', () => {
    const found = sharedNetworks([
      probe(
        [
          own('lo', '127.0.0.1', 8),
          own('eth0', '10.0.0.11'),
          own('eth1', '10.9.0.1', 30),
          own('docker0', '172.17.0.1', 16),
        ],
        '10.0.0.11',
      ),
      probe(
        [
          own('ens3', '10.0.0.12'),
          own('ens4', '10.9.0.2', 30),
          own('docker0', '172.17.0.1', 16),
          own('eth9', '10.5.0.1'),
        ],
        '10.0.0.12',
      ),
    ]);
    expect(found).toEqual([
      {
        name: 'sync',
        subnet: '10.9.0.0/30',
        addresses: ['10.9.0.1', '10.9.0.2'],
        interfaces: ['eth1', 'ens4'],
        ssh: false,
      },
      {
        name: 'lan',
        subnet: '10.0.0.0/24',
        addresses: ['10.0.0.11', '10.0.0.12'],
        interfaces: ['eth0', 'ens3'],
        ssh: true,
      },
    ]);
  });
  it('come with the fastest first', () => {
    const speeds = { eth0: 10_000, eth1: 1000 };
    const found = sharedNetworks([
      probe([own('eth0', '10.0.0.11'), own('eth1', '10.9.0.1')], '10.0.0.11', speeds),
      probe([own('eth0', '10.0.0.12'), own('eth1', '10.9.0.2')], '10.0.0.12', speeds),
    ]);
    expect(found.map(({ name }) => name)).toEqual(['lan', 'sync']);
  });
  it('that are numbered alike and hold the same address are none', () => {
    expect(sharedNetworks([probe([own('br0', '10.1.0.1')], null), probe([own('br0', '10.1.0.1')], null)])).toEqual([]);
  });
});

describe('addresses for the virtual IP', () => {
  it('lie near the node, high, and are nobody’s', () => {
    expect(candidatesFor('10.0.5.11', 16, ['10.0.5.250']).slice(0, 2)).toEqual(['10.0.5.240', '10.0.5.230']);
    expect(candidatesFor('10.0.0.11', 24, [])[0]).toBe('10.0.0.250');
  });
  it.each([25, 26, 28, 29, 30])('of a /%i are inside of it', (prefixLength) => {
    const inside = candidatesFor('10.0.0.1', prefixLength, ['10.0.0.1']);
    const last = 2 ** (32 - prefixLength) - 2;
    for (const candidate of inside) {
      const number = Number(candidate.split('.')[3]);
      expect(number).toBeGreaterThan(1);
      expect(number).toBeLessThanOrEqual(last);
    }
    expect(inside.length).toBeGreaterThan(prefixLength === 30 ? -1 : 0);
  });
  it('there are none where two servers fill the network', () => {
    expect(candidatesFor('10.0.0.0', 31, [])).toEqual([]);
    expect(candidatesFor('10.0.0.1', 32, [])).toEqual([]);
  });
});
