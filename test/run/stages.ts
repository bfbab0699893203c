/** The stages of `npm test`, cheapest first: a typing mistake should not wait for twelve minutes of power cuts. */
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot, toolPath } from '../../resources/tools.ts';

export interface Stage {
  readonly name: string;
  /** Program and arguments for the pinned Node. */
  readonly command: readonly string[];
  readonly timeLimitMs: number;
  /** Why this machine cannot run it; undefined: it can. */
  readonly obstacle?: string | undefined;
}

const minuteMs = 60_000;

function vitestStage(project: string, timeLimitMs: number, obstacle?: string): Stage {
  return {
    name: project,
    command: [
      toolPath('vitest'),
      'run',
      '--project',
      project,
      '--passWithNoTests',
      '--reporter',
      'default',
      '--reporter',
      join(repositoryRoot, 'test/run/vitest-reporter.ts'),
    ],
    timeLimitMs,
    obstacle,
  };
}

/** What real hosts need of the machine below them. */
export function labObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root: sudo npm test';
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
  } catch {
    return 'needs /dev/fuse';
  }
  return undefined;
}

export function browserPath(): string | undefined {
  const candidates = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  return candidates.find((path) => existsSync(path));
}

export function stages(): readonly Stage[] {
  const lab = labObstacle();
  return [
    { name: 'check', command: ['resources/check.ts', '--sources-only'], timeLimitMs: 5 * minuteMs },
    vitestStage('rules', 5 * minuteMs),
    vitestStage('unit', 5 * minuteMs),
    { name: 'simulation', command: ['test/simulation/main.ts', '--seeds', '200'], timeLimitMs: 5 * minuteMs },
    vitestStage(
      'browser',
      5 * minuteMs,
      browserPath() === undefined ? 'needs a Chromium (Debian: chromium)' : undefined,
    ),
    vitestStage('suites', 10 * minuteMs, lab),
    { name: 'e2e', command: ['test/e2e/main.ts'], timeLimitMs: 20 * minuteMs, obstacle: lab },
  ];
}
