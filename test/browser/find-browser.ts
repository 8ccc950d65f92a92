// Which Chromium the browser tests use: CHROMIUM_PATH, one on PATH, an installed Chrome or Edge; else they are skipped and say so.
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** As root in a container there is no user namespace for Chromium's sandbox. */
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isRunnable);
}

/**
 * Undefined: none is installed.
 * @throws Error when CHROMIUM_PATH is set and does not start: an explicit wish is never skipped
 */
export async function launchBrowser(): Promise<Browser | undefined> {
  const wanted = process.env['CHROMIUM_PATH'];
  if (wanted !== undefined) return chromium.launch({ executablePath: wanted, args: ARGS });
  const found = onPath();
  if (found !== undefined) return chromium.launch({ executablePath: found, args: ARGS });
  for (const channel of ['chrome', 'msedge'])
    try {
      return await chromium.launch({ channel, args: ARGS });
    } catch {
      // Not installed: the next one.
    }
  return undefined;
}

const browser = await launchBrowser();
export const hasBrowser = browser !== undefined;
if (!hasBrowser) console.log('Skipped: no Chromium is installed. Install one, or name it in CHROMIUM_PATH.');
await browser?.close();
