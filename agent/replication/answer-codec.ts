/** The acknowledgement connection, target → source. Frames: length u32 · kind u8 · fields. */
import { Fault } from '../contract/index.ts';
import { faultRecordSchema } from '../contract/index.ts';
import { malformed } from './change-codec.ts';
import type { Room } from './room.ts';

export const answerKind = { acknowledge: 1, blocks: 2, fault: 3, checkpoint: 4, verified: 5, room: 6 } as const;
const answerBytesMax = 64 * 1024;
const two32 = 4294967296;

const roomBytes = 40;

function putNumber(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value % two32, at);
  bytes.writeUInt32LE(Math.floor(value / two32), at + 4);
}
function getNumber(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * two32;
}

/** Everything up to `sequence` is applied, and every sync up to it is on disk. Returns the length written to `into`. */
export function encodeAcknowledgement(into: Buffer, sequence: number): number {
  into.writeUInt32LE(9, 0);
  into[4] = answerKind.acknowledge;
  putNumber(into, sequence, 5);
  return 13;
}

/** Everything up to the frame that asked for this checkpoint is on disk, and the record says so. */
export function encodeCheckpoint(into: Buffer, checkpoint: number): number {
  const length = encodeAcknowledgement(into, checkpoint);
  into[4] = answerKind.checkpoint;
  return length;
}

/** What the target's disk can still take once everything up to `sequence` is applied. Only to a source that has said it knows this (`roomSinceMinor`). */
export function encodeRoom(into: Buffer, sequence: number, room: Room): number {
  into.writeUInt32LE(1 + roomBytes, 0);
  into[4] = answerKind.room;
  putNumber(into, sequence, 5);
  putNumber(into, room.bytes, 13);
  putNumber(into, room.names, 21);
  putNumber(into, room.totalBytes, 29);
  putNumber(into, room.totalNames, 37);
  return 5 + roomBytes;
}

export function encodeBlocksAnswer(into: Buffer, sequence: number, needed: Uint8Array): number {
  into.writeUInt32LE(9 + needed.length, 0);
  into[4] = answerKind.blocks;
  putNumber(into, sequence, 5);
  into.set(needed, 13);
  return 13 + needed.length;
}

/** The answer to one `verify` frame. `found`: at most `verifiedBytesMax`. */
export function encodeVerified(into: Buffer, sequence: number, found: Buffer): number {
  const length = encodeBlocksAnswer(into, sequence, found);
  into[4] = answerKind.verified;
  return length;
}
export const verifiedBytesMax = answerBytesMax - 64;

/** The target leaves, and says why. */
export function encodeFault(into: Buffer, fault: Fault): number {
  const body = Buffer.from(JSON.stringify(fault.toRecord())).subarray(0, answerBytesMax - 16);
  into.writeUInt32LE(1 + body.length, 0);
  into[4] = answerKind.fault;
  into.set(body, 5);
  return 5 + body.length;
}

/** Reused. */
export class Answer {
  kind = 0;
  sequence = 0;
  needed: Uint8Array = new Uint8Array(0);
  fault: Fault | null = null;
  readonly room: Room = { bytes: 0, names: 0, totalBytes: 0, totalNames: 0 };
}

/** Reads the frame at `start`; bytes taken, or 0 when it is not complete. Throws Fault on garbage. */
export function readAnswer(bytes: Buffer, start: number, end: number, into: Answer): number {
  if (end - start < 4) return 0;
  const length = bytes.readUInt32LE(start);
  if (length < 1 || length > answerBytesMax) throw malformed(`an answer of ${length} bytes`);
  if (end - start < 4 + length) return 0;
  into.kind = bytes.readUInt8(start + 4);
  const body = bytes.subarray(start + 5, start + 4 + length);
  if (into.kind === answerKind.fault) {
    into.fault = readFault(body);
    return 4 + length;
  }
  if (into.kind === answerKind.room) {
    readRoom(body, into);
    return 4 + length;
  }
  const isAcknowledgement = into.kind === answerKind.acknowledge || into.kind === answerKind.checkpoint;
  if (
    body.length < 8 ||
    (!isAcknowledgement && into.kind !== answerKind.blocks && into.kind !== answerKind.verified) ||
    (isAcknowledgement && body.length > 8)
  )
    throw malformed('not an answer');
  into.sequence = getNumber(body, 0);
  if (!isAcknowledgement) into.needed = Uint8Array.from(body.subarray(8));
  return 4 + length;
}

function readRoom(body: Buffer, into: Answer): void {
  if (body.length !== roomBytes) throw malformed('not an answer');
  into.sequence = getNumber(body, 0);
  into.room.bytes = getNumber(body, 8);
  into.room.names = getNumber(body, 16);
  into.room.totalBytes = getNumber(body, 24);
  into.room.totalNames = getNumber(body, 32);
}

function readFault(body: Buffer): Fault {
  try {
    return Fault.fromRecord(faultRecordSchema.parse(JSON.parse(body.toString())));
  } catch {
    throw malformed('not a fault');
  }
}
