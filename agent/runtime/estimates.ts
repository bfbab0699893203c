import type { ModuleDefinition, ResyncEstimate } from '../contract/index.ts';
import type { ReplicatorPort } from './ports.ts';

export interface VolumeEstimate {
  readonly volume: string;
  readonly path: string;
  readonly estimate: ResyncEstimate;
}

/** `files`: how many are named of each directory. Faults: not-primary, replicator-down. */
export async function estimateOf(
  replicator: ReplicatorPort,
  { volumes }: ModuleDefinition,
  files: number,
): Promise<VolumeEstimate[]> {
  return Promise.all(
    volumes.map(async ({ id, path }) => ({
      volume: id,
      path,
      estimate: await replicator.call('estimate', { volume: id, files }),
    })),
  );
}
