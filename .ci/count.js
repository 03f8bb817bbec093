/** Prints `N passed, N failed` from vitest's JSON result; exit status 1 if anything failed or there is no result. */

import { readFileSync } from "node:fs";

let passed = 0;
let failed = 0;
try {
  const result = JSON.parse(readFileSync(process.argv[2], "utf8"));
  passed = result.numPassedTests;
  failed = result.numFailedTests;
  // A file that cannot be loaded has no tests to count, and is a failure all the same.
  failed += result.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
} catch {
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
