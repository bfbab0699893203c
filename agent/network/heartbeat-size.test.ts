import { expect, it } from 'vitest';
import type { Heartbeat, ModuleBeat } from '../contract/index.ts';
import { sealDatagram, sealingKey } from './datagram-seal.ts';
import { fittingHeartbeat } from './heartbeat-size.ts';

const key = sealingKey('cluster', 'a secret that is long enough for a cluster key');

/** As a module says it that waits after a power cut: the longest words there are. */
function heartbeat(modules: number, nameLength: number, words: string): Heartbeat {
  const one = (index: number): ModuleBeat => ({
    module: `m${index}`.padEnd(nameLength, 'x'),
    state: 'wait',
    data: 'up-to-date',
    generation: { number: 17, id: 'server-one-0123456789abcdef' },
    unsettled: true,
    committed: false,
    copy: 'up-to-date',
    peerStale: false,
    clean: false,
    memoryLost: false,
    closedLost: false,
    contacts: { '0a1b2c3d': 1234 },
    active: false,
    lastPrimary: false,
    wanted: 'started',
    maintenance: false,
    unable: null,
    handoverTo: null,
    reason: 'no-majority',
    message: words,
    since: '2026-01-01T00:00:00.000Z',
  });
  const beats = Array.from({ length: modules }, (_, index) => one(index));
  return { kind: 'heartbeat', agentVersion: '0.1.0', revision: 3, modules: beats };
}

function send(body: Heartbeat): Buffer {
  const names = { cluster: 'cluster', from: 'server-one', to: 'server-two', network: 'replication' };
  return sealDatagram(key, { format: 1, ...names, session: 'x'.repeat(32), counter: 1, echo: 'x'.repeat(32), body });
}

it('says everything where there is room', () => {
  const message = heartbeat(20, 12, 'Not enough votes to start: n1 is silent, the witness is silent.');
  expect(fittingHeartbeat(message)).toBe(message);
});

it('leaves the sentences out where 128 modules wait, and keeps what is decided on', () => {
  const message = heartbeat(128, 12, 'Not enough votes to start: server-one is silent, the witness is silent.');
  expect(() => send(message)).toThrow();
  const fitting = fittingHeartbeat(message);
  send(fitting);
  const [first] = fitting.modules;
  expect([first?.message, first?.reason, first?.since]).toEqual([undefined, 'no-majority', '2026-01-01T00:00:00.000Z']);
  expect(first?.contacts).toEqual({ '0a1b2c3d': 1234 });
});

it('leaves out whatever is only to be read where names are long', () => {
  const message = heartbeat(128, 70, 'ü'.repeat(200));
  const fitting = fittingHeartbeat(message);
  send(fitting);
  expect(fitting.modules[127]).toMatchObject({
    state: 'wait',
    generation: { number: 17 },
    contacts: { '0a1b2c3d': 1234 },
  });
  expect(fitting.modules[127]).toMatchObject({ reason: 'no-majority' });
  expect(fitting.modules[127]?.since).toBeUndefined();
});
