/** Is each directory fit to be replicated, here and there? Pure. */
import { failed, passed, remarked, type Check, type CheckedModule, type ProbedMachine } from './check.ts';
import type { DirectoryProbe } from './probe.ts';
import { labelChecks } from './surroundings-checks.ts';
import { mountBelow, mountsInside } from './surroundings.ts';

/** As `stat -f` names them; what the agent refuses by the kernel's names (agent/fuse/refusals.ts). */
const refusedFilesystems = [
  ...['overlayfs', 'overlay', 'aufs', 'fuseblk', 'fuse', 'ecryptfs'],
  ...['nfs', 'nfs4', 'smb2', 'smb', 'cifs', 'ceph', 'v9fs', 'afs', 'lustre', 'gpfs', 'gfs', 'gfs2', 'ocfs2'],
  ...['tmpfs', 'ramfs', 'hugetlbfs', 'squashfs', 'erofs', 'iso9660', 'isofs', 'udf', 'cramfs'],
  ...['msdos', 'vfat', 'exfat', 'ntfs', 'hfs', 'hfs+'],
];

/** Whatever is written there needs new room, also over what is there (btrfs is told to leave the record in its place). */
const copiesAlways = ['zfs', 'bcachefs'];

function whenFull(machine: ProbedMachine, { path, filesystem }: DirectoryProbe): Check[] {
  if (filesystem === null || !copiesAlways.includes(filesystem)) return [];
  return [
    remarked(
      'directory-copies-on-write',
      machine.name,
      `Directory ${path}`,
      {
        what: `${filesystem} needs free space for every change, also of what is there already`,
        why: 'When it is full, Holdfast cannot note there what the copy is worth: the application gets errors, and may move to the other server.',
        remedy: `Never let the file system of ${path} become full: watch its free space, or give the other directories on it a quota. ext4, XFS and btrfs have no such limit.`,
      },
      { path, filesystem },
    ),
  ];
}

function inUse(machine: ProbedMachine, directory: DirectoryProbe): Check[] {
  const { path, holders } = directory;
  if (holders.length === 0) return [];
  return [
    remarked(
      'application-running',
      machine.name,
      `Directory ${path}`,
      {
        what: `${holders.join(', ')} ${holders.length === 1 ? 'uses' : 'use'} ${path}`,
        why: 'Nobody may have a file open there while replication is put over it.',
        remedy:
          'The installation runs the stop command for that moment; from then on the module starts the application.',
      },
      { path, programs: [...holders] },
    ),
  ];
}

export function directoryChecks(machine: ProbedMachine, directory: DirectoryProbe): Check[] {
  const { name } = machine;
  const { path, filesystem } = directory;
  const title = `Directory ${path}`;
  // Below the cover only the agent sees.
  if (directory.isCovered) return [];
  switch (directory.type) {
    case 'symlink':
      return [
        failed(
          'directory-is-symlink',
          name,
          title,
          {
            what: `${path} is a symbolic link`,
            why: 'The directory itself is mounted over; a link leads elsewhere.',
            remedy: 'Write the path that the link points to.',
          },
          { path },
        ),
      ];
    case 'other':
      return [
        failed(
          'directory-is-file',
          name,
          title,
          {
            what: `${path} is not a directory`,
            why: 'Whole directories are replicated.',
            remedy: 'Write the directory that holds it.',
          },
          { path },
        ),
      ];
    case 'missing':
      return []; // judged together with the other node
    case 'directory':
      break;
  }
  if (directory.isMountPoint) {
    return [
      failed(
        'directory-is-mount-point',
        name,
        title,
        {
          what: `${path} is a mount point`,
          why: 'If its file system were not mounted one day, an empty directory would be taken for the data.',
          remedy: `Put the data into a directory below it, such as ${path}/data.`,
        },
        { path },
      ),
    ];
  }
  if (filesystem !== null && refusedFilesystems.includes(filesystem)) {
    return [
      failed(
        'directory-filesystem',
        name,
        title,
        {
          what: `${path} is on ${filesystem}`,
          why: 'Replication needs a local file system that finds files again by handle, such as ext4 or XFS.',
          remedy: 'Move the data to a local disk with ext4 or XFS.',
        },
        { path, filesystem },
      ),
    ];
  }
  const inside = mountsInside(machine.probe.surroundings, path);
  if (inside.length > 0) {
    return [
      failed(
        'directory-holds-mounts',
        name,
        title,
        {
          what: `other file systems are mounted below ${path}: ${inside.join(', ')}`,
          why: 'What is on them would neither be replicated nor be seen any more.',
          remedy: `Unmount them (umount ${inside.join(' ')}) and take them out of /etc/fstab, or replicate a directory that holds none.`,
        },
        { path, mounts: inside },
      ),
    ];
  }
  const facts = { path, filesystem, freeBytes: directory.availableBytes };
  if (mountBelow(machine.probe.surroundings, path)?.options.includes('ro') === true) {
    return [
      failed(
        'directory-read-only',
        name,
        title,
        {
          what: `the file system of ${path} is mounted read-only`,
          why: 'Replication writes there. A file system that has become read-only by itself has a damaged disk.',
          remedy: `Look at dmesg; then mount -o remount,rw "$(df -P ${path} | awk 'NR == 2 { print $6 }')", and correct its line in /etc/fstab.`,
        },
        { path },
      ),
    ];
  }
  return [
    passed('directory', name, title, `on ${filesystem ?? 'a local file system'}`, facts),
    ...whenFull(machine, directory),
    ...inUse(machine, directory),
  ];
}

interface Side {
  readonly machine: ProbedMachine;
  readonly probe: DirectoryProbe | undefined;
}

/** The standby runs the application on files that carry the numbers of the other one's users. */
function ownerChecks(path: string, here: Side, there: Side): Check[] {
  const owner = here.probe?.ownerName ?? null;
  const number = Number((here.probe?.owner ?? '').split(':')[0]);
  if (owner === null || owner === 'root' || here.probe?.isCovered === true || here.probe?.type !== 'directory')
    return [];
  const other = there.machine.probe.accounts[owner];
  if (other === undefined || other === number) return [];
  return [
    failed(
      'owner-differs',
      there.machine.name,
      `Directory ${path}`,
      {
        what: `the user ${owner} has the number ${other}, and ${number} on ${here.machine.name}`,
        why: 'Files keep the number of their owner: after a failover the application could not read its data.',
        remedy: `Give ${owner} the same number on both servers, with the application stopped: usermod -u ${number} ${owner}`,
      },
      { path, user: owner, number: other, otherNumber: number, other: here.machine.name },
    ),
  ];
}

function parentChecks(path: string, side: Side): Check[] {
  if (side.probe?.type !== 'missing' || side.probe.parentExists) return [];
  return [
    failed(
      'directory-parent-missing',
      side.machine.name,
      `Directory ${path}`,
      {
        what: `neither ${path} nor the directory above it exists`,
        why: 'The disk that is to hold the data may not be mounted.',
        remedy: 'Mount the disk, or create the directory above.',
      },
      { path },
    ),
  ];
}

/** What only both servers together tell. */
export function sharedDirectoryChecks(nodes: readonly ProbedMachine[], module: CheckedModule): Check[] {
  return module.directories.flatMap((path) => {
    const sides = nodes.map((machine): Side => ({
      machine,
      probe: machine.probe.directories.find((directory) => directory.path === path),
    }));
    const title = `Directory ${path}`;
    const checks: Check[] = [];
    if (sides.length > 1 && sides.every(({ probe }) => probe?.type === 'missing')) {
      checks.push(
        failed(
          'directory-missing',
          null,
          title,
          {
            what: `${path} exists on neither server`,
            why: 'Holdfast replicates a directory that is there; a wrong path would protect nothing.',
            remedy: `Create it on the server that will run ${module.name} first, or correct the path.`,
          },
          { path, module: module.name },
        ),
      );
    } else {
      checks.push(...sides.flatMap((side) => parentChecks(path, side)));
    }
    const filesystems = [
      ...new Set(sides.map(({ probe }) => probe?.filesystem ?? null).filter((type) => type !== null)),
    ];
    if (filesystems.length > 1 && !sides.some(({ probe }) => probe?.isCovered === true)) {
      checks.push(
        failed(
          'filesystems-differ',
          null,
          title,
          {
            what: `${path} is on ${filesystems.join(' and on ')}`,
            why: 'Both copies must keep the same names, attributes and limits.',
            remedy: 'Use the same file system on both servers.',
          },
          { path, filesystems },
        ),
      );
    }
    const [first, second] = sides;
    if (first && second) {
      const differing = ownerChecks(path, first, second);
      checks.push(...(differing.length > 0 ? differing : ownerChecks(path, second, first)));
    }
    checks.push(...labelChecks(nodes, path));
    return checks;
  });
}
