/**
 * Descriptors that the service manager keeps for the next process (sd_notify(3) FDSTORE, systemd 219 and later; names since 233), and hands
 * over when it starts it (sd_listen_fds_with_names(3)).
 */
import { E } from './errno.ts';
import { library, result } from './library.ts';
import { Memory } from './memory.ts';
import { notifySystemd } from './process.ts';
import { unixAddress } from './service-manager.ts';

const afUnix = 1;
const sockDgramCloexec = 2 | 0o2000000;
const solSocket = 1;
const scmRights = 1;
const setDescriptorFlags = 2;
const closeOnExec = 1n;

/** Where the parts of one message lie: struct msghdr, struct iovec, struct cmsghdr with one descriptor, the address, the text. */
const place = { message: 0, vector: 64, control: 96, address: 128, text: 256 } as const;
const controlBytes = 24;
const memory = new Memory(1024);

/**
 * Not polled by the service manager (systemd 246; older ones do): each request would wake it too.
 * `name`: no colon, no control characters, at most 100 of them. 0; -errno; also 0 when no service manager listens.
 */
export function storeDescriptor(name: string, fd: number, socketPath = process.env['NOTIFY_SOCKET']): number {
  if (socketPath === undefined || socketPath === '') return 0;
  const { bytes } = memory;
  const at = memory.address();
  const address = unixAddress(socketPath);
  if (address.length > place.text - place.address) return -E.NAMETOOLONG;
  bytes.fill(0);
  bytes.set(address, place.address);
  const textBytes = bytes.write(`FDSTORE=1\nFDNAME=${name}\nFDPOLL=0`, place.text);
  bytes.writeBigUInt64LE(at + BigInt(place.address), place.message);
  bytes.writeUInt32LE(address.length, place.message + 8);
  bytes.writeBigUInt64LE(at + BigInt(place.vector), place.message + 16);
  bytes.writeBigUInt64LE(1n, place.message + 24);
  bytes.writeBigUInt64LE(at + BigInt(place.control), place.message + 32);
  bytes.writeBigUInt64LE(BigInt(controlBytes), place.message + 40);
  bytes.writeBigUInt64LE(at + BigInt(place.text), place.vector);
  bytes.writeBigUInt64LE(BigInt(textBytes), place.vector + 8);
  // The length of the control message is without the padding behind the descriptor.
  bytes.writeBigUInt64LE(20n, place.control);
  bytes.writeInt32LE(solSocket, place.control + 8);
  bytes.writeInt32LE(scmRights, place.control + 12);
  bytes.writeInt32LE(fd, place.control + 16);
  const socket = result(library.socket(afUnix, sockDgramCloexec, 0));
  if (socket < 0) return socket;
  const status = library.sendmsg(socket, at, 0) < 0n ? result(-1) : 0;
  library.close(socket);
  return status;
}

/** The service manager forgets every descriptor of this name. */
export function forgetDescriptor(name: string): void {
  notifySystemd(`FDSTOREREMOVE=1\nFDNAME=${name}`);
}

/** What was handed over, by name. Once: programs that this process starts must not take it for theirs. */
export function takeDescriptors(environment: NodeJS.ProcessEnv = process.env): Map<string, number> {
  const found = new Map<string, number>();
  const count = Number(environment['LISTEN_FDS'] ?? '0');
  const names = (environment['LISTEN_FDNAMES'] ?? '').split(':');
  if (Number(environment['LISTEN_PID'] ?? '0') === process.pid)
    for (let index = 0; index < count; index++) {
      const fd = 3 + index;
      library.fcntl(fd, setDescriptorFlags, closeOnExec);
      const name = names[index] ?? '';
      // Stored twice, or without a name: nobody knows which of them is meant.
      if (name === '' || found.has(name)) library.close(fd);
      else found.set(name, fd);
    }
  delete environment['LISTEN_FDS'];
  delete environment['LISTEN_PID'];
  delete environment['LISTEN_FDNAMES'];
  return found;
}
