import type { ClusterStatus } from '../../agent/contract/status.ts';
import { programVersion } from '../install/index.ts';
import { connectFromHere } from './environment.ts';
import { chooseCluster } from './known-clusters.ts';
import { ClusterSession } from './session.ts';

export { connectFromHere, type ConnectOptions } from './environment.ts';
export {
  chooseCluster,
  forgetCluster,
  knownClusters,
  readConfigurationFile,
  rememberCluster,
  userStateDirectory,
  type ChosenCluster,
  type KnownCluster,
} from './known-clusters.ts';
export { mergeClusterStatus, type NodeObservation } from './merge.ts';
export { ClusterSession } from './session.ts';

/**
 * One look at a cluster: the given configuration file, else the last used. Servers that cannot be reached are part of the answer.
 * Faults: no-cluster-known, those of the configuration file.
 */
export async function readClusterStatus(
  options: { readonly clusterFile?: string; readonly signal?: AbortSignal } = {},
): Promise<ClusterStatus> {
  const { configuration } = await chooseCluster(options.clusterFile);
  await using session = new ClusterSession({
    configuration,
    connect: connectFromHere(),
    programVersion: programVersion(),
    signal: options.signal,
  });
  return await session.status();
}
