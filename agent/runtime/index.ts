export { controlSocket, daemonMain, directories } from './daemon.ts';
export { connectUnix, linePort, listenUnix } from './line-port.ts';
