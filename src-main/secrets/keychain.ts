/** Secrets beyond the end of the app: sealed by the system (Electron's safeStorage) in a file of ours. A host without such a seal has no keychain. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

/** Keys are made by the secret store. Nothing here throws because a secret cannot be read any more: then there is none. */
export interface Keychain {
  get(key: string): Promise<string | null>;
  set(key: string, secret: string): Promise<void>;
  remove(key: string): Promise<void>;
}

/** What Electron's safeStorage gives. */
export interface Seal {
  encrypt(secret: string): Buffer | Promise<Buffer>;
  decrypt(sealed: Buffer): string | Promise<string>;
}

const fileSchema = z.object({ format: z.literal(1), sealed: z.record(z.string(), z.string()) });
type Sealed = z.infer<typeof fileSchema>['sealed'];

async function readSealed(file: string): Promise<Sealed> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(file, 'utf8'))).sealed;
  } catch {
    return {};
  }
}

export function fileKeychain(file: string, seal: Seal): Keychain {
  let last: Promise<unknown> = Promise.resolve();
  /** One change after the other, by rename: a reader never sees half a file. */
  function change(apply: (sealed: Sealed) => Sealed): Promise<void> {
    const done = last.then(async () => {
      const next = apply(await readSealed(file));
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      const temporary = `${file}.${process.pid}.new`;
      await writeFile(temporary, `${JSON.stringify({ format: 1, sealed: next })}\n`, { mode: 0o600 });
      await rename(temporary, file);
    });
    last = done.catch(() => undefined);
    return done;
  }
  return {
    async get(key) {
      const sealed = (await readSealed(file))[key];
      if (sealed === undefined) return null;
      try {
        return await seal.decrypt(Buffer.from(sealed, 'base64'));
      } catch {
        return null; // another user, another machine, another installation of the system
      }
    },
    async set(key, secret) {
      const sealedSecret = (await seal.encrypt(secret)).toString('base64');
      await change((sealed) => ({ ...sealed, [key]: sealedSecret }));
    },
    remove: (key) =>
      change((sealed) => Object.fromEntries(Object.entries(sealed).filter(([candidate]) => candidate !== key))),
  };
}
