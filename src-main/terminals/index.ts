export { createTerminalsPart, type TerminalsPartOptions } from './part.ts';
