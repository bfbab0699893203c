/**
 * Small files in this user's state directory, shared by every copy of the app and by the command line: written beside and renamed, so that
 * no reader sees half a file and the last writer wins whole.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';

/** Null: there is none, or what stands there is not of this shape. A damaged file must not keep the app from starting. */
export async function readStateFile<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Readable by this user alone. */
export async function writeStateFile(file: string, content: unknown): Promise<void> {
  await writeStateText(file, `${JSON.stringify(content, null, 2)}\n`);
}

export async function writeStateText(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.new`;
  try {
    {
      await using handle = await open(temporary, 'wx', 0o600);
      await handle.writeFile(text);
      // Without it, a laptop whose battery dies may find an empty file under the new name.
      await handle.datasync();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
