/** Clusters known to this laptop: what they are, what may be ordered, what happened. */
import { z } from 'zod';
import {
  clusterStatusSchema,
  eventSchema,
  faultRecordSchema,
  lastComparisonSchema,
  resyncEstimateSchema,
  verificationSchema,
} from '../../agent/contract/index.ts';

/** What the app knows of a cluster, with its age. It never invents state: a cluster that cannot be read keeps its last picture. */
export const clusterViewSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('reading') }),
  z.object({ kind: z.literal('read'), status: clusterStatusSchema }),
  z.object({
    kind: z.literal('unreadable'),
    fault: faultRecordSchema,
    since: z.iso.datetime(),
    /** As it was when it could still be read. */
    last: clusterStatusSchema.nullable(),
  }),
]);
export type ClusterView = z.infer<typeof clusterViewSchema>;

export const knownClusterSchema = z.object({
  /** Stable on this laptop; two customers may use the same cluster name. */
  id: z.string(),
  cluster: z.string(),
  /** Where its configuration file is, or was. */
  file: z.string(),
  usedAt: z.iso.datetime(),
  /** Made by the practice mode of this app: plugs may be pulled. */
  practice: z.boolean(),
  view: clusterViewSchema,
});
export type KnownCluster = z.infer<typeof knownClusterSchema>;

const clusterId = z.object({ cluster: z.string() });
const moduleOf = { cluster: z.string(), module: z.string() };

/** What a person may order; the same as the commands of the same names. */
export const orderSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('start'), ...moduleOf }),
  /** On both servers. */
  z.object({ kind: z.literal('stop'), ...moduleOf }),
  z.object({ kind: z.literal('restart'), ...moduleOf }),
  /** `from`: where the person saw it run. Ordered twice, by two people as well, it moves once. */
  z.object({ kind: z.literal('swap'), from: z.string().optional(), ...moduleOf }),
  z.object({ kind: z.literal('maintenance'), on: z.boolean(), ...moduleOf }),
  /** `confirmed`: the name of the module, typed by the person. Acknowledged writes that only the other copy has are given up. */
  z.object({ kind: z.literal('promote'), node: z.string(), confirmed: z.string(), ...moduleOf }),
]);
export type Order = z.infer<typeof orderSchema>;

export const timelineSchema = z.object({
  /** Of both nodes, oldest first. */
  events: z.array(eventSchema),
  /** Nodes whose events are missing because they could not be asked. */
  missing: z.array(z.string()),
});
export type Timeline = z.infer<typeof timelineSchema>;

/** Of a module: whether the copies of both servers are the same, as far as anybody has looked. */
export const comparisonSchema = z.object({
  /** Whose copy the other one is compared with: it runs the application. Null: nobody that can be asked does. */
  primary: z.string().nullable(),
  secondary: z.string().nullable(),
  volumes: z.array(
    z.object({
      path: z.string(),
      /** That runs, or the last one since the application runs where it does; null: none. */
      verification: verificationSchema.nullable(),
      /** The last one that ended, whichever server ran the application then. */
      last: lastComparisonSchema.nullable(),
    }),
  ),
});
export type Comparison = z.infer<typeof comparisonSchema>;

/** What a resync of a module would have to do if the server that is away came back now, of each replicated directory. */
export const estimateSchema = z.object({
  volumes: z.array(z.object({ path: z.string(), estimate: resyncEstimateSchema })),
});
export type Estimate = z.infer<typeof estimateSchema>;

export const clusterMethods = {
  /** All, last used first, with what is known now; does not wait for a server. A screen that looks at the list keeps all of them read. */
  clusters: { params: z.object({}), result: z.array(knownClusterSchema) },
  /** From now on this screen is told of this cluster (`cluster`, `timeline`); null: of none in particular. */
  lookAt: { params: z.object({ cluster: z.string().nullable() }), result: z.null() },
  /** Reads now. */
  refresh: { params: clusterId, result: clusterViewSchema },
  /** Adds a cluster by the text of its configuration file. Faults: those of the configuration. */
  addCluster: { params: z.object({ text: z.string(), file: z.string() }), result: z.object({ cluster: z.string() }) },
  /** Only from this laptop; the servers go on. */
  forgetCluster: { params: clusterId, result: z.null() },
  configuration: { params: clusterId, result: z.object({ file: z.string(), text: z.string() }) },
  /** Last `limit` events of both nodes. */
  timeline: { params: z.object({ cluster: z.string(), limit: z.number().int().max(5000) }), result: timelineSchema },
  /**
   * Returns when the order is recorded; the view tells the outcome. Faults: those of the agents, confirmation-wrong, and order-incomplete
   * (details: told, notTold): a node that is alive could not be told, and may go on or take over.
   */
  order: { params: orderSchema, result: z.null() },
  /** Faults: those of the agents and of the connections, no-such-module. */
  comparison: { params: z.object(moduleOf), result: comparisonSchema },
  /**
   * Compares both copies beside the application; `repair`: then makes the secondary's equal to the primary's. Returns when it has begun. `primary`: where the
   * person saw it run; elsewhere by now, and it is refused, since the other copy would be overwritten. Faults: no-primary, not-primary, verify-not-possible.
   */
  compareCopies: { params: z.object({ ...moduleOf, repair: z.boolean(), primary: z.string() }), result: z.null() },
  /** Of the server that runs the application; the first files are named. Faults: those of the agents and of the connections, no-primary. */
  estimate: { params: z.object(moduleOf), result: estimateSchema },
  stopComparing: { params: z.object(moduleOf), result: z.null() },
  /** Journal lines of the Holdfast units of one node. */
  logs: {
    params: z.object({ cluster: z.string(), node: z.string(), lines: z.number().int().max(5000) }),
    result: z.array(z.string()),
  },
} as const;

export const clusterEvents = {
  /** The list or a view in it has changed. */
  clusters: z.array(knownClusterSchema),
  /** Of the cluster that the screen looks at, whenever it was read. */
  cluster: z.object({ cluster: z.string(), view: clusterViewSchema }),
  /** New events of the cluster that the screen looks at. */
  timeline: z.object({ cluster: z.string(), events: z.array(eventSchema) }),
} as const;
