/** A small tree with this repository's own rules and packages, in which a test may break things. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repositoryRoot } from '../../resources/tools.ts';

const ruleFiles = [
  'package.json',
  'tsconfig.json',
  'src-renderer/tsconfig.json',
  'eslint.config.js',
  'svelte.config.js',
  '.prettierrc.json',
  '.prettierignore',
  '.dependency-cruiser.cjs',
  'resources/check.ts',
  'resources/tools.ts',
];

export interface ScratchTree extends Disposable {
  readonly directory: string;
  write(files: Readonly<Record<string, string>>): void;
  remove(path: string): void;
  node(...args: readonly string[]): { status: number | null; output: string };
}

export function createScratchTree(): ScratchTree {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-rules-'));
  for (const file of ruleFiles) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    cpSync(join(repositoryRoot, file), join(directory, file));
  }
  symlinkSync(join(repositoryRoot, 'node_modules'), join(directory, 'node_modules'), 'junction');
  for (const layer of ['agent', 'src-main', 'test']) mkdirSync(join(directory, layer), { recursive: true });
  return {
    directory,
    write(files) {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, path)), { recursive: true });
        writeFileSync(join(directory, path), text);
      }
    },
    remove(path) {
      rmSync(join(directory, path));
    },
    node(...args) {
      const { status, stdout, stderr } = spawnSync(process.execPath, args, {
        cwd: directory,
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
      });
      return { status, output: stdout + stderr };
    },
    [Symbol.dispose]() {
      // The link goes, not what it leads to: rmSync does not follow it.
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
