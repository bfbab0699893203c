/**
 * Datagrams between holdfastds and to the witness: JSON, authenticated (network/datagram-seal), at most one packet each.
 * Every message may be lost, repeated, delayed or reordered: receivers only rely on numbered requests and on fresh sessions.
 */
import * as z from 'zod';
import { contactCountsSchema, generationSchema } from './lineage.ts';
import { dataStates, moduleStates, resyncProgressSchema } from './status.ts';

/** What a node says of one module in every heartbeat. */
export const moduleBeatSchema = z.object({
  module: z.string(),
  state: z.enum(moduleStates),
  data: z.enum(dataStates),
  /** Lineage of this node's copy, the lowest of the module's volumes; null: never held the data. */
  generation: generationSchema.nullable(),
  /** Has asked voters for a newer generation and not written it: some of them may have stored it. */
  unsettled: z.boolean(),
  /** Such a generation was confirmed by a voter, so that older claims are refused: only this node can go on from it. */
  committed: z.boolean(),
  copy: z.enum(['up-to-date', 'stale']),
  peerStale: z.boolean(),
  clean: z.boolean(),
  /** How far the meetings of both copies have gone, by volume. Agents of an earlier version do not count. */
  contacts: contactCountsSchema.optional(),
  /** This server has booted since changes were acknowledged that were in the memory of both. Agents of an earlier version do not say it. */
  memoryLost: z.boolean().optional(),
  /** The same for contents of closed files. Agents of an earlier version do not say it. */
  closedLost: z.boolean().optional(),
  /** With `memoryLost`: and yet what was synced until then is on its disk: it was the source of that contact. */
  syncedHere: z.boolean().optional(),
  /** One of its volumes has gone on alone and another one has not: it has what nobody else has. Agents of an earlier version never say it. */
  torn: z.boolean().optional(),
  /** Holds (or is about to use) the right to be primary. */
  active: z.boolean(),
  /** Was the last one to run the application, as recorded. Breaks ties at a cold start. */
  lastPrimary: z.boolean(),
  wanted: z.enum(['started', 'stopped']),
  maintenance: z.boolean(),
  /** Set by a primary that has stopped for a swap: the other one may take over at once. */
  handoverTo: z.string().nullable(),
  /**
   * Why the application had better not be given to this node while there is another way: it did not start here, it failed its checkers
   * too often, or something that it needs is missing. Says nothing about the data. Agents of an earlier version never say it.
   */
  unable: z.enum(['start-failed', 'restart-limit', 'checker-wait']).nullable().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  since: z.string().optional(),
  resync: resyncProgressSchema.optional(),
});
export type ModuleBeat = z.infer<typeof moduleBeatSchema>;

export const voteRequestSchema = z.object({
  kind: z.literal('vote-request'),
  module: z.string(),
  /** Grows within a session; the answer carries it back, and the life of the grant counts from when this request was sent. */
  number: z.number().int(),
  /** Random per process start of the candidate. */
  session: z.string(),
  leaseMs: z.number().int(),
  /** Lineage of the candidate's copy. The voter refuses one that is older than what it knows. */
  generation: generationSchema,
  /** Of that copy, by volume: one of this generation that is further behind than a meeting cut short was set back to an image. */
  contacts: contactCountsSchema.optional(),
  /** Generations that this node has asked for since it wrote one: a voter that stored exactly one of them still accepts its copy. */
  pending: z.array(generationSchema),
  /**
   * Set: before granting, durably note that this is the newest generation and that any other copy is stale. Writes without the
   * peer begin only after one such confirmation.
   */
  store: generationSchema.nullable(),
  /** A person ordered this with --accept-data-loss: overrides the refusal for age, never a running lease. */
  order: z.boolean(),
});
export const voteReplySchema = z.object({
  kind: z.literal('vote-reply'),
  module: z.string(),
  number: z.number().int(),
  /** Of the request: numbers begin anew with every process. Voters of an earlier version do not say it. */
  session: z.string().optional(),
  granted: z.boolean(),
  /** Echo of `store` once it is durable. */
  stored: generationSchema.nullable(),
  /** Why not: lease-held, older-generation, just-started, candidate-myself … */
  reason: z.string(),
  /** The newest generation that the voter knows. */
  newest: generationSchema.nullable(),
  /**
   * Of a node that gives way: what it has asked other voters for and never wrote. Whoever goes on instead carries it with its own wishes, or a voter that stored one of these would
   * refuse it. Agents of an earlier version do not say it.
   */
  givenUp: z.array(generationSchema).optional(),
  holder: z.string().nullable(),
});
/** The holder gives the right back before it runs out (planned stop or swap): all grants of this session up to this number, none that came later. */
export const voteReleaseSchema = z.object({
  kind: z.literal('vote-release'),
  module: z.string(),
  number: z.number().int(),
  session: z.string(),
});
export const heartbeatSchema = z.object({
  kind: z.literal('heartbeat'),
  agentVersion: z.string(),
  revision: z.number().int(),
  modules: z.array(moduleBeatSchema),
});
export const voteSchema = z.discriminatedUnion('kind', [voteRequestSchema, voteReplySchema, voteReleaseSchema]);
/** Votes of several modules, to whoever says that it takes them `together`. Each is what all have in common with what is its own; a vote that cannot be read is left out. */
export const votesSchema = z.object({
  kind: z.literal('votes'),
  same: z.record(z.string(), z.unknown()),
  each: z.array(z.record(z.string(), z.unknown())),
});
export const bodySchema = z.discriminatedUnion('kind', [
  heartbeatSchema,
  voteRequestSchema,
  voteReplySchema,
  voteReleaseSchema,
  votesSchema,
]);

export type VoteRequest = z.infer<typeof voteRequestSchema>;
export type VoteReply = z.infer<typeof voteReplySchema>;
export type VoteRelease = z.infer<typeof voteReleaseSchema>;
export type Vote = z.infer<typeof voteSchema>;
export type Votes = z.infer<typeof votesSchema>;
export type Heartbeat = z.infer<typeof heartbeatSchema>;
/** What is said. */
export type MessageBody = Heartbeat | Vote;
/** What one datagram carries. */
export type DatagramBody = z.infer<typeof bodySchema>;

/**
 * The authenticated envelope. `session` is random per process start; `echo` is the session of the receiver that the sender last
 * heard from. A receiver trusts a new session only when it echoes its own: a recorded conversation cannot be played again.
 */
export const envelopeSchema = z.object({
  format: z.literal(1),
  cluster: z.string(),
  from: z.string(),
  to: z.string(),
  session: z.string(),
  counter: z.number().int(),
  echo: z.string().nullable(),
  network: z.string(),
  /** The sender takes votes of several modules in one datagram. Agents of an earlier version do not say it. */
  together: z.boolean().optional(),
  body: bodySchema.nullable(),
});
export type Envelope = z.infer<typeof envelopeSchema>;
