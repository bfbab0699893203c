/** holdfastd ↔ replicator, over `/run/holdfast/replicator.sock`. The replicator decides nothing about roles: it obeys and reports. */
import * as z from 'zod';
import { changedObjectsMax, resyncEstimateSchema } from './estimate.ts';
import { acknowledgeLevels } from './configuration.ts';
import { generationSchema, volumeRecordSchema } from './lineage.ts';
import { defineInterface } from './rpc.ts';
import { resyncProgressSchema } from './status.ts';
import { faultRecordSchema } from './fault.ts';
import { verificationSchema } from './verify.ts';

export const volumeStatusSchema = z.object({
  id: z.string(),
  path: z.string(),
  /** Null: not initialised, or unreadable (then `fault` says why). */
  record: volumeRecordSchema.nullable(),
  /**
   * `idle`: covered, nobody reaches the data. `secondary`: takes the peer's stream, covered. `primary`: mounted.
   * `fenced`: was primary, connection aborted, on the way to idle.
   */
  role: z.enum(['idle', 'secondary', 'primary', 'fenced']),
  /**
   * Of a primary. `undecided`: no peer, and no right yet to go on without it: reads are answered, changes wait.
   * `alone`: changes go to this disk only, `peerStale` is on disk. `resynchronising`: changes go to both, the peer's copy is stale.
   * `in-sync`: what was answered is where the level of the module promises, with `durable` an fsync on both disks. Null for other roles.
   */
  mode: z.enum(['undecided', 'alone', 'resynchronising', 'in-sync']).nullable(),
  /** Of a primary: until when it may answer, CLOCK_BOOTTIME milliseconds; 0: nobody has said so to this process. Renewals alone are not told. */
  answersUntilMs: z.number().optional(),
  /** The peer link of this volume. */
  link: z.enum(['down', 'up']),
  /** On either side of a running resync. */
  resync: resyncProgressSchema.nullable(),
  /** Why the link is refused or the volume cannot serve: forked, not-the-same-data, peer-is-newer, copies-differ, disk errors … */
  fault: faultRecordSchema.nullable(),
  /** Of a primary: the comparison that runs, or the last one of this role. */
  verification: verificationSchema.nullish(),
});
export type VolumeStatus = z.infer<typeof volumeStatusSchema>;

/** So many changes took at least the first and less than the second number of microseconds. */
const latencyCountSchema = z.tuple([z.number(), z.number(), z.number()]);
export type LatencyCount = z.infer<typeof latencyCountSchema>;

/** Numbers that only grow, so that whoever reads them twice knows what happened in between. */
export const volumeMetricsSchema = z.object({
  volume: z.string(),
  /** The connection to the peer; null: there is none. */
  link: z
    .object({
      /** Where the peer is. */
      address: z.string(),
      /** What the network alone takes; null: the kernel has no number yet. */
      roundTripMs: z.number().nullable(),
    })
    .nullable(),
  /** Of a primary since it became one; null for other roles. */
  primary: z
    .object({
      /** Another number than before: another role, everything counts from zero again. */
      role: z.number().int(),
      /** Sent to the peer: the application's changes, and what a resync compares and sends. */
      changeBytes: z.number(),
      resyncBytes: z.number(),
      /** Of the application's change requests, from when each was read until its answer was written. */
      latency: z.array(latencyCountSchema),
    })
    .nullable(),
});
export type VolumeMetrics = z.infer<typeof volumeMetricsSchema>;

const volumeId = z.object({ volume: z.string() });

export const replicatorApi = defineInterface({
  name: 'holdfast-replicator',
  methods: {
    /**
     * Whole desired configuration, idempotent. New volumes are covered at once (door closed) unless somebody uses the directory
     * (fault directory-in-use, with the holders). Volumes that are gone must be idle; they are uncovered.
     */
    configure: {
      params: z.object({
        node: z.string(),
        volumes: z.array(
          z.object({
            id: z.string(),
            module: z.string(),
            path: z.string(),
            volumeUuid: z.string(),
            cache: z.enum(['writeback', 'none']),
            acknowledge: z.enum(acknowledgeLevels).default('durable'),
          }),
        ),
        /** Own addresses to listen on, peer's addresses to connect to, in order of preference. */
        listen: z.array(z.object({ address: z.string(), port: z.number().int() })),
        peer: z.object({
          name: z.string(),
          endpoints: z.array(z.object({ address: z.string(), port: z.number().int() })),
          certificateFile: z.string(),
        }),
        certificateFile: z.string(),
        keyFile: z.string(),
        /** A request that the peer leaves unacknowledged for longer expels it. */
        acknowledgeTimeoutMs: z.number().int(),
      }),
      result: z.null(),
    },
    status: { params: z.object({}), result: z.array(volumeStatusSchema) },
    /** Says only that the event loop runs. A version that does not know it says that too, by refusing. */
    alive: { params: z.object({}), result: z.null() },
    /** Of all volumes; costs the lanes nothing. */
    metrics: { params: z.object({}), result: z.array(volumeMetricsSchema) },
    /** Writes the first record. `blank` moves what stands there aside first (keptAt), `good` takes it as the data. Volume must be idle. */
    initialise: {
      params: z.object({
        volume: z.string(),
        as: z.enum(['good', 'blank']),
        generation: generationSchema.nullable(),
        keepAside: z.boolean(),
        replaceRecord: z.boolean(),
      }),
      result: z.object({ keptAt: z.string().nullable() }),
    },
    /**
     * Takes the peer's stream from now on. Idempotent. `doubted`: what this copy and the peer have agreed on is void, so everything is compared; durable before the
     * peer hears of this copy. A version that does not know it does without.
     */
    serveSecondary: { params: volumeId.extend({ doubted: z.boolean().optional() }), result: z.null() },
    /**
     * Applies everything received, mounts, and connects to the peer; the mode is `undecided` until the link is up (then `resynchronising`
     * or `in-sync` by the lineage) or `goAlone` comes. Faults: copy-stale (unless `order`), mount-failed, directory-in-use.
     */
    servePrimary: { params: z.object({ volume: z.string(), order: z.boolean() }), result: z.null() },
    /**
     * The right to go on without the peer. On disk before the first waiting change is let through: the generation becomes the
     * record's, the old one enters the history, `peerStale` true, `copy` up-to-date. Idempotent for the same generation.
     */
    goAlone: { params: z.object({ volume: z.string(), generation: generationSchema }), result: z.null() },
    /**
     * Planned end of a role. Primary: unmount (fault mount-busy with the holders when the application still uses it), then agree a
     * clean checkpoint with an in-sync peer. Secondary: closes the link. `clean`: a checkpoint was agreed on both disks.
     */
    stop: { params: volumeId, result: z.object({ clean: z.boolean() }) },
    /** At once and always: no reply any more, connection aborted, holders killed, unmounted. Returns when the mount is gone. Idempotent. */
    fence: { params: volumeId, result: z.object({ killedPids: z.array(z.number()) }) },
    /**
     * The replicator answers nothing of the module's volumes after this instant (CLOCK_BOOTTIME ms); later calls extend it. Until the first
     * call after servePrimary nothing is answered.
     */
    setLease: { params: z.object({ module: z.string(), deadlineMs: z.number() }), result: z.null() },
    /** Several at once. A version that does not know it refuses with unknown-method. */
    setLeases: {
      params: z.object({ leases: z.array(z.object({ module: z.string(), deadlineMs: z.number() })) }),
      result: z.null(),
    },
    /**
     * Compares both copies beside the application; `repair`: then makes the secondary equal. Returns when it has begun; `status` tells the rest.
     * Idempotent while one runs. Faults: verify-not-possible, not-primary.
     */
    verify: { params: z.object({ volume: z.string(), repair: z.boolean() }), result: z.null() },
    stopVerify: { params: volumeId, result: z.null() },
    /** Of a primary: what a resync would have to do if the peer came back now; `files`: how many are named. Fault: not-primary. */
    estimate: {
      params: z.object({ volume: z.string(), files: z.number().int().min(0).max(changedObjectsMax) }),
      result: resyncEstimateSchema,
    },
    /** Uncovers and forgets an idle volume; removes `.holdfast` when `removeRecord`. */
    release: { params: z.object({ volume: z.string(), removeRecord: z.boolean() }), result: z.null() },
  },
  events: {
    /** On every change of role, mode, link, record or fault at once; during a resync also every 500 ms. */
    volume: volumeStatusSchema,
  },
});
export type ReplicatorApi = typeof replicatorApi;
