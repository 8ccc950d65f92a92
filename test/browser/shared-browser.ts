// The browser of the tests, one for all files of a process: to start one costs as much as a test. Without any they are skipped and say so.
import type { Browser } from 'playwright-core';
import { launchBrowser } from './find-browser.ts';

const shared = await launchBrowser();
export const hasBrowser = shared !== undefined;
if (!hasBrowser) console.log('Skipped: no Chromium is installed. Install one, or name it in CHROMIUM_PATH.');

/** It ends with the process: a file closes its pages alone. */
export function sharedBrowser(): Promise<Browser> {
  return shared === undefined ? Promise.reject(new Error('there is no browser')) : Promise.resolve(shared);
}

/** At the end of a file: its pages would go on asking a server that is gone. */
export async function closePages(): Promise<void> {
  await Promise.all((shared?.contexts() ?? []).map((context) => context.close()));
}
