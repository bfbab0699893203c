/**
 * What source and target say to each other while both copies are compared: a question in a `verify` frame is about both copies at its place in the stream,
 * so nothing that is under way can look like a difference. JSON, because there is one for many files or for many blocks; names are bytes as latin1.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { differenceKinds } from '../contract/index.ts';
import type { NodeId } from '../fuse/index.ts';
import type { Attributes } from '../sys/attributes.ts';
import { E } from '../sys/errno.ts';
import { verifiedBytesMax } from './answer-codec.ts';
import { checkEntryName, malformed } from './change-codec.ts';
import type { SourceTree } from './tree.ts';

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const id = count.min(1);
const nameText = z.string().min(1).max(255);

/** Type and permissions, owner, group, device, links, size, and the time of the last change of the content. */
const attributesSchema = z.tuple([count, count, count, count, count, count, z.number().int(), count]);
export type ComparedAttributes = z.infer<typeof attributesSchema>;

const objectSchema = z.object({
  attributes: attributesSchema,
  /** Of all extended attributes that are compared; empty: there are none. */
  extended: z.string().max(64),
  target: z.string().max(4096).optional(),
});
export type ComparedObject = z.infer<typeof objectSchema>;

export const questionSchema = z.discriminatedUnion('ask', [
  /** Begins a directory: the target remembers its names as they are here. */
  z.object({ ask: z.literal('directory'), directory: id, object: objectSchema, moreLinks: z.boolean().optional() }),
  /**
   * Some of the names that stood there at its beginning, as they are now; null: nothing of that name any more; absent: the source cannot read it.
   * `last`: that were all.
   */
  z.object({
    ask: z.literal('names'),
    directory: id,
    entries: z.array(z.object({ name: nameText, id: count, object: objectSchema.nullish() })).max(256),
    last: z.boolean(),
    /** The source's files may have further names that are on their way out. */
    moreLinks: z.boolean().optional(),
  }),
  z.object({
    ask: z.literal('blocks'),
    directory: id,
    name: nameText,
    offset: count,
    length: count,
    blockBytes: count.min(1).max(1 << 20),
    hashes: z.array(z.string()).max(64),
  }),
  z.object({ ask: z.literal('hole'), directory: id, name: nameText, offset: count, length: count }),
  /** Something differs, whatever it is: from here on the target's copy is one that must not be used. */
  z.object({ ask: z.literal('stale') }),
]);
export type Question = z.infer<typeof questionSchema>;

const foundSchema = z.object({
  /** The target has a directory of that name. */
  directory: z.boolean().optional(),
  /** Empty: the directory itself, or the file that the question was about. */
  name: z.string().max(255),
  kinds: z.array(z.enum(differenceKinds)).min(1),
  bytes: count,
});
export type Found = z.infer<typeof foundSchema>;
const findingsSchema = z.object({
  found: z.array(foundSchema),
  /** More that only the secondary has than are named. */
  more: count,
  /** The target's record says that its copy must not be used. */
  stale: z.boolean(),
  /** A call failed in a way that says nothing of the copy, for want of memory or descriptors: what was asked is not known. */
  failed: z.number().int().optional(),
});
export type Findings = z.infer<typeof findingsSchema>;

const nothing = Buffer.alloc(0);

export function encodeQuestion(question: Question): Buffer {
  return Buffer.from(JSON.stringify(question));
}

/** Throws Fault: what comes from the peer names files. */
export function decodeQuestion(bytes: Buffer): Question {
  const question = parsed(questionSchema, bytes);
  if (question.ask === 'names') for (const { name } of question.entries) checkEntryName(nameOf(name));
  if (question.ask === 'blocks' || question.ask === 'hole') checkEntryName(nameOf(question.name));
  return question;
}

/** Nothing found takes no bytes. */
export function encodeFindings(findings: Findings): Buffer {
  const { failed } = findings;
  if (findings.found.length === 0 && findings.more === 0 && !findings.stale && failed === undefined) return nothing;
  let { found, more } = findings;
  for (;;) {
    const bytes = Buffer.from(JSON.stringify({ ...findings, found, more }));
    if (bytes.length <= verifiedBytesMax) return bytes;
    const kept = found.slice(0, Math.floor(found.length / 2));
    more += found.length - kept.length;
    found = kept;
  }
}

/** Throws Fault. */
export function decodeFindings(bytes: Uint8Array): Findings {
  return bytes.length === 0 ? { found: [], more: 0, stale: false } : parsed(findingsSchema, Buffer.from(bytes));
}

function parsed<T>(schema: z.ZodType<T>, bytes: Buffer): T {
  try {
    return schema.parse(JSON.parse(bytes.toString()));
  } catch {
    throw malformed('not a part of a comparison');
  }
}

/** What says that a disk does not give back what was written to it. Anything else may pass, and condemns no copy. */
export function isDamage(status: number): boolean {
  return status === -E.IO || status === -E.UCLEAN || status === -E.BADMSG;
}

export const nameText8 = (name: Buffer): string => name.toString('latin1');
export const nameOf = (text: string): Buffer => Buffer.from(text, 'latin1');

export function comparedAttributes(from: Attributes): ComparedAttributes {
  const { mode, uid, gid, rdev, links, size, modified } = from;
  return [mode, uid, gid, rdev, links, size, modified.seconds, modified.nanoseconds];
}

/** Each server gives these by rules of its own, and they are not replicated by the stream. */
const ownOfEachServer: readonly string[] = ['security.selinux', 'security.ima', 'security.evm'];
/** That there is none, or that this kind of object has none. */
const noXattr: readonly number[] = [-E.NODATA, -E.OPNOTSUPP, -E.PERM, -E.ACCES];

/** A digest of all extended attributes, access lists among them; empty: none; a number: a disk that does not read. */
export function extendedDigest(tree: SourceTree, node: NodeId): string | number {
  const names = tree.listXattrs(node);
  if (typeof names === 'number') return noXattr.includes(names) ? '' : names;
  const pairs: [string, Buffer][] = [];
  for (const name of names) {
    const value = ownOfEachServer.includes(name.toString()) ? -E.NODATA : tree.getXattr(node, name);
    if (typeof value !== 'number') pairs.push([nameText8(name), value]);
    else if (!noXattr.includes(value)) return value;
  }
  if (pairs.length === 0) return '';
  const hash = createHash('sha256');
  for (const [name, value] of pairs.sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${name.length}:${name}:${value.length}:`).update(value);
  return hash.digest('hex');
}

export function blockDigest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}
