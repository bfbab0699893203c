import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs, type Configuration } from '../../agent/contract/configuration.ts';
import type { Answers } from '../app-api/index.ts';
import { parseConfiguration } from '../configuration/index.ts';
import { compose } from './compose.ts';
import { firstAnswers } from './defaults.ts';

const machine = (destination: string, port: number | null = null): Answers['witness']['machine'] => ({
  destination,
  port,
  identity: null,
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

  it('has no text while something is missing, and lists it', () => {
    const { text, problems } = compose({
      ...firstAnswers(),
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
      configuration.witness === 'none'
        ? null
        : { ssh: configuration.witness.ssh, port: configuration.witness.port ?? null },
    withoutWitness: configuration.withoutWitness,
    detectionMs: durationMs(configuration.detection),
    name: module?.name,
    prefer: module?.prefer ?? null,
    failback: module?.failback,
    directories: module?.replicate.map(({ path }) => path),
    vip: [module?.vip].flat(),
    interface: module?.interface ?? null,
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
    witness: witness.kind === 'none' ? null : ssh(witness.machine),
    withoutWitness: answers.withoutWitness,
    detectionMs: answers.detectionMs,
    name: application.name,
    prefer: answers.prefer,
    failback: answers.failback,
    directories: application.directories,
    vip: answers.vip === '' ? [] : [answers.vip],
    interface: answers.interface,
    start: { command: application.start.trim(), seconds: application.startTimeout },
    stop: { command: application.stop.trim(), seconds: application.stopTimeout },
  };
}

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
