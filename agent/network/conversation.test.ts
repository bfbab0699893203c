import { describe, expect, test } from 'vitest';
import type { Envelope, DatagramBody } from '../contract/index.ts';
import { Conversation } from './conversation.ts';

const body: DatagramBody = { kind: 'vote-release', module: 'db', number: 1, session: 'a' };
const talker = (name: string, session: string, other: string): Conversation =>
  new Conversation({ cluster: 'c', name, session }, other);

/** Lets two sides say empty words until both believe each other. */
function acquaint(a: Conversation, b: Conversation): void {
  b.receive(a.envelope('lan', null), 'lan', 0);
  a.receive(b.envelope('lan', null), 'lan', 0);
  expect(b.receive(a.envelope('lan', null), 'lan', 0)).toHaveProperty('take');
}

describe('a conversation', () => {
  test('begins with an introduction: nothing is believed from a session that does not echo ours', () => {
    const a = talker('n1', 'a1', 'n2');
    const b = talker('n2', 'b1', 'n1');
    expect(b.receive(a.envelope('lan', body), 'lan', 0)).toEqual({ drop: 'unproven-session', introduce: true });
    expect(a.receive(b.envelope('lan', null), 'lan', 0)).toMatchObject({ take: null });
    expect(b.receive(a.envelope('lan', body), 'lan', 0)).toMatchObject({ take: body });
    expect(a.otherSession).toBe('b1');
  });

  test('takes each datagram once, and none that is older, per network', () => {
    const a = talker('n1', 'a1', 'n2');
    const b = talker('n2', 'b1', 'n1');
    acquaint(a, b);
    const first = a.envelope('lan', body);
    const second = a.envelope('lan', body);
    expect(b.receive(second, 'lan', 0)).toHaveProperty('take');
    for (const old of [first, second]) expect(b.receive(old, 'lan', 0)).toEqual({ drop: 'replayed', introduce: false });
    const other = a.envelope('backup', body);
    expect(b.receive(other, 'lan', 0)).toMatchObject({ drop: 'not-for-us' });
    expect(b.receive(other, 'backup', 0)).toHaveProperty('take');
  });

  test('numbers what was said in one row, whatever network brought it and however often the other one starts again', () => {
    const a = talker('n1', 'a1', 'n2');
    const b = talker('n2', 'b1', 'n1');
    acquaint(a, b);
    const order = (from: Conversation, network: string): (() => number) => {
      const envelope = from.envelope(network, body);
      return () => {
        const verdict = b.receive(envelope, network, 0);
        return 'order' in verdict ? verdict.order : Number.NaN;
      };
    };
    const early = order(a, 'backup');
    const late = order(a, 'lan')();
    expect(early()).toBeLessThan(late);
    const reborn = talker('n1', 'a2', 'n2');
    reborn.receive(b.envelope('lan', null), 'lan', 0);
    const newest = order(reborn, 'lan')();
    expect(newest).toBeGreaterThan(late);
    // Our own socket is made anew at a change of the configuration, and the machines stay.
    const again = talker('n2', 'b2', 'n1');
    reborn.receive(again.envelope('lan', null), 'lan', 0);
    const verdict = again.receive(reborn.envelope('lan', body), 'lan', 0);
    expect('order' in verdict && verdict.order > newest).toBe(true);
  });

  test('a recording of a former life is never believed again', () => {
    const a = talker('n1', 'a1', 'n2');
    const b = talker('n2', 'b1', 'n1');
    acquaint(a, b);
    const recording: Envelope[] = Array.from({ length: 5 }, () => a.envelope('lan', body));
    const reborn = talker('n2', 'b2', 'n1');
    for (const old of recording) expect(reborn.receive(old, 'lan', 0)).toMatchObject({ drop: 'unproven-session' });
    expect(a.receive(reborn.envelope('lan', null), 'lan', 0)).toHaveProperty('take');
    expect(reborn.receive(a.envelope('lan', body), 'lan', 0)).toMatchObject({ take: body });
  });

  test('what was said before the proof is not believed on another network either', () => {
    const a = talker('n1', 'a1', 'n2');
    const b = talker('n2', 'b1', 'n1');
    acquaint(a, b);
    // Recorded in the former life of the receiver, on a network on which its new life has heard nothing yet.
    const recording = a.envelope('backup', body);
    const reborn = talker('n2', 'b2', 'n1');
    a.receive(reborn.envelope('lan', null), 'lan', 0);
    expect(reborn.receive(a.envelope('lan', null), 'lan', 0)).toHaveProperty('take');
    expect(reborn.receive(recording, 'backup', 0)).toEqual({ drop: 'replayed', introduce: false });
    const fresh = a.envelope('backup', body);
    expect(reborn.receive(fresh, 'backup', 0)).toMatchObject({ take: body });
    expect(reborn.receive(fresh, 'backup', 0)).toMatchObject({ drop: 'replayed' });
  });

  test('the other side’s new life replaces the old one', () => {
    const a = talker('n1', 'a1', 'n2');
    const b = talker('n2', 'b1', 'n1');
    acquaint(a, b);
    const old = a.envelope('lan', body);
    const reborn = talker('n1', 'a2', 'n2');
    expect(b.receive(reborn.envelope('lan', null), 'lan', 0)).toEqual({ drop: 'unproven-session', introduce: true });
    reborn.receive(b.envelope('lan', null), 'lan', 0);
    expect(b.receive(reborn.envelope('lan', body), 'lan', 0)).toMatchObject({ take: body });
    expect(b.receive(old, 'lan', 0)).toHaveProperty('drop');
    expect(b.otherSession).toBe('a2');
  });

  test('introductions are bounded: a replayed recording is not multiplied', () => {
    const b = talker('n2', 'b1', 'n1');
    const a = talker('n1', 'a1', 'n2');
    const answered = Array.from({ length: 100 }, () => b.receive(a.envelope('lan', null), 'lan', 500)).filter(
      (verdict) => verdict.introduce,
    );
    expect(answered).toHaveLength(10);
    expect(b.receive(a.envelope('lan', null), 'lan', 1600).introduce).toBe(true);
  });

  test('what is addressed to somebody else is left alone', () => {
    const a = talker('n1', 'a1', 'n2');
    const b = talker('n3', 'b1', 'n1');
    expect(b.receive(a.envelope('lan', body), 'lan', 0)).toEqual({ drop: 'not-for-us', introduce: false });
  });
});
