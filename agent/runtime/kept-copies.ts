/**
 * What was set aside on this node when another copy was chosen. It lies beside the replicated directory, on the same disk, in a directory of its own with a
 * manifest; nobody but a person removes it. Whatever reads or writes much is a process of its own.
 */
import { constants } from 'node:fs';
import { open, readdir, readFile, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { Fault, keptComparisonSchema, keptDataName, keptManifestName, keptManifestSchema } from '../contract/index.ts';
import type { KeptComparison, KeptCopy, ModuleDefinition, VolumeSpace } from '../contract/index.ts';
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
  /** `measured`: with the bytes of the files, which takes a while. */
  space(definition: ModuleDefinition, measured: boolean): Promise<VolumeSpace[]>;
}

/** @param program what is run to read or write whole trees. */
export function keptCopies(run: CommandRunner, program = ownProgram()): KeptCopies {
  const bytesBelow = async (directory: string): Promise<number | null> => {
    const options = { timeoutMs: measureMaxMs };
    const result = await run([...gentle, ...measureCommand(directory)], options).catch(() => null);
    return result === null ? null : parseBytes(result.stdout);
  };
  /** Below the cover, or below the mount: what really stands there. */
  const measure = async (living: string): Promise<number | null> => {
    const argv = [...gentle, ...program, 'measure-data', living];
    return parseBytes(await mustRun(run, argv, { timeoutMs: longMaxMs }));
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
      const argv = [...gentle, ...program, 'compare-kept', dataOf(directory), living, String(limit)];
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
      if (order.to !== null) await mustRun(run, ['mkdir', '-p', '--', target]);
      const argv = [...gentle, ...program, 'restore-kept', from, target, ...(order.path === null ? [] : [order.path])];
      const elsewhere = parseElsewhere(await mustRun(run, argv, { timeoutMs: longMaxMs }));
      if (elsewhere !== null) throw leadsElsewhere(elsewhere);
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
        const bytes = await measure(volume.path);
        if (bytes === null) return null;
        sum += bytes;
      }
      return sum;
    },
    space: async ({ volumes }, measured) => {
      const all: VolumeSpace[] = [];
      for (const { id: volume, path: written } of volumes) {
        const beside = path.dirname(comparablePath(written));
        const [{ bavail, bsize }, { dev }] = await Promise.all([statfs(beside), stat(beside)]);
        const dataBytes = measured ? await measure(written) : null;
        all.push({ volume, path: written, disk: String(dev), freeBytes: bavail * bsize, dataBytes });
      }
      return all;
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

export function removeCommand(kept: string): readonly string[] {
  return [...entriesOf(kept), '-exec', 'rm', '-rf', '--one-file-system', '--', '{}', '+'];
}
const entriesOf = (kept: string): readonly string[] => ['find', kept, '-mindepth', '1', '-maxdepth', '1'];

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

function parseElsewhere(stdout: string): string | null {
  const name: unknown = JSON.parse(stdout);
  return typeof name === 'string' ? name : null;
}

function leadsElsewhere(name: string): Fault {
  return new Fault(
    'path-not-usable',
    {
      message: `Where ${name} has to be a directory something else stands, or the other way round. What came before it was copied.`,
      remedy: 'Look at what stands there; or restore to a directory with --to instead.',
    },
    { path: name },
  );
}
