/** ARP for IPv4 over Ethernet (RFC 826), probes and announcements (RFC 5227). Pure. */
import { ipv4Bytes, ipv4Text } from './ipv4.ts';

export const operationRequest = 1;
export const operationReply = 2;
const broadcast = 'ff:ff:ff:ff:ff:ff';
const unknown = '00:00:00:00:00:00';
/** Shorter frames are padded by the card or, on virtual links, by nobody. */
const frameBytes = 60;

export interface ArpPacket {
  readonly operation: number;
  readonly senderMac: string;
  readonly senderAddress: string;
  readonly targetMac: string;
  readonly targetAddress: string;
}

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}
function macText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

export function arpFrame(packet: ArpPacket): Buffer {
  const frame = Buffer.alloc(frameBytes);
  macBytes(broadcast).copy(frame, 0);
  macBytes(packet.senderMac).copy(frame, 6);
  frame.writeUInt16BE(0x0806, 12);
  frame.writeUInt16BE(1, 14);
  frame.writeUInt16BE(0x0800, 16);
  frame.writeUInt8(6, 18);
  frame.writeUInt8(4, 19);
  frame.writeUInt16BE(packet.operation, 20);
  macBytes(packet.senderMac).copy(frame, 22);
  ipv4Bytes(packet.senderAddress).copy(frame, 28);
  macBytes(packet.targetMac).copy(frame, 32);
  ipv4Bytes(packet.targetAddress).copy(frame, 38);
  return frame;
}

/** Null for anything that is not ARP for IPv4 over Ethernet. */
export function parseArp(frame: Buffer): ArpPacket | null {
  if (frame.length < 42 || frame.readUInt16BE(12) !== 0x0806 || frame.readUInt16BE(14) !== 1) return null;
  if (frame.readUInt16BE(16) !== 0x0800 || frame.readUInt8(18) !== 6 || frame.readUInt8(19) !== 4) return null;
  return {
    operation: frame.readUInt16BE(20),
    senderMac: macText(frame.subarray(22, 28)),
    senderAddress: ipv4Text(frame.subarray(28, 32)),
    targetMac: macText(frame.subarray(32, 38)),
    targetAddress: ipv4Text(frame.subarray(38, 42)),
  };
}

/** "Who has this address?", asked without claiming it. */
export function probeFrame(ownMac: string, address: string): Buffer {
  return arpFrame({
    operation: operationRequest,
    senderMac: ownMac,
    senderAddress: '0.0.0.0',
    targetMac: unknown,
    targetAddress: address,
  });
}

/** Both forms: some stacks and switches update their tables only on requests, others only on replies. */
export function announcementFrames(ownMac: string, address: string): readonly Buffer[] {
  const claim = { senderMac: ownMac, senderAddress: address, targetAddress: address };
  return [
    arpFrame({ ...claim, operation: operationRequest, targetMac: unknown }),
    arpFrame({ ...claim, operation: operationReply, targetMac: broadcast }),
  ];
}

/** Somebody else uses the address, or is about to (a probe of another node for the same address). */
export function conflictsWith(packet: ArpPacket, address: string, ownMac: string): boolean {
  if (packet.senderMac === ownMac) return false;
  return packet.senderAddress === address;
}
