import { statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { killGroup, makeGroup, unifiedPath } from '../lab/cgroups.ts';
import { must } from '../lab/process.ts';
import type { InsideProgram } from './network/namespaces.ts';
import { Namespaces } from './network/namespaces.ts';

const inside = path.join(import.meta.dirname, 'network/inside.ts');
const vip = '10.91.0.50';
const port = 4321;
/** Kernel timers have the resolution of a jiffy (4 ms with HZ=250), the observer asks every 8 ms. */
const cutWithinMs = 40;

let world: Namespaces;
let server: InsideProgram;
let observer: InsideProgram;
let observerLink: { address: string; ifindex: number };

beforeEach(async () => {
  world = await Namespaces.make('hfnet', { server: '10.91.0.1/24', observer: '10.91.0.2/24', third: '10.91.0.3/24' });
  server = world.program('server', inside);
  observer = world.program('observer', inside);
  observerLink = (
    JSON.parse(await must(world.inside('observer', 'ip', '-json', 'link', 'show', 'eth0'))) as [typeof observerLink]
  )[0];
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

interface Seen {
  readonly arpMs: number;
  readonly tcpMs: number;
  readonly announcements: number;
}
async function observe(forMs: number, address = vip): Promise<Seen> {
  const now = await observer.ask<number>(['bootMs']);
  return await observer.ask<Seen>(['observe', address, port, observerLink.address, observerLink.ifindex, now + forMs]);
}
async function startServing(): Promise<void> {
  await server.ask(['manage', [vip]]);
  await server.ask(['raise', vip, null]);
  await server.ask(['listen', vip, port]);
}

const silentForMs = async (): Promise<number> =>
  (await observer.ask<number>(['bootMs'])) - (await observer.ask<number>(['echoed']));

describe('the lease that the kernel enforces', () => {
  test('fences from the beginning: without a lease the address is silent', async () => {
    await startServing();
    expect(await server.ask(['present', vip])).toBe(true);
    const seen = await observe(400);
    expect(seen).toMatchObject({ arpMs: 0, tcpMs: 0 });
    // Only the virtual address: the server's own goes on.
    await server.ask(['listen', '10.91.0.1', port]);
    expect((await observe(200, '10.91.0.1')).tcpMs).toBeGreaterThan(0);
  });

  test('ends by itself to the millisecond, also while the process is stopped', async () => {
    await startServing();
    const deadlineMs = await server.ask<number>(['extend', [vip], 1200]);
    server.child.kill('SIGSTOP');
    const seen = await observe(1800);
    server.child.kill('SIGCONT');
    for (const lastMs of [seen.arpMs, seen.tcpMs]) {
      expect(lastMs - deadlineMs).toBeGreaterThan(-150);
      expect(lastMs - deadlineMs).toBeLessThan(cutWithinMs);
    }
  });

  test('is renewed without a gap, and cut at once', async () => {
    await startServing();
    for (let renewal = 0; renewal < 5; renewal++) {
      await server.ask(['extend', [vip], 400]);
      await delay(100);
    }
    const now = await observer.ask<number>(['bootMs']);
    const deadlineMs = await server.ask<number>(['extend', [vip], 400]);
    const watching = observe(300);
    expect((await watching).tcpMs).toBeGreaterThan(now);
    expect(deadlineMs).toBeGreaterThan(now);
    await server.ask(['extend', [vip], 60_000]);
    const cutMs = await server.ask<number>(['cut', [vip]]);
    const seen = await observe(300);
    expect(Math.max(seen.arpMs, seen.tcpMs)).toBeLessThan(cutMs + cutWithinMs);
  });

  test('stands above an accept of established connections in anybody’s firewall', async () => {
    const firewall =
      'table ip foreign { chain f { type filter hook prerouting priority -500; ct state established accept; }; chain i { type filter hook input priority -500; ct state established accept; }; }';
    await must(world.inside('server', 'nft', '-f', '-'), { stdin: firewall });
    await startServing();
    await server.ask(['extend', [vip], 60_000]);
    await observer.ask(['converse', vip, port]);
    await expect.poll(silentForMs).toBeLessThan(100);
    const cutMs = await server.ask<number>(['cut', [vip]]);
    await delay(400);
    expect(await observer.ask<number>(['echoed'])).toBeLessThan(cutMs + cutWithinMs);
  });

  test('is put back, with what remains of the lease, after a foreign flush', async () => {
    await startServing();
    await server.ask(['extend', [vip], 1500]);
    expect(await server.ask(['check'])).toBe(false);
    await must(world.inside('server', 'nft', 'flush', 'ruleset'));
    expect(await server.ask(['check'])).toBe(true);
    expect((await observe(300)).tcpMs).toBeGreaterThan(0);
    await delay(1500);
    expect(await observe(200)).toMatchObject({ arpMs: 0, tcpMs: 0 });
    expect(await server.ask(['check'])).toBe(false);
    // One rule alone is missed as well.
    await must(world.inside('server', 'nft', 'flush', 'chain', 'arp', 'holdfast', 'leaving'));
    expect(await server.ask(['check'])).toBe(true);
  });

  test('outlives the agent, and its successor takes it over as it runs', async () => {
    await startServing();
    await server.ask(['extend', [vip], 60_000]);
    server.child.stdin!.end();
    const successor = world.program('server', inside);
    await successor.ask(['listen', vip, port + 1]);
    await successor.ask(['manage', [vip]]);
    expect((await observe(200)).arpMs).toBeGreaterThan(0);
    await successor.ask(['remove']);
    expect(await must(world.inside('server', 'nft', 'list', 'ruleset'))).toBe('');
  });
});

describe('the lease of a whole application', () => {
  const group = ['hfnet', 'application'] as const;
  const ownAddress = '10.91.0.1';
  const observerAddress = '10.91.0.2';
  let application: InsideProgram;
  let number: string;
  beforeEach(async () => {
    application = world.programInGroup(makeGroup(...group), 'server', inside);
    // A service in a slice: the second level.
    number = String(statSync(unifiedPath(...group), { bigint: true }).ino);
    await server.ask(['manage', []]);
    expect(await server.ask(['guardObstacle'])).toBeNull();
    await observer.ask(['listen', observerAddress, port]);
    await application.ask(['converse', observerAddress, port]);
    await application.ask(['listen', ownAddress, port]);
  });
  afterEach(async () => {
    await killGroup('hfnet');
  });
  const sinceEcho = async (): Promise<number> =>
    (await application.ask<number>(['bootMs'])) - (await application.ask<number>(['echoed']));

  test('ends its own connections and those to it, also while the agent is stopped, and nobody else’s', async () => {
    await observer.ask(['converse', ownAddress, port]);
    const deadlineMs = await server.ask<number>(['guard', 'app', [number], 1000]);
    await delay(300);
    expect(await sinceEcho()).toBeLessThan(200);
    server.child.kill('SIGSTOP');
    await delay(1300);
    for (const side of [application, observer]) {
      const lastMs = await side.ask<number>(['echoed']);
      expect(lastMs - deadlineMs).toBeGreaterThan(-200);
      expect(lastMs - deadlineMs).toBeLessThan(cutWithinMs);
    }
    // Neither new connections to it, nor to another address of this server; what is not the application goes on.
    expect((await observe(200, ownAddress)).tcpMs).toBe(0);
    server.child.kill('SIGCONT');
    await server.ask(['listen', ownAddress, port + 1]);
    await observer.ask(['converse', ownAddress, port + 1]);
    await expect.poll(silentForMs).toBeLessThan(100);
  });

  test('stays closed for what was ended by force, whatever is started afterwards', async () => {
    await server.ask(['guard', 'app', [number], 60_000]);
    await delay(200);
    expect(await sinceEcho()).toBeLessThan(200);
    const cutMs = await server.ask<number>(['guard', 'app', [number], 0]);
    await server.ask(['condemn', 'app']);
    await server.ask(['guard', 'app', ['1'], 60_000]);
    await delay(700);
    expect(await application.ask<number>(['echoed'])).toBeLessThan(cutMs + cutWithinMs);
    await must(world.inside('server', 'nft', 'flush', 'ruleset'));
    const openMs = await server.ask<number>(['bootMs']);
    expect(await server.ask(['check'])).toBe(true);
    await delay(700);
    // Between the flush and the look whatever TCP has waiting may leave; nothing after it.
    expect(await application.ask<number>(['echoed'])).toBeLessThan(openMs + 500);
  });

  test('is renewed without a gap, put back after a foreign flush, and lifted when the application has ended', async () => {
    for (let renewal = 0; renewal < 5; renewal++) {
      await server.ask(['guard', 'app', [number], 400]);
      await delay(100);
      expect(await sinceEcho()).toBeLessThan(200);
    }
    await must(world.inside('server', 'nft', 'flush', 'ruleset'));
    expect(await server.ask(['check'])).toBe(true);
    expect(await server.ask(['check'])).toBe(false);
    const cutMs = await server.ask<number>(['guard', 'app', [number], 0]);
    await delay(300);
    expect(await application.ask<number>(['echoed'])).toBeLessThan(cutMs + cutWithinMs);
    await server.ask(['guard', 'app', [], 0]);
    // TCP sends again by itself.
    await expect.poll(sinceEcho).toBeLessThan(100);
    await server.ask(['remove']);
    expect(await must(world.inside('server', 'nft', 'list', 'ruleset'))).toBe('');
  });
});

describe('a restarted agent', () => {
  const group = ['hfnet', 'restarted'] as const;
  const other = ['hfnet', 'other'] as const;
  const observerAddress = '10.91.0.2';
  const numberOf = (name: readonly [string, string]): string =>
    String(statSync(unifiedPath(...name), { bigint: true }).ino);
  let application: InsideProgram;
  beforeEach(async () => {
    application = world.programInGroup(makeGroup(...group), 'server', inside);
    makeGroup(...other);
    await server.ask(['forget']);
    await server.ask(['manage', []]);
    await observer.ask(['listen', observerAddress, port]);
    await application.ask(['converse', observerAddress, port]);
    await server.ask(['guard', 'app', [numberOf(group)], 400]);
    await server.ask(['forget']);
    await server.ask(['manage', []]);
  });
  afterEach(async () => {
    await killGroup('hfnet');
  });
  const sinceEcho = async (): Promise<number> =>
    (await application.ask<number>(['bootMs'])) - (await application.ask<number>(['echoed']));

  test('lets go of what its predecessor guarded and it does not hold itself', async () => {
    await server.ask(['guard', 'else', [numberOf(other)], 5000]);
    await server.ask(['settle']);
    await delay(1000);
    expect(await sinceEcho()).toBeLessThan(300);
  });

  test('holds what it knows, with the lease that runs: renewed it goes on, and otherwise it ends', async () => {
    await server.ask(['guard', 'app', [numberOf(group)], null]);
    await server.ask(['settle']);
    await delay(1000);
    expect(await sinceEcho()).toBeGreaterThan(300);
    await server.ask(['guard', 'app', [numberOf(group)], 60_000]);
    await expect.poll(sinceEcho, { timeout: 5000 }).toBeLessThan(100);
  });
});

describe('the virtual address', () => {
  test('goes to the interface of its subnet, is announced, and comes off', async () => {
    await server.ask(['manage', [vip]]);
    await server.ask(['extend', [vip], 60_000]);
    const watching = observe(1500);
    await server.ask(['raise', vip, null]);
    await server.ask(['raise', vip, null]);
    expect((await watching).announcements).toBeGreaterThanOrEqual(4);
    expect(await must(world.inside('server', 'ip', '-4', 'address', 'show', 'eth0'))).toContain(`${vip}/24`);
    await server.ask(['drop', vip]);
    await server.ask(['drop', vip]);
    expect(await server.ask(['present', vip])).toBe(false);
  });

  test('is not announced by a node that has lost the right to it', async () => {
    await server.ask(['manage', [vip]]);
    const watching = observe(800);
    await server.ask(['lose']);
    await server.ask(['raise', vip, 'eth0']).then(() => server.ask(['lose']));
    const { announcements } = await watching;
    expect(announcements).toBeLessThanOrEqual(2);
  });

  test('is refused when another machine answers for it, and says which', async () => {
    await must(['ip', '-n', world.of('third'), 'address', 'add', `${vip}/24`, 'dev', 'eth0']);
    const link = JSON.parse(await must(world.inside('third', 'ip', '-json', 'link', 'show', 'eth0'))) as [
      { address: string },
    ];
    await server.ask(['manage', [vip]]);
    await expect(server.ask(['raise', vip, null])).rejects.toMatchObject({
      code: 'vip-already-used',
      details: { address: vip, answeredBy: link[0].address },
    });
    expect(await server.ask(['present', vip])).toBe(false);
  });

  test('needs an interface in its subnet', async () => {
    await expect(server.ask(['raise', '192.0.2.50', null])).rejects.toMatchObject({ code: 'vip-no-interface' });
  });
});
