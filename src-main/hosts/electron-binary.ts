/**
 * Electron's npm package comes without its binary and would try to download it when it is imported. So its own note of
 * where the binary is, path.txt, is read first.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export function electronBinary(projectRoot: string): string | undefined {
  const folder = join(projectRoot, 'node_modules/electron');
  const note = join(folder, 'path.txt');
  if (!existsSync(note)) return undefined;
  const binary = join(folder, 'dist', readFileSync(note, 'utf8').trim());
  return existsSync(binary) ? binary : undefined;
}

/** Why the window cannot open in Electron; undefined: it can. */
export function electronObstacle(projectRoot: string): string | undefined {
  return electronBinary(projectRoot) === undefined ? 'no Electron binary' : undefined;
}
