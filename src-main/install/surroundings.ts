/** What the surroundings script tells of a host, understood. Pure. */
interface Line {
  readonly key: string;
  readonly value: string;
}

export interface SeenMount {
  readonly id: string;
  /** `major:minor` */
  readonly device: string;
  /** What of the file system is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  /** `shared:N`, `master:N`. */
  readonly propagation: readonly string[];
  /** Ours: a cover, or a replicated directory. */
  readonly isOurs: boolean;
}

export interface OtherNamespace {
  readonly pid: number;
  readonly program: string;
  /** Control group, as the kernel names it. */
  readonly group: string;
  readonly mounts: readonly SeenMount[];
}

/** A program that the kernel asks before a file is opened. */
export interface PermissionGroup {
  readonly pid: number;
  readonly program: string;
  readonly marks: readonly { readonly kind: 'mount' | 'filesystem' | 'inode'; readonly of: string }[];
}

export interface DirectoryLabel {
  readonly path: string;
  readonly label: string;
  /** What the policy would give it; null where the server cannot tell. */
  readonly byPolicy: string | null;
}

export interface Surroundings {
  /** Known on-access scanners that run. */
  readonly scanners: readonly string[];
  readonly permissionGroups: readonly PermissionGroup[];
  /** 'active', or 'without-command' where its command is missing too; null: does not run. */
  readonly fapolicyd: 'active' | 'without-command' | null;
  /** Of the file systems that our programs stand on. */
  readonly mountOptions: readonly { readonly path: string; readonly options: readonly string[] }[];
  readonly ownMounts: readonly SeenMount[];
  readonly elsewhere: readonly OtherNamespace[];
  readonly labels: readonly DirectoryLabel[];
  /** Switches of SELinux that are in force, and known to matter: `allow_execmem`, `deny_execmem`. */
  readonly booleans: Readonly<Record<string, boolean>>;
}

export const noSurroundings: Surroundings = {
  scanners: [],
  permissionGroups: [],
  fapolicyd: null,
  mountOptions: [],
  ownMounts: [],
  elsewhere: [],
  labels: [],
  booleans: {},
};

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** proc_pid_mountinfo(5). */
export function parseMounts(text: string): SeenMount[] {
  return text.split('\n').flatMap((line): SeenMount[] => {
    const fields = line.split(' ');
    const end = fields.indexOf('-', 6);
    const [id, , device, root, mountPoint, options] = fields;
    if (end < 0 || id === undefined || device === undefined || root === undefined) return [];
    const [type = '', source = ''] = fields.slice(end + 1);
    return [
      {
        id,
        device,
        root: unescaped(root),
        mountPoint: unescaped(mountPoint ?? ''),
        options: (options ?? '').split(','),
        propagation: fields.slice(6, end),
        isOurs: type === 'fuse.holdfast' || (type === 'tmpfs' && source === 'holdfast-cover'),
      },
    ];
  });
}

/** The kernel writes a device number as one number here: twenty bits of minor below the major. */
function deviceOf(sdev: string): string {
  const number = parseInt(sdev, 16);
  return `${Math.floor(number / 0x100000)}:${number % 0x100000}`;
}

/** proc_pid_fdinfo(5): `fanotify mnt_id:…`, `fanotify sdev:…` of a whole file system, `fanotify ino:… sdev:…`. */
function parsePermissionGroup(value: string): PermissionGroup {
  const [first = '', ...lines] = value.split('\n');
  const [pid = '', ...words] = first.split(' ');
  const marks = lines.flatMap((line): PermissionGroup['marks'] => {
    const mount = /^fanotify mnt_id:(\w+)/.exec(line)?.[1];
    if (mount !== undefined) return [{ kind: 'mount', of: String(parseInt(mount, 16)) }];
    const [, inode, sdev] = /^fanotify (ino:\w+ )?sdev:(\w+)/.exec(line) ?? [];
    return sdev === undefined ? [] : [{ kind: inode === undefined ? 'filesystem' : 'inode', of: deviceOf(sdev) }];
  });
  return { pid: Number(pid), program: words.join(' '), marks };
}

function parseNamespace(value: string): OtherNamespace {
  const [first = '', group = '', ...lines] = value.split('\n');
  const [pid = '', ...words] = first.split(' ');
  return { pid: Number(pid), program: words.join(' '), group, mounts: parseMounts(lines.join('\n')) };
}

export function parseSurroundings(lines: readonly Line[]): Surroundings {
  const all = (key: string): string[] => lines.filter((line) => line.key === key).map(({ value }) => value);
  const [fapolicyd] = all('fapolicyd');
  return {
    scanners: all('scanner'),
    permissionGroups: all('fanotify').map(parsePermissionGroup),
    fapolicyd: fapolicyd === undefined ? null : fapolicyd === 'none' ? 'without-command' : 'active',
    mountOptions: all('options').map((value) => {
      const [path = '', options = ''] = value.split(' ');
      return { path, options: options.split(',') };
    }),
    booleans: Object.fromEntries(
      all('boolean').map((value): [string, boolean] => {
        const [name = '', current = ''] = value.split(' ');
        return [name, current === '1'];
      }),
    ),
    ownMounts: all('own-mounts').flatMap(parseMounts),
    elsewhere: all('elsewhere').map(parseNamespace),
    labels: all('label').map((value) => {
      const [label = '', byPolicy = 'unknown', ...path] = value.split(' ');
      return { path: path.join(' '), label, byPolicy: /^[^:]+:[^:]+:[^:]+/.test(byPolicy) ? byPolicy : null };
    }),
  };
}

const isBelow = (path: string, above: string): boolean =>
  path === above || path.startsWith(above === '/' ? '/' : `${above}/`);

/** Through which a path is reached: the deepest, and of those at one place the last one. */
function mountOf(mounts: readonly SeenMount[], path: string): SeenMount | undefined {
  const above = mounts.filter((mount) => isBelow(path, mount.mountPoint));
  const depth = Math.max(...above.map(({ mountPoint }) => mountPoint.length));
  return above.findLast(({ mountPoint }) => mountPoint.length === depth);
}

/** The disk that a directory is on, whatever of ours lies over it. */
export function mountBelow({ ownMounts }: Surroundings, path: string): SeenMount | undefined {
  return mountOf(
    ownMounts.filter(({ isOurs, mountPoint }) => !(isOurs && mountPoint === path)),
    path,
  );
}

/** Of other file systems, inside of the directory. */
export function mountsInside({ ownMounts }: Surroundings, path: string): string[] {
  const inside = ownMounts.filter(
    ({ mountPoint, isOurs }) => mountPoint !== path && isBelow(mountPoint, path) && !isOurs,
  );
  return [...new Set(inside.map(({ mountPoint }) => mountPoint))];
}

function group(mount: SeenMount, kind: 'shared' | 'master'): string | undefined {
  return mount.propagation.find((word) => word.startsWith(`${kind}:`))?.slice(kind.length + 1);
}

/** As the agent judges it when it closes the door (agent/fuse/propagation.ts). */
function followingGroups(own: SeenMount, elsewhere: readonly OtherNamespace[]): Set<string> {
  const first = group(own, 'shared');
  const groups = new Set(first === undefined ? [] : [first]);
  for (let before = -1; before !== groups.size;) {
    before = groups.size;
    for (const mount of elsewhere.flatMap(({ mounts }) => mounts)) {
      const shared = group(mount, 'shared');
      if (shared !== undefined && groups.has(group(mount, 'master') ?? '')) groups.add(shared);
    }
  }
  return groups;
}

function placeIn(mount: SeenMount, path: string): string {
  const rest = mount.mountPoint === '/' ? path : path.slice(mount.mountPoint.length);
  return mount.root === '/' ? rest || '/' : `${mount.root}${rest === '/' ? '' : rest}`;
}

/** Namespaces with a mount of the directory, of a part of it or of what is above it, that goes on as it is when the directory is covered here. */
export function namespacesBeside(surroundings: Surroundings, path: string): OtherNamespace[] {
  const own = mountBelow(surroundings, path);
  if (own === undefined) return [];
  const groups = followingGroups(own, surroundings.elsewhere);
  const place = placeIn(own, path);
  return surroundings.elsewhere.filter(({ mounts }) =>
    mounts.some((mount) => {
      if (mount.device !== own.device || mount.isOurs) return false;
      // A part of it stays what it is: nothing is mounted there.
      if (mount.root !== place && isBelow(mount.root, place)) return true;
      if (!isBelow(place, mount.root)) return false;
      const follows = groups.has(group(mount, 'shared') ?? '') || groups.has(group(mount, 'master') ?? '');
      if (follows) return false;
      if (mount.root === place) return true;
      if (mount.options.includes('ro')) return false;
      const rest = mount.root === '/' ? place : place.slice(mount.root.length);
      const seenAt = mount.mountPoint === '/' ? rest : `${mount.mountPoint}${rest}`;
      return mountOf(mounts, seenAt) === mount;
    }),
  );
}

/** What a person calls it: the container's own id is enough for its tool. */
export function nameOf({ group: path, program, pid }: OtherNamespace): string {
  const patterns: readonly [RegExp, string][] = [
    [/docker[-/]([0-9a-f]{12})/, 'docker container '],
    [/libpod-([0-9a-f]{12})/, 'podman container '],
    [/kubepods.*[-/]([0-9a-f]{12})[0-9a-f]*(\.scope)?$/, 'pod container '],
    [/lxc(?:\.payload)?[./]([\w.-]+)/, 'LXC container '],
    [/systemd-nspawn@([\w.-]+)\.service/, 'machine '],
    [/machine-([\w.-]+)\.scope/, 'machine '],
    [/\/([\w@.\\-]+\.service)$/, ''],
  ];
  for (const [pattern, kind] of patterns) {
    const name = pattern.exec(path)?.[1];
    if (name !== undefined) return `${kind}${name}`;
  }
  return `${program} (pid ${pid})`;
}
