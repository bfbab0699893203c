/**
 * Which mounts hear of what is mounted over a directory here. Pure. The kernel repeats a mount in the peer group of the mount that it is made on, and
 * in the groups that are slaves of it, and nowhere else (mount_namespaces(7)): a container that was given a directory without `rslave` goes on
 * seeing what is below our cover.
 */
import type { MountEntry } from './mount-table.ts';

function groupOf(entry: MountEntry, kind: 'shared' | 'master'): string | null {
  const word = entry.propagation.find((one) => one.startsWith(`${kind}:`));
  return word === undefined ? null : word.slice(kind.length + 1);
}

/** Numbers of the peer groups that get what is mounted on `own`; `tables` are those of every namespace. */
export function followingGroups(own: MountEntry, tables: readonly (readonly MountEntry[])[]): ReadonlySet<string> {
  const groups = new Set<string>();
  const first = groupOf(own, 'shared');
  if (first === null) return groups;
  groups.add(first);
  // A slave that is shared itself passes it on; as many rounds as there are links in the longest such chain.
  for (let before = 0; before !== groups.size;) {
    before = groups.size;
    for (const entry of tables.flat()) {
      const [master, shared] = [groupOf(entry, 'master'), groupOf(entry, 'shared')];
      if (master !== null && shared !== null && groups.has(master)) groups.add(shared);
    }
  }
  return groups;
}

export function follows(entry: MountEntry, groups: ReadonlySet<string>): boolean {
  return (['shared', 'master'] as const).some((kind) => groups.has(groupOf(entry, kind) ?? ''));
}
