// How much the console makes a browser load.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { firstPageKilobytes } from './build-console.mjs';

/** Kilobytes, compressed: a second over a slow line. */
const MAX_KILOBYTES = 300;

test('an admin sees devices after at most 300 kB', async () => {
  // As set-up builds it: within a test React would be the one for developers.
  const script = fileURLToPath(new URL('./build-console.mjs', import.meta.url));
  await promisify(execFile)(process.execPath, [script], { env: { ...process.env, NODE_ENV: 'production' } });
  const size = await firstPageKilobytes();
  expect(size).toBeLessThanOrEqual(MAX_KILOBYTES);
  // The library of components alone is more: less would mean that a part was not counted.
  expect(size).toBeGreaterThan(150);
}, 120_000);
