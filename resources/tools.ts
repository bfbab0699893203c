/** Where the development tools are. They are started as `node FILE`, because `.bin` holds shell scripts on Windows. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export const repositoryRoot = dirname(dirname(fileURLToPath(import.meta.url)));

const packageSchema = z.object({ bin: z.union([z.string(), z.record(z.string(), z.string())]) });

/** The program file of an npm package, as the package itself names it. */
export function toolPath(packageName: string, command = packageName): string {
  const folder = join(repositoryRoot, 'node_modules', packageName);
  const { bin } = packageSchema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  const file = typeof bin === 'string' ? bin : bin[command];
  if (file === undefined) throw new Error(`the package ${packageName} has no command ${command}`);
  return join(folder, file);
}
