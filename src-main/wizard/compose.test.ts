import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs, type Configuration } from '../../agent/contract/configuration.ts';
import type { Answers, CheckerAnswer } from '../app-api/index.ts';
import { parseConfiguration } from '../configuration/index.ts';
import { compose } from './compose.ts';
import { wizardCheckerKinds } from '../app-api/index.ts';
import { checkerDefinition } from '../configuration/checkers.ts';
import { firstAnswers } from './defaults.ts';

const machine = (destination: string, port: number | null = null): Answers['witness']['machine'] => ({
  destination,
  port,
  identity: null,
});

const checker = (change: Partial<CheckerAnswer>): CheckerAnswer => ({
  kind: 'tcp',
  target: '',
  status: '',
  contains: '',
  freePercentMin: '',
  latencyMsMax: '',
  guestAgent: '',
  interval: '5',
  timeout: '5',
  gracePeriod: '60',
  failures: '3',
  action: 'restart',
  ...change,
});

const full: Answers = {
  ...firstAnswers(),
  cluster: 'site-a',
  nodes: [
    { name: 'n1', machine: machine('root@10.77.0.11'), facts: null },
    { name: 'n2', machine: machine('root@10.77.0.12'), facts: null },
  ],
  application: {
    name: 'db',
    service: 'app.service',
    directories: ['/data/db'],
    start: 'systemctl start app',
    stop: 'systemctl stop app',
    startTimeout: 60,
    stopTimeout: 60,
  },
  vip: '10.77.0.50/24',
};

function textOf(answers: Answers): string {
  const { text, problems } = compose(answers);
  expect(problems).toEqual([]);
  return text ?? '';
}

describe('composing a configuration', () => {
  it('writes what a person would write, and leaves the defaults out', () => {
    expect(textOf(full)).toBe(`# Holdfast, cluster site-a
# To look at what a change would do: holdfast apply FILE --plan

version: 1
cluster: site-a
nodes:
  - { name: n1, ssh: root@10.77.0.11 }
  - { name: n2, ssh: root@10.77.0.12 }
# No third machine decides which server goes on when they cannot see each other.
# Then none takes over by itself: a person decides, and the data stays one.
witness: none
modules:
  - name: db
    kind: mirror
    # What is in these directories is on both servers; nothing else is.
    replicate:
      - path: /data/db
    vip: 10.77.0.50/24
    start: systemctl start app
    stop: systemctl stop app
`);
  });

  it('says beside a ping witness what it is not', () => {
    const text = textOf({
      ...full,
      witness: { kind: 'ping', machine: machine(''), facts: null, ping: ' 10.77.0.1 ' },
      withoutWitness: 'prefer-availability',
    });
    expect(text)
      .toContain(`# An address that answers pings. No vote: whoever reaches neither it nor the other server stops.
# When only the link between the servers is cut, both may go on, each with its own changes, until a person chooses one of them.
witness: { ping: 10.77.0.1 }
`);
  });

  it('writes everything that differs from the defaults', () => {
    const text = textOf({
      ...full,
      nodes: [full.nodes[0]!, { name: 'n2', machine: machine('admin@10.77.0.12', 2222), facts: null }],
      application: {
        ...full.application,
        stop: 'cd /srv\n./stop all',
        stopTimeout: 90,
        start: 'a: "b" # c',
        startTimeout: 5,
      },
      interface: 'eth0',
      networks: [
        { name: 'sync', subnet: '10.78.0.0/24' },
        { name: 'lan', subnet: '10.77.0.0/24' },
      ],
      witness: { kind: 'voting', machine: machine('root@10.77.0.13'), facts: null },
      detectionMs: 1500,
      prefer: 'n1',
      failback: 'automatic',
    });
    expect(text).toContain('  - { name: n2, ssh: admin@10.77.0.12, port: 2222 }\n');
    expect(text).toContain('networks:\n  - { name: sync, subnet: 10.78.0.0/24 }\n');
    expect(text).toContain('witness: { ssh: root@10.77.0.13 }\n');
    expect(text).toContain('detection: 1500ms\n');
    expect(text).toContain('    prefer: n1\n    failback: automatic\n');
    expect(text).toContain('    start: { command: \'a: "b" # c\', timeout: 5s }\n');
    const [module] = parseConfiguration(text, 'x').modules;
    expect(module?.stop).toEqual({ command: 'cd /srv\n./stop all', timeout: '90s' });
  });

  it('writes the checkers one to a line, without what is the default', () => {
    const text = textOf({
      ...full,
      checkers: [
        checker({ kind: 'service', target: ' app.service ' }),
        checker({ kind: 'tcp', target: '10.77.0.50:5432', interval: '2,5', timeout: '1', action: 'failover' }),
        checker({ kind: 'http', target: 'http://127.0.0.1/', status: '204', contains: 'ok', failures: '5' }),
        checker({ kind: 'disk', target: '/data/db/', freePercentMin: '10 %', gracePeriod: '2m', action: 'none' }),
        checker({ kind: 'vm', target: ' guest 1' }),
        checker({ kind: 'vm', target: '/run/vm/qmp.sock', guestAgent: '/run/vm/qga.sock ' }),
      ],
    });
    expect(text.slice(text.indexOf('    # Looked at')))
      .toBe(`    # Looked at while the application runs here, and what follows when it fails several times in a row.
    checkers:
      - { service: app.service }
      - { tcp: 10.77.0.50:5432, interval: 2500ms, timeout: 1s, action: failover }
      - { http: http://127.0.0.1/, status: 204, contains: ok, failures: 5 }
      - { disk: { path: /data/db, freePercentMin: 10 }, gracePeriod: 2m }
      - { vm: { domain: guest 1 } }
      - { vm: { monitor: /run/vm/qmp.sock, guestAgent: /run/vm/qga.sock } }
`);
  });

  it('has no text while something is missing, and lists it', () => {
    const { text, problems } = compose({
      ...firstAnswers(),
      checkers: [checker({ kind: 'ping' })],
      witness: { kind: 'voting', machine: machine(''), facts: null },
    });
    expect(text).toBeNull();
    expect(problems.map(({ path, code }) => `${path} ${code}`)).toEqual([
      'cluster missing',
      'nodes.0.machine.destination missing',
      'nodes.1.machine.destination missing',
      'application.name missing',
      'application.directories.0 missing',
      'application.start missing',
      'application.stop missing',
      'checkers.0.target missing',
      'witness.machine.destination missing',
    ]);
  });
});

/** What of a configuration the answers decide. */
function decided(configuration: Configuration): unknown {
  const [module] = configuration.modules;
  const script = (text: Configuration['modules'][number]['start']): unknown =>
    typeof text === 'string'
      ? { command: text, seconds: 60 }
      : { command: text.command, seconds: durationMs(text.timeout) / 1000 };
  return {
    cluster: configuration.cluster,
    nodes: configuration.nodes.map(({ name, ssh, port }) => ({ name, ssh, port: port ?? null })),
    networks: configuration.networks ?? null,
    witness:
      configuration.witness === 'none' || 'ping' in configuration.witness
        ? configuration.witness
        : { ssh: configuration.witness.ssh, port: configuration.witness.port ?? null },
    withoutWitness: configuration.withoutWitness,
    detectionMs: durationMs(configuration.detection),
    name: module?.name,
    prefer: module?.prefer ?? null,
    failback: module?.failback,
    directories: module?.replicate.map(({ path }) => path),
    vip: [module?.vip].flat(),
    interface: module?.interface ?? null,
    checkers: module?.checkers.map((one) => {
      const { name: _name, ...rest } = checkerDefinition(one);
      return rest;
    }),
    start: module && script(module.start),
    stop: module && script(module.stop),
  };
}

function wanted(answers: Answers): unknown {
  const { application, witness } = answers;
  const ssh = (one: Answers['witness']['machine']): unknown => ({ ssh: one.destination.trim(), port: one.port });
  return {
    cluster: answers.cluster,
    nodes: answers.nodes.map((node) => ({ name: node.name, ...(ssh(node.machine) as object) })),
    networks: answers.networks,
    witness: witness.kind === 'none' ? 'none' : ssh(witness.machine),
    withoutWitness: answers.withoutWitness,
    detectionMs: answers.detectionMs,
    name: application.name,
    prefer: answers.prefer,
    failback: answers.failback,
    directories: application.directories,
    vip: answers.vip === '' ? [] : [answers.vip],
    interface: answers.interface,
    checkers: answers.checkers.map(definitionOf),
    start: { command: application.start.trim(), seconds: application.startTimeout },
    stop: { command: application.stop.trim(), seconds: application.stopTimeout },
  };
}

/** Of the four kinds that the property makes. */
function definitionOf(one: CheckerAnswer): unknown {
  const ms = (text: string): number => Math.round(Number(text.replace(',', '.')) * 1000);
  const { target } = one;
  const orNull = (text: string): number | null => (text === '' ? null : Number(text));
  const probes: Partial<Record<CheckerAnswer['kind'], unknown>> = {
    tcp: { kind: 'tcp', host: target.split(':')[0], port: Number(target.split(':')[1]) },
    http: {
      kind: 'http',
      url: target,
      status: orNull(one.status),
      contains: one.contains === '' ? null : one.contains,
    },
    process: { kind: 'process', process: target },
    disk: { kind: 'disk', path: target, freePercentMin: 10, latencyMsMax: orNull(one.latencyMsMax) },
  };
  return {
    probe: probes[one.kind],
    intervalMs: ms(one.interval),
    timeoutMs: ms(one.timeout),
    gracePeriodMs: ms(one.gracePeriod),
    failures: Number(one.failures),
    action: one.action,
  };
}

const someSeconds = fc.constantFrom('1', '2', '5', '60', '0.5', '2,5');
const someCheckers: fc.Arbitrary<CheckerAnswer[]> = fc
  .array(
    fc.record({
      kind: fc.constantFrom('tcp' as const, 'http' as const, 'process' as const, 'disk' as const),
      word: fc.stringMatching(/^[a-z"':#{}&*!%@[\], -]{1,12}$/).filter((text) => text.trim() === text),
      number: fc.integer({ min: 1, max: 99 }),
      interval: someSeconds,
      gracePeriod: someSeconds,
      failures: fc.constantFrom('1', '3', '10'),
      action: fc.constantFrom('none' as const, 'restart' as const, 'stop-start' as const, 'failover' as const),
      asked: fc.boolean(),
    }),
    { maxLength: 4 },
  )
  .map((made) =>
    made.map(({ kind, word, number, interval, gracePeriod, failures, action, asked }, index): CheckerAnswer => {
      const targets = {
        tcp: `10.9.0.${index + 1}:${number}`,
        http: `http://127.0.0.${index + 1}/${number}`,
        process: `${word}${index}`,
        disk: `/disk/${index}-${word}`,
      };
      const web = asked && kind === 'http';
      return checker({
        ...{ kind, target: targets[kind], interval, timeout: interval, gracePeriod, failures, action },
        ...(web ? { status: String(100 + number), contains: word } : {}),
        freePercentMin: kind === 'disk' ? '10' : '',
        latencyMsMax: kind === 'disk' && asked ? String(number) : '',
      });
    }),
  );

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const command = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
    fc.constantFrom(
      'true',
      'null',
      'yes',
      '~',
      '12',
      '- a',
      '# x',
      'a: b',
      '"',
      "it's",
      '{ a }',
      '[1]',
      '&a *b',
      '!x',
      '%',
      '@',
      '`',
      '|',
      '>',
      'a\nb',
      'a\n\n  b\n',
      '\ta',
      'a # b',
      'x:',
    ),
    fc.string({ minLength: 200, maxLength: 400 }),
  )
  .filter((text) => text.trim() !== '' && !/[\p{Cc}\u2028\u2029\uFEFF]/u.test(text.trim().replace(/[\n\t]/g, '')));
const directory = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .map((text) => `/data/${text.replaceAll('/', '_')}`)
  .filter((path) => path.trim() === path && !/[\p{Cc}\u2028\u2029\uFEFF]/u.test(path) && !/\/\.\.?$/.test(path));
const timeout = fc.oneof(fc.constant(60), fc.integer({ min: 1, max: 86_400 }));
const port = fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 65_535 }));

const complete: fc.Arbitrary<Answers> = fc
  .record({
    names: fc.uniqueArray(name, { minLength: 5, maxLength: 5 }),
    ports: fc.array(port, { minLength: 3, maxLength: 3 }),
    directories: fc.uniqueArray(directory, { minLength: 1, maxLength: 4 }),
    start: command,
    stop: command,
    timeouts: fc.tuple(timeout, timeout),
    vip: fc.oneof(
      fc.constant(''),
      fc.integer({ min: 1, max: 254 }).map((last) => `10.9.0.${last}/24`),
    ),
    checkers: someCheckers,
    device: fc.oneof(fc.constant(null), fc.constantFrom('eth0', 'bond0.12', 'enp3s0')),
    networks: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 3 })),
    witness: fc.boolean(),
    withoutWitness: fc.constantFrom('prefer-one-copy' as const, 'prefer-availability' as const),
    detectionMs: fc.oneof(fc.constant(3000), fc.integer({ min: 1000, max: 60_000 })),
    prefer: fc.constantFrom(null, 0, 1),
    automatic: fc.boolean(),
  })
  .map((made): Answers => {
    const [cluster = '', module = '', n1 = '', n2 = '', network = ''] = made.names;
    const [port1 = null, port2 = null, port3 = null] = made.ports;
    return {
      cluster,
      nodes: [
        { name: n1, machine: machine('root@10.1.0.1', port1), facts: null },
        { name: n2, machine: machine('ad.min@host-2.example.com', port2), facts: null },
      ],
      application: {
        name: module,
        service: null,
        directories: made.directories,
        start: made.start,
        stop: made.stop,
        startTimeout: made.timeouts[0],
        stopTimeout: made.timeouts[1],
      },
      goodNode: null,
      vip: made.vip,
      interface: made.device,
      checkers: made.checkers,
      checkersBy: 'person',
      networks:
        made.networks === null
          ? null
          : Array.from({ length: made.networks }, (_, index) => ({
              name: `${network.slice(0, 8)}${index}`.replaceAll('-', 'x'),
              subnet: `10.${index + 1}.0.0/16`,
            })),
      witness: { kind: made.witness ? 'voting' : 'none', machine: machine('root@10.1.0.3', port3), facts: null },
      withoutWitness: made.withoutWitness,
      detectionMs: made.detectionMs,
      prefer: made.prefer === null ? null : made.prefer === 0 ? n1 : n2,
      failback: made.automatic && made.prefer !== null ? 'automatic' : 'manual',
    };
  });

it('answers become the configuration that they say, whatever they are', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(complete, (answers) => {
      const composed = compose(answers);
      expect(composed.problems).toEqual([]);
      const configuration = parseConfiguration(composed.text ?? '', 'x');
      expect(configuration).toEqual(composed.configuration);
      expect(decided(configuration)).toEqual(wanted(answers));
    }),
    { numRuns: 300 },
  );
});

it('whatever is typed, there is either a file that is taken or a reason', { timeout: 60_000 }, () => {
  const anything = fc.string({ unit: 'binary', maxLength: 30 });
  fc.assert(
    fc.property(
      complete,
      fc.constantFrom(
        'cluster',
        'start',
        'stop',
        'vip',
        'name',
        'directory',
        'destination',
        'prefer',
        'interface',
        'good',
        'subnet',
        'checker',
        'checkerTimes',
      ),
      anything,
      fc.integer(),
      (answers, where, text, number) => {
        const { application } = answers;
        const changes: Record<typeof where, Partial<Answers>> = {
          cluster: { cluster: text },
          start: { application: { ...application, start: text, startTimeout: number } },
          stop: { application: { ...application, stop: text } },
          vip: { vip: text },
          name: { nodes: [{ ...answers.nodes[0]!, name: text }, answers.nodes[1]!] },
          directory: { application: { ...application, directories: [text, ...application.directories] } },
          destination: { nodes: [{ ...answers.nodes[0]!, machine: machine(text) }, answers.nodes[1]!] },
          prefer: { prefer: text, failback: 'automatic' },
          interface: { interface: text },
          good: { goodNode: text, detectionMs: number },
          checker: {
            checkers: wizardCheckerKinds.map((kind) =>
              checker({ kind, target: text, contains: text, status: kind === 'http' ? text : '', guestAgent: text }),
            ),
          },
          checkerTimes: {
            checkers: [
              checker({ target: '80', interval: text, timeout: text, failures: String(number) }),
              checker({ kind: 'disk', target: '/x', freePercentMin: text, gracePeriod: text }),
            ],
          },
          subnet: {
            networks: [
              { name: 'a', subnet: text },
              { name: text, subnet: '10.0.0.0/8' },
            ],
          },
        };
        const composed = compose({ ...answers, ...changes[where] });
        expect(composed.text === null).toBe(composed.problems.length > 0);
        for (const problem of composed.problems) {
          expect(problem.code).toMatch(/^[a-z-]+$/);
          expect(problem.path).toMatch(/^[a-zA-Z]+(\.\w+)*$/);
          expect(problem.message).not.toBe('');
          expect(problem.remedy).not.toBe('');
        }
      },
    ),
    { numRuns: 600 },
  );
});
