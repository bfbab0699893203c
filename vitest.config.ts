import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'agent/**/*.test.ts',
            'src-main/**/*.test.ts',
            'src-renderer/**/*.test.ts',
            'resources/**/*.test.ts',
            'test/simulation/**/*.test.ts',
            'test/scenarios/**/*.test.ts',
            'test/lab/**/*.test.ts',
            'test/bench/**/*.test.ts',
          ],
          // What takes milliseconds may wait for seconds on a busy machine.
          testTimeout: 30_000,
        },
      },
      // They only compute, on what other stages leave of the processor (test/run/stages.ts): no test has a limit of its own.
      { test: { name: 'rules', include: ['test/rules/**/*.test.ts'], testTimeout: 2_400_000 } },
      {
        // Root, FUSE and namespaces: every file has its own mounts, namespaces and lab, so that two stand side by side.
        test: {
          name: 'suites',
          include: ['test/suites/**/*.test.ts'],
          globalSetup: ['test/suites/built-agent.ts'],
          testTimeout: 120_000,
          hookTimeout: 600_000,
          // Facts are waited for, however busy the machine is.
          expect: { poll: { timeout: 15_000 } },
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: ['test/browser/build-once.ts'],
          testTimeout: 60_000,
          // On a fresh machine the first lab makes the system that its hosts run.
          hookTimeout: 600_000,
        },
      },
    ],
    pool: 'forks',
    maxWorkers: 2,
  },
});
