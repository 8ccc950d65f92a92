// Which Chromium is used: CHROMIUM_PATH, one on PATH, an installed Chrome or Edge, the one that set-up fetched.
import { chromium, type Browser } from 'playwright-core';
import { findFetchedChromium, findInstalledChromium } from '../../scripts/chromium.mjs';

/** As root in a container there is no user namespace for Chromium's sandbox. */
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];

/**
 * Undefined: none is installed.
 * @throws Error when CHROMIUM_PATH is set and does not start: an explicit wish is never skipped
 */
export async function launchBrowser(): Promise<Browser | undefined> {
  const installed = findInstalledChromium();
  if (installed !== undefined) return chromium.launch({ executablePath: installed, args: ARGS });
  for (const channel of ['chrome', 'msedge'])
    try {
      return await chromium.launch({ channel, args: ARGS });
    } catch {
      // Not installed: the next one.
    }
  const fetched = findFetchedChromium();
  if (fetched === undefined) return undefined;
  const env = { ...process.env, ...fetched.env };
  return chromium.launch({ executablePath: fetched.program, args: [...ARGS, '--headless=shell'], env });
}
