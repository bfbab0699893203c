import { describe, expect, it } from 'vitest';
import { Attributes } from '../sys/attributes.ts';
import {
  directoryRecordLength,
  nameAt,
  negotiate,
  readNumber,
  readSignedNumber,
  readTime,
  RequestHeader,
  writeAbsentEntry,
  writeAttributesReply,
  writeDirectoryRecord,
  writeEntry,
  writeInitReply,
  writeNumber,
  writeParkedReply,
  writeReplyHeader,
  writeSignedNumber,
} from './codec.ts';
import { initFlag } from './protocol.ts';

function initRequest(major: number, minor: number, flags: number): Buffer {
  const bytes = Buffer.alloc(104);
  bytes.writeUInt32LE(major, 40);
  bytes.writeUInt32LE(minor, 44);
  bytes.writeUInt32LE(131072, 48);
  bytes.writeUInt32LE(flags >>> 0, 52);
  return bytes;
}

describe('numbers', () => {
  const bytes = Buffer.alloc(8);
  it.each([0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER])('keeps %i', (value) => {
    writeNumber(bytes, value, 0);
    expect(readNumber(bytes, 0)).toBe(value);
    expect(bytes.readBigUInt64LE(0)).toBe(BigInt(value));
  });
  it.each([0, -1, -(2 ** 32), -(2 ** 33) - 7, 7_258_118_400])('keeps the signed %i', (value) => {
    writeSignedNumber(bytes, value, 0);
    expect(readSignedNumber(bytes, 0)).toBe(value);
    expect(bytes.readBigInt64LE(0)).toBe(BigInt(value));
  });
  it('reads a time before 1970', () => {
    const time = Buffer.alloc(16);
    time.writeBigInt64LE(-5000n, 0);
    time.writeUInt32LE(999_999_999, 8);
    expect(readTime(time, 0, 8)).toEqual({ seconds: -5000, nanoseconds: 999_999_999 });
  });
});

describe('requests', () => {
  it('reads the header', () => {
    const bytes = Buffer.alloc(48);
    bytes.writeUInt32LE(47, 0);
    bytes.writeUInt32LE(1, 4);
    bytes.writeBigUInt64LE(2n ** 40n + 2n, 8);
    bytes.writeBigUInt64LE(77n, 16);
    [1000, 2000, 3000].forEach((value, index) => bytes.writeUInt32LE(value, 24 + index * 4));
    const header = new RequestHeader();
    header.read(bytes);
    expect(header).toMatchObject({
      length: 47,
      opcode: 1,
      unique: 2 ** 40 + 2,
      node: 77,
      uid: 1000,
      gid: 2000,
      pid: 3000,
    });
  });
  it('takes names as bytes', () => {
    expect(nameAt(Buffer.from([9, 0xff, 0xfe, 0x0a, 0, 0x61]), 1)).toEqual(Buffer.from([0xff, 0xfe, 0x0a]));
  });
});

describe('answers', () => {
  const reply = Buffer.alloc(4096, 0xaa);
  const attributes = new Attributes();
  Object.assign(attributes, { inode: 2 ** 33, size: 2 ** 41, blocks: 8, blockSize: 4096, mode: 0o100644, links: 2 });
  Object.assign(attributes.modified, { seconds: -1, nanoseconds: 5 });

  it('has a header with a negative error', () => {
    expect(writeReplyHeader(reply, 16, -2, 99)).toBe(16);
    expect([reply.readUInt32LE(0), reply.readInt32LE(4), readNumber(reply, 8)]).toEqual([16, -2, 99]);
  });
  it('answers a parked sync without and a synchronous write with a body', () => {
    expect(writeParkedReply(reply, 7, 0)).toBe(16);
    expect(writeParkedReply(reply, 7, 4096)).toBe(24);
    expect([reply.readUInt32LE(0), reply.readInt32LE(4), reply.readUInt32LE(16)]).toEqual([24, 0, 4096]);
  });
  it('lays attributes out as struct fuse_attr_out', () => {
    expect(writeAttributesReply(reply, attributes, 60)).toBe(16 + 104);
    expect(readNumber(reply, 16)).toBe(60);
    expect([readNumber(reply, 32), readNumber(reply, 40)]).toEqual([2 ** 33, 2 ** 41]);
    expect(reply.readBigInt64LE(32 + 32)).toBe(-1n);
    expect([reply.readUInt32LE(32 + 60), reply.readUInt32LE(32 + 64)]).toEqual([0o100644, 2]);
  });
  it('lays entries out as struct fuse_entry_out', () => {
    writeEntry(reply, 16, 5, attributes, 60, 0);
    expect([readNumber(reply, 16), readNumber(reply, 32), readNumber(reply, 40)]).toEqual([5, 60, 0]);
    expect(readNumber(reply, 16 + 40)).toBe(2 ** 33);
    writeAbsentEntry(reply, 16, 60);
    expect([readNumber(reply, 16), readNumber(reply, 32)]).toEqual([0, 60]);
  });
  it('pads directory records to eight bytes', () => {
    const record = { inodeLow: 1, inodeHigh: 2, nextLow: 0xffffffff, nextHigh: 0x7fffffff, type: 0o100000 };
    const length = writeDirectoryRecord(reply, 0, { ...record, name: Buffer.from('abc') });
    expect(length).toBe(32);
    expect(length).toBe(directoryRecordLength(3));
    expect(reply.readBigUInt64LE(8)).toBe(0x7fffffffffffffffn);
    expect([reply.readUInt32LE(16), reply.readUInt32LE(20)]).toEqual([3, 8]);
    expect(reply.subarray(24, 32).toString()).toBe('abc\0\0\0\0\0');
  });
});

describe('negotiation', () => {
  const all = 0xffffffff;
  it('asks a newer major to come down', () => {
    const reply = Buffer.alloc(128);
    expect(negotiate(initRequest(8, 0, all), 'none')).toBe('again');
    expect(writeInitReply(reply, 'again')).toBe(80);
    expect(reply.readUInt32LE(16)).toBe(7);
  });
  it('refuses what is older than Linux 4.18', () => {
    expect(negotiate(initRequest(7, 26, all), 'none')).toBe('too-old');
    expect(negotiate(initRequest(6, 50, all), 'none')).toBe('too-old');
  });
  it('takes only what is offered', () => {
    const negotiation = negotiate(initRequest(7, 27, initFlag.BIG_WRITES), 'writeback');
    expect(negotiation).toMatchObject({
      minor: 27,
      flags: initFlag.BIG_WRITES,
      setxattrExtended: false,
      transferBytes: 131072,
    });
  });
  it('never negotiates locks, so that they stay local to the node', () => {
    const negotiation = negotiate(initRequest(7, 45, all), 'none');
    expect(typeof negotiation === 'object' && negotiation.flags & ((1 << 1) | (1 << 10))).toBe(0);
  });
  it('takes ACLs and unmasked modes together or not at all', () => {
    const both = initFlag.DONT_MASK | initFlag.POSIX_ACL;
    const flagsFor = (offered: number): number => {
      const negotiation = negotiate(initRequest(7, 40, offered), 'none');
      return typeof negotiation === 'object' ? negotiation.flags & both : -1;
    };
    expect([flagsFor(both), flagsFor(initFlag.DONT_MASK), flagsFor(initFlag.POSIX_ACL)]).toEqual([both, 0, 0]);
  });
  it('uses the write-back cache only when configured', () => {
    const hasWriteback = (cache: 'none' | 'writeback'): boolean => {
      const negotiation = negotiate(initRequest(7, 45, all), cache);
      return typeof negotiation === 'object' && (negotiation.flags & initFlag.WRITEBACK_CACHE) !== 0;
    };
    expect([hasWriteback('none'), hasWriteback('writeback')]).toEqual([false, true]);
  });
  it('offers transfers of one MiB', () => {
    const negotiation = negotiate(initRequest(7, 60, all), 'none');
    const reply = Buffer.alloc(128);
    if (typeof negotiation !== 'object') throw new Error('refused');
    expect(negotiation.minor).toBe(45);
    expect(writeInitReply(reply, negotiation)).toBe(80);
    expect([reply.readUInt32LE(36), reply.readUInt16LE(44)]).toEqual([1 << 20, 256]);
  });
});
