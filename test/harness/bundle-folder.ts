// Where workflow bundles of tests are kept: code that runs, so not in a folder that others may write to.
import { fileURLToPath } from 'node:url';

export const BUNDLE_FOLDER = fileURLToPath(
  new URL('../../node_modules/.cache/odette-test-bundles', import.meta.url),
);
