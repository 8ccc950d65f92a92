// How much the console makes a browser load.
import { expect, test } from 'vitest';
import { buildConsole, firstPageKilobytes } from './build-console.mjs';

/** Kilobytes, compressed: a second over a slow line. */
const MOST = 400;

test('an admin sees devices after at most 400 kB', async () => {
  await buildConsole(() => undefined);
  const size = await firstPageKilobytes();
  expect(size).toBeLessThanOrEqual(MOST);
  // The library of components alone is more: less would mean that a part was not counted.
  expect(size).toBeGreaterThan(150);
}, 120_000);
