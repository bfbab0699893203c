/** Run from source, the agent is built before it is installed; a packaged app has it with it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../../agent/contract/fault.ts';
import { programRoot, type PackageSources } from '../install/index.ts';

export async function prepareAgent(packages: PackageSources): Promise<void> {
  const script = path.join(programRoot(), 'resources', 'build-agent.mjs');
  const isOurs = packages.agentDirectory === path.join(programRoot(), 'dist', 'agent');
  if (!isOurs || !existsSync(script) || !existsSync(path.join(programRoot(), 'agent'))) return;
  try {
    await promisify(execFile)(process.execPath, [script], { cwd: programRoot() });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Fault('agent-build-failed', { message: `The agent could not be built: ${said}` }, {}, error);
  }
}
