/** Run from source, the agent is built before it is installed; a packaged app has it with it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../../agent/contract/fault.ts';
import type { PackageSources } from './packages.ts';
import { programRoot } from './version.ts';

export async function prepareAgent(packages: PackageSources): Promise<void> {
  const script = path.join(programRoot(), 'resources', 'build-agent.mjs');
  const isOurs = packages.agentDirectory === path.join(programRoot(), 'dist', 'agent');
  if (!isOurs || !existsSync(script) || !existsSync(path.join(programRoot(), 'agent'))) return;
  try {
    // Inside Electron the program is no Node until it is told so.
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
    await promisify(execFile)(process.execPath, [script], { cwd: programRoot(), env });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Fault('agent-build-failed', { message: `The agent could not be built: ${said}` }, {}, error);
  }
}
