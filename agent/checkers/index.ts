export { noAnswer, notChecked } from './checker.ts';
export type { Checker } from './checker.ts';
export { createChecker } from './factory.ts';
export type { CheckerFactory, CheckerSurroundings } from './factory.ts';
