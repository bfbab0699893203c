/** `npm run format [-- FILE…]`: rewrites files in the one layout that `check` accepts. */
import { spawnSync } from 'node:child_process';
import { repositoryRoot, toolPath } from './tools.ts';

const files = process.argv.slice(2);
const { status } = spawnSync(
  process.execPath,
  [toolPath('prettier'), '--write', '--log-level', 'warn', ...(files.length > 0 ? files : ['.'])],
  { cwd: repositoryRoot, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
