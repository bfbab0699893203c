export { createServerAccess, type MachineLike, type ServerAccess, type ServerAccessOptions } from './access.ts';
export { checkDestination } from './destination.ts';
export { readFacts } from './facts.ts';
export { hostKeysFileIn, serverAccessFromHere, type HereOptions } from './from-here.ts';
export { fileLoginMemory, type LoginMemory } from './login-memory.ts';
export { createServersPart, type ServersPartOptions } from './part.ts';
