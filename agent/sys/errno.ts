/** Error numbers of Linux (the same on x86-64 and arm64), and the error thrown where failing is not an everyday answer. */
import { constants } from 'node:os';

export const E = {
  PERM: 1,
  NOENT: 2,
  INTR: 4,
  IO: 5,
  NXIO: 6,
  BADF: 9,
  AGAIN: 11,
  NOMEM: 12,
  ACCES: 13,
  BUSY: 16,
  EXIST: 17,
  XDEV: 18,
  NODEV: 19,
  NOTDIR: 20,
  ISDIR: 21,
  INVAL: 22,
  MFILE: 24,
  TXTBSY: 26,
  FBIG: 27,
  NOSPC: 28,
  ROFS: 30,
  MLINK: 31,
  RANGE: 34,
  NAMETOOLONG: 36,
  NOSYS: 38,
  NOTEMPTY: 39,
  LOOP: 40,
  NODATA: 61,
  PROTO: 71,
  BADMSG: 74,
  OVERFLOW: 75,
  OPNOTSUPP: 95,
  NOTCONN: 107,
  STALE: 116,
  UCLEAN: 117,
  DQUOT: 122,
} as const;

const names = new Map<number, string>(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** `errorName(-2)` and `errorName(2)` are both 'ENOENT'. */
export function errorName(number: number): string {
  const positive = Math.abs(number);
  return names.get(positive) ?? `errno ${positive}`;
}

/** A system call failed where the caller has no other way than to give up. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  /** Positive. */
  readonly errno: number;
  readonly code: string;

  constructor(call: string, errno: number, detail = '') {
    const code = errorName(errno);
    super(detail === '' ? `${call}: ${code}` : `${call} ${detail}: ${code}`);
    this.errno = Math.abs(errno);
    this.code = code;
  }
}

/** Passes zero or more on, throws for `-errno`. */
export function checked(value: number, call: string, detail = ''): number {
  if (value < 0) throw new SystemError(call, value, detail);
  return value;
}
