/** /proc/PID/mountinfo, parsed. Pure; paths stay bytes in the sense of latin1 text, because the kernel shows any bytes. */

export interface MountEntry {
  readonly id: number;
  readonly parentId: number;
  readonly major: number;
  readonly minor: number;
  /** What of the filesystem is mounted (not `/` for a bind mount). */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  /** `shared:N`, `master:N`, … */
  readonly propagation: readonly string[];
  readonly type: string;
  readonly source: string;
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** A path in the form in which `mountPoint` has it. */
export function asMountPath(path: string): string {
  return Buffer.from(path).toString('latin1');
}

function parseLine(line: string): MountEntry | null {
  const fields = line.split(' ');
  const separator = fields.indexOf('-', 6);
  const [id, parentId, device, root, mountPoint, options] = fields;
  const type = fields[separator + 1];
  const source = fields[separator + 2];
  if (
    separator < 0 ||
    device === undefined ||
    root === undefined ||
    mountPoint === undefined ||
    options === undefined ||
    type === undefined
  )
    return null;
  const [major, minor] = device.split(':');
  return {
    id: Number(id),
    parentId: Number(parentId),
    major: Number(major),
    minor: Number(minor),
    root: unescape(root),
    mountPoint: unescape(mountPoint),
    options: options.split(','),
    propagation: fields.slice(6, separator),
    type,
    source: unescape(source ?? ''),
  };
}

/** In mount order: of two entries at one place the later one lies on top. */
export function parseMountInfo(bytes: Buffer): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of bytes.toString('latin1').split('\n')) {
    const entry = line === '' ? null : parseLine(line);
    if (entry) entries.push(entry);
  }
  return entries;
}

/** What is mounted exactly at `path`, bottom first. */
export function mountsAt(entries: readonly MountEntry[], path: string): MountEntry[] {
  const wanted = asMountPath(path);
  return entries.filter((entry) => entry.mountPoint === wanted);
}

/** True for `path` itself and everything below it. */
export function isBelow(candidate: string, path: string): boolean {
  return candidate === path || candidate.startsWith(path === '/' ? '/' : `${path}/`);
}

/** The mount through which `path` is reached: the deepest mount point above it, and of those at one place the topmost. */
export function mountOf(entries: readonly MountEntry[], path: string): MountEntry | undefined {
  const wanted = asMountPath(path);
  let best: MountEntry | undefined;
  for (const entry of entries) {
    if (!isBelow(wanted, entry.mountPoint)) continue;
    if (!best || entry.mountPoint.length >= best.mountPoint.length) best = entry;
  }
  return best;
}
