/**
 * What both ends say before the first change: magic, length, JSON; validated, bounded. The source opens two connections with one random
 * token (data, acknowledgements) and says hello on both; the rest is spoken on the data connection:
 *   source: hello(record) → target: welcome(record) or refusal → source: begin(contact) → target, its record durable: ready
 * A link that takes the place of another one, in the middle of its stream:
 *   source: hello(continues) → target: goes-on(applied) or refusal
 */
import * as z from 'zod';
import { compatible, Fault, faultRecordSchema, protocolVersion, volumeRecordSchema } from '../contract/index.ts';

export const linkMagic = Buffer.from('HOLDFAST');
export const handshakeHeaderBytes = linkMagic.length + 4;
/** Minor version of the first program that knows everything that marks need; an older one gets and gives none. */
export const marksSinceMinor = 1;
/** Of the first one that tells, and hears, how much the target's disk can still take; an older peer has no bound. */
export const roomSinceMinor = 2;
const handshakeBytesMax = 128 * 1024;
/** With what a hot log names. */
export const welcomeBytesMax = 256 * 1024;
/** Of the names in a welcome, before they are text: more are not offered. */
export const hotOfferBytesMax = 64 * 1024;

const versionShape = { major: z.number().int(), minor: z.number().int(), programVersion: z.string().max(100) };

export const helloSchema = z.object({
  say: z.literal('hello'),
  ...versionShape,
  node: z.string().max(100),
  volume: z.string().max(300),
  purpose: z.enum(['data', 'acknowledgements']),
  token: z.string().regex(/^[0-9a-f]{32}$/),
  record: volumeRecordSchema,
  /** The source knows what to do with the target's hot log. */
  asksHot: z.boolean().optional(),
  /** The token of the link that this one takes the place of: its stream goes on. Said only to a target that says that it can. */
  continues: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
});
export type LinkHello = z.infer<typeof helloSchema>;

/** `entries` in base64, see hot-set.ts. `number`: of the newest batch of the log. */
export const hotOfferSchema = z.object({
  log: z.number().int(),
  checkpoint: z.number().int(),
  number: z.number().int(),
  entries: z.base64(),
});
export type HotOffer = z.infer<typeof hotOfferSchema>;

export const welcomeSchema = z.discriminatedUnion('say', [
  z.object({
    say: z.literal('welcome'),
    ...versionShape,
    node: z.string().max(100),
    record: volumeRecordSchema,
    /** The target answers `verify`. Absent: a version that does not know the question, and would leave. */
    verifies: z.boolean().optional(),
    /** The target remembers which number the source's hot log has. */
    hearsHot: z.boolean().optional(),
    /** The target's record follows what the source's counts, with every checkpoint. Absent: a version that counts contacts only. */
    countsCheckpoints: z.boolean().optional(),
    /** The target goes on with the stream of a link over another one. */
    goesOn: z.boolean().optional(),
    /** The target was primary: what its hot log names. */
    hot: hotOfferSchema.nullish(),
    /** What the target has heard of the source's hot log. */
    heardHot: z.object({ log: z.number().int(), number: z.number().int() }).nullish(),
  }),
  z.object({ say: z.literal('refused'), fault: faultRecordSchema }),
]);
/** Answer to a hello that continues a link: everything up to `applied` has come. */
export const goesOnSchema = z.discriminatedUnion('say', [
  z.object({ say: z.literal('goes-on'), applied: z.number().int().min(0) }),
  z.object({ say: z.literal('refused'), fault: faultRecordSchema }),
]);
export const beginSchema = z.object({ say: z.literal('begin'), contact: z.enum(['in-sync', 'resync']) });
export const readySchema = z.object({ say: z.literal('ready') });

export const ourVersion = (programVersion: string): { major: number; minor: number; programVersion: string } => ({
  ...protocolVersion,
  programVersion,
});

export function encodeHandshake(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([linkMagic, length, body]);
}

export function garbage(peer: string): Fault {
  return new Fault(
    'peer-speaks-garbage',
    {
      message: `${peer} does not speak the Holdfast peer protocol.`,
      remedy: 'Check which program uses the replication port of that address.',
    },
    { peer },
  );
}

/** Bytes of the body that follows a header. Throws Fault. */
export function handshakeLength(header: Buffer, peer: string, bytesMax = handshakeBytesMax): number {
  const length = header.readUInt32LE(linkMagic.length);
  if (!header.subarray(0, linkMagic.length).equals(linkMagic) || length > bytesMax) throw garbage(peer);
  return length;
}

export function decodeHandshake<T>(schema: z.ZodType<T>, body: Buffer, peer: string): T {
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch {
    throw garbage(peer);
  }
  const version = z.object({ major: z.number(), minor: z.number(), programVersion: z.string() }).safeParse(json);
  // A version that we do not talk to may say things that we do not understand: its number is looked at first.
  if (version.success && !compatible(version.data)) throw versionSkew(version.data, peer);
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw garbage(peer);
  return parsed.data;
}

function versionSkew(theirs: { major: number; minor: number; programVersion: string }, peer: string): Fault {
  return new Fault(
    'version-skew',
    {
      message: `${peer} runs Holdfast ${theirs.programVersion} (protocol ${theirs.major}.${theirs.minor}), this node speaks ${protocolVersion.major}.${protocolVersion.minor}.`,
      remedy: 'Apply the configuration again: it brings both servers to the same version.',
    },
    { peer, theirs: theirs.programVersion },
  );
}
