/** Renderer ↔ main: what a screen may ask and is told. The same mechanism as app ↔ agent, over a port of the host. */
import { z } from 'zod';
import { clusterStatusSchema, defineInterface, faultRecordSchema } from '../../agent/contract/index.ts';

/** What the app knows of the cluster, with its age. It never invents state: a cluster that cannot be read keeps its last picture. */
export const clusterViewSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('reading') }),
  /** Nothing was ever installed from this machine. */
  z.object({ kind: z.literal('none') }),
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

export const appApi = defineInterface({
  name: 'holdfast-app',
  methods: {
    /** What is known now, without waiting for a server. */
    cluster: { params: z.object({}), result: clusterViewSchema },
    /** Reads now; the answer comes as `cluster` as well. */
    refresh: { params: z.object({}), result: clusterViewSchema },
  },
  events: { cluster: clusterViewSchema },
});
export type AppApi = typeof appApi;
