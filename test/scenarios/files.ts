/** The scenario files themselves. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readScenario, type Scenario } from './scenario.ts';

/** By name. @throws Error that names the file and the line. */
export function readScenarios(): Scenario[] {
  const home = import.meta.dirname;
  return readdirSync(home)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => readScenario(name.replace('.txt', ''), readFileSync(path.join(home, name), 'utf8')));
}
