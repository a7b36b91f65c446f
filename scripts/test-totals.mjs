// Adds up the test runs that wrote to the file named by PAWL_TEST_SUMMARY. Fails if a test failed or was skipped, or none
// ran: continuous integration has everything that tests need.
import { readFileSync } from 'node:fs';

const runs = readFileSync(process.argv[2], 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line));
const sum = (name) => runs.reduce((total, run) => total + run[name], 0);
const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(sum);
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = passed > 0 && failed === 0 && skipped === 0 ? 0 : 1;
