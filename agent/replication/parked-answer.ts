/** Answers a request that waited for the peer; either lane of a primary does, with memory of its own. */
import { writeParkedReply, writeReply } from '../fuse/index.ts';
import { Memory } from '../sys/linux.ts';
import { parkedReplyBytesMax } from './acknowledgement.ts';
import type { ControlBlock } from './control-block.ts';
import { operation } from './operations.ts';
import type { Operation } from './operations.ts';

export function parkedAnswer(control: ControlBlock, deviceFd: number): Operation {
  const memory = new Memory(parkedReplyBytesMax);
  return operation('answer parked', () => {
    const { claimedReply, claimedReplyLength } = control.parked;
    if (claimedReplyLength > 0) {
      memory.bytes.set(claimedReply);
      return writeReply(deviceFd, memory, claimedReplyLength);
    }
    const { uniqueLow, uniqueHigh, written } = control.parked.claimed;
    const unique = (uniqueLow >>> 0) + (uniqueHigh >>> 0) * 4294967296;
    return writeReply(deviceFd, memory, writeParkedReply(memory.bytes, unique, written));
  });
}
