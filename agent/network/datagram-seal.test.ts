import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Envelope } from '../contract/index.ts';
import { datagramBytesMax, openDatagram, sealDatagram, sealingKey } from './datagram-seal.ts';

const key = sealingKey('cluster-1', 'x'.repeat(40));
const envelope: Envelope = {
  format: 1,
  cluster: 'cluster-1',
  from: 'n1',
  to: 'n2',
  session: 's1',
  counter: 7,
  echo: null,
  network: 'lan',
  body: { kind: 'vote-release', module: 'db', number: 3, session: 'a' },
};

describe('a sealed datagram', () => {
  test('opens to what was sealed', () => {
    expect(openDatagram(key, sealDatagram(key, envelope))).toEqual({ envelope });
  });
  test('is refused when a single bit differs, wherever', () => {
    const sealed = sealDatagram(key, envelope);
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.nat(7), (at, bit) => {
        const forged = Buffer.from(sealed);
        forged[at] = forged[at]! ^ (1 << bit);
        expect(openDatagram(key, forged)).toEqual({ refused: 'unsealed' });
      }),
    );
  });
  test('is refused at every shorter length, and rubbish as well', () => {
    const sealed = sealDatagram(key, envelope);
    for (let length = 0; length < sealed.length; length++)
      expect(openDatagram(key, sealed.subarray(0, length))).toEqual({ refused: 'unsealed' });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(openDatagram(key, Buffer.from(bytes))).toEqual({ refused: 'unsealed' });
      }),
    );
  });
  test('of another cluster or secret is refused', () => {
    const sealed = sealDatagram(key, envelope);
    expect(openDatagram(sealingKey('cluster-2', 'x'.repeat(40)), sealed)).toEqual({ refused: 'unsealed' });
    expect(openDatagram(sealingKey('cluster-1', 'y'.repeat(40)), sealed)).toEqual({ refused: 'unsealed' });
  });
  test('that is authentic but of another shape is told apart', () => {
    const other = { ...envelope, body: { kind: 'from-the-future' } } as unknown as Envelope;
    expect(openDatagram(key, sealDatagram(key, other))).toEqual({ refused: 'unreadable' });
  });
  test('too long ones are neither made nor opened', () => {
    const long = { ...envelope, from: 'n'.repeat(datagramBytesMax) };
    expect(() => sealDatagram(key, long)).toThrow(expect.objectContaining({ code: 'datagram-too-long' }) as Error);
    expect(openDatagram(key, Buffer.alloc(datagramBytesMax + 1))).toEqual({ refused: 'unsealed' });
  });
  test('a short secret is refused', () => {
    expect(() => sealingKey('c', 'short')).toThrow(expect.objectContaining({ code: 'secret-too-short' }) as Error);
  });
});
