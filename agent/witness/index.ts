export { witnessMain } from './witness-main.ts';
export { Witness } from './witness.ts';
export type { WitnessPorts } from './witness.ts';
export { Secrets } from './secrets.ts';
export { fileWitnessStore } from './witness-store.ts';
