/**
 * Teaches a program to find libraries beside itself: one DT_RUNPATH entry of `$ORIGIN` in a spare place of its dynamic section, and the
 * text in the unused end of its first segment. No byte moves, so nothing else in the file changes its meaning. With it
 * `process.execPath` stays right and no environment variable exists that child processes could inherit.
 * Elf64 as in gabi+ "Object Files" and "Dynamic Linking", little-endian (x86-64, aarch64).
 */
import { Fault } from '../../agent/contract/fault.ts';

const segmentTypeLoad = 1;
const segmentTypeDynamic = 2;
const flagWrite = 2;
const tagNull = 0;
const tagStringTable = 5;
const tagRunpath = 0x1d;
const text = Buffer.from('$ORIGIN\0', 'latin1');

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  /** Where its header stands in the file. */
  readonly headerAt: number;
}

function unusable(why: string): Fault {
  return new Fault('runtime-unusable', { message: `The Node runtime cannot be prepared for servers: ${why}.` });
}

function readSegments(file: Buffer): Segment[] {
  const isElf64 = file.length > 64 && file.readUInt32BE(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1;
  if (!isElf64) throw unusable('it is not a 64-bit Linux program');
  const at = Number(file.readBigUInt64LE(0x20));
  const size = file.readUInt16LE(0x36);
  const count = file.readUInt16LE(0x38);
  return Array.from({ length: count }, (_unused, index) => {
    const header = at + index * size;
    const word = (offset: number): number => Number(file.readBigUInt64LE(header + offset));
    return {
      type: file.readUInt32LE(header),
      flags: file.readUInt32LE(header + 4),
      offset: word(8),
      address: word(16),
      fileSize: word(32),
      memorySize: word(40),
      headerAt: header,
    };
  });
}

function readDynamic(file: Buffer, dynamic: Segment): { tag: number; value: number; at: number }[] {
  return Array.from({ length: dynamic.fileSize / 16 }, (_unused, index) => {
    const at = dynamic.offset + index * 16;
    return { tag: Number(file.readBigInt64LE(at)), value: Number(file.readBigUInt64LE(at + 8)), at };
  });
}

/** A copy of the program that finds libraries in its own directory; debug information, which nothing loads, is left out. */
export function withOwnDirectoryAsRunpath(program: Buffer): Buffer {
  const segments = readSegments(program);
  const dynamic = segments.find((segment) => segment.type === segmentTypeDynamic);
  const loads = segments.filter((segment) => segment.type === segmentTypeLoad);
  if (!dynamic || loads.length === 0) throw unusable('it is linked statically');
  const entries = readDynamic(program, dynamic);
  const strings = entries.find((entry) => entry.tag === tagStringTable);
  const end = entries.findIndex((entry) => entry.tag === tagNull);
  const spare = entries[end];
  // The first null entry ends the list; it may be used only when another one follows.
  if (!strings || !spare || entries[end + 1]?.tag !== tagNull) throw unusable('its dynamic section has no spare entry');
  if (entries.some((entry) => entry.tag === tagRunpath)) throw unusable('it has a runpath already');

  const home = loads.find((segment) => {
    if ((segment.flags & flagWrite) !== 0 || segment.fileSize !== segment.memorySize) return false;
    const from = segment.offset + segment.fileSize;
    const next = loads.filter((other) => other.offset >= from).sort((a, b) => a.offset - b.offset)[0];
    const gap = program.subarray(from, Math.min(next?.offset ?? from, from + text.length));
    return (
      gap.length === text.length &&
      gap.every((byte) => byte === 0) &&
      segment.address + segment.memorySize >= strings.value
    );
  });
  if (!home) throw unusable('no segment has room for the text');

  const lastByte = Math.max(...segments.map((segment) => segment.offset + segment.fileSize));
  const patched = Buffer.from(program.subarray(0, lastByte));
  text.copy(patched, home.offset + home.fileSize);
  patched.writeBigUInt64LE(BigInt(home.fileSize + text.length), home.headerAt + 32);
  patched.writeBigUInt64LE(BigInt(home.memorySize + text.length), home.headerAt + 40);
  // The dynamic linker adds the value to the address of the string table and looks at no length.
  patched.writeBigInt64LE(BigInt(tagRunpath), spare.at);
  patched.writeBigUInt64LE(BigInt(home.address + home.memorySize - strings.value), spare.at + 8);
  // No section headers: they described what was left out.
  patched.writeBigUInt64LE(0n, 0x28);
  patched.writeUInt16LE(0, 0x3c);
  patched.writeUInt16LE(0, 0x3e);
  return patched;
}
