/** The version of this program; the build of a bundle puts its own in. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

declare const HOLDFAST_VERSION: string | undefined;

/** Where package.json stands: the root of the sources, or of the packaged app. */
export function programRoot(): string {
  let directory = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(directory, 'package.json')) && path.dirname(directory) !== directory) {
    directory = path.dirname(directory);
  }
  return directory;
}

export function programVersion(): string {
  if (typeof HOLDFAST_VERSION === 'string') return HOLDFAST_VERSION;
  const text = readFileSync(path.join(programRoot(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
