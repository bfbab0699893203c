/** The stages of `npm test`, cheapest first: a typing mistake is told long before twelve minutes of power cuts are over. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot, toolPath } from '../../resources/tools.ts';
import { labObstacle } from '../lab/index.ts';

export interface Stage {
  readonly name: string;
  /** Program and arguments for the pinned Node. */
  readonly command: readonly string[];
  readonly timeLimitMs: number;
  /** Why this machine cannot run it; undefined: it can. */
  readonly obstacle?: string | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * It only computes: it takes what the other stages leave of the processor, one such stage after the other, and what
   * it said is told at its end.
   */
  readonly beside?: boolean;
  /** Told only by name; the reason, in words. */
  readonly onlyAsked?: string;
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

export function browserPath(): string | undefined {
  const candidates = [
    // Without the windows that nobody sees.
    '/usr/bin/chromium-headless-shell',
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ];
  return candidates.find((path) => existsSync(path));
}

export function stages(): readonly Stage[] {
  const missing = labObstacle();
  const lab = missing && `${missing.reason}: ${missing.remedy}`;
  const browser = browserPath() === undefined ? 'needs a Chromium (Debian: chromium-headless-shell)' : undefined;
  const looks = vitestStage('browser', 30 * minuteMs, browser);
  return [
    // Beside everything else, so it may take as long as that.
    { name: 'check', command: ['resources/check.ts', '--sources-only'], timeLimitMs: 40 * minuteMs, beside: true },
    { ...vitestStage('rules', 40 * minuteMs), beside: true },
    {
      name: 'simulation',
      command: ['test/simulation/main.ts', '--scenarios', '--seeds', '500', '--explore', '--states', '5000'],
      timeLimitMs: 30 * minuteMs,
      beside: true,
    },
    vitestStage('unit', 10 * minuteMs),
    vitestStage('browser', 15 * minuteMs, browser),
    { name: 'build', command: ['resources/build-agent.mjs'], timeLimitMs: minuteMs },
    vitestStage('suites', 25 * minuteMs, lab),
    { name: 'e2e', command: ['test/e2e/main.ts'], timeLimitMs: 20 * minuteMs, obstacle: lab },
    {
      ...looks,
      name: 'pictures',
      command: [...looks.command, 'looks'],
      environment: { HOLDFAST_PICTURES: 'all' },
      onlyAsked: 'every screen in both lights, both languages and two sizes: npm test -- pictures',
    },
  ];
}
