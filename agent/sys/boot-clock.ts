/** CLOCK_BOOTTIME: goes on during suspend, is never set back, and means nothing on another machine. */
import ffi from 'node:ffi';

const clockBoottime = 7;
const { functions: c } = ffi.dlopen('libc.so.6', {
  clock_gettime: { arguments: ['int32', 'buffer'], return: 'int32' },
});
const timespec = Buffer.allocUnsafeSlow(16);

/** Milliseconds since this machine booted, with fractions. */
export function bootTimeMs(): number {
  if (c.clock_gettime(clockBoottime, timespec) !== 0) throw new Error('clock_gettime(CLOCK_BOOTTIME) failed');
  return Number(timespec.readBigInt64LE(0)) * 1000 + Number(timespec.readBigInt64LE(8)) / 1e6;
}
