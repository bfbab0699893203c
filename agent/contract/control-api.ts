/** App and command line ↔ holdfastd, over `/run/holdfast/control.sock` (from the laptop: through `holdfast connect` in an SSH channel). */
import { z } from 'zod';
import { clusterRecordSchema } from './configuration.ts';
import { eventSchema } from './event.ts';
import { generationSchema } from './lineage.ts';
import { defineInterface } from './rpc.ts';
import { nodeStatusSchema } from './status.ts';
import { verificationSchema } from './verify.ts';

const moduleName = z.object({ module: z.string() });

/** What stands in a replicated directory before its module is set up; decides "which server has the good data". */
export const volumeInspectionSchema = z.object({
  id: z.string(),
  path: z.string(),
  exists: z.boolean(),
  /** A volume record of this cluster stands there: the copy is already set up. */
  initialised: z.boolean(),
  empty: z.boolean(),
  entries: z.number().nullable(),
  bytes: z.number().nullable(),
  newestFile: z.string().nullable(),
  filesystem: z.string().nullable(),
  generation: generationSchema.nullable(),
  /** Faults that keep this directory from being replicated (overlayfs, mount point, in use …), empty when fine. */
  problems: z.array(z.object({ code: z.string(), message: z.string(), remedy: z.string() })),
});
export type VolumeInspection = z.infer<typeof volumeInspectionSchema>;

export const controlApi = defineInterface({
  name: 'holdfast-control',
  methods: {
    status: { params: z.object({}), result: nodeStatusSchema },
    /** Oldest first; `after`: sequence number, exclusive. `newest`: the last `limit` of them, not the first. */
    events: {
      params: z.object({
        after: z.number().int().default(0),
        limit: z.number().int().min(1).max(10_000).default(1000),
        newest: z.boolean().default(false),
      }),
      result: z.array(eventSchema),
    },
    /** Journal lines of the Holdfast units of this node. */
    logs: { params: z.object({ lines: z.number().int().max(100_000).default(200) }), result: z.array(z.string()) },
    /** Stores the record durably and takes it over live. Faults: revision-too-old, node-not-in-cluster. */
    configure: { params: clusterRecordSchema, result: z.null() },
    /** Looks, changes nothing. */
    inspect: {
      params: z.object({ volumes: z.array(z.object({ id: z.string(), path: z.string() })) }),
      result: z.array(volumeInspectionSchema),
    },
    /**
     * Makes this node's copy of every volume of the module the good one, or a blank target. What stands in a blank target's directory
     * is moved aside first, never erased; `keptAt` says where. Faults: directory-in-use, directory-not-empty, already-initialised.
     */
    initialise: {
      params: z.object({
        module: z.string(),
        as: z.enum(['good', 'blank']),
        keepAside: z.boolean(),
        replaceRecord: z.boolean(),
      }),
      result: z.object({ keptAt: z.array(z.string()) }),
    },
    /** The following return when the order is recorded; watch `status` for the outcome. */
    start: { params: moduleName, result: z.null() },
    stop: { params: moduleName, result: z.null() },
    restart: { params: moduleName, result: z.null() },
    /** Faults: not-primary (with who is), peer-not-ready. */
    swap: { params: moduleName, result: z.null() },
    maintenance: { params: z.object({ module: z.string(), on: z.boolean() }), result: z.null() },
    /** The recorded order from a person: this node's copy is to be used although it may lack acknowledged writes. */
    promote: {
      params: z.object({ module: z.string(), acceptDataLoss: z.literal(true), orderedBy: z.string() }),
      result: z.null(),
    },
    /**
     * Of the node that runs the module: compares both copies beside the application; `repair`: then makes the secondary equal. Returns when it has begun,
     * `verification` tells the rest. Faults: verify-not-possible, not-primary.
     */
    verify: { params: z.object({ module: z.string(), repair: z.boolean() }), result: z.null() },
    stopVerify: { params: moduleName, result: z.null() },
    /** Of each replicated directory: the comparison that runs, or the last one since the module became primary here; null: none. */
    verification: {
      params: moduleName,
      result: z.array(z.object({ volume: z.string(), path: z.string(), verification: verificationSchema.nullable() })),
    },
    /** Stops everything on this node, uncovers the directories and removes the volume records. The data stays. */
    withdraw: { params: z.object({}), result: z.null() },
  },
  events: {
    status: nodeStatusSchema,
    event: eventSchema,
  },
});
export type ControlApi = typeof controlApi;
