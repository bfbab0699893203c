/**
 * One authenticated datagram: magic, 8 bytes that name the key, HMAC-SHA-256 over the rest, JSON. Nothing of a datagram is parsed
 * before its seal is verified. Secrecy is not needed: what is said is no secret on the networks of a cluster.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Envelope } from '../contract/index.ts';
import { Fault, envelopeSchema } from '../contract/index.ts';

const magic = Buffer.from('HFD1');
const keyIdBytes = 8;
const sealBytes = 32;
const headBytes = magic.length + keyIdBytes + sealBytes;
/** What UDP over IPv4 can carry, with room to spare. */
export const datagramBytesMax = 60_000;
const secretLengthMin = 32;

export interface SealingKey {
  /** Cluster UUID: the same text on both nodes and at the witness. */
  readonly cluster: string;
  readonly id: Buffer;
  readonly secret: Buffer;
}

/** @param secretText content of `/etc/holdfast/cluster.secret`. Fault: secret-too-short. */
export function sealingKey(cluster: string, secretText: string): SealingKey {
  const secret = secretText.trim();
  if (secret.length < secretLengthMin)
    throw new Fault('secret-too-short', {
      message: `The cluster secret is shorter than ${secretLengthMin} characters.`,
      remedy: 'Apply the configuration again: it makes a new one.',
    });
  const id = createHash('sha256').update('holdfast cluster ').update(cluster).digest().subarray(0, keyIdBytes);
  return { cluster, id, secret: Buffer.from(secret) };
}

function sealOf(key: SealingKey, sealed: Uint8Array): Buffer {
  return createHmac('sha256', key.secret).update(key.id).update(sealed).digest();
}

/** Fault: datagram-too-long. */
export function sealDatagram(key: SealingKey, envelope: Envelope): Buffer {
  const body = Buffer.from(JSON.stringify(envelope));
  if (headBytes + body.length > datagramBytesMax)
    throw new Fault('datagram-too-long', { message: `A message of ${body.length} bytes does not fit one datagram.` });
  return Buffer.concat([magic, key.id, sealOf(key, body), body]);
}

/** Names the key; null when it is no datagram of ours. */
export function keyIdOf(datagram: Buffer): Buffer | null {
  if (datagram.length <= headBytes || datagram.length > datagramBytesMax) return null;
  if (!datagram.subarray(0, magic.length).equals(magic)) return null;
  return datagram.subarray(magic.length, magic.length + keyIdBytes);
}

export type OpenedDatagram =
  | { readonly envelope: Envelope }
  /** `unsealed`: not ours, truncated or forged. `unreadable`: authentic, of a shape that this version does not know. */
  | { readonly refused: 'unsealed' | 'unreadable' };

export function openDatagram(key: SealingKey, datagram: Buffer): OpenedDatagram {
  const id = keyIdOf(datagram);
  if (id?.equals(key.id) !== true) return { refused: 'unsealed' };
  const body = datagram.subarray(headBytes);
  const seal = datagram.subarray(magic.length + keyIdBytes, headBytes);
  if (!timingSafeEqual(seal, sealOf(key, body))) return { refused: 'unsealed' };
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    return { refused: 'unreadable' };
  }
  const parsed = envelopeSchema.safeParse(json);
  if (!parsed.success || parsed.data.cluster !== key.cluster) return { refused: 'unreadable' };
  return { envelope: parsed.data };
}
