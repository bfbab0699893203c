import { EchoSocket } from '../sys/echo-socket.ts';
import type { OpenEchoPort } from './pings.ts';

export const openEchoPort: OpenEchoPort = (address) => new EchoSocket(address);
