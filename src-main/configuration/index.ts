export {
  checkConfiguration,
  checkValue,
  parseConfiguration,
  type CheckedValue,
  type ParsedConfiguration,
} from './parse.ts';
export { configurationFault, problemText, type ConfigurationProblem, type ProblemAt } from './problem.ts';
export { makeClusterRecord, sameRecord, type ResolvedMachines } from './record.ts';
export { subnetContains } from './rules.ts';
