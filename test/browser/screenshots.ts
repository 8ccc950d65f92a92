// `npm run screenshots [FOLDER]`: pictures of every page of the console over the real product and its sandbox, light, dark and phone.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { devicesOf, enrollAll, setUpTrust, untilAllAre } from '../harness/stage.ts';
import { startWorld } from '../harness/world.ts';
import { launchBrowser } from './find-browser.ts';
import { consolePages, PUBLIC_PAGES } from './page-list.ts';

const folder = path.resolve(process.argv[2] ?? 'dist/screenshots');
const ADMIN = { name: 'olga', password: 'a long enough password' };
const LOOKS = [
  { name: 'light', scheme: 'light', width: 1280 },
  { name: 'dark', scheme: 'dark', width: 1280 },
  { name: 'phone', scheme: 'light', width: 390 },
] as const;

const browser = await launchBrowser();
if (!browser) process.exit(1);
await mkdir(folder, { recursive: true });
const world = await startWorld({ devices: 'default' });
try {
  const origin = `http://${world.environment['ODETTE_ADMIN_LISTEN']}`;
  await world.api('POST', '/api/people', { ...ADMIN, role: 'admin' });
  await photograph(browser, origin, {
    'overview-empty': '/',
    'integrations-empty': '/integrations',
    'blueprints-empty': '/blueprints',
  });
  const trusted = await setUpTrust(world);
  const { id: setup } = (await world.api<{ id: string }>('POST', '/api/setups', {})).body;
  await enrollAll(trusted);
  await untilAllAre(trusted, ['trusted'], { count: 6, withinMs: 120_000 });
  const [device] = await devicesOf(trusted);
  const ids = {
    integration: trusted.integrationId,
    setup,
    blueprint: trusted.blueprintId,
    device: device?.id ?? '',
  };
  await photograph(browser, origin, { ...PUBLIC_PAGES, ...consolePages(ids) });
  console.log(`Screenshots: ${folder}`);
} finally {
  await browser.close();
  await world.stop();
}

async function photograph(
  by: Browser,
  origin: string,
  pages: Readonly<Record<string, string>>,
): Promise<void> {
  for (const { name: look, scheme, width } of LOOKS) {
    const context = await by.newContext({
      viewport: { width, height: 860 },
      colorScheme: scheme,
      reducedMotion: 'reduce',
      baseURL: origin,
    });
    await context.request.post('/api/session', { data: ADMIN, headers: { 'sec-fetch-site': 'same-origin' } });
    const page = await context.newPage();
    for (const [name, address] of Object.entries(pages)) {
      await page.goto(address);
      await page.locator('h1').first().waitFor();
      await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
      await page.screenshot({ path: path.join(folder, `${name}-${look}.png`), fullPage: true });
    }
    await context.close();
  }
}
