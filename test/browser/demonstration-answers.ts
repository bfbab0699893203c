/** Answers to the wizard's questions, and what two bare servers with a PostgreSQL say to them. */
import type {
  Answers,
  CheckResult,
  Copy,
  DetectedService,
  Draft,
  Installation,
  WizardStep,
} from '../../src-main/app-api/index.ts';
import { newChecker } from '../../src-renderer/wizard/checkers.ts';
import { at } from './demonstration.ts';
import { demonstrationFacts, machine } from './demonstration-servers.ts';

const dataDirectory = '/var/lib/postgresql/15/main';

export const emptyAnswers: Answers = {
  cluster: '',
  nodes: [
    { name: '', machine: machine(''), facts: null },
    { name: '', machine: machine(''), facts: null },
  ],
  application: {
    name: '',
    service: null,
    directories: [],
    start: '',
    stop: '',
    startTimeout: 60,
    stopTimeout: 60,
  },
  goodNode: null,
  vip: '',
  interface: null,
  checkers: [],
  checkersBy: 'nobody',
  networks: null,
  witness: { kind: 'none', machine: machine(''), facts: null },
  withoutWitness: 'prefer-one-copy',
  detectionMs: 3000,
  prefer: null,
  failback: 'manual',
};

const facts = (destination: string): (typeof demonstrationFacts)[string] | null =>
  demonstrationFacts[destination] ?? null;

export const fullAnswers: Answers = {
  ...emptyAnswers,
  cluster: 'site-a',
  nodes: [
    { name: 'n1', machine: machine('root@10.77.0.11'), facts: facts('root@10.77.0.11') },
    { name: 'n2', machine: machine('root@10.77.0.12'), facts: facts('root@10.77.0.12') },
  ],
  application: {
    name: 'db',
    service: 'postgresql@15-main.service',
    directories: [dataDirectory],
    start: 'systemctl start postgresql@15-main.service',
    stop: 'systemctl stop postgresql@15-main.service',
    startTimeout: 60,
    stopTimeout: 60,
  },
  goodNode: 'n1',
  vip: '10.77.0.50/24',
  checkers: [
    newChecker('service', { target: 'postgresql@15-main.service' }),
    newChecker('tcp', { target: '10.77.0.50:5432' }),
    newChecker('disk', { target: dataDirectory }),
  ],
  checkersBy: 'proposal',
  witness: { kind: 'voting', machine: machine('root@10.77.0.13'), facts: facts('root@10.77.0.13') },
  prefer: 'n1',
};

export function draftAt(step: WizardStep, change: Partial<Draft> = {}): Draft {
  const answers = step === 'servers' ? emptyAnswers : fullAnswers;
  return { id: `draft-${step}`, revision: 1, updatedAt: at, step, practice: false, answers, ...change };
}

function check(code: string, host: string | null, change: Partial<CheckResult>): CheckResult {
  return {
    code,
    host,
    ok: true,
    attention: false,
    title: code,
    what: '',
    why: '',
    remedy: '',
    facts: {},
    ...change,
  };
}

function checksOf(host: string): CheckResult[] {
  return [
    check('operating-system', host, {
      title: 'Operating system',
      what: 'Debian GNU/Linux 12 (bookworm)',
      facts: { name: 'Debian GNU/Linux 12 (bookworm)', system: 'Linux' },
    }),
    check('kernel', host, {
      title: 'Kernel',
      what: 'Linux 6.1.0-28-amd64',
      facts: { kernel: '6.1.0-28-amd64', needed: '4.18' },
    }),
    check('architecture', host, { title: 'Processor', what: 'x86_64', facts: { architecture: 'x86_64' } }),
    check('libc', host, {
      title: 'C library',
      what: 'glibc 2.36',
      facts: { libc: 'glibc 2.36', needed: '2.28' },
    }),
    check('systemd', host, { title: 'systemd', what: 'runs', facts: { runs: true } }),
    check('disk-space', host, {
      title: 'Disk space',
      what: '41203 MiB free for /opt/holdfast, 260 MiB needed',
      facts: { path: '/opt/holdfast', freeBytes: 41203 * 1024 ** 2, neededBytes: 260 * 1024 ** 2 },
    }),
    check('fuse', host, { title: 'FUSE', what: 'usable' }),
    check('network-tools', host, { title: 'ip and nft', what: 'present' }),
  ];
}

export const goodChecks: readonly CheckResult[] = [...checksOf('n1'), ...checksOf('n2')];

export const badChecks: readonly CheckResult[] = [
  ...checksOf('n1'),
  ...checksOf('n2').map((one) =>
    one.code === 'network-tools'
      ? {
          ...one,
          ok: false,
          what: 'missing: nft',
          why: 'The virtual IP is raised with ip and cut off by nftables when this node loses its right to it.',
          remedy: 'Install the packages iproute2 and nftables.',
          facts: { missing: ['nft'] },
        }
      : one,
  ),
  check('clock', 'n2', {
    title: 'Clock',
    attention: true,
    what: '312 s behind this computer',
    why: 'Nothing is decided by the clock, but the times in the timeline would be wrong.',
    remedy: 'Set the clock, best by a time server.',
    facts: { seconds: -312 },
  }),
];

export const services: readonly DetectedService[] = [
  {
    unit: 'postgresql@15-main.service',
    description: 'PostgreSQL Cluster 15-main',
    product: 'postgresql',
    on: [
      { node: 'n1', active: true, enabled: true },
      { node: 'n2', active: false, enabled: false },
    ],
    ports: [5432],
    listeners: [{ port: 5432, at: 'everywhere' }],
    directories: [{ path: dataDirectory, bytes: 1.2e9 }],
  },
  {
    unit: 'cron.service',
    description: 'Regular background program processing daemon',
    product: null,
    on: [
      { node: 'n1', active: true, enabled: true },
      { node: 'n2', active: true, enabled: true },
    ],
    ports: [],
    listeners: [],
    directories: [],
  },
];

export const copies: readonly Copy[] = [
  {
    node: 'n1',
    path: dataDirectory,
    exists: true,
    empty: false,
    files: 1287,
    bytes: 1.2e9,
    newestFile: { path: `${dataDirectory}/pg_wal/000000010000000000000012`, at: '2026-01-01T14:01:58Z' },
    version: 'PostgreSQL 15',
    atLeast: false,
  },
  {
    node: 'n2',
    path: dataDirectory,
    exists: true,
    empty: false,
    files: 968,
    bytes: 38e6,
    newestFile: { path: `${dataDirectory}/pg_wal/000000010000000000000001`, at: '2025-12-30T09:14:20Z' },
    version: 'PostgreSQL 15',
    atLeast: false,
  },
];

type Planned = Omit<
  Installation['steps'][number],
  'state' | 'doneBytes' | 'totalBytes' | 'startedAt' | 'endedAt' | 'note'
>;

const onHost = (host: string, kind: string, title: string, facts: Planned['facts'] = {}): Planned => ({
  id: `${host}/${kind}`,
  host,
  kind,
  facts,
  title,
});

export const plannedSteps: readonly Planned[] = [
  ...['n1', 'n2', 'witness'].flatMap((host) => [
    onHost(host, 'upload-runtime', `Upload the Node runtime to ${host}`),
    onHost(host, 'upload-agent', `Upload the agent 0.1.0 to ${host}`, { version: '0.1.0' }),
  ]),
  onHost('n1', 'make-keys', 'Make the key and the certificate of n1'),
  onHost('n2', 'make-keys', 'Make the key and the certificate of n2'),
  onHost('n1', 'start-units', 'Start the agent on n1'),
  onHost('n2', 'start-units', 'Start the agent on n2'),
  onHost('n1', 'configure', 'Give n1 the configuration'),
  onHost('n2', 'configure', 'Give n2 the configuration'),
  onHost('n1', 'initialise', 'Take the data of db on n1 as the good copy', { module: 'db', as: 'good' }),
  onHost('n2', 'initialise', 'Make n2 ready to receive the data of db; what stands there is kept aside', {
    module: 'db',
    as: 'blank',
    keepsAside: true,
  }),
  onHost('n1', 'start', 'Start db on n1', { module: 'db' }),
  onHost('n2', 'start', 'Start db on n2', { module: 'db' }),
];

/** As far as it has come when `done` steps are behind it and the next one runs. */
export function installationAt(draft: string, done: number, change: Partial<Installation> = {}): Installation {
  const finished = done >= plannedSteps.length;
  return {
    draft,
    state: finished ? 'done' : 'running',
    steps: plannedSteps.map((step, index) => {
      const uploads = step.kind.startsWith('upload-');
      return {
        ...step,
        state: index < done ? 'done' : index === done ? 'running' : 'waiting',
        doneBytes: uploads && index <= done ? (index < done ? 31e6 : 12e6) : null,
        totalBytes: uploads ? 31e6 : null,
        startedAt: index <= done ? at : null,
        endedAt: index < done ? at : null,
        note: null,
      };
    }),
    fault: null,
    keptAt: finished ? [`n2:${dataDirectory}.before-holdfast`] : [],
    cluster: done > 0 ? 'site-a' : null,
    startedAt: at,
    ...change,
  };
}
