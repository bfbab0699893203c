export { ApplicationGroups } from './application-groups.ts';
export { hasSystemd, linuxScriptRunner } from './script-runner.ts';
export type { LeftProcess } from './module-cgroup.ts';
export type { ScriptName, ScriptOrder, ScriptRunner } from './script-runner.ts';
