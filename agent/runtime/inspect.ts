/** Looks at a directory that is to be replicated; changes nothing. */
import { closeSync, type Dirent } from 'node:fs';
import { lstat, readdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { FaultRecord, VolumeInspection, VolumeStatus } from '../contract/index.ts';
import { Fault, volumeRecordSchema } from '../contract/index.ts';
import { readIfThere } from './durable-file.ts';
import type { Clock } from './ports.ts';

/** Beyond either bound the numbers are unknown rather than late. */
const entriesMax = 200_000;
const countingMaxMs = 5000;
const recordDirectory = '.holdfast';

/** linux/magic.h. */
const filesystemNames: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlay',
  0x6969: 'nfs',
};

export interface InspectionPorts {
  readonly clock: Clock;
  /** What the replicator says of a volume that it has. */
  readonly known: (id: string) => VolumeStatus | null;
}

export async function inspectVolume(
  volume: { readonly id: string; readonly path: string },
  ports: InspectionPorts,
): Promise<VolumeInspection> {
  const known = ports.known(volume.id);
  const served = known?.record ?? null;
  const door = await import('../fuse/index.ts');
  const problems = door.inspectDirectory(volume.path).map((fault) => fault.toRecord());
  const blank: VolumeInspection = {
    ...volume,
    exists: !problems.some(({ code }) => code === 'directory-missing' || code === 'not-a-directory'),
    initialised: served !== null,
    empty: true,
    entries: null,
    bytes: null,
    newestFile: null,
    filesystem: await filesystemOf(volume.path),
    generation: served?.generation ?? null,
    problems,
  };
  if (!blank.exists) return blank;
  // The replicator itself holds what it serves.
  if (known === null) {
    const users = door.holdersOfDirectory(volume.path).map(door.describeHolder);
    if (users.length > 0) problems.push(inUse(volume.path, users));
    const beside = door.seenBesideCover(volume.path);
    if (beside.length > 0) problems.push(door.seenBesideCoverFault(volume.path, beside).toRecord());
  }
  if (problems.some(({ code }) => code !== 'directory-in-use'))
    return { ...blank, ...(await contents(volume.path, ports)) };
  // Below a cover of ours, or below the application's mount: what really stands there.
  const descriptor = door.openBackingDirectory(volume.path);
  try {
    return { ...blank, ...(await contents(`/proc/self/fd/${descriptor}`, ports)), problems };
  } finally {
    closeSync(descriptor);
  }
}

async function contents(directory: string, ports: InspectionPorts): Promise<Partial<VolumeInspection>> {
  const count = await countBelow(directory, ports.clock);
  return {
    ...(await recordOf(directory)),
    empty: count.names === 0,
    entries: count.complete ? count.entries : null,
    bytes: count.complete ? count.bytes : null,
    newestFile: count.complete ? count.newest : null,
  };
}

async function recordOf(directory: string): Promise<Partial<VolumeInspection>> {
  const text = await readIfThere(path.join(directory, recordDirectory, 'volume.json')).catch(() => null);
  if (text === null) return {};
  try {
    return { initialised: true, generation: volumeRecordSchema.parse(JSON.parse(text)).generation };
  } catch {
    return { initialised: true, generation: null };
  }
}

/** Best effort, for people: the type that `stat -f` names. */
async function filesystemOf(directory: string): Promise<string | null> {
  const stat = await statfs(path.dirname(directory)).catch(() => null);
  return stat === null ? null : (filesystemNames[stat.type] ?? `0x${stat.type.toString(16)}`);
}

function inUse(directory: string, users: readonly string[]): FaultRecord {
  return new Fault(
    'directory-in-use',
    {
      message: `${directory} is used by ${users.slice(0, 5).join(', ')}.`,
      remedy: 'Stop the application and disable its start at boot; Holdfast starts it from now on.',
    },
    { holders: users.slice(0, 20) },
  ).toRecord();
}

function unlistable(error: unknown): Fault {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  const remedy = 'Look at `dmesg`, check the file system, and try again.';
  return new Fault(
    'disk-failed',
    { message: `A directory that is to be replicated cannot be listed: ${code}.`, remedy },
    { error: code },
    error,
  );
}

interface Count {
  names: number;
  entries: number;
  bytes: number;
  newest: string | null;
  complete: boolean;
}

/** Fault: disk-failed. A directory that cannot be listed is not an empty one: data in it would be given up for another copy. */
export async function countBelow(root: string, clock: Pick<Clock, 'bootMs'>): Promise<Count> {
  const count: Count = { names: 0, entries: 0, bytes: 0, newest: null, complete: true };
  const untilMs = clock.bootMs() + countingMaxMs;
  let newestMs = -Infinity;
  const waiting = [root];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    const entries: Dirent[] = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
      if (directory === root) throw unlistable(error);
      return [];
    });
    for (const entry of entries) {
      // Our own record, and what a fresh filesystem has at its root, are no data.
      if (directory === root && (entry.name === recordDirectory || entry.name === 'lost+found')) continue;
      if (directory === root) count.names++;
      if (++count.entries > entriesMax || clock.bootMs() > untilMs) return { ...count, complete: false };
      const file = path.join(directory, entry.name);
      if (entry.isDirectory()) {
        waiting.push(file);
        continue;
      }
      const stat = await lstat(file).catch(() => null);
      if (stat === null) continue;
      count.bytes += stat.size;
      if (stat.isFile() && stat.mtimeMs > newestMs) {
        newestMs = stat.mtimeMs;
        count.newest = `${path.relative(root, file)} (${stat.mtime.toISOString()})`;
      }
    }
  }
  return count;
}
