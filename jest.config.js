/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['\\.slow\\.test\\.ts$'], // `npm run test:slow` runs these: jest.slow.config.js
  transform: { '\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/__tests__/tsconfig.json' }] },
  maxWorkers: '100%', // Jest leaves one core idle otherwise; with more workers, servers answer too late for their tests
  testTimeout: 30_000,
  maxConcurrency: 10, // of `test.concurrent`, for tests that only wait
  // Imports carry the `.js` of the built file, as Node wants them; here they mean the source. So does our own name.
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^express-email-otp$': '<rootDir>/src/index.ts',
    '^express-email-otp/workbench$': '<rootDir>/src/workbench/index.ts',
  },
  collectCoverageFrom: ['src/**/*.ts'],
  coverageThreshold: { global: { lines: 95 } },
}
