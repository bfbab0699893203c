export { createClustersPart, type ClustersPart, type ClustersPartOptions } from './clusters-part.ts';
