import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes minutes begins first: at the end nobody waits for one file alone. */
const LONG = ['/kills-rollout.test.ts', '/test/scenarios/', '/test/browser/', '/workflows/'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = LONG.findIndex((part) => moduleId.includes(part));
      return found < 0 ? LONG.length : found;
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    // Scenarios mostly wait for their own processes: on two cores two at a time left half of the machine idle.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/harness/global-setup.ts'],
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 60_000,
    // A look waits for a state; a busy machine reaches it later.
    expect: { poll: { timeout: 30_000 } },
    // Scenarios start a dozen real processes: a start on a busy machine takes long, and one late answer is not a broken promise.
    hookTimeout: 240_000,
    env: { RUST_BACKTRACE: '0', NODE_ENV: 'test' },
  },
});
