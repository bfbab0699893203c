/** Where suites mount disks of their own. A mount namespace that outlives them would hold those after the suites have let go of them. */

/** One fixed place, so that the next run finds what a killed one has left. */
export const diskHome = '/var/tmp/holdfast-filesystem-suite';

/** For a shell in a mount namespace of its own. `kept`: root of a disk. */
export function letGoOfDisks(kept = ''): string {
  return `for disk in ${diskHome}/*/disk; do [ "$disk" = "${kept}" ] || umount -l "$disk"; done 2>/dev/null`;
}
