export { daemonMain } from './daemon.ts';
