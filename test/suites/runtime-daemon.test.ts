import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterRecord, NodeStatus } from '../../agent/contract/index.ts';
import { Fault } from '../../agent/contract/index.ts';
import { run, until } from '../lab/process.ts';
import { Enclosure } from './runtime/enclosure.ts';

const residentKilobytesMax = 150 * 1024;
const script = { command: 'true', timeoutMs: 1000 };

function record(revision: number, change: Partial<ClusterRecord> = {}): ClusterRecord {
  return {
    format: 1,
    revision,
    cluster: 'site',
    clusterUuid: 'uuid',
    nodes: [
      { name: 'n1', addresses: ['127.0.0.1'] },
      { name: 'n2', addresses: ['127.0.0.2'] },
    ],
    networks: [{ name: 'lan', subnet: '127.0.0.0/8' }],
    witness: null,
    pingWitness: null,
    withoutWitness: 'prefer-one-copy',
    detectionMs: 1000,
    modules: [
      {
        name: 'db',
        prefer: null,
        failback: 'manual',
        dependsOn: [],
        volumes: [{ id: 'db/0', path: '/etc/holdfast/data', volumeUuid: 'volume' }],
        cache: 'none',
        acknowledge: 'durable',
        vips: [{ address: '127.0.0.50', prefixLength: 8, interface: 'lo' }],
        scripts: { prestart: null, start: script, stop: script, poststop: null, forceStop: null, transition: null },
        checkers: [],
        restartLimit: { count: 3, windowMs: 86_400_000 },
      },
    ],
    ...change,
  };
}

let server: Enclosure;
beforeAll(async () => {
  server = await Enclosure.make(
    'hfdaemon',
    [
      `echo '{"format":1,"node":"n1"}' > /etc/holdfast/node.json`,
      `echo 'a secret that nobody knows, long enough' > /etc/holdfast/cluster.secret`,
      'mkdir /etc/holdfast/data && echo hello > /etc/holdfast/data/file',
    ].join(' && '),
  );
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe('the daemon as a process', () => {
  test('connect says in one line that the agent is down', async () => {
    const { process: connect } = server.connect();
    let said = '';
    connect.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code] = (await once(connect, 'close')) as [number];
    expect(code).toBe(1);
    expect(JSON.parse(said)).toMatchObject({ code: 'agent-down' });
  });

  test('answers before it is configured, and takes a configuration live', async () => {
    await server.startDaemon();
    const { client } = server.connect();
    await client.ready;
    await expect(client.call('status', {})).rejects.toMatchObject({ code: 'not-configured' });
    const [good, missing] = await client.call('inspect', {
      volumes: [
        { id: 'db/0', path: '/usr/sbin' },
        { id: 'db/1', path: '/nowhere/at/all' },
      ],
    });
    expect(good).toMatchObject({ exists: true, initialised: false, empty: false });
    expect(missing).toMatchObject({ exists: false, problems: [{ code: 'directory-missing' }] });
    const told = Promise.withResolvers<NodeStatus>();
    client.on('status', told.resolve);
    await client.call('configure', record(2));
    expect((await told.promise).revision).toBe(2);
    const status = await client.call('status', {});
    expect(status).toMatchObject({ cluster: 'site', node: 'n1', peer: { name: 'n2', alive: false, lastHeard: null } });
    expect(status.modules[0]?.own).toMatchObject({ state: 'stopped', data: 'unknown', reason: 'stopped-by-order' });
    await expect(client.call('configure', record(1))).rejects.toMatchObject({ code: 'revision-too-old' });
    const strangers = record(3, {
      nodes: [
        { name: 'n8', addresses: ['127.0.0.1'] },
        { name: 'n9', addresses: ['127.0.0.2'] },
      ],
    });
    await expect(client.call('configure', strangers)).rejects.toMatchObject({ code: 'node-not-in-cluster' });
    client.close();
  });

  test('orders are recorded, refusals say what to do, and the timeline tells both', async () => {
    const { client } = server.connect();
    await client.call('start', { module: 'db' });
    await expect(client.call('swap', { module: 'db' })).rejects.toMatchObject({ code: 'not-primary' });
    await expect(client.call('start', { module: 'web' })).rejects.toMatchObject({ code: 'no-such-module' });
    const events = await client.call('events', {});
    expect(events.map((event) => event.code)).toContain('ordered-start');
    expect(await client.call('events', { after: events.at(-1)!.sequence })).toEqual([]);
    client.close();
  });

  test('listens on the heartbeat port of its own address and nowhere else', async () => {
    const listening = (await server.must('ss', '-lnutH')).trim().split('\n');
    expect(listening).toHaveLength(1);
    expect(listening[0]).toMatch(/^udp .* 127\.0\.0\.1:7412 /);
  });

  test('puts its fence up before it needs it, and back when somebody flushes it', async () => {
    expect(await server.must('nft', 'list', 'set', 'inet', 'holdfast', 'managed')).toContain('127.0.0.50');
    await server.must('nft', 'flush', 'ruleset');
    await until('the fence is back', 5000, async () => {
      const { stdout } = await run(server.inside('nft', 'list', 'set', 'inet', 'holdfast', 'managed'));
      return stdout.includes('127.0.0.50');
    });
    await until('and that is told', 5000, () => server.printed.includes('[fence-restored]'));
  });

  test('survives a kill: a successor takes up configuration, state and socket', async () => {
    await server.stopDaemon('SIGKILL');
    await server.startDaemon();
    const { client } = server.connect();
    const status = await client.call('status', {});
    expect(status.revision).toBe(2);
    expect(status.modules[0]?.own.state).toBe('wait');
    client.close();
  });

  test('needs little memory', async () => {
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.daemon!.pid!}/status`, 'utf8'))?.[1];
    expect(Number(resident)).toBeLessThan(residentKilobytesMax);
  });

  test('ends in order, and said nothing that would worry anybody', async () => {
    expect(await server.stopDaemon('SIGTERM')).toBe(0);
    expect(server.printed.split('\n').filter((line) => line !== '' && !/^<[56]>/.test(line))).toEqual([]);
  });

  test('says why it cannot take up its configuration, and goes on answering', async () => {
    await server.must('sh', '-c', 'echo broken > /etc/holdfast/cluster.json');
    await server.startDaemon();
    const { client } = server.connect();
    const fault = await client.call('status', {}).catch((error: unknown) => Fault.from(error));
    expect(fault).toMatchObject({ code: 'configuration-unreadable' });
    client.close();
  });
});
