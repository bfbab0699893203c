export { discoverServers, type DiscoverySources } from './discover.ts';
export { findIdentities } from './identities.ts';
export { scanSubnet } from './scan.ts';
export { ownSubnets } from './subnet.ts';
