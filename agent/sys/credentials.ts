/** Who a thread is to the filesystem. Linux credentials belong to threads; these calls change the calling thread alone. */
import { readFileSync } from 'node:fs';
import { checked } from './errno.ts';
import { library, result, systemCall, systemCallNumber } from './library.ts';
import { Memory } from './memory.ts';

/** Bit numbers, linux/capability.h. */
export const CAP = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  DAC_READ_SEARCH: 2,
  FOWNER: 3,
  FSETID: 4,
  SYS_ADMIN: 21,
  SYS_RESOURCE: 24,
  MKNOD: 27,
  SETFCAP: 31,
} as const;

const version3 = 0x20080522;
const header = new Memory(8);
header.bytes.writeUInt32LE(version3, 0);
const data = new Memory(24);

/** All known capabilities fit in 64 bits; only the lower 32 matter here, the upper ones are kept as they are. */
interface CapabilitySets {
  readonly effective: readonly [number, number];
  readonly permitted: readonly [number, number];
}

function capabilities(): CapabilitySets {
  checked(result(library.capget(header.address(), data.address())), 'capget');
  const word = (index: number): number => data.bytes.readUInt32LE(index * 4);
  return { effective: [word(0), word(3)], permitted: [word(1), word(4)] };
}

function setCapabilities(effective: readonly [number, number], permitted: readonly [number, number]): void {
  const words = [effective[0], permitted[0], 0, effective[1], permitted[1], 0];
  words.forEach((word, index) => data.bytes.writeUInt32LE(word >>> 0, index * 4));
  checked(result(library.capset(header.address(), data.address())), 'capset');
}

const cloneFs = 0x200;

/** NGROUPS_MAX of them. */
const groupList = new Memory(4 * 65536);

/** The supplementary groups of a process, from the text of its /proc/PID/status. */
export function parseGroups(status: string): number[] {
  const line = /^Groups:(.*)$/m.exec(status)?.[1] ?? '';
  return line
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(Number);
}

/** None when it is gone already, or lives where its number means nothing here. */
export function groupsOf(pid: number): number[] {
  try {
    return parseGroups(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return [];
  }
}

/** Nobody: on ext4 user 0 may use the blocks reserved for root, whatever its capabilities are. */
const laneUid = 65534;

/**
 * The identity of one filesystem thread. `enter` once per thread; then `become` the caller around creations and `restore` after it.
 * Between them the thread is nobody with all capabilities but CAP_SYS_RESOURCE, so that quotas and reserved blocks hold. The kernel
 * has checked the caller's permissions already, so those of the directory below are overridden. CAP_FSETID is not raised for a
 * caller: the set-group-id bit must fall where it would have fallen without us.
 */
export class ThreadIdentity {
  readonly #all: readonly [number, number];
  readonly #asCaller: readonly [number, number];
  #umask = 0;
  #groupCount = 0;

  private constructor(all: readonly [number, number]) {
    this.#all = all;
    this.#asCaller = [all[0] & ~(1 << CAP.FSETID), all[1]];
  }

  /** Own umask and credentials for this thread, from now to its end. */
  static enter(): ThreadIdentity {
    checked(result(library.unshare(cloneFs)), 'unshare');
    library.umask(0);
    checked(systemCall(systemCallNumber.setgroups, 0n, 0n), 'setgroups');
    const { permitted } = capabilities();
    const all: readonly [number, number] = [permitted[0] & ~(1 << CAP.SYS_RESOURCE), permitted[1]];
    const identity = new ThreadIdentity(all);
    identity.#settle();
    return identity;
  }

  #settle(): void {
    library.setfsuid(laneUid);
    // Leaving user 0 takes the filesystem capabilities away: they are put back.
    setCapabilities(this.#all, this.#all);
  }

  /** `groups`: supplementary ones, where they decide something. */
  become(uid: number, gid: number, umask: number, groups: readonly number[] = []): void {
    if (umask !== this.#umask) {
      library.umask(umask);
      this.#umask = umask;
    }
    library.setfsgid(gid);
    this.#setGroups(groups);
    library.setfsuid(uid);
    setCapabilities(uid === 0 ? this.#all : this.#asCaller, this.#all);
  }

  /** Still nobody, but what is written now takes set-id bits away, by the rule that the kernel below has for members of these groups. */
  becomeWriter(gid: number, groups: readonly number[]): void {
    library.setfsgid(gid);
    this.#setGroups(groups);
    setCapabilities(this.#asCaller, this.#all);
  }

  #setGroups(groups: readonly number[]): void {
    if (groups.length === 0 && this.#groupCount === 0) return;
    groups.forEach((group, index) => groupList.bytes.writeUInt32LE(group >>> 0, index * 4));
    checked(systemCall(systemCallNumber.setgroups, BigInt(groups.length), groupList.address()), 'setgroups');
    this.#groupCount = groups.length;
  }

  restore(): void {
    if (this.#umask !== 0) {
      library.umask(0);
      this.#umask = 0;
    }
    library.setfsgid(0);
    this.#setGroups([]);
    this.#settle();
  }
}
