export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['pawl-source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { swcrc: true }] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/(apps/[^/]+|libs/[^/]+|migrations)/dist/'],
  testMatch: [
    '<rootDir>/{apps,examples,libs}/*/src/**/*.spec.ts',
    '<rootDir>/migrations/src/**/*.spec.ts',
    '<rootDir>/test/**/*.spec.ts',
  ],
  globalSetup: '<rootDir>/test/setup/start-servers.mjs',
  globalTeardown: '<rootDir>/test/setup/stop-servers.mjs',
  reporters: ['default', 'summary', '<rootDir>/test/setup/skipped-reporter.mjs'],
  maxWorkers: 2,
  testTimeout: 30_000,
};
