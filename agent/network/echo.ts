/** Echo messages of ICMP (RFC 792). Pure. */

const echoReply = 0;
const echoRequest = 8;
const headerBytes = 8;
export const tokenBytes = 16;

export interface Echo {
  readonly identifier: number;
  readonly sequence: number;
  /** Nobody who does not see the request can answer it. */
  readonly token: Buffer;
}

/** RFC 1071. */
function checksum(message: Buffer): number {
  let sum = 0;
  for (let at = 0; at + 1 < message.length; at += 2) sum += message.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export function encodeEchoRequest({ identifier, sequence, token }: Echo): Buffer {
  const message = Buffer.alloc(headerBytes + tokenBytes);
  message.writeUInt8(echoRequest, 0);
  message.writeUInt16BE(identifier, 4);
  message.writeUInt16BE(sequence, 6);
  token.copy(message, headerBytes);
  message.writeUInt16BE(checksum(message), 2);
  return message;
}

/** @param packet with its IPv4 header. Null: anything else. */
export function parseEchoReply(packet: Buffer): Echo | null {
  const message = packet.subarray(((packet[0] ?? 0) & 0x0f) * 4);
  if (message.length < headerBytes + tokenBytes || message[0] !== echoReply || message[1] !== 0) return null;
  return {
    identifier: message.readUInt16BE(4),
    sequence: message.readUInt16BE(6),
    token: Buffer.from(message.subarray(headerBytes, headerBytes + tokenBytes)),
  };
}
