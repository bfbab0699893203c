/** Counts for the orchestrator, beside vitest's own output. A skipped test without a reason is a failed one. */
import { inspect } from 'node:util';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { writeStageSummary, type StageSummary } from './summary.ts';

function fail(summary: StageSummary, name: string, errors: readonly { readonly message: string }[]): void {
  summary.failed++;
  summary.failures.push(`${name}: ${errors[0]?.message.slice(0, 500) ?? ''}`);
}

function outcome(test: TestCase, summary: StageSummary): void {
  const result = test.result();
  switch (result.state) {
    case 'passed':
      summary.passed++;
      return;
    case 'failed':
      fail(summary, test.fullName, result.errors);
      return;
    case 'skipped':
    case 'pending': {
      const reason = result.state === 'skipped' ? result.note : undefined;
      if (reason) summary.notRun.push({ name: test.fullName, reason });
      else fail(summary, test.fullName, [{ message: 'skipped without a reason' }]);
    }
  }
}

export default class StageSummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const summary: StageSummary = { passed: 0, failed: 0, notRun: [], failures: [] };
    for (const error of unhandledErrors) fail(summary, 'outside of any test', [{ message: inspect(error) }]);
    for (const module of modules) {
      const before = summary.passed + summary.failed + summary.notRun.length;
      for (const test of module.children.allTests()) outcome(test, summary);
      // A file that cannot be loaded holds no tests that could fail; nor does a hook of a suite.
      const errors = [module, ...module.children.allSuites()].flatMap((part) => part.errors());
      const nothing = before === summary.passed + summary.failed + summary.notRun.length;
      if (errors.length > 0 || nothing) fail(summary, module.relativeModuleId, errors);
    }
    writeStageSummary(summary);
  }
}
