import { describe, expect, it } from 'vitest';
import type { Answers, CheckerAnswer, ServerFacts } from '../app-api/index.ts';
import { firstAnswers } from './defaults.ts';
import { missingAnswers, wrongAnswers } from './validate.ts';

const machine = (destination: string): Answers['witness']['machine'] => ({ destination, port: null, identity: null });

function facts(last: number, change: Partial<ServerFacts> = {}): ServerFacts {
  return {
    suggestedName: 'n',
    hostname: 'n',
    user: 'root',
    isRoot: true,
    hostKeyFingerprint: 'x',
    osName: 'Debian',
    kernel: '6.1',
    architecture: 'x86_64',
    cores: 2,
    memoryBytes: 1,
    machineId: 'm',
    addresses: [{ interface: 'eth0', address: `10.0.0.${last}`, prefixLength: 24 }],
    cluster: null,
    agentVersion: null,
    firstContactMs: 1,
    ...change,
  };
}

function nodes(
  first: Partial<Answers['nodes'][number]>,
  second: Partial<Answers['nodes'][number]> = {},
): Answers['nodes'] {
  return [
    { name: 'n1', machine: machine(''), facts: null, ...first },
    { name: 'n2', machine: machine(''), facts: null, ...second },
  ];
}

function pinged(ping: string): Partial<Answers> {
  return { witness: { ...firstAnswers().witness, kind: 'ping', ping } };
}

const connected = nodes(
  { machine: machine('root@a'), facts: facts(11) },
  { machine: machine('root@b'), facts: facts(12) },
);
const application = (change: Partial<Answers['application']>): Partial<Answers> => ({
  application: { ...firstAnswers().application, ...change },
});

const watched = (change: Partial<CheckerAnswer>): Partial<Answers> => ({
  checkers: [
    {
      ...{ kind: 'tcp', target: '', status: '', contains: '', freePercentMin: '', latencyMsMax: '', guestAgent: '' },
      ...{ interval: '5', timeout: '5', gracePeriod: '60', failures: '3', action: 'restart' },
      ...change,
    },
  ],
});

describe('what is typed', () => {
  it('is complained about only when something was', () => {
    expect(wrongAnswers(firstAnswers())).toEqual([]);
    expect(missingAnswers(firstAnswers()).length).toBeGreaterThan(5);
  });

  it.each<[string, Partial<Answers>, string]>([
    ['a cluster name with capitals', { cluster: 'Site A' }, 'cluster name-invalid'],
    ['a node name with a dot', { nodes: nodes({ name: 'n1.lan' }) }, 'nodes.0.name name-invalid'],
    ['the same name twice', { nodes: nodes({ name: 'n2' }) }, 'nodes.1.name name-repeated'],
    [
      'no destination',
      { nodes: nodes({ machine: machine('a b') }) },
      'nodes.0.machine.destination destination-invalid',
    ],
    [
      'the same server twice',
      { nodes: nodes({ machine: machine('root@h') }, { machine: machine('admin@H') }) },
      'nodes.1.machine.destination machine-repeated',
    ],
    [
      'a node as the witness',
      {
        nodes: nodes({ machine: machine('root@h') }),
        witness: { kind: 'voting', machine: machine('root@h'), facts: null },
      },
      'witness.machine.destination machine-repeated',
    ],
    ['a relative directory', application({ directories: ['data'] }), 'application.directories.0 path-not-absolute'],
    ['a system directory', application({ directories: ['', '/etc/'] }), 'application.directories.1 path-of-system'],
    ['what holds our state', application({ directories: ['/var/lib'] }), 'application.directories.0 path-of-system'],
    [
      'what holds our program',
      application({ directories: ['/usr/local'] }),
      'application.directories.0 path-of-system',
    ],
    ['the root', application({ directories: ['//'] }), 'application.directories.0 path-of-system'],
    [
      'directories in one another',
      application({ directories: ['/a/b', '/a'] }),
      'application.directories.1 paths-nested',
    ],
    ['a directory twice', application({ directories: ['/a', '/a/'] }), 'application.directories.1 path-repeated'],
    ['dots in a directory', application({ directories: ['/a/../b'] }), 'application.directories.0 path-not-plain'],
    ['a line break in a directory', application({ directories: ['/a\nb'] }), 'application.directories.0 text-unusable'],
    ['a timeout of nothing', application({ stopTimeout: 0 }), 'application.stopTimeout timeout-out-of-range'],
    ['a ping witness that is a name', pinged('router'), 'witness.ping ping-witness-invalid'],
    ['a ping witness that is this machine itself', pinged('127.0.0.1'), 'witness.ping ping-witness-is-nobody'],
    [
      'a ping witness that is the virtual IP',
      { ...pinged('10.0.0.50'), vip: '10.0.0.50/24' },
      'witness.ping ping-witness-is-vip',
    ],
    [
      'a ping witness that is a node',
      { ...pinged('10.0.0.12'), nodes: connected },
      'witness.ping ping-witness-is-node',
    ],
    ['an address without its prefix', { vip: '10.0.0.50' }, 'vip address-invalid'],
    ['the address of a network', { vip: '10.0.0.0/24' }, 'vip address-unusable'],
    ['a broadcast address', { vip: '10.0.0.255/24' }, 'vip address-unusable'],
    ['this machine itself', { vip: '127.0.0.1/8' }, 'vip address-unusable'],
    [
      'the address of a node',
      { nodes: nodes({ machine: machine('10.0.0.11') }), vip: '10.0.0.11/24' },
      'vip address-of-node',
    ],
    ['an address that a node has', { nodes: connected, vip: '10.0.0.12/24' }, 'vip address-of-node'],
    ['an address of another network', { nodes: connected, vip: '10.5.0.50/24' }, 'vip address-not-in-network'],
    [
      'an interface that is not there',
      { nodes: connected, vip: '10.5.0.50/24', interface: 'eth7' },
      'interface interface-unknown',
    ],
    ['no subnet', { networks: [{ name: 'lan', subnet: '10.0.0.0' }] }, 'networks.0.subnet subnet-invalid'],
    [
      'overlapping networks',
      {
        networks: [
          { name: 'lan', subnet: '10.0.0.0/16' },
          { name: 'sync', subnet: '10.0.1.0/24' },
        ],
      },
      'networks.1.subnet networks-overlap',
    ],
    [
      'a network that a node is not in',
      { nodes: connected, networks: [{ name: 'lan', subnet: '10.9.0.0/24' }] },
      'networks.0.subnet network-without-node',
    ],
    ['a checker of no port', watched({ target: 'x' }), 'checkers.0.target checker-port'],
    ['a checker of a name', watched({ target: 'db.lan:5432' }), 'checkers.0.target checker-port'],
    ['a page by its name', watched({ kind: 'http', target: 'http://db.lan/' }), 'checkers.0.target checker-address'],
    ['a script for a shell', watched({ kind: 'script', target: 'a | b' }), 'checkers.0.target checker-script'],
    ['a relative directory to watch', watched({ kind: 'mount', target: 'x' }), 'checkers.0.target path-not-absolute'],
    [
      'a disk that is asked for nothing',
      watched({ kind: 'disk', target: '/x' }),
      'checkers.0.freePercentMin checker-disk',
    ],
    [
      'a space that is no number',
      watched({ kind: 'disk', target: '/x', freePercentMin: 'ten' }),
      'checkers.0.freePercentMin checker-percent',
    ],
    [
      'a status that is none',
      watched({ kind: 'http', target: 'http://127.0.0.1/', status: '9' }),
      'checkers.0.status checker-status',
    ],
    ['no time', watched({ target: '80', interval: 'soon' }), 'checkers.0.interval duration-invalid'],
    [
      'an interval of nothing',
      watched({ target: '80', interval: '0.2', timeout: '0.1' }),
      'checkers.0.interval checker-interval',
    ],
    [
      'an answer that may take longer than the interval',
      watched({ target: '80', timeout: '6' }),
      'checkers.0.timeout checker-timeout-beyond-interval',
    ],
    [
      'a limit that is never reached',
      watched({ target: '80', interval: '1h', failures: '9' }),
      'checkers.0.failures checker-limit',
    ],
    [
      'waiting for what is covered',
      {
        ...application({ directories: ['/data'] }),
        ...watched({ kind: 'disk', target: '/data', freePercentMin: '5', action: 'wait' }),
      },
      'checkers.0.action checker-covered',
    ],
    [
      'the same checker twice',
      { checkers: [...(watched({ target: '80' }).checkers ?? []), ...(watched({ target: '80' }).checkers ?? [])] },
      'checkers.1.target checker-repeated',
    ],
    ['a detection that is too short', { detectionMs: 500 }, 'detectionMs detection-out-of-range'],
    ['a preferred node that is none', { prefer: 'n3' }, 'prefer node-unknown'],
    ['a good copy on no node', { goodNode: 'n3' }, 'goodNode node-unknown'],
    ['failback without a preferred node', { failback: 'automatic' }, 'failback failback-without-prefer'],
  ])('%s is refused where it stands', (_name, change, expected) => {
    const problems = wrongAnswers({ ...firstAnswers(), ...change });
    expect(problems.map(({ path, code }) => `${path} ${code}`)).toEqual([expected]);
    expect(problems[0]?.remedy).not.toBe('');
  });

  it('is judged all at once, across what is not there yet', () => {
    const problems = wrongAnswers({
      ...firstAnswers(),
      cluster: 'Site A',
      nodes: nodes({ name: 'n2' }),
      ...application({ directories: ['/etc', 'x'] }),
      vip: 'x',
      failback: 'automatic',
    });
    expect(problems.map(({ path }) => path).sort()).toEqual([
      'application.directories.0',
      'application.directories.1',
      'cluster',
      'failback',
      'nodes.1.name',
      'vip',
    ]);
  });

  it('may be the virtual IP that a node of this cluster has', () => {
    const own = facts(12, { cluster: 'site-a' });
    const running = nodes({ facts: facts(11, { cluster: 'site-a' }) }, { facts: own });
    expect(wrongAnswers({ ...firstAnswers(), nodes: running, vip: '10.0.0.12/24' })).toEqual([]);
  });
});
