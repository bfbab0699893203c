/** Electron's binary is not part of its npm package. It is fetched once, by Electron's own script, if that is quick. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { electronBinary } from '../src-main/hosts/electron-binary.ts';

const patienceMs = 60_000;

/** The binary, or undefined. A failure is remembered for this lockfile: the next start does not wait a minute again. */
export function fetchElectron(projectRoot: string): string | undefined {
  const script = join(projectRoot, 'node_modules/electron/install.js');
  const lock = readFileSync(join(projectRoot, 'node_modules/electron/package.json'), 'utf8');
  const failed = join(projectRoot, 'dist/electron-not-fetched');
  if (!existsSync(script) || (existsSync(failed) && readFileSync(failed, 'utf8') === lock)) return undefined;
  console.log('Fetching Electron (at most a minute, once) …');
  spawnSync(process.execPath, [script], { cwd: dirname(script), stdio: 'ignore', timeout: patienceMs });
  const binary = electronBinary(projectRoot);
  if (binary === undefined) {
    mkdirSync(dirname(failed), { recursive: true });
    writeFileSync(failed, lock);
  }
  return binary;
}
