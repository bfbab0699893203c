/** `/proc/self/mountinfo` (`man 5 proc`). Pure. */
export interface MountEntry {
  readonly device: { readonly major: number; readonly minor: number };
  readonly mountPoint: string;
  readonly filesystem: string;
}

/** Spaces and the like are written as octal escapes. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** In mount order: of several mounts on one path the last one is on top. */
export function parseMountTable(text: string): readonly MountEntry[] {
  return text.split('\n').flatMap((line) => {
    const [head, tail] = line.split(' - ');
    const fields = head?.split(' ') ?? [];
    const [major, minor] = (fields[2] ?? '').split(':').map(Number);
    const mountPoint = fields[4];
    const filesystem = tail?.split(' ')[0];
    if (major === undefined || minor === undefined || mountPoint === undefined || filesystem === undefined) return [];
    return [{ device: { major, minor }, mountPoint: unescape(mountPoint), filesystem }];
  });
}

/** The kernel names a FUSE connection by the device number of its mount. */
export function fuseConnections(mounts: readonly MountEntry[], path: string): readonly number[] {
  return mounts
    .filter(
      (mount) => mount.mountPoint === path && (mount.filesystem === 'fuse' || mount.filesystem.startsWith('fuse.')),
    )
    .map((mount) => mount.device.minor);
}
