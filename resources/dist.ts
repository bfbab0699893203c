/** `npm run dist`: the installers for this platform, in release/. Needs Electron's binary, which npm does not carry. */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { electronBinary } from '../src-main/hosts/electron-binary.ts';
import { buildAgent } from './build-agent.mjs';
import { buildElectronMain, buildRenderer } from './build-app.ts';
import { fetchElectron } from './fetch-electron.ts';
import { repositoryRoot, toolPath } from './tools.ts';

await buildAgent();
await buildRenderer();
await buildElectronMain();
const binary = electronBinary(repositoryRoot) ?? fetchElectron(repositoryRoot);
if (binary === undefined) {
  console.error('Everything is built in dist/, but no installer was made: there is no Electron binary to put it in.');
  process.exitCode = 1;
} else {
  const { status } = spawnSync(
    process.execPath,
    [toolPath('electron-builder'), `--config.electronDist=${dirname(binary)}`, '--publish', 'never'],
    { cwd: repositoryRoot, stdio: 'inherit' },
  );
  process.exitCode = status ?? 1;
}
