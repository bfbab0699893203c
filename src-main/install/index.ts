export { openAgent, type AgentClient } from './agent-link.ts';
export { applyCluster, type ApplyOptions, type ApplyOutcome, type InstallEvent, type PlannedStep } from './apply.ts';
export { checkServers } from './check-servers.ts';
export type { Check } from './checks.ts';
export { layout } from './layout.ts';
export { machinesOf, type Connect, type MachineAddress } from './machines.ts';
export type { PackageSources } from './packages.ts';
export { uninstallCluster, type UninstallOptions, type UninstallOutcome } from './uninstall.ts';
export { programRoot, programVersion } from './version.ts';
