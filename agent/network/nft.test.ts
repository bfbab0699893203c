import { describe, expect, test } from 'vitest';
import { applicationRules, applicationRulesetText } from './application-ruleset.ts';
import { firstError, groupBatch, leaseBatch, parseGeneration } from './nft-messages.ts';
import { removalText, rulesetText } from './nft-ruleset.ts';

describe('the ruleset as text', () => {
  test('guards input, output and ARP before connection tracking, and departures after translation', () => {
    const text = rulesetText(['10.0.0.50'], []);
    expect(text).toContain('hook prerouting priority -300');
    expect(text).toContain('hook output priority -300');
    expect(text).toContain('hook postrouting priority 300');
    expect(text.match(/@managed .* != @leased drop/g)).toHaveLength(5);
    expect(text).toContain('add element arp holdfast managed { 10.0.0.50 }');
  });
  test('leaves running leases alone, and restores those that it is told', () => {
    expect(rulesetText(['10.0.0.50'], [])).not.toContain('element inet holdfast leased');
    expect(rulesetText(['10.0.0.50'], [{ address: '10.0.0.50', remainingMs: 812.7 }])).toContain(
      'add element inet holdfast leased { 10.0.0.50 timeout 812ms }',
    );
  });
  test('no addresses, no elements; removal works whatever is there', () => {
    expect(rulesetText([], [])).not.toContain('add element');
    expect(removalText()).toBe(
      'add table inet holdfast\ndelete table inet holdfast\nadd table arp holdfast\ndelete table arp holdfast\n',
    );
  });
});

function* typesOf(batch: Buffer): Generator<number> {
  for (let at = 0; at < batch.length; at += (batch.readUInt32LE(at) + 3) & ~3) yield batch.readUInt16LE(at + 4);
}

describe('renewal in netlink’s words', () => {
  test('one batch: add, delete, add per address and table, begin and end around', () => {
    const add = (10 << 8) | 12;
    const remove = (10 << 8) | 14;
    expect([...typesOf(leaseBatch([{ address: '10.0.0.50', remainingMs: 2000 }]))]).toEqual([
      0x10,
      ...[add, remove, add],
      ...[add, remove, add],
      0x11,
    ]);
  });
  test('a lease that has run out is only taken away', () => {
    const add = (10 << 8) | 12;
    const remove = (10 << 8) | 14;
    expect([...typesOf(leaseBatch([{ address: '10.0.0.50', remainingMs: 0.4 }]))]).toEqual([
      0x10,
      ...[add, remove],
      ...[add, remove],
      0x11,
    ]);
  });
  test('answers: the first error counts, silence is not success', () => {
    const answer = (error: number): Buffer => {
      const message = Buffer.alloc(36);
      message.writeUInt32LE(36, 0);
      message.writeUInt16LE(2, 4);
      message.writeInt32LE(error, 16);
      return message;
    };
    expect(firstError([])).toBeNull();
    expect(firstError([answer(0), answer(0)])).toBe(0);
    expect(firstError([answer(0), answer(-2), answer(-17)])).toBe(2);
    expect(parseGeneration([answer(0)])).toBeNull();
  });
});

describe('the guard of whole applications', () => {
  test('stands in both directions, at every level, outside of the loopback', () => {
    const text = applicationRulesetText();
    expect(text.match(/@managed .* @leased drop/g)).toHaveLength(applicationRules);
    expect(text).toContain('hook output');
    expect(text).toContain('hook input');
    expect(text.match(/!= "lo"/g)).toHaveLength(applicationRules);
    // What runs in the kernel goes on when the agent is restarted.
    expect(text).not.toContain('flush set');
  });
  test('renews, guards and releases in one transaction', () => {
    const batch = groupBatch([{ groups: [0x1122334455n], remainingMs: 1500 }], [7n]);
    // begin; add and delete of the lease, add and delete of the guard; add, delete, add of the lease and the guard; end.
    expect(messageTypes(batch)).toEqual([0x10, 0xa0c, 0xa0e, 0xa0c, 0xa0e, 0xa0c, 0xa0e, 0xa0c, 0xa0c, 0x11]);
    expect(batch.includes(Buffer.from([0x55, 0x44, 0x33, 0x22, 0x11, 0, 0, 0]))).toBe(true);
  });
  test('cuts a group that has no lease', () => {
    expect(messageTypes(groupBatch([{ groups: [5n], remainingMs: 0 }], []))).toEqual([
      ...[0x10, 0xa0c, 0xa0e, 0xa0c, 0x11],
    ]);
  });
  test('leaves a lease alone that it is not told, and lets go of everything else', () => {
    expect(messageTypes(groupBatch([{ groups: [5n], remainingMs: null }], [], true))).toEqual([
      ...[0x10, 0xa0e, 0xa0c, 0x11],
    ]);
  });
});

function messageTypes(batch: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at < batch.length; at += (batch.readUInt32LE(at) + 3) & ~3) types.push(batch.readUInt16LE(at + 4));
  return types;
}
