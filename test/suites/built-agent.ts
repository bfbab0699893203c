/** What the suites start is what is installed: the bundle, which also starts in half the processor time that the sources take. */
import { join } from 'node:path';
import { buildAgent } from '../../resources/build-agent.mjs';
import { repositoryRoot } from '../../resources/tools.ts';

export const agentMain = join(repositoryRoot, 'dist/agent/holdfast.mjs');

/** Before the files of this folder run side by side. */
export default async function build(): Promise<void> {
  await buildAgent();
}
