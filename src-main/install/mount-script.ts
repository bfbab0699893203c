/** What is mounted at a path, asked of the kernel's table in plain shell. */

/**
 * `mount_at PATH < /proc/self/mountinfo`: file system type, source and options as the table ends its lines; empty where nothing is mounted. The
 * table has a blank and a backslash of a name as octal digits, and never a symbolic link on the way. The path itself is not touched: what is mounted
 * there may answer nobody any more.
 */
export const mountScript = `mount_at() {
  at=$(cd -P -- "\${1%/*}/" 2>/dev/null && pwd -P)
  at=$(printf %s "\${at%/}/\${1##*/}" | sed -e 's/\\\\/\\\\134/g' -e 's/ /\\\\040/g')
  AT="$at" awk '$5 == ENVIRON["AT"] { found = $0 } END { sub(/.* - /, "", found); print found }'
}`;

/** `ours MOUNT`: as `mountedByUs`. */
export const oursScript = `ours() { case $1 in 'tmpfs holdfast-cover '*|'fuse.holdfast holdfast '*) return 0 ;; esac; return 1; }`;

/** A disk of the user may have our name in its own. */
export function mountedByUs(mount: string): 'none' | 'cover' | 'replicated' {
  if (mount.startsWith('tmpfs holdfast-cover ')) return 'cover';
  return mount.startsWith('fuse.holdfast holdfast ') ? 'replicated' : 'none';
}
