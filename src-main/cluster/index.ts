export { connectFromHere, type ConnectOptions } from './environment.ts';
export {
  chooseCluster,
  clusterId,
  configurationOf,
  forgetClusterById,
  unknownCluster,
  forgetCluster,
  knownClusters,
  readConfigurationFile,
  rememberCluster,
  userStateDirectory,
  type ChosenCluster,
  type KnownCluster,
} from './known-clusters.ts';
export { mergeClusterStatus, type NodeObservation } from './merge.ts';
export { agentVersionIn, ClusterSession, noSuchNode, primaryAmong } from './session.ts';
export { giveOrder, refusalIn, type GivenOrder, type ModuleOrder } from './orders.ts';
