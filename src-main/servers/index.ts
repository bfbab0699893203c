export { createServerAccess, type MachineLike, type ServerAccess, type ServerAccessOptions } from './access.ts';
export { checkDestination } from './destination.ts';
export { fileLoginMemory, type LoginMemory } from './login-memory.ts';
