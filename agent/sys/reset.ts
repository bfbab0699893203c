/**
 * The machine starts anew at once: nothing is stopped, nothing is written back (`man 2 reboot`). In a container it is the container that starts anew; the second
 * means, for when the call is refused, would not respect that and is left to whole machines.
 */
import { readlinkSync, writeFileSync } from 'node:fs';
import ffi from 'node:ffi';
import { lastErrno } from './library.ts';
import { SystemCallError } from './raw-socket.ts';

const rebootAutoboot = 0x01234567;
/** PROC_PID_INIT_INO of linux/proc_ns.h: the namespace of a machine's own first process. */
const machineNamespace = 'pid:[4026531836]';

/** Returns only when both means were refused: what the kernel said. */
export function resetMachine(): string {
  const { functions: c } = ffi.dlopen('libc.so.6', { reboot: { arguments: ['int32'], return: 'int32' } });
  c.reboot(rebootAutoboot);
  const { message } = new SystemCallError('reboot', lastErrno());
  if (readlinkSync('/proc/self/ns/pid') !== machineNamespace) return message;
  try {
    writeFileSync('/proc/sysrq-trigger', 'b');
  } catch (error) {
    return `${message}, ${error instanceof Error ? error.message : String(error)}`;
  }
  return message;
}
