/**
 * Renewal of timed set elements in netlink's own words (linux/netfilter/nf_tables.h, nfnetlink.h), because a lease that is
 * renewed twice a second must not depend on starting a program. Pure.
 */
import { ipv4Bytes } from './ipv4.ts';
import type { Family, LeasedAddress } from './nft-ruleset.ts';
import { families, tableName } from './nft-ruleset.ts';
import { applicationTable } from './application-ruleset.ts';

const subsystemNftables = 10;
const batchBegin = 0x10;
const batchEnd = 0x11;
const newSetElement = 12;
const deleteSetElement = 14;
const newGeneration = 15;
const getGeneration = 16;
const netlinkError = 2;

const flagRequest = 0x01;
const flagAcknowledge = 0x04;
const flagCreate = 0x400;
const nested = 0x8000;
/** NFPROTO_INET, NFPROTO_ARP. */
const familyNumber: Readonly<Record<Family, number>> = { inet: 1, arp: 3 };

function attribute(type: number, payload: Buffer): Buffer {
  const length = 4 + payload.length;
  const out = Buffer.alloc((length + 3) & ~3);
  out.writeUInt16LE(length, 0);
  out.writeUInt16LE(type, 2);
  payload.copy(out, 4);
  return out;
}
const text = (value: string): Buffer => Buffer.from(`${value}\0`);

function message(type: number, flags: number, family: number, resource: number, attributes: readonly Buffer[]): Buffer {
  const body = Buffer.concat(attributes);
  const head = Buffer.alloc(20);
  head.writeUInt32LE(head.length + body.length, 0);
  head.writeUInt16LE(type, 4);
  head.writeUInt16LE(flags, 6);
  head.writeUInt8(family, 16);
  head.writeUInt16BE(resource, 18);
  return Buffer.concat([head, body]);
}

function element(value: Buffer, timeoutMs: number | null): Buffer {
  const key = attribute(1 | nested, attribute(1, value));
  if (timeoutMs === null) return attribute(1 | nested, key);
  const timeout = Buffer.alloc(8);
  timeout.writeBigUInt64BE(BigInt(timeoutMs));
  return attribute(1 | nested, Buffer.concat([key, attribute(4, timeout)]));
}

interface ElementPlace {
  readonly family: Family;
  readonly table: string;
  readonly set: 'managed' | 'leased';
}

function elementMessage(
  type: number,
  flags: number,
  { family, table, set }: ElementPlace,
  value: Buffer,
  timeoutMs: number | null,
): Buffer {
  return message((subsystemNftables << 8) | type, flagRequest | flags, familyNumber[family], 0, [
    attribute(1, text(table)),
    attribute(2, text(set)),
    attribute(3 | nested, element(value, timeoutMs)),
  ]);
}

/** Without an element: all of them. */
function emptySetMessage({ family, table, set }: ElementPlace): Buffer {
  return message((subsystemNftables << 8) | deleteSetElement, flagRequest, familyNumber[family], 0, [
    attribute(1, text(table)),
    attribute(2, text(set)),
  ]);
}

/** Adding an element that is there does not renew it on every kernel, and deleting one that is not there fails: so added, deleted, added. */
function renewal(place: ElementPlace, value: Buffer, remainingMs: number): Buffer[] {
  const timeoutMs = Math.floor(remainingMs);
  const parts = [
    elementMessage(newSetElement, flagCreate, place, value, 60_000),
    elementMessage(deleteSetElement, 0, place, value, null),
  ];
  if (timeoutMs > 0) parts.push(elementMessage(newSetElement, flagCreate, place, value, timeoutMs));
  return parts;
}

/** The kernel tells every error anyhow; asked to confirm each message, it would overflow the socket of a host with many modules. */
function transaction(parts: readonly Buffer[]): Buffer {
  const last = parts.at(-1);
  last?.writeUInt16LE(last.readUInt16LE(6) | flagAcknowledge, 6);
  return Buffer.concat([
    message(batchBegin, flagRequest, 0, subsystemNftables, []),
    ...parts,
    message(batchEnd, flagRequest, 0, subsystemNftables, []),
  ]);
}

/** One transaction over both tables. `remainingMs` ≤ 0 only deletes. */
export function leaseBatch(changes: readonly LeasedAddress[]): Buffer {
  return transaction(
    families.flatMap((family) =>
      changes.flatMap(({ address, remainingMs }) =>
        renewal({ family, table: tableName, set: 'leased' }, ipv4Bytes(address), remainingMs),
      ),
    ),
  );
}

/** The kernel compares numbers of control groups in the order of bytes that the machine has; both that we run on are little-endian. */
function groupBytes(group: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(group);
  return bytes;
}

export interface GuardedGroups {
  readonly groups: readonly bigint[];
  /** ≤ 0: cut; null: the lease that runs in the kernel stays as it is. */
  readonly remainingMs: number | null;
}

/** One transaction: what is guarded from now on, and what no more; `alone`: nothing else is either. */
export function groupBatch(guarded: readonly GuardedGroups[], gone: readonly bigint[], alone = false): Buffer {
  const place = (set: ElementPlace['set']): ElementPlace => ({ family: 'inet', table: applicationTable, set });
  const managed = (value: Buffer): Buffer => elementMessage(newSetElement, flagCreate, place('managed'), value, null);
  const kept = (group: bigint, remainingMs: number | null): Buffer[] => {
    const value = groupBytes(group);
    return [...(remainingMs === null ? [] : renewal(place('leased'), value, remainingMs)), managed(value)];
  };
  const released = (group: bigint): Buffer[] => {
    const value = groupBytes(group);
    return [
      ...renewal(place('leased'), value, 0),
      managed(value),
      elementMessage(deleteSetElement, 0, place('managed'), value, null),
    ];
  };
  return transaction([
    ...gone.flatMap(released),
    ...(alone ? [emptySetMessage(place('managed'))] : []),
    ...guarded.flatMap(({ groups, remainingMs }) => groups.flatMap((group) => kept(group, remainingMs))),
  ]);
}

/** Asks for the number that changes with every change of the ruleset, ours included. */
export function generationRequest(): Buffer {
  return message((subsystemNftables << 8) | getGeneration, flagRequest, 0, 0, []);
}

function* messages(datagram: Buffer): Generator<{ type: number; payload: Buffer }> {
  for (let at = 0; at + 16 <= datagram.length;) {
    const length = datagram.readUInt32LE(at);
    if (length < 16 || at + length > datagram.length) return;
    yield { type: datagram.readUInt16LE(at + 4), payload: datagram.subarray(at + 16, at + length) };
    at += (length + 3) & ~3;
  }
}

/** The first error number (positive) among the answers; 0: every message was taken; null: the kernel said nothing. */
export function firstError(answers: readonly Buffer[]): number | null {
  let answered = false;
  for (const datagram of answers)
    for (const { type, payload } of messages(datagram))
      if (type === netlinkError && payload.length >= 4) {
        answered = true;
        const error = -payload.readInt32LE(0);
        if (error !== 0) return error;
      }
  return answered ? 0 : null;
}

export function parseGeneration(answers: readonly Buffer[]): number | null {
  for (const datagram of answers)
    for (const { type, payload } of messages(datagram))
      if (type === ((subsystemNftables << 8) | newGeneration))
        for (let at = 4; at + 8 <= payload.length;) {
          const length = payload.readUInt16LE(at);
          if ((payload.readUInt16LE(at + 2) & 0x3fff) === 1) return payload.readUInt32BE(at + 4);
          if (length < 4) break;
          at += (length + 3) & ~3;
        }
  return null;
}
