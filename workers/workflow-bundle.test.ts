import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { workflowBundle } from './workflow-bundle.ts';

const BUILD = fileURLToPath(new URL('../dist/.odette-stamp', import.meta.url));

test('a worker that starts finds the bundle that the build of the programs has made', async () => {
  const [bundle, build] = await Promise.all([stat(await workflowBundle()), stat(BUILD)]);
  // The build ends with its stamp; what a worker made itself would be younger.
  expect(bundle.mtimeMs).toBeLessThanOrEqual(build.mtimeMs);
});
