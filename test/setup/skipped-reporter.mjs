import { appendFileSync } from 'node:fs';

/**
 * Says in one line what this run could not test and what would help, and for scripts writes its totals to the file that
 * PAWL_TEST_SUMMARY names.
 */
export default class SkippedReporter {
  onRunComplete(_contexts, results) {
    const { numPassedTests: passed, numFailedTests, numPendingTests: skipped } = results;
    const failed = numFailedTests + results.numRuntimeErrorTestSuites;
    if (process.env.PAWL_TEST_SUMMARY) {
      appendFileSync(process.env.PAWL_TEST_SUMMARY, `${JSON.stringify({ passed, failed, skipped })}\n`);
    }
    const reason = skipped > 0 && this.skippedBecause();
    if (reason) process.stderr.write(`\n${reason}\n`);
  }

  skippedBecause() {
    if (process.env.REDIS_URL)
      return 'Redis FLUSHALL and restart tests skipped: unset REDIS_URL, the tests then start a Redis of their own';
    if (!process.env.PAWL_TEST_REDIS_URL)
      return 'Redis tests skipped: install redis-server or valkey-server, or set REDIS_URL';
    return undefined;
  }
}
