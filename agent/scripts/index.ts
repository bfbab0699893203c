export { ApplicationGroups, unifiedHierarchy } from './application-groups.ts';
export { KnownApplications } from './known-applications.ts';
export { hasSystemd, linuxScriptRunner } from './script-runner.ts';
export type { LeftProcess } from './module-cgroup.ts';
export type { ScriptName, ScriptOrder, ScriptRunner } from './script-runner.ts';
