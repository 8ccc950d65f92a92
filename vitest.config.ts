import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest begins first: at the end nobody waits for one file alone. */
const LONG = [
  '/test/scenarios/kills-',
  '/test/scenarios/',
  '/test/browser/',
  '/workflows/',
  '/test/second-device/',
  '/test/attacks/temporal-',
  '/test/attacks/second-factor',
  '/test/lives/',
  '/test/channel-contract',
  '/activities/license',
  '/workers/channel-follower',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = LONG.findIndex((part) => moduleId.includes(part));
      return found < 0 ? LONG.length : found;
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}

/** They replace modules (`vi.mock`), which files of the same process have loaded already. */
const ALONE = ['adapters/outward/proxy.test.ts'];
const TESTS = ['**/*.test.ts'];
const NO_TESTS = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    // The files of a process share what they import: loading it anew for each of them was a fifth of the run. Each ends what it changes.
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          isolate: false,
          globalSetup: ['test/harness/global-setup.ts'],
          include: TESTS,
          exclude: [...NO_TESTS, ...ALONE],
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
    ],
    pool: 'forks',
    // Scenarios mostly wait for their own processes: three at a time left a third of two cores idle.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    // A look waits for a state; a busy machine reaches it later.
    expect: { poll: { timeout: 30_000 } },
    // Scenarios start a dozen real processes: a start on a busy machine takes long, and one late answer is not a broken promise.
    hookTimeout: 240_000,
    env: { RUST_BACKTRACE: '0', NODE_ENV: 'test' },
  },
});
