/** The version of the bundle that runs, put in by the build; run from source, the project's own. */
import { readFileSync } from 'node:fs';

declare const HOLDFAST_VERSION: string | undefined;

function fromSource(): string {
  const json = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return json.version;
}

export const agentVersion = typeof HOLDFAST_VERSION === 'string' ? HOLDFAST_VERSION : fromSource();
