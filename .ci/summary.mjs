// Adds up what ran, given as `<results of Jest>:<exit status>` or `<name>:<exit status>`: prints "N passed, N failed" and
// fails if anything failed. A suite that does not start counts as one failure, and so does a run or a check that fails
// without a failed test, such as one with too little coverage.
import { existsSync, readFileSync } from 'node:fs'

let [passed, failed] = [0, 0]
for (const argument of process.argv.slice(2)) {
  const [, file, status] = /^(.*):(\d+)$/.exec(argument)
  const { numPassedTests = 0, numFailedTests = 0, numRuntimeErrorTestSuites = 0 } = resultsIn(file)
  const failures = numFailedTests + numRuntimeErrorTestSuites
  passed += numPassedTests
  failed += failures > 0 || status === '0' ? failures : 1
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

function resultsIn(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8') || '{}') : {}
}
