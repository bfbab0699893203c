/** How a cluster looked when it was last read, kept for the next start of the app. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { clusterStatusSchema, type ClusterStatus } from '../../agent/contract/index.ts';
import { readStateFile, writeStateFile } from '../state-file.ts';

const lastLookSchema = z.object({
  format: z.literal(1),
  status: clusterStatusSchema,
  /** When each node last answered. */
  lastSeen: z.record(z.string(), z.iso.datetime()),
});
export interface LastLook {
  readonly status: ClusterStatus;
  readonly lastSeen: Readonly<Record<string, string>>;
}

export interface LastLooks {
  read(cluster: string): Promise<LastLook | null>;
  /** Never rejects: a full disk on the laptop must not keep anybody from looking at servers. */
  write(cluster: string, look: LastLook): Promise<void>;
  remove(cluster: string): Promise<void>;
  /** Everything is written. */
  settled(): Promise<void>;
}

export function lastLooksIn(stateDirectory: string): LastLooks {
  const fileOf = (cluster: string): string => path.join(stateDirectory, 'last-looks', `${cluster}.json`);
  const read = (cluster: string): Promise<LastLook | null> => readStateFile(fileOf(cluster), lastLookSchema);
  let writing: Promise<void> = Promise.resolve();
  const inTurn = (change: () => Promise<void>): Promise<void> => {
    writing = writing.then(change).catch(() => undefined);
    return writing;
  };

  async function merge(cluster: string, look: LastLook): Promise<void> {
    // Another copy of the app may have seen a node that this one cannot reach.
    const before = await read(cluster);
    const lastSeen = { ...before?.lastSeen };
    for (const [node, at] of Object.entries(look.lastSeen)) {
      if ((lastSeen[node] ?? '') < at) lastSeen[node] = at;
    }
    const isNewer = before === null || before.status.observedAt <= look.status.observedAt;
    await writeStateFile(fileOf(cluster), { format: 1, status: isNewer ? look.status : before.status, lastSeen });
  }
  return {
    read,
    write: (cluster, look) => inTurn(() => merge(cluster, look)),
    remove: (cluster) => inTurn(() => rm(fileOf(cluster), { force: true })),
    settled: () => writing,
  };
}
