/** /dev/fuse: mounting, requests in, answers out, and the end of a connection. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Fault } from '../contract/fault.ts';
import {
  checked,
  close,
  E,
  errorName,
  ioctl,
  Memory,
  MNT,
  mount,
  MS,
  O,
  openPath,
  read,
  unmount,
  write,
} from '../sys/linux.ts';
import { asMountPath, mountOf, mountsAt, parseMountInfo } from './mount-table.ts';
import type { MountEntry } from './mount-table.ts';
import { contextOption, securityLabelOf } from './security-label.ts';

export const deviceFile = '/dev/fuse';
export const filesystemType = 'fuse.holdfast';

export interface MountedDevice {
  /** Good in every thread of this process. */
  readonly deviceFd: number;
  /** The number below /sys/fs/fuse/connections. */
  readonly connection: number;
}

/** Data of mount(2). The root is a directory; ownership is checked by the kernel with our attributes. */
function mountData(deviceFd: number, maxReadBytes: number, label: string | null): string {
  return [
    `fd=${deviceFd}`,
    'rootmode=40000',
    'user_id=0',
    'group_id=0',
    'allow_other',
    'default_permissions',
    `max_read=${maxReadBytes}`,
    ...contextOption(label),
  ].join(',');
}

/** What the filesystem below forbids stays forbidden: a set-user-id program on a disk with `nosuid` must not become one by being replicated. Pure. */
export function inheritedFlags(entries: readonly MountEntry[], path: string): number {
  const here = asMountPath(path);
  const options = mountOf(
    entries.filter(({ mountPoint }) => mountPoint !== here),
    path,
  )?.options;
  const flags = { nosuid: MS.NOSUID, nodev: MS.NODEV, noexec: MS.NOEXEC } as const;
  return Object.entries(flags).reduce((all, [name, flag]) => (options?.includes(name) === true ? all | flag : all), 0);
}

const mountTable = (): MountEntry[] => parseMountInfo(readFileSync('/proc/self/mountinfo'));

/**
 * Mounts over `path`. Requests queue in the device until somebody reads them: nothing here touches the new mount. `directoryFd`: what it shows, for
 * its security label.
 */
export function mountDevice(options: { readonly path: string; readonly directoryFd: number }): MountedDevice {
  const label = securityLabelOf(options.directoryFd);
  const deviceFd = openPath(deviceFile, O.RDWR);
  if (deviceFd < 0)
    throw new Fault('fuse-missing', {
      message: `${deviceFile} cannot be opened: ${errorName(deviceFd)}.`,
      remedy: 'Load the fuse module of the kernel (modprobe fuse).',
    });
  const flags = inheritedFlags(mountTable(), options.path);
  const mountWith = (context: string | null): number =>
    mount('holdfast', options.path, filesystemType, flags, mountData(deviceFd, 1 << 20, context));
  let status = mountWith(label);
  // A label that the policy of this server does not know: an application that is not confined runs all the same.
  if (status === -E.INVAL && label !== null) status = mountWith(null);
  if (status < 0) {
    close(deviceFd);
    throw new Fault(
      'mount-failed',
      { message: `${options.path} cannot be mounted: ${errorName(status)}.` },
      { path: options.path, errno: -status },
    );
  }
  const entry = mountsAt(mountTable(), options.path).at(-1);
  if (!entry) throw new Fault('mount-failed', { message: `${options.path} is not in the mount table.` });
  return { deviceFd, connection: entry.minor };
}

/** FUSE_DEV_IOC_CLONE: _IOR(229, 0, uint32_t). */
const cloneRequest = 0x8004e500;
const cloneArgument = new Memory(4);

/** A further queue of the same connection. */
export function cloneDevice(deviceFd: number): number {
  const fd = checked(openPath(deviceFile, O.RDWR), 'open', deviceFile);
  cloneArgument.bytes.writeUInt32LE(deviceFd, 0);
  const status = ioctl(fd, cloneRequest, cloneArgument.address());
  if (status < 0) close(fd);
  checked(status, 'ioctl(FUSE_DEV_IOC_CLONE)');
  return fd;
}

/**
 * Waits for one request. Its length, or -errno: -ENODEV when the mount is gone or the connection aborted; -EINTR, -EAGAIN and -ENOENT (the request
 * was interrupted before we got it) mean "again".
 */
export function readRequest(deviceFd: number, into: Memory): number {
  return read(deviceFd, into.address(), into.length);
}

export function isTransient(status: number): boolean {
  return status === -E.INTR || status === -E.AGAIN || status === -E.NOENT;
}

/** 0 or -errno. -ENOENT: nobody waits for this answer any more. Any thread may answer. */
export function writeReply(deviceFd: number, from: Memory, length: number): number {
  const count = write(deviceFd, from.address(), length);
  return Math.min(count, 0);
}

const notifyInvalidateNode = 2;
const notification = new Memory(64);

/** FUSE_NOTIFY_INVAL_INODE: the kernel forgets the attributes that it remembers, and keeps the data. */
export function forgetAttributes(deviceFd: number, node: number): number {
  const { bytes } = notification;
  bytes.fill(0, 0, 40);
  bytes.writeUInt32LE(40, 0);
  bytes.writeInt32LE(notifyInvalidateNode, 4);
  bytes.writeBigUInt64LE(BigInt(node), 16);
  bytes.writeBigInt64LE(-1n, 24);
  return writeReply(deviceFd, notification, 40);
}

const controlDirectory = '/sys/fs/fuse/connections';

function writeAbort(connection: number): boolean {
  try {
    writeFileSync(`${controlDirectory}/${connection}/abort`, '1');
    return true;
  } catch {
    return false;
  }
}

/**
 * Every request, waiting or new, fails at once, in every mount namespace. False: it is gone already, or the control filesystem is not there and
 * cannot be mounted either.
 */
export function abortByControl(connection: number): boolean {
  if (writeAbort(connection)) return true;
  // systemd mounts it on ordinary hosts; containers lack it. Mounted already: busy, and the connection is gone.
  return mount('fusectl', controlDirectory, 'fusectl', 0, null) === 0 && writeAbort(connection);
}

/**
 * The same for a connection whose mount lies on top at `path`. Where the control filesystem is missing (containers), a forced unmount
 * aborts as well, and fails with EBUSY after it has done so.
 */
export function abortConnection(connection: number, path: string): void {
  if (!abortByControl(connection)) unmount(path, MNT.FORCE);
}

/** -EBUSY while somebody uses the mount; `detach` takes it out of sight in any case. */
export function unmountDevice(path: string, detach = false): number {
  return unmount(path, detach ? MNT.DETACH : 0);
}
