import { afterEach, describe, expect, test } from 'vitest';
import type { CheckerDefinition } from '../../agent/contract/index.ts';
import { replicatorSilenceMs } from '../../agent/core/index.ts';
import { sealDatagram } from '../../agent/network/index.ts';
import { addressOf, detectionMs, MemoryCluster, nodeNames, protectedCluster } from './runtime/memory-cluster.ts';

let cluster = new MemoryCluster();
afterEach(() => {
  for (const name of nodeNames) cluster.powerOff(name);
  cluster.stopWitness();
});

describe('two runtimes and a witness', () => {
  test('become protected, and say so on both sides', async () => {
    cluster = await protectedCluster();
    await cluster.advance(1000);
    expect(cluster.own('n1')).toBe('primary up-to-date');
    expect(cluster.own('n2')).toBe('secondary up-to-date');
    expect(cluster.answers('n1')).toBe(true);
    const status = cluster.status('n2');
    expect(status?.peer).toMatchObject({ name: 'n1', alive: true, agentVersion: '1.2.3' });
    expect(status?.witness).toEqual({ kind: 'voting', reachable: true });
    expect(status?.modules[0]?.peer?.state).toBe('primary');
    expect(status?.modules[0]?.vips).toEqual([{ address: '10.0.0.50', here: false }]);
  });

  test('the survivor of a power loss answers soon after the detection time, and the returned node is brought up to date', async () => {
    cluster = await protectedCluster();
    cluster.powerOff('n1');
    const tookMs = await cluster.until('n2 answers', () => cluster.answers('n2') && cluster.nodes.n2.application);
    expect(tookMs).toBeLessThan(detectionMs + 1500);
    await cluster.until('n2 acknowledges writes', () => cluster.writes('n2'));
    expect(cluster.own('n2')).toBe('alone up-to-date');
    await cluster.boot('n1');
    await cluster.until('protected again', () => cluster.isProtected());
    expect(cluster.own('n1')).toBe('secondary up-to-date');
    expect(cluster.nodes.n1.scripts).toEqual(['start']);
  });

  test('the loss of the secondary lets the primary go on alone without stopping the application', async () => {
    cluster = await protectedCluster();
    cluster.powerOff('n2');
    await cluster.until('n1 is alone', () => cluster.own('n1').startsWith('alone') && cluster.writes('n1'));
    expect(cluster.nodes.n1.scripts).toEqual(['start']);
    await cluster.boot('n2');
    await cluster.until('protected again', () => cluster.isProtected());
  });

  test('a frozen primary loses its address by itself; thawed, it gives way', async () => {
    cluster = await protectedCluster();
    cluster.freeze('n1');
    await cluster.until('n2 answers', () => cluster.answers('n2') && cluster.writes('n2'));
    expect(cluster.answers('n1')).toBe(false);
    cluster.thaw('n1');
    await cluster.until('n1 is secondary again and protected', () => cluster.isProtected());
    expect(cluster.own('n1')).toBe('secondary up-to-date');
    expect(cluster.nodes.n1.application).toBe(false);
  });

  test('a pause of 80 % of the detection time moves nothing, also when a heartbeat before it was lost', async () => {
    for (let phaseMs = 0; phaseMs < 500; phaseMs += 100) {
      cluster = await protectedCluster();
      await cluster.advance(phaseMs);
      cluster.network.setCut(addressOf.n1, addressOf.n2, true);
      await cluster.advance(400);
      cluster.network.setCut(addressOf.n1, addressOf.n2, false);
      cluster.freeze('n1');
      await cluster.advance(detectionMs * 0.8);
      cluster.thaw('n1');
      await cluster.advance(5000);
      expect(cluster.own('n1')).toMatch(/^primary/);
      expect(cluster.nodes.n2.scripts).toEqual([]);
      expect(cluster.nodes.n2.events.map(({ code }) => code)).not.toContain('peer-silent');
      cluster.powerOff('n1');
      cluster.powerOff('n2');
    }
  });

  test('a pause shorter than the detection time moves nothing', async () => {
    cluster = await protectedCluster();
    cluster.freeze('n1');
    await cluster.advance(detectionMs * 0.75);
    cluster.thaw('n1');
    await cluster.advance(10_000);
    expect(cluster.own('n1')).toBe('primary up-to-date');
    expect(cluster.nodes.n2.scripts).toEqual([]);
    expect(cluster.isProtected()).toBe(true);
  });

  test.each([
    [
      'both ways',
      [
        ['n1', 'n2'],
        ['n2', 'n1'],
      ],
    ],
    ['from n1 to n2 only', [['n1', 'n2']]],
    ['from n2 to n1 only', [['n2', 'n1']]],
  ] as const)('a cable cut %s never makes two primaries, and heals', async (_, directions) => {
    cluster = await protectedCluster();
    for (const [from, to] of directions) cluster.cut(from, to);
    await cluster.advance(20_000);
    expect(nodeNames.filter((name) => cluster.writes(name))).toHaveLength(1);
    for (const [from, to] of directions) cluster.cut(from, to, false);
    await cluster.until('protected again', () => cluster.isProtected());
  });

  test('the primary that is cut from everybody stops; the other one takes over', async () => {
    cluster = await protectedCluster();
    for (const other of ['n2', 'witness'] as const) {
      cluster.cut('n1', other);
      cluster.cut(other, 'n1');
    }
    await cluster.until('n2 acknowledges writes', () => cluster.writes('n2'));
    await cluster.until('n1 has stopped its application', () => !cluster.nodes.n1.application);
    for (const other of ['n2', 'witness'] as const) {
      cluster.cut('n1', other, false);
      cluster.cut(other, 'n1', false);
    }
    await cluster.until('protected again', () => cluster.isProtected());
  });

  test('both lose power at once: the cold start finds one primary, by lineage', async () => {
    cluster = await protectedCluster();
    for (const name of nodeNames) cluster.powerOff(name);
    await cluster.advance(2000);
    for (const name of nodeNames) await cluster.boot(name);
    await cluster.until('protected again', () => cluster.isProtected());
  });

  test('a swap moves the application and loses nothing', async () => {
    cluster = await protectedCluster();
    await cluster.nodes.n1.life?.runtime.command('db', { name: 'swap' });
    await cluster.until('n2 is primary', () => cluster.own('n2').startsWith('primary') && cluster.isProtected());
    expect(cluster.nodes.n1.scripts).toEqual(['start', 'stop']);
    expect(cluster.answers('n2')).toBe(true);
    await expect(cluster.nodes.n1.life?.runtime.command('db', { name: 'swap' })).rejects.toMatchObject({
      code: 'not-primary',
    });
  });

  test('a restarted agent goes on with the running application', async () => {
    cluster = await protectedCluster();
    await cluster.restartAgent('n1');
    await cluster.advance(5000);
    expect(cluster.own('n1')).toBe('primary up-to-date');
    expect(cluster.nodes.n1.scripts).toEqual(['start']);
    await cluster.restartAgent('n2');
    await cluster.advance(5000);
    expect(cluster.isProtected()).toBe(true);
    expect(cluster.nodes.n1.scripts).toEqual(['start']);
  });

  test('a restarted agent does not wait for a service manager that hangs: the lease is renewed in time', async () => {
    cluster = await protectedCluster();
    cluster.nodes.n1.serviceManagerHangs = true;
    await cluster.restartAgent('n1');
    for (let passedMs = 0; passedMs < 5000; passedMs += 50) {
      await cluster.advance(50);
      expect(cluster.speaks('n1') && cluster.answers('n1')).toBe(true);
    }
    expect(cluster.own('n1')).toBe('primary up-to-date');
    expect(cluster.nodes.n1.scripts).toEqual(['start']);
  });

  test('a dead replicator under the application: the node gives up, the cluster heals', async () => {
    cluster = await protectedCluster();
    cluster.nodes.n1.life?.replicator.crash();
    await cluster.advance(1000);
    cluster.nodes.n1.life?.replicator.comeBack();
    await cluster.until('protected again', () => cluster.isProtected(), 60_000);
  });

  test('a replicator that hangs while its module starts is killed, and the module starts', async () => {
    cluster = await protectedCluster();
    for (const name of nodeNames) await cluster.nodes[name].life?.runtime.command('db', { name: 'stop' });
    await cluster.until('stopped', () => nodeNames.every((name) => !cluster.nodes[name].application));
    await cluster.advance(5000);
    const { replicator, runtime } = cluster.nodes.n1.life!;
    replicator.hang();
    await runtime.command('db', { name: 'start' });
    await cluster.advance(replicatorSilenceMs);
    expect(cluster.nodes.n1.application).toBe(false);
    replicator.fallSilent();
    await cluster.until('n1 runs it', () => cluster.nodes.n1.application, 20_000);
    expect(cluster.nodes.n1.events.map(({ code }) => code)).toContain('replicator-silent');
  });

  test('a lost witness changes nothing while both nodes live, and is used again when it is back', async () => {
    cluster = await protectedCluster();
    cluster.stopWitness();
    await cluster.advance(10_000);
    expect(cluster.isProtected()).toBe(true);
    expect(cluster.status('n1')?.witness.reachable).toBe(false);
    await cluster.startWitness();
    await cluster.until('the witness is heard', () => cluster.status('n2')?.witness.reachable === true);
    await cluster.advance(5000);
    cluster.powerOff('n1');
    await cluster.until('n2 acknowledges writes', () => cluster.writes('n2'));
  });

  test('a host that goes down hands the application over and wants it again after its boot', async () => {
    cluster = await protectedCluster();
    const leaving = cluster.nodes.n1.life?.runtime.leaveForShutdown(20_000);
    await cluster.until('n2 acknowledges writes', () => cluster.writes('n2'));
    await cluster.advance(1000);
    await leaving;
    cluster.powerOff('n1');
    await cluster.boot('n1');
    await cluster.until('protected again', () => cluster.isProtected());
    expect(cluster.own('n2')).toBe('primary up-to-date');
  });

  test('a shutdown that is cut short while the application stops leaves it wanted', async () => {
    cluster = await protectedCluster();
    cluster.powerOff('n2');
    await cluster.until('n1 is alone', () => cluster.own('n1').startsWith('alone') && cluster.writes('n1'));
    const { runtime } = cluster.nodes.n1.life!;
    const { scripts } = (runtime as unknown as { ports: { scripts: { run(what: { script: string }): Promise<void> } } })
      .ports;
    const run = scripts.run.bind(scripts);
    // systemd waits 90 s for the service, and then kills it; the plug does not wait at all.
    scripts.run = (what) => (what.script === 'stop' ? new Promise(() => undefined) : run(what));
    void runtime.leaveForShutdown(60_000).catch(() => undefined);
    await cluster.advance(3000);
    cluster.powerOff('n1');
    await cluster.boot('n1');
    await cluster.until('n1 runs the application', () => cluster.nodes.n1.application);
  });

  test('withdrawing forgets the cluster and keeps the data', async () => {
    cluster = await protectedCluster();
    const leaving = cluster.nodes.n1.life?.runtime.withdraw();
    await cluster.advance(3000);
    await leaving;
    expect(cluster.nodes.n1.disk.configuration).toBeNull();
    expect(cluster.nodes.n1.disk.modules.size).toBe(0);
    expect(cluster.nodes.n1.application).toBe(false);
    expect(cluster.answers('n1')).toBe(false);
  });

  test('a changed address is taken over without stopping the application', async () => {
    cluster = await protectedCluster();
    const { record } = cluster;
    const module = record.modules[0]!;
    const next = { ...record, revision: 2, modules: [{ ...module, scripts: { ...module.scripts, poststop: null } }] };
    for (const name of nodeNames) await cluster.nodes[name].life?.runtime.configure(next);
    await cluster.advance(5000);
    expect(cluster.isProtected()).toBe(true);
    expect(cluster.nodes.n1.scripts).toEqual(['start']);
    await expect(cluster.nodes.n1.life?.runtime.configure(record)).rejects.toMatchObject({ code: 'revision-too-old' });
  });
});

describe('without a witness', () => {
  test('prefer-one-copy: the survivor waits and says why', async () => {
    cluster = await protectedCluster(false);
    cluster.powerOff('n1');
    await cluster.advance(20_000);
    expect(cluster.own('n2')).toBe('secondary up-to-date');
    expect(cluster.status('n2')?.modules[0]?.own.reason).toBe('peer-silent');
    expect(cluster.nodes.n2.application).toBe(false);
  });
});

describe('datagrams of others', () => {
  test('forged, truncated and replayed ones are dropped and change nothing', async () => {
    cluster = await protectedCluster();
    await cluster.advance(2000);
    const to = `${addressOf.n2}:7412`;
    const from = { address: addressOf.n1, port: 7412 };
    const recorded = cluster.network.recorded.filter((one) => one.to === to).map((one) => one.datagram);
    expect(recorded.length).toBeGreaterThan(5);
    cluster.powerOff('n1');
    for (let second = 0; second < 10; second++) {
      for (const datagram of recorded) {
        cluster.network.inject(datagram, from, to);
        cluster.network.inject(datagram.subarray(0, datagram.length - 1), from, to);
      }
      const forged = sealDatagram(
        { ...cluster.key, secret: Buffer.alloc(32) },
        {
          format: 1,
          cluster: 'cluster-uuid',
          from: 'n1',
          to: 'n2',
          session: 'x',
          counter: 1,
          echo: null,
          network: 'lan',
          body: null,
        },
      );
      cluster.network.inject(forged, from, to);
      await cluster.advance(1000);
    }
    expect(cluster.status('n2')?.peer.alive).toBe(false);
    expect(cluster.writes('n2')).toBe(true);
  });
});

describe('checkers', () => {
  const checker = (change: Partial<CheckerDefinition> = {}): CheckerDefinition => ({
    name: 'tcp 5432',
    probe: { kind: 'tcp', host: '127.0.0.1', port: 5432 },
    intervalMs: 1000,
    timeoutMs: 1000,
    failures: 2,
    action: 'restart',
    gracePeriodMs: 0,
    ...change,
  });
  const decisionsOf = (name: 'n1' | 'n2') =>
    cluster.nodes[name].events
      .filter((event) => event.code === 'checker-failed')
      .map((event) => event.evidence['decision']);

  test('an application that dies is started again where it is', async () => {
    cluster = await protectedCluster(true, [checker()]);
    cluster.nodes.n1.application = false;
    const tookMs = await cluster.until('it runs again', () => cluster.nodes.n1.application);
    expect(tookMs).toBeLessThan(3000);
    await cluster.until('protected', () => cluster.isProtected());
    expect(cluster.nodes.n1.scripts).toEqual(['start', 'stop', 'start']);
    expect(cluster.status('n1')?.modules[0]?.own.checkers).toMatchObject([{ name: 'tcp 5432' }]);
  });

  test('one that is broken everywhere is moved once and then rests, until a person gives the order', async () => {
    cluster = await protectedCluster(true, [checker()]);
    for (const name of nodeNames) cluster.nodes[name].finding = { code: 'refused', found: '' };
    await cluster.until('both wait', () =>
      nodeNames.every((name) => cluster.status(name)?.modules[0]?.own.reason === 'restart-limit'),
    );
    expect(decisionsOf('n1')).toEqual(['restart', 'restart', 'failover']);
    expect(decisionsOf('n2')).toEqual(['restart', 'restart', 'stop']);
    const scripts = nodeNames.map((name) => cluster.nodes[name].scripts.length);
    await cluster.advance(120_000);
    expect(nodeNames.map((name) => cluster.nodes[name].scripts.length)).toEqual(scripts);
    // The limit is remembered by a restarted agent.
    await cluster.restartAgent('n1');
    await cluster.restartAgent('n2');
    await cluster.advance(20_000);
    expect(nodeNames.some((name) => cluster.nodes[name].application)).toBe(false);
    for (const name of nodeNames) {
      cluster.nodes[name].finding = null;
      await cluster.nodes[name].life?.runtime.command('db', { name: 'start' });
    }
    await cluster.until('protected', () => cluster.isProtected());
  });

  test('a start script that fails on both nodes is not tried in turn for ever', async () => {
    cluster = await protectedCluster();
    for (const name of nodeNames) cluster.nodes[name].failScript = 'start';
    await cluster.nodes.n1.life?.runtime.command('db', { name: 'restart' });
    await cluster.advance(60_000);
    const starts = nodeNames.map((name) => cluster.nodes[name].scripts.filter((script) => script === 'start').length);
    expect(starts).toEqual([2, 1]);
  });

  test('a process that does not get to run blames nobody', async () => {
    cluster = await protectedCluster(true, [checker({ failures: 1 })]);
    cluster.freeze('n1');
    await cluster.advance(detectionMs * 0.75);
    cluster.thaw('n1');
    await cluster.advance(10_000);
    expect(decisionsOf('n1')).toEqual([]);
  });

  test('nothing is done in maintenance', async () => {
    cluster = await protectedCluster(true, [checker()]);
    for (const name of nodeNames)
      await cluster.nodes[name].life?.runtime.command('db', { name: 'maintenance', on: true });
    cluster.nodes.n1.application = false;
    await cluster.advance(20_000);
    expect(decisionsOf('n1')).toEqual([]);
    expect(cluster.status('n1')?.modules[0]?.own.checkers).toMatchObject([{ state: 'failed' }]);
  });
});
