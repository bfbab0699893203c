/** Looks at a directory that is to be replicated; changes nothing. */
import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { VolumeInspection, VolumeStatus } from '../contract/index.ts';
import { volumeRecordSchema } from '../contract/index.ts';
import { readIfThere } from './durable-file.ts';
import { parseMountTable } from './mount-table.ts';
import type { Clock, Rescue } from './ports.ts';

/** Beyond either bound the numbers are unknown rather than late. */
const entriesMax = 200_000;
const countingMaxMs = 5000;
const recordDirectory = '.holdfast';

type Problem = VolumeInspection['problems'][number];

const unsuitable: Readonly<Record<string, string>> = {
  overlay: 'an overlay filesystem, which cannot find a file again after a restart',
  nfs: 'a network filesystem',
  nfs4: 'a network filesystem',
  cifs: 'a network filesystem',
  smb3: 'a network filesystem',
  tmpfs: 'in memory, and lost at every restart',
  ramfs: 'in memory, and lost at every restart',
  proc: 'not for data',
  sysfs: 'not for data',
};

export interface InspectionPorts {
  readonly clock: Clock;
  readonly rescue: Pick<Rescue, 'holders'>;
  /** What the replicator says of a volume that it serves: its directory is covered, a look at it would show the empty cover. */
  readonly known: (id: string) => VolumeStatus | null;
}

export async function inspectVolume(
  volume: { readonly id: string; readonly path: string },
  ports: InspectionPorts,
): Promise<VolumeInspection> {
  const served = ports.known(volume.id);
  const stat = await lstat(volume.path).catch(() => null);
  const blank = {
    ...volume,
    exists: stat?.isDirectory() ?? false,
    initialised: false,
    empty: true,
    entries: null,
    bytes: null,
    newestFile: null,
    filesystem: null,
    generation: null,
    problems: [] as Problem[],
  };
  if (served?.record != null)
    return {
      ...blank,
      initialised: true,
      empty: served.record.generation === null,
      generation: served.record.generation,
      problems: served.fault === null ? [] : [served.fault],
    };
  if (stat === null) return { ...blank, problems: [missing(volume.path)] };
  if (!stat.isDirectory()) return { ...blank, problems: [notADirectory(volume.path)] };
  const mounts = parseMountTable(await readFile('/proc/self/mountinfo', 'utf8'));
  const filesystem = filesystemOf(volume.path, mounts);
  const problems = [
    ...placeProblems(volume.path, filesystem, mounts),
    ...(await usageProblems(volume.path, ports.rescue)),
  ];
  const count = await countBelow(volume.path, ports.clock);
  return {
    ...blank,
    ...(await recordOf(volume.path)),
    empty: count.names === 0,
    entries: count.complete ? count.entries : null,
    bytes: count.complete ? count.bytes : null,
    newestFile: count.complete ? count.newest : null,
    filesystem,
    problems,
  };
}

async function recordOf(directory: string): Promise<Pick<VolumeInspection, 'initialised' | 'generation'>> {
  const text = await readIfThere(path.join(directory, recordDirectory, 'volume.json')).catch(() => null);
  if (text === null) return { initialised: false, generation: null };
  try {
    return { initialised: true, generation: volumeRecordSchema.parse(JSON.parse(text)).generation };
  } catch {
    return { initialised: true, generation: null };
  }
}

type Mounts = ReturnType<typeof parseMountTable>;

/** Of the mount with the longest path that contains it; of several on one path, the topmost. */
export function filesystemOf(directory: string, mounts: Mounts): string | null {
  let best: { readonly filesystem: string; readonly length: number } | null = null;
  for (const { mountPoint, filesystem } of mounts) {
    const contains = mountPoint === '/' || directory === mountPoint || directory.startsWith(`${mountPoint}/`);
    if (contains && mountPoint.length >= (best?.length ?? 0)) best = { filesystem, length: mountPoint.length };
  }
  return best?.filesystem ?? null;
}

export function placeProblems(directory: string, filesystem: string | null, mounts: Mounts): Problem[] {
  const problems: Problem[] = [];
  if (mounts.some(({ mountPoint }) => mountPoint === directory))
    problems.push({
      code: 'is-mount-point',
      message: `${directory} is itself a mount point.`,
      remedy: 'Name a directory inside that filesystem.',
    });
  const inside = mounts.find(({ mountPoint }) => mountPoint.startsWith(`${directory}/`));
  if (inside !== undefined)
    problems.push({
      code: 'contains-mount-point',
      message: `Another filesystem is mounted inside, on ${inside.mountPoint}.`,
      remedy: 'Unmount it, or replicate a directory without mounts.',
    });
  const why = filesystem?.startsWith('fuse') === true ? 'served by a program of its own' : unsuitable[filesystem ?? ''];
  if (why !== undefined)
    problems.push({
      code: 'filesystem-unsuitable',
      message: `${directory} lies on ${String(filesystem)}: ${why}.`,
      remedy: 'Use a directory on a local disk (ext4, xfs, btrfs).',
    });
  return problems;
}

async function usageProblems(directory: string, rescue: Pick<Rescue, 'holders'>): Promise<Problem[]> {
  const holders = await rescue.holders(directory);
  if (holders.length === 0) return [];
  const names = holders.map(({ pid, name }) => `${name} (${pid})`).join(', ');
  return [
    {
      code: 'directory-in-use',
      message: `${directory} is used by ${names}.`,
      remedy: 'Stop the application and disable its start at boot; Holdfast starts it from now on.',
    },
  ];
}

function missing(directory: string): Problem {
  return {
    code: 'directory-missing',
    message: `${directory} does not exist.`,
    remedy: 'Create it, or correct the path in the configuration.',
  };
}
function notADirectory(directory: string): Problem {
  return { code: 'not-a-directory', message: `${directory} is not a directory.`, remedy: 'Name a directory.' };
}

interface Count {
  names: number;
  entries: number;
  bytes: number;
  newest: string | null;
  complete: boolean;
}

async function countBelow(root: string, clock: Clock): Promise<Count> {
  const count: Count = { names: 0, entries: 0, bytes: 0, newest: null, complete: true };
  const untilMs = clock.bootMs() + countingMaxMs;
  let newestMs = -Infinity;
  const waiting = [root];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    const entries: Dirent[] = await readdir(directory, { withFileTypes: true }).catch(() => []);
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
