const fast = require('./jest.config.js')

/**
 * What takes long: installs of the packed package, several processes and servers, long simulations.
 * @type {import('jest').Config}
 */
module.exports = {
  ...fast,
  testMatch: ['**/*.slow.test.ts'],
  testPathIgnorePatterns: [],
  testTimeout: 300_000,
  coverageThreshold: {}, // the fast run reaches it
}
