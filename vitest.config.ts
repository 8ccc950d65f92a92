import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'forks',
    // Scenarios mostly wait for their own processes: two at a time also where there are two cores.
    maxWorkers: 2,
    globalSetup: ['test/harness/global-setup.ts'],
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 60_000,
    // Scenarios start a dozen real processes: a start on a busy machine takes long, and one late answer is not a broken promise.
    hookTimeout: 240_000,
    env: { RUST_BACKTRACE: '0', NODE_ENV: 'test' },
  },
});
