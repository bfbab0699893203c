/** The data plane. Others import only this file. */
export { replicatorMain, runReplicator } from './replicator.ts';
export type { ReplicatorConfiguration, ReplicatorOptions } from './replicator.ts';
