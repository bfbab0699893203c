/** What the suites start is what is installed: the bundle, which also starts in half the processor time that the sources take. */
import { join } from 'node:path';
import { buildAgent } from '../../resources/build-agent.mjs';
import { repositoryRoot } from '../../resources/tools.ts';

/** A place of its own: what is packaged meanwhile is built anew. */
const directory = join(repositoryRoot, 'dist/agent-of-suites');
export const agentMain = join(directory, 'holdfast.mjs');

/** Before the files of this folder run side by side. */
export default async function build(): Promise<void> {
  await buildAgent({ out: directory });
}
