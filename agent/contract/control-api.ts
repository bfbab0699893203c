/** App and command line ↔ holdfastd, over `/run/holdfast/control.sock` (from the laptop: through `holdfast connect` in an SSH channel). */
import * as z from 'zod';
import { clusterRecordSchema } from './configuration.ts';
import { changedObjectsMax, resyncEstimateSchema } from './estimate.ts';
import { eventSchema } from './event.ts';
import { keptComparisonSchema, keptCopySchema, volumeSpaceSchema } from './forks.ts';
import { generationSchema } from './lineage.ts';
import { defineInterface } from './rpc.ts';
import { nodeStatusSchema } from './status.ts';
import { lastComparisonSchema, verificationSchema } from './verify.ts';

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
    /**
     * Of each replicated directory: the comparison that runs, or the last one since the module became primary here; null: none. `last`: what the last one
     * that ended here has found; absent: a version that does not tell.
     */
    verification: {
      params: moduleName,
      result: z.array(
        z.object({
          volume: z.string(),
          path: z.string(),
          verification: verificationSchema.nullable(),
          last: lastComparisonSchema.nullish(),
        }),
      ),
    },
    /**
     * Of the node that runs the module: what a resync of each replicated directory would have to do if the other copy came back now. Nothing is scanned. `files`: how
     * many of the changed files are named. Faults: not-primary, replicator-down.
     */
    estimate: {
      params: z.object({ module: z.string(), files: z.number().int().min(0).max(changedObjectsMax).default(0) }),
      result: z.array(z.object({ volume: z.string(), path: z.string(), estimate: resyncEstimateSchema })),
    },
    /** What was set aside on this node when another copy was chosen; newest first. */
    kept: { params: moduleName, result: z.array(keptCopySchema) },
    /** File by file, against what stands in the replicated directory of this node. Faults: no-such-kept-copy. */
    compareKept: {
      params: z.object({ module: z.string(), id: z.string(), limit: z.number().int().min(1).max(10_000) }),
      result: keptComparisonSchema,
    },
    /**
     * Copies `path` (null: all of it) into the living data, through the mount and so to both servers, or to a directory outside. What stands there is
     * overwritten, nothing else removed; what was set aside stays. Faults: no-such-kept-copy, not-primary, path-not-usable, command-failed.
     */
    restoreKept: {
      params: z.object({
        module: z.string(),
        id: z.string(),
        path: z.string().min(1).nullable(),
        to: z.string().min(1).nullable(),
      }),
      result: z.null(),
    },
    /** Removes it for good; can be repeated. Faults: no-such-kept-copy, command-failed. */
    discardKept: { params: z.object({ module: z.string(), id: z.string() }), result: z.null() },
    /** Bytes of the module's files on this node, to know whether the other one has room for them. */
    dataBytes: { params: moduleName, result: z.number().nullable() },
    /** Of each replicated directory: what its disk has free, and with `measured` what its files take. */
    volumeSpace: {
      params: z.object({ module: z.string(), measured: z.boolean() }),
      result: z.array(volumeSpaceSchema),
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
