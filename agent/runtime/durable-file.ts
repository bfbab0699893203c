/** Files that are either the old or the new content after a power cut, never something between. */
import { link, mkdir, open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

export async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}

/** On disk, under its name, when it resolves. */
export async function writeDurably(file: string, content: string, mode = 0o600): Promise<void> {
  const directory = path.dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const next = `${file}.next`;
  {
    await using handle = await open(next, 'w', mode);
    await handle.writeFile(content);
    await handle.sync();
  }
  await rename(next, file);
  await syncDirectory(directory);
}

const blockBytes = 4096;

/**
 * As `writeDurably`, of a text that is written again and again and must find room on a full disk too (JSON: it is followed by blanks). The former content's file is kept as
 * `.next`, and the next content is written over it: beside that no block is needed.
 */
export async function rewriteDurably(file: string, content: string): Promise<void> {
  const [next, spare] = [`${file}.next`, `${file}.spare`];
  const directory = path.dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // Left by a crash: another name of the file, or the former content, which may be written over.
  if (await sameFile(spare, file)) await rm(spare);
  else await unlessMissing(rename(spare, next));
  const bytes = Buffer.byteLength(content);
  {
    await using handle = await openOver(next);
    const { size } = await handle.stat();
    const room = Math.max(size, Math.ceil(bytes / blockBytes) * blockBytes);
    // All of it, or an error: one write may end where the room does.
    await handle.writeFile(content + ' '.repeat(room - bytes));
    await handle.sync();
  }
  await unlessMissing(link(file, spare));
  await rename(next, file);
  await syncDirectory(directory);
  await unlessMissing(rename(spare, next));
}

async function openOver(file: string): Promise<FileHandle> {
  return (await unlessMissing(open(file, 'r+'))) ?? (await open(file, 'wx', 0o600));
}

async function sameFile(one: string, other: string): Promise<boolean> {
  const [first, second] = [await unlessMissing(stat(one)), await unlessMissing(stat(other))];
  return first !== null && second !== null && first.ino === second.ino;
}

async function unlessMissing<T>(done: Promise<T>): Promise<T | null> {
  try {
    return await done;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export async function removeDurably(file: string): Promise<void> {
  for (const one of [`${file}.next`, `${file}.spare`, file]) await rm(one, { force: true });
  await syncDirectory(path.dirname(file)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

/** Null when there is no such file. */
export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
