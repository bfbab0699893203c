/**
 * What was set aside on this node when another copy was chosen. It lies beside the replicated directory, on the same disk, in a directory of its own with a
 * manifest; nobody but a person removes it. Whatever reads or writes much is a process of its own.
 */
import { constants } from 'node:fs';
import { open, readdir, readFile, statfs } from 'node:fs/promises';
import path from 'node:path';
import { Fault, keptComparisonSchema, keptDataName, keptManifestName, keptManifestSchema } from '../contract/index.ts';
import type { KeptComparison, KeptCopy, ModuleDefinition } from '../contract/index.ts';
import { comparablePath } from '../fuse/index.ts';
import { mustRun } from '../network/index.ts';
import type { CommandRunner } from '../network/index.ts';

const measureMaxMs = 20_000;
const longMaxMs = 24 * 3_600_000;
const gentle = ['nice', '-n', '19'] as const;

export interface KeptCopies {
  list(definition: ModuleDefinition): Promise<KeptCopy[]>;
  compare(definition: ModuleDefinition, id: string, limit: number): Promise<KeptComparison>;
  /** `runsHere`: the living data is mounted on this node. */
  restore(
    definition: ModuleDefinition,
    order: { readonly id: string; readonly path: string | null; readonly to: string | null },
    runsHere: boolean,
  ): Promise<void>;
  discard(definition: ModuleDefinition, id: string): Promise<void>;
  dataBytes(definition: ModuleDefinition): Promise<number | null>;
  freeBytes(definition: ModuleDefinition): Promise<number>;
}

export function keptCopies(run: CommandRunner): KeptCopies {
  const bytesBelow = async (directory: string): Promise<number | null> => {
    const options = { timeoutMs: measureMaxMs };
    const result = await run([...gentle, ...measureCommand(directory)], options).catch(() => null);
    return result === null ? null : parseBytes(result.stdout);
  };
  const list = async ({ volumes }: ModuleDefinition): Promise<KeptCopy[]> => {
    const all: KeptCopy[] = [];
    for (const volume of volumes)
      for (const directory of await besides(volume.path)) {
        const manifest = await manifestOf(directory);
        if (manifest?.volume !== volume.id) continue;
        const { at, complete, generation } = manifest;
        const known = { volume: volume.id, path: volume.path, at, complete, generation };
        all.push({ id: path.basename(directory), directory, ...known, bytes: await bytesBelow(dataOf(directory)) });
      }
    return all.sort((a, b) => (a.at < b.at ? 1 : -1));
  };
  /** Only what the list names: an id is never taken for a path. */
  const find = async (definition: ModuleDefinition, id: string): Promise<KeptCopy> => {
    const kept = (await list(definition)).find((one) => one.id === id);
    if (kept) return kept;
    throw new Fault(
      'no-such-kept-copy',
      { message: `Nothing of that name was set aside here: ${id}.`, remedy: 'Look at holdfast fork list.' },
      { id },
    );
  };
  /** The rest of an incomplete one still stands in the replicated directory: neither is the whole. */
  const findComplete = async (definition: ModuleDefinition, id: string): Promise<KeptCopy> => {
    const kept = await find(definition, id);
    if (kept.complete) return kept;
    throw new Fault(
      'set-aside-unfinished',
      {
        message: `${id} is not complete: setting it aside was interrupted.`,
        remedy: 'Order again which server’s version is kept: holdfast fork keep MODULE --node NODE.',
      },
      { id },
    );
  };
  return {
    list,
    compare: async (definition, id, limit) => {
      const { directory, path: living } = await find(definition, id);
      const argv = [...gentle, ...ownProgram(), 'compare-kept', dataOf(directory), living, String(limit)];
      return keptComparisonSchema.parse(JSON.parse(await mustRun(run, argv, { timeoutMs: longMaxMs })));
    },
    restore: async (definition, order, runsHere) => {
      const kept = await findComplete(definition, order.id);
      const from = dataOf(kept.directory);
      const target = order.to ?? kept.path;
      if (order.to === null && !runsHere)
        throw new Fault('not-primary', {
          message: `${definition.name} does not run on this server, so its data cannot be changed from here.`,
          remedy: 'Move the module here (holdfast swap), or restore to a directory with --to.',
        });
      mustBeUsable(order.path, order.to, kept.path);
      await mustStayWithin(run, from, parentOf(from, order.path));
      await mustStayWithin(run, target, parentOf(target, order.path));
      await mustRun(run, ['mkdir', '-p', '--', parentOf(target, order.path)]);
      await mustStayWithin(run, target, parentOf(target, order.path));
      await mustRun(run, [...gentle, ...copyCommand(from, order.path, target)], { timeoutMs: longMaxMs });
    },
    discard: async (definition, id) => {
      const { directory } = await findComplete(definition, id);
      // The manifest last: interrupted, it is still in the list, and this can be repeated.
      await mustRun(run, [...gentle, ...removeCommand(dataOf(directory))], { timeoutMs: longMaxMs });
      await mustRun(run, ['rm', '-rf', '--one-file-system', '--', directory], { timeoutMs: longMaxMs });
    },
    dataBytes: async ({ volumes }) => {
      let sum = 0;
      for (const volume of volumes) {
        // Below the cover, or below the mount: what really stands there.
        const argv = [...gentle, ...ownProgram(), 'measure-data', volume.path];
        const bytes = parseBytes(await mustRun(run, argv, { timeoutMs: longMaxMs }));
        if (bytes === null) return null;
        sum += bytes;
      }
      return sum;
    },
    freeBytes: async ({ volumes }) => {
      const free = await Promise.all(volumes.map(async (one) => statfs(path.dirname(comparablePath(one.path)))));
      return Math.min(...free.map(({ bavail, bsize }) => bavail * bsize));
    },
  };
}

const ownProgram = (): readonly string[] => [process.execPath, process.argv[1] ?? ''];

/** Where it was put: beside the directory itself, not beside a link that leads there. */
async function besides(written: string): Promise<string[]> {
  const volumePath = comparablePath(written);
  const parent = path.dirname(volumePath);
  const names = await readdir(parent).catch(() => []);
  return names
    .filter((name) => name.startsWith(`${path.basename(volumePath)}.kept-`))
    .map((name) => path.join(parent, name));
}

const dataOf = (directory: string): string => path.join(directory, keptDataName);

/** Only out of a directory that nobody but root can have made or changed: the owner of the data could forge another one, or lead out of it. */
async function manifestOf(directory: string): Promise<ReturnType<typeof keptManifestSchema.parse> | null> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const handle = await open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(() => null);
  if (handle === null) return null;
  try {
    const { uid, mode } = await handle.stat();
    if (uid !== process.geteuid?.() || (mode & 0o077) !== 0) return null;
    const text = await readFile(`/proc/self/fd/${String(handle.fd)}/.holdfast/${keptManifestName}`, 'utf8');
    return keptManifestSchema.parse(JSON.parse(text));
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}

export function measureCommand(directory: string): readonly string[] {
  return ['du', '--summarize', '--apparent-size', '--block-size=1', '--one-file-system', '--', directory];
}
export function parseBytes(stdout: string): number | null {
  const [number = ''] = stdout.trim().split('\t');
  return /^\d+$/.test(number) ? Number(number) : null;
}

/** A file never goes through a link that stands in its place: the link is removed. Names are bytes: what cannot be an argument is passed from program to program. */
export function copyCommand(kept: string, relative: string | null, target: string): readonly string[] {
  const copy = ['cp', '--archive', '--remove-destination'];
  if (relative !== null)
    return [...copy, '--no-target-directory', '--', path.join(kept, relative), path.join(target, relative)];
  return [...entriesOf(kept), '-exec', ...copy, `--target-directory=${target}`, '--', '{}', '+'];
}
export function removeCommand(kept: string): readonly string[] {
  return [...entriesOf(kept), '-exec', 'rm', '-rf', '--one-file-system', '--', '{}', '+'];
}
const entriesOf = (kept: string): readonly string[] => ['find', kept, '-mindepth', '1', '-maxdepth', '1'];

const parentOf = (directory: string, relative: string | null): string =>
  relative === null ? directory : path.dirname(path.join(directory, relative));

/** Fault: path-not-usable. */
export function mustBeUsable(relative: string | null, to: string | null, living: string): void {
  const parts = relative?.split('/') ?? [];
  const leads =
    relative !== null && (path.isAbsolute(relative) || parts.some((part) => ['..', '.', ''].includes(part)));
  const ours = parts[0] === '.holdfast';
  const inside = to !== null && (!path.isAbsolute(to) || isWithin(living, path.normalize(to)));
  if (!leads && !ours && !inside) return;
  throw new Fault(
    'path-not-usable',
    {
      message: inside
        ? `${to} is not a directory outside of the replicated one.`
        : `${relative ?? ''} is not a path inside of what was set aside.`,
      remedy: inside ? 'Write an absolute path elsewhere.' : 'Write it as holdfast fork show prints it.',
    },
    { path: relative ?? '', to: to ?? '' },
  );
}

const isWithin = (directory: string, one: string): boolean => one === directory || one.startsWith(`${directory}/`);

/** Of what is not there yet, what stands above it counts. A symbolic link in the data must not lead a copy made by root out of it. */
async function mustStayWithin(run: CommandRunner, directory: string, parent: string): Promise<void> {
  const [real = '', realParent = ''] = (
    await mustRun(run, ['realpath', '--canonicalize-missing', '--', directory, parent])
  ).split('\n');
  if (isWithin(real, realParent)) return;
  throw new Fault(
    'path-not-usable',
    { message: `${parent} leads out of ${directory}.`, remedy: 'Restore to a directory with --to instead.' },
    { path: parent },
  );
}
