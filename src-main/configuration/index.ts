export { checkConfiguration, parseConfiguration, type ParsedConfiguration } from './parse.ts';
export { configurationFault, problemText, type ConfigurationProblem } from './problem.ts';
export { makeClusterRecord, sameRecord, type ResolvedMachines } from './record.ts';
export { subnetContains } from './rules.ts';
