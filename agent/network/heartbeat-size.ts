/** A heartbeat is one datagram. What people would like to read of every module may not fit in it when there are many; what is decided on always must. */
import type { Heartbeat, ModuleBeat } from '../contract/index.ts';
import { datagramBytesMax } from './datagram-seal.ts';

/** For the envelope and the seal. */
const aroundBytes = 2000;

function bytesOf(message: Heartbeat): number {
  return Buffer.byteLength(JSON.stringify(message));
}

function withEach(message: Heartbeat, change: (beat: ModuleBeat) => ModuleBeat): Heartbeat {
  return { ...message, modules: message.modules.map(change) };
}

/** Sentences go first. The reason that each says stays: the other node decides on it. */
export function fittingHeartbeat(message: Heartbeat, bytesMax = datagramBytesMax - aroundBytes): Heartbeat {
  if (bytesOf(message) <= bytesMax) return message;
  const short = withEach(message, (beat) => ({ ...beat, message: undefined }));
  if (bytesOf(short) <= bytesMax) return short;
  return withEach(short, (beat) => ({ ...beat, since: undefined, resync: undefined }));
}
