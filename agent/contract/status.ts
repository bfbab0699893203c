/** What is shown to people: `holdfast status --json` and the app. Unknown numbers are null, never 0. */
import * as z from 'zod';
import { checkerStatusSchema } from './checkers.ts';
import { faultRecordSchema } from './fault.ts';

export const moduleStates = ['stopped', 'wait', 'alone', 'primary', 'secondary', 'up', 'unknown', 'transient'] as const;
export const dataStates = ['up-to-date', 'resynchronising', 'stale', 'forked', 'unknown'] as const;

export const resyncProgressSchema = z.object({
  doneBytes: z.number(),
  totalBytes: z.number().nullable(),
  sentBytes: z.number(),
  bytesPerSecond: z.number().nullable(),
  etaSeconds: z.number().nullable(),
  /** It leaves room for the application, which is at work: slower than it could be. */
  yields: z.boolean().optional(),
});
export type ResyncProgress = z.infer<typeof resyncProgressSchema>;

/** Good states have neither reason nor message; every other one has all three. */
const whySchema = {
  reason: z.string().optional(),
  message: z.string().optional(),
  since: z.iso.datetime().optional(),
};

/** Of the node that runs the application, over the last seconds. Null: nothing was written, or nobody measured. */
export const moduleMetricsSchema = z.object({
  /** To the other node: changes and resync. */
  replicatedBytesPerSecond: z.number().nullable(),
  /** Of a change by the application, from the request to the answer, as it saw it. */
  writeLatencyP50Ms: z.number().nullable(),
  writeLatencyP99Ms: z.number().nullable(),
  changesPerSecond: z.number().nullable(),
});
export type ModuleMetrics = z.infer<typeof moduleMetricsSchema>;

/** A network between the two nodes. */
const networkStatusSchema = z.object({
  name: z.string(),
  /** Heartbeats arrive on it; null: nobody can be asked. */
  alive: z.boolean().nullable(),
  roundTripMs: z.number().nullable(),
  /** The replication uses it now. */
  replicates: z.boolean(),
});

export const moduleOnNodeSchema = z.object({
  name: z.string(),
  state: z.enum(moduleStates),
  data: z.enum(dataStates),
  ...whySchema,
  resync: resyncProgressSchema.optional(),
  /** The application runs here since then. */
  runningSince: z.iso.datetime().optional(),
  /** Of the node itself; the other one does not tell them. */
  checkers: z.array(checkerStatusSchema).optional(),
});
export type ModuleOnNode = z.infer<typeof moduleOnNodeSchema>;

/** `withoutWitness`: what a node does that sees nobody; not with a voting witness. Agents of earlier versions tell neither it nor the address. */
const witnessStatusSchema = z.object({
  kind: z.enum(['voting', 'ping', 'none']),
  reachable: z.boolean().nullable(),
  /** Of a ping witness. */
  address: z.string().optional(),
  withoutWitness: z.enum(['prefer-one-copy', 'prefer-availability']).optional(),
});

export const clusterStatusSchema = z.object({
  schemaVersion: z.literal(1),
  cluster: z.string(),
  observedAt: z.iso.datetime(),
  protected: z.boolean(),
  /** The one sentence on top, English; the app words its own from the codes. */
  sentence: z.string(),
  nodes: z.array(
    z.object({
      name: z.string(),
      reachable: z.boolean(),
      lastSeen: z.iso.datetime().nullable(),
      agentVersion: z.string().nullable(),
      fault: z
        .object({
          code: z.string(),
          message: z.string(),
          remedy: z.string().optional(),
          /** Which secret is needed, which fingerprint was expected: what a screen has to ask for. */
          details: faultRecordSchema.shape.details.optional(),
        })
        .optional(),
      /** Its clock against that of who asks. Nothing is decided by it; the times in the timeline are wrong by it. */
      clockAheadMs: z.number().nullable().optional(),
    }),
  ),
  witness: witnessStatusSchema,
  networks: z.array(networkStatusSchema).optional(),
  modules: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(['mirror', 'farm', 'vm']),
      protected: z.boolean(),
      maintenance: z.boolean(),
      generation: z.string().nullable(),
      nodes: z.array(moduleOnNodeSchema),
      vip: z.array(z.object({ address: z.string(), on: z.string().nullable() })),
      metrics: moduleMetricsSchema.nullable().optional(),
    }),
  ),
});
export type ClusterStatus = z.infer<typeof clusterStatusSchema>;

/** One agent's own view, answered by `status` of the control interface. The laptop merges the views of both nodes. */
export const nodeStatusSchema = z.object({
  cluster: z.string(),
  node: z.string(),
  agentVersion: z.string(),
  observedAt: z.iso.datetime(),
  revision: z.number(),
  witness: witnessStatusSchema,
  peer: z.object({
    name: z.string(),
    /** Heard within the detection time on at least one network. */
    alive: z.boolean(),
    lastHeard: z.iso.datetime().nullable(),
    agentVersion: z.string().nullable(),
    networks: z.array(
      z.object({
        name: z.string(),
        alive: z.boolean(),
        roundTripMs: z.number().nullable().optional(),
        replicates: z.boolean().optional(),
      }),
    ),
  }),
  modules: z.array(
    z.object({
      name: z.string(),
      protected: z.boolean(),
      maintenance: z.boolean(),
      generation: z.string().nullable(),
      vips: z.array(z.object({ address: z.string(), here: z.boolean() })),
      metrics: moduleMetricsSchema.nullable().optional(),
      own: moduleOnNodeSchema,
      /** As last told by the peer's heartbeats; null: never heard since this agent started. */
      peer: moduleOnNodeSchema.nullable(),
    }),
  ),
});
export type NodeStatus = z.infer<typeof nodeStatusSchema>;
