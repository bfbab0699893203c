export { nowMs } from './clock.ts';
export {
  journalProblems,
  journalText,
  listeningPorts,
  productUnits,
  readJournal,
  residentBytes,
  type JournalLine,
  type ListeningPort,
} from './inspect.ts';
export { assertDirectoriesEqual, backingPath, directoriesEqual, readManifest, type Comparison } from './manifest.ts';
export { installPostgres, postgresDirectory, postgresLayer, postgresPort, preparePostgres } from './postgres.ts';
export { assertNothingLost, startWorkload, virtualAddress, Workload } from './workload.ts';
export { activeNodes, assertCopiesEqual, Cluster, otherNode, stateOf } from './cluster.ts';
export { haltAt, isHalted, letGo, provocationOf } from './halts.ts';
export { placesOnServers, type PlaceOnServer } from './operations.ts';
export { Hearing, installSpeaker } from './hearing.ts';
export { LabCluster, labObstacleOf } from './scenario-cluster.ts';
