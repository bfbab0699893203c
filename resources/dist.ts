/**
 * `npm run dist [-- --out DIR]`: the app for this platform, with what it puts on servers of both architectures, in release/. With Electron's
 * binary, which npm does not carry, these are installers; without it the same layout around a placeholder, which is checked and cannot be run.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { electronBinary } from '../src-main/hosts/electron-binary.ts';
import { buildAgent } from './build-agent.mjs';
import { buildElectronMain, buildRenderer } from './build-app.ts';
import { fetchElectron } from './fetch-electron.ts';
import { packagedProblems, packagedResources } from './packaged-app.ts';
import { gatherRuntimes } from './runtimes.ts';
import { repositoryRoot, toolPath } from './tools.ts';

const notRunnable = 'This is the layout of Holdfast without Electron: it was made where there is no Electron binary.';

/** Where electron-builder looks for Electron: a program that only says why it is none. */
function placeholderElectron(directory: string): string {
  mkdirSync(join(directory, 'resources'), { recursive: true });
  const program = join(directory, process.platform === 'win32' ? 'electron.exe' : 'electron');
  writeFileSync(program, `#!/bin/sh\necho '${notRunnable}' >&2\nexit 1\n`);
  chmodSync(program, 0o755);
  writeFileSync(join(directory, 'NOT-RUNNABLE.txt'), `${notRunnable}\n`);
  for (const name of ['LICENSE', 'LICENSES.chromium.html', 'version']) writeFileSync(join(directory, name), '');
  return directory;
}

function electronBuilder(args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [toolPath('electron-builder'), ...args, '--publish', 'never'], {
    cwd: repositoryRoot,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('electron-builder could not package the app; the reason is above.');
}

/** Of an earlier run, on another platform perhaps: what is checked has to be what was made now. Nobody else's folder is emptied. */
function clearOutput(output: string): void {
  const present = existsSync(output) ? readdirSync(output) : [];
  // electron-builder leaves it in whatever it has filled.
  if (present.length > 0 && !present.includes('builder-debug.yml'))
    throw new Error(`${output} holds something that was not made by npm run dist. Give another folder: --out DIR`);
  rmSync(output, { recursive: true, force: true });
}

async function makeDistribution(output: string): Promise<void> {
  clearOutput(output);
  await buildAgent();
  await buildRenderer();
  await buildElectronMain();
  gatherRuntimes();
  const binary = electronBinary(repositoryRoot) ?? fetchElectron(repositoryRoot);
  const work = mkdtempSync(join(tmpdir(), 'holdfast-dist-'));
  try {
    const common = [`--config.directories.output=${output}`];
    if (binary === undefined)
      electronBuilder([...common, '--dir', `--config.electronDist=${placeholderElectron(join(work, 'electron'))}`]);
    else electronBuilder([...common, `--config.electronDist=${dirname(binary)}`]);
    const resources = packagedResources(output);
    const problems = await packagedProblems(resources, join(work, 'cache'));
    if (problems.length > 0) throw new Error(`The packaged app is not whole:\n  ${problems.join('\n  ')}`);
    console.log(
      `The layout is whole: ${dirname(resources)}, with the agent and what it runs on for x64 and arm64 servers.`,
    );
    if (binary === undefined) console.log(`not run: the app itself and its installers: no Electron binary`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

try {
  const { values } = parseArgs({ options: { out: { type: 'string', default: join(repositoryRoot, 'release') } } });
  await makeDistribution(resolve(values.out));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
