import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'forks',
    globalSetup: ['test/harness/global-setup.ts'],
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 60_000,
    // Scenarios start a dozen real processes: a start on a busy machine takes long, and one late answer is not a broken promise.
    hookTimeout: 240_000,
    retry: process.env['CI'] ? 2 : 0,
    env: { RUST_BACKTRACE: '0', NODE_ENV: 'test' },
  },
});
