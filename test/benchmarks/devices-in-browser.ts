// The page of a million devices in Chromium: when something is seen, how soon it responds a click, and how much it loads.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { launchBrowser } from '../browser/find-browser.ts';

const DIST = fileURLToPath(new URL('../../web/dist', import.meta.url));
const VIEWER = { name: 'bench', password: 'a long enough password' };

export async function lookInBrowser(origin: string, token: string): Promise<string[]> {
  const browser = await launchBrowser();
  if (!browser) return ['No Chromium: the page was not looked at.'];
  try {
    // Only so that this measuring may wait for what it looks for.
    const context = await browser.newContext({
      baseURL: origin,
      viewport: { width: 1280, height: 860 },
      bypassCSP: true,
    });
    await context.request.post('/api/people', {
      data: { ...VIEWER, role: 'viewer' },
      headers: { authorization: `Bearer ${token}` },
    });
    await context.request.post('/api/session', { data: VIEWER });
    const page = await context.newPage();
    const lines: string[] = [];
    for (const look of ['first visit', 'second visit']) {
      const began = performance.now();
      await page.goto('/devices');
      await page.locator('tbody tr').nth(49).waitFor();
      const shown = performance.now() - began;
      const painted = await page.evaluate<number>(
        `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1`,
      );
      lines.push(
        `${look}: first contentful paint ${painted.toFixed(0)} ms, 50 devices shown after ${shown.toFixed(0)} ms`,
      );
    }
    const loaded = await page.evaluate<string[]>(
      `performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /\\.(js|css)$/.test(name))`,
    );
    const sizes = await Promise.all(
      loaded.map(async (name) => gzipSync(await readFile(path.join(DIST, new URL(name).pathname))).length),
    );
    lines.push(
      `the page loads ${(sizes.reduce((sum, size) => sum + size, 0) / 1000).toFixed(0)} kB of scripts and styles (gzip)`,
    );

    // Event timing tells of no event that took less than 16 ms from input to the next frame.
    await page.addInitScript(`globalThis.slowest = 16; new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.slowest = Math.max(globalThis.slowest, duration);
    }).observe({ type: 'event', durationThreshold: 16 })`);
    let slowest = 0;
    await page.goto('/devices');
    await page.locator('tbody tr').nth(49).waitFor();
    const timed = async (what: string, act: () => Promise<unknown>, shows: string): Promise<void> => {
      const began = performance.now();
      await act();
      await page.waitForFunction(shows);
      lines.push(`${what}: ${(performance.now() - began).toFixed(0)} ms until the devices are shown`);
      slowest = Math.max(slowest, await page.evaluate<number>('globalThis.slowest'));
    };
    const text = `document.querySelector('tbody')?.textContent ?? ''`;
    await timed(
      'the card "Needs you" is clicked',
      () =>
        page
          .getByRole('link', { name: /Needs you/ })
          .first()
          .click(),
      `location.search.includes('bucket=needs_you') && document.querySelectorAll('tbody tr').length === 50 && /Needs you/.test(${text})`,
    );
    await page.goto('/devices');
    await page.locator('tbody tr').nth(49).waitFor();
    await timed(
      '"zoe-mac-00" is typed',
      () => page.getByRole('searchbox', { name: 'Search' }).pressSequentially('zoe-mac-00'),
      `document.querySelectorAll('tbody tr').length > 0 && [...document.querySelectorAll('tbody tr')].every((row) => /zoe-mac-00/.test(row.textContent))`,
    );
    lines.push(`slowest interaction, from input to the next frame: ${slowest} ms at most`);
    return lines;
  } finally {
    await browser.close();
  }
}
