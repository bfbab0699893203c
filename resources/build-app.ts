/** Builds what the app shows (dist/renderer) and, for Electron, what runs beside it (dist/main); only what has changed. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BuildOptions } from 'esbuild';
import { repositoryRoot, toolPath } from './tools.ts';

const rendererInputs = [
  'src-renderer/**/*.{ts,svelte,css,html,svg}',
  'src-main/app-api/**/*.ts',
  'agent/contract/**/*.ts',
  'vite.config.ts',
  'svelte.config.js',
  'package-lock.json',
];
const mainInputs = [
  'src-main/**/*.ts',
  'agent/contract/**/*.ts',
  'resources/build-app.ts',
  'package.json',
  'package-lock.json',
];

function hashOf(patterns: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of globSync([...patterns], { cwd: repositoryRoot }).sort())
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(repositoryRoot, file)))
      .update('\0');
  return hash.digest('hex');
}

/** Runs `build` unless its inputs are those of the last time. The note is written last: half a build is built again. */
async function whenChanged(name: string, patterns: readonly string[], build: () => Promise<void>): Promise<void> {
  const note = join(repositoryRoot, 'dist', `${name}.inputs`);
  const inputs = hashOf(patterns);
  if (existsSync(note) && readFileSync(note, 'utf8') === inputs) return;
  await build();
  mkdirSync(dirname(note), { recursive: true });
  writeFileSync(note, inputs);
}

export const rendererDirectory = join(repositoryRoot, 'dist/renderer');

export function buildRenderer(): Promise<void> {
  return whenChanged('renderer', rendererInputs, async () => {
    // In a process of its own: what it takes to build is several times the app, which would never give it back.
    const vite = [toolPath('vite'), 'build', 'src-renderer', '--config', 'vite.config.ts'];
    const child = spawn(process.execPath, vite, { cwd: repositoryRoot, stdio: ['ignore', 'inherit', 'inherit'] });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error('The screens could not be built; the reason is above.');
  });
}

export function buildElectronMain(): Promise<void> {
  return whenChanged('main', mainInputs, async () => {
    const { build } = await import('esbuild');
    const common: BuildOptions = {
      absWorkingDir: repositoryRoot,
      bundle: true,
      platform: 'node',
      target: 'node24',
      external: ['electron', 'cpu-features', 'node-pty', '*.node'],
      logLevel: 'warning',
    };
    await build({
      ...common,
      entryPoints: ['src-main/hosts/electron.ts'],
      outfile: 'dist/main/electron.js',
      format: 'esm',
      // Packages in the old module format ask for these.
      banner: {
        js: "import { createRequire as holdfastCreateRequire } from 'node:module'; const require = holdfastCreateRequire(import.meta.url); const holdfastDirectory = import.meta.dirname;",
      },
      define: { __dirname: 'holdfastDirectory' },
    });
    // A sandboxed preload script has to be in the old module format.
    await build({
      ...common,
      entryPoints: ['src-main/hosts/electron-preload.ts'],
      outfile: 'dist/main/electron-preload.cjs',
      format: 'cjs',
    });
  });
}
