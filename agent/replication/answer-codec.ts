/** The acknowledgement connection, target → source. Frames: length u32 · kind u8 · fields. */
import { Fault } from '../contract/index.ts';
import { faultRecordSchema } from '../contract/index.ts';
import { malformed } from './change-codec.ts';

export const answerKind = { acknowledge: 1, blocks: 2, fault: 3, checkpoint: 4, verified: 5 } as const;
const answerBytesMax = 64 * 1024;
const two32 = 4294967296;

function putSequence(bytes: Buffer, sequence: number, at: number): void {
  bytes.writeUInt32LE(sequence % two32, at);
  bytes.writeUInt32LE(Math.floor(sequence / two32), at + 4);
}

/** Everything up to `sequence` is applied, and every sync up to it is on disk. Returns the length written to `into`. */
export function encodeAcknowledgement(into: Buffer, sequence: number): number {
  into.writeUInt32LE(9, 0);
  into[4] = answerKind.acknowledge;
  putSequence(into, sequence, 5);
  return 13;
}

/** Everything up to the frame that asked for this checkpoint is on disk, and the record says so. */
export function encodeCheckpoint(into: Buffer, checkpoint: number): number {
  const length = encodeAcknowledgement(into, checkpoint);
  into[4] = answerKind.checkpoint;
  return length;
}

export function encodeBlocksAnswer(into: Buffer, sequence: number, needed: Uint8Array): number {
  into.writeUInt32LE(9 + needed.length, 0);
  into[4] = answerKind.blocks;
  putSequence(into, sequence, 5);
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
  const isAcknowledgement = into.kind === answerKind.acknowledge || into.kind === answerKind.checkpoint;
  if (
    body.length < 8 ||
    (!isAcknowledgement && into.kind !== answerKind.blocks && into.kind !== answerKind.verified) ||
    (isAcknowledgement && body.length > 8)
  )
    throw malformed('not an answer');
  into.sequence = body.readUInt32LE(0) + body.readUInt32LE(4) * two32;
  if (!isAcknowledgement) into.needed = Uint8Array.from(body.subarray(8));
  return 4 + length;
}

function readFault(body: Buffer): Fault {
  try {
    return Fault.fromRecord(faultRecordSchema.parse(JSON.parse(body.toString())));
  } catch {
    throw malformed('not a fault');
  }
}
