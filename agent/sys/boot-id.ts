/** Which boot of the kernel this is. What was not written to a disk in an earlier one is gone; a process that ends takes nothing along. */
import { readFileSync } from 'node:fs';

export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
