/** Which key file let us in where. Not a secret: the path of a file, so that a cluster can be reached again tomorrow with the key that was chosen. */
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

export interface LoginMemory {
  identityOf(destination: string, port: number | null): string | null;
  remember(destination: string, port: number | null, identity: string): Promise<void>;
}

const fileSchema = z.object({ format: z.literal(1), identities: z.record(z.string(), z.string()) });

function keyOf(destination: string, port: number | null): string {
  return port === null ? destination : `${destination} ${port}`;
}

export function fileLoginMemory(file: string): LoginMemory {
  function read(): Record<string, string> {
    try {
      return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).identities;
    } catch {
      return {};
    }
  }
  let identities: Record<string, string> | undefined;
  let last: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}.new`;
    await writeFile(temporary, `${JSON.stringify({ format: 1, identities })}\n`, { mode: 0o600 });
    await rename(temporary, file);
  };
  return {
    identityOf: (destination, port) => (identities ??= read())[keyOf(destination, port)] ?? null,
    remember(destination, port, identity) {
      identities ??= read();
      const key = keyOf(destination, port);
      if (identities[key] === identity) return Promise.resolve();
      identities = { ...identities, [key]: identity };
      // A disk that takes nothing is no reason to stay outside of the server.
      last = last.then(write).catch(() => undefined);
      return last;
    },
  };
}
