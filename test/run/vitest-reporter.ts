/** Counts for the orchestrator, beside vitest's own output. A skipped test without a reason is a failed one. */
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { writeStageSummary, type StageSummary } from './summary.ts';

function outcome(test: TestCase, summary: StageSummary): void {
  const result = test.result();
  switch (result.state) {
    case 'passed':
      summary.passed++;
      return;
    case 'failed':
      summary.failed++;
      return;
    case 'skipped':
    case 'pending': {
      const reason = result.state === 'skipped' ? result.note : undefined;
      if (reason) summary.notRun.push({ name: test.fullName, reason });
      else {
        summary.failed++;
        console.error(`✘ ${test.fullName}: skipped without a reason`);
      }
    }
  }
}

export default class StageSummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const summary: StageSummary = { passed: 0, failed: unhandledErrors.length, notRun: [] };
    for (const module of modules) {
      const before = summary.passed + summary.failed + summary.notRun.length;
      for (const test of module.children.allTests()) outcome(test, summary);
      // A file that cannot be loaded holds no tests that could fail; nor does a hook of a suite.
      const brokenOutsideTests =
        module.errors().length > 0 || [...module.children.allSuites()].some((suite) => suite.errors().length > 0);
      if (brokenOutsideTests || before === summary.passed + summary.failed + summary.notRun.length) summary.failed++;
    }
    writeStageSummary(summary);
  }
}
