export type { CheckerDecision } from './checkers.ts';
export * from './mirror.ts';
export * from './mirror-types.ts';
export * from './timing.ts';
export * from './voter.ts';
