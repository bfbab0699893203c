import { expect, test } from 'vitest';
import type { EchoPort } from './pings.ts';
import { Pings } from './pings.ts';

/** Whoever is pinged, in memory. */
class Router {
  now = 1000;
  opened = 0;
  answers = true;
  unreachable = false;
  readonly requests: Buffer[] = [];
  private inbox: Buffer[] = [];
  readonly pings = new Pings(
    () => this.open(),
    '10.0.0.1',
    () => this.now,
    3000,
  );

  answer(request: Buffer, change: (packet: Buffer) => void = () => undefined): void {
    const packet = Buffer.concat([Buffer.from([0x45, ...new Array<number>(19).fill(0)]), request]);
    packet[20] = 0;
    change(packet);
    this.inbox.push(packet);
  }

  private open(): EchoPort {
    this.opened += 1;
    if (this.unreachable) throw new Error('connect: ENETUNREACH');
    return {
      send: (message) => {
        this.requests.push(message);
        if (this.answers) this.answer(message);
      },
      waiting: () => this.inbox.splice(0),
      [Symbol.dispose]: () => undefined,
    };
  }
}

test('an answer counts from when its question was sent', () => {
  const router = new Router();
  router.pings.ask();
  router.now = 1400;
  expect(router.pings.answeredMs()).toBe(1000);
});

test('silence is no answer, and a late answer to an old question makes nothing newer', () => {
  const router = new Router();
  router.answers = false;
  router.pings.ask();
  router.now = 1500;
  router.pings.ask();
  expect(router.pings.answeredMs()).toBeNull();
  const [first, second] = router.requests;
  if (first === undefined || second === undefined) throw new Error('not asked');
  router.answer(second);
  router.answer(first);
  expect(router.pings.answeredMs()).toBe(1500);
});

test('what was not asked is not answered: neither another identifier nor another token', () => {
  const router = new Router();
  router.answers = false;
  router.pings.ask();
  const [request] = router.requests;
  if (request === undefined) throw new Error('not asked');
  for (const byte of [24, 26, 28]) router.answer(request, (packet) => packet.writeUInt8((packet[byte] ?? 0) ^ 1, byte));
  expect(router.pings.answeredMs()).toBeNull();
});

test('where there is no way it is tried again, and after a long silence with a new port', () => {
  const router = new Router();
  router.unreachable = true;
  router.pings.ask();
  expect(router.pings.obstacle).toBe('connect: ENETUNREACH');
  router.unreachable = false;
  router.answers = false;
  router.pings.ask();
  expect(router.pings.obstacle).toBeNull();
  expect(router.opened).toBe(2);
  router.now += 3001;
  router.pings.ask();
  expect(router.opened).toBe(3);
});
