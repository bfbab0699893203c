import { afterEach, describe, expect, test } from 'vitest';
import { detectionMs, MemoryCluster, nodeNames, protectedCluster, type NodeName } from './runtime/memory-cluster.ts';

let cluster = new MemoryCluster();
afterEach(() => {
  for (const name of nodeNames) cluster.powerOff(name);
});

function cutRouter(name: NodeName, cut = true): void {
  cluster.cut(name, 'witness', cut);
  cluster.cut('witness', name, cut);
}
function isolate(name: NodeName, cut = true): void {
  cutRouter(name, cut);
  cluster.cut('n1', 'n2', cut);
  cluster.cut('n2', 'n1', cut);
}
const told = (name: NodeName, code: string): boolean => cluster.nodes[name].events.some((event) => event.code === code);

describe('two runtimes and a router that answers pings', () => {
  test('say that it is there, and what they do without each other', async () => {
    cluster = await protectedCluster(true, [], 'prefer-availability');
    await cluster.advance(1000);
    expect(cluster.status('n2')?.witness).toEqual({
      kind: 'ping',
      reachable: true,
      address: '10.0.0.9',
      withoutWitness: 'prefer-availability',
    });
  });

  test('the primary that is cut off stops before the other one runs, and the data does not fork', async () => {
    cluster = await protectedCluster(true, [], 'prefer-availability');
    isolate('n1');
    await cluster.until('n2 acknowledges writes', () => cluster.answers('n2') && cluster.writes('n2'));
    await cluster.until('n1 has stopped', () => told('n1', 'fence-complete'));
    expect(told('n1', 'alone')).toBe(false);
    expect(told('n1', 'ping-witness-silent')).toBe(true);
    const fenced = cluster.nodes.n1.events.find((event) => event.code === 'fenced');
    expect(fenced?.message).toMatch(/neither n2 nor 10\.0\.0\.9 has answered it/);
    expect(fenced?.evidence).toMatchObject({ reason: 'cut-off', pingWitness: '10.0.0.9', pingAnswers: false });
    isolate('n1', false);
    await cluster.until('protected again', () => cluster.isProtected());
    expect(cluster.own('n2')).toBe('primary up-to-date');
    expect(told('n1', 'ping-witness-answers')).toBe(true);
  });

  test('the secondary that is cut off starts nothing, and the primary goes on', async () => {
    cluster = await protectedCluster(true, [], 'prefer-availability');
    isolate('n2');
    await cluster.until('n1 is alone', () => cluster.own('n1').startsWith('alone') && cluster.writes('n1'));
    await cluster.advance(detectionMs * 5);
    expect(cluster.own('n2')).toBe('secondary up-to-date');
    expect(cluster.status('n2')?.modules[0]?.own.reason).toBe('ping-witness-silent');
  });

  test('with one copy preferred it lets nobody take over', async () => {
    cluster = await protectedCluster(true, [], 'prefer-one-copy');
    cluster.powerOff('n1');
    await cluster.advance(detectionMs * 5);
    expect(cluster.own('n2')).toBe('secondary up-to-date');
  });

  test('its loss alone changes nothing', async () => {
    cluster = await protectedCluster(true, [], 'prefer-availability');
    for (const name of nodeNames) cutRouter(name);
    await cluster.advance(detectionMs * 5);
    expect(cluster.isProtected()).toBe(true);
    expect(cluster.nodes.n1.scripts).toEqual(['start']);
    expect(cluster.status('n1')?.witness.reachable).toBe(false);
  });

  /** Only the heartbeats are: the replicators are in sync. */
  const cutHeartbeats = (): void => {
    cluster.linkStands = true;
    cluster.cut('n1', 'n2');
    cluster.cut('n2', 'n1');
  };
  test('a restarted agent keeps what is left of the right to run while the other server is not heard', async () => {
    cluster = await protectedCluster(true, [], 'prefer-one-copy');
    cutHeartbeats();
    await cluster.advance(200);
    await cluster.restartAgent('n1');
    await cluster.advance(detectionMs * 4);
    expect([told('n1', 'fenced'), cluster.own('n1')]).toEqual([false, 'primary up-to-date']);
    expect([cluster.answers('n1'), cluster.writes('n1')]).toEqual([true, true]);
    expect(cluster.nodes.n1.scripts).toEqual(['start']);
  });

  test('so does a changed configuration', async () => {
    cluster = await protectedCluster(true, [], 'prefer-one-copy');
    const { record } = cluster;
    const module = { ...record.modules[0]!, restartLimit: { count: 7, windowMs: 1000 } };
    cutHeartbeats();
    await cluster.advance(200);
    await cluster.nodes.n1.life?.runtime.configure({ ...record, revision: 2, modules: [module] });
    await cluster.advance(detectionMs * 4);
    expect([told('n1', 'fenced'), cluster.own('n1')]).toEqual([false, 'primary up-to-date']);
    expect([cluster.answers('n1'), cluster.writes('n1')]).toEqual([true, true]);
    expect(cluster.nodes.n1.scripts).toEqual(['start']);
  });

  test('a restarted agent goes on with the running application', async () => {
    cluster = await protectedCluster(true, [], 'prefer-availability');
    await cluster.restartAgent('n1');
    await cluster.advance(detectionMs * 3);
    expect(cluster.isProtected()).toBe(true);
    expect(cluster.nodes.n1.scripts).toEqual(['start']);
  });
});
