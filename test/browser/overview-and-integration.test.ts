// Overview shows the work ahead, the settings of an integration say what they bring about, and a page whose code or data is lost comes back.
import { Client, Connection } from '@temporalio/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../harness/admin-api.ts';
import { seedFleet, type SeededFleet } from '../harness/seeded-fleet.ts';
import { temporalAddress } from '../harness/temporal.ts';
import { openConsole, PHONE, signIn, widthOnPhone, type ConsolePage } from './console-page.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';
import { pressByKey } from './keyboard.ts';

const ADA = { name: 'ada', password: 'correct horse battery staple' };
let browser: Browser;
let api: AdminApi;
let fleet: SeededFleet;

async function openAsAda(): Promise<ConsolePage> {
  const ours = await openConsole(browser, api.url);
  await signIn(ours, ADA);
  return ours;
}

/**
 * The green line of the chart, off its pixels. Places and heights are shares of the plot; `white` counts white pixels.
 */
const drawn = (page: ConsolePage['page']) =>
  page.evaluate<{ from: number; to: number; first: number; last: number; white: number }>(`(() => {
    const canvas = document.querySelector('.uplot canvas');
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = document.querySelector('.u-over');
    const { width, height, offsetWidth: shown } = canvas;
    const scale = width / shown;
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
    const heights = new Map();
    let white = 0;
    for (let x = 0; x < width; x += 1) {
      const green = [];
      for (let y = 0; y < height; y += 1) {
        const [red, g, blue, alpha] = data.subarray((y * width + x) * 4);
        if (alpha > 200 && g > red + 60 && g > blue + 40) green.push(y);
        if (alpha > 200 && red + g + blue === 765) white += 1;
      }
      if (green.length > 0) heights.set(x, green.reduce((sum, y) => sum + y, 0) / green.length);
    }
    const places = [...heights.keys()];
    const place = (x) => (x / scale - offsetLeft) / offsetWidth;
    const share = (x) => 1 - (heights.get(x) / scale - offsetTop) / offsetHeight;
    const [first = -1, last = -1] = [places.at(0), places.at(-1)];
    return { from: place(first), to: place(last), first: share(first), last: share(last), white };
  })()`);

describe.skipIf(!hasBrowser)('the console', () => {
  beforeAll(async () => {
    const temporal = new Client({
      connection: await Connection.connect({ address: await temporalAddress() }),
    });
    [browser, api] = await Promise.all([sharedBrowser(), openAdminApi({ temporal })]);
    fleet = await seedFleet(api.database, api.ring);
    await api.call('POST', '/api/people', { ...ADA, role: 'admin' });
  }, 120_000);
  afterAll(async () => {
    await closePages();
    await api?.close();
  });

  test('Overview names failures by cause, renewals ahead, running replays and each tenant', async () => {
    await api.database.query(
      `insert into integrations (name, okta_org_id, okta_host, credentials_kind, client_id, credentials_secret_id, granted_scopes)
       select 'umbrella', '00o2', 'umbrella.okta.com', credentials_kind, client_id, credentials_secret_id, granted_scopes from integrations`,
    );
    const { status } = await api.call('POST', '/api/rollouts/replay', {
      failureCode: 'mdm.device_silent',
      reason: 'The network is back',
    });
    expect(status).toBeLessThan(300);
    const ours = await openAsAda();
    const part = (name: string) => ours.page.getByRole('region', { name, exact: true }).first();
    await part('Failures by cause').getByText('The device has not responded.').waitFor();
    await part('Renewals ahead').getByText('in the next 30 days').first().waitFor();
    await part('Running replays')
      .getByText(/The network is back/)
      .waitFor();
    await part('By tenant').getByRole('link', { name: 'umbrella' }).waitFor();
    expect(await ours.findings()).toEqual([]);
    await ours.page.setViewportSize(PHONE);
    expect(await widthOnPhone(ours.page)).toBeLessThanOrEqual(PHONE.width);
    await ours.page.setViewportSize({ width: 1280, height: 860 });
    await part('Failures by cause').getByRole('link', { name: 'The device has not responded.' }).click();
    await expect.poll(() => ours.page.url()).toContain('failure=mdm.device_silent');
    await ours.close();
  }, 240_000);

  test('trusted devices over 30 and 90 days are a chart in the colors of the page, with each day in the table below it', async () => {
    const record = (from: number, to: number) =>
      api.database.query(
        `insert into trusted_days (integration_id, day, devices, trusted)
         select $1, (now() at time zone 'UTC')::date - ago, 100, 95 - ago from generate_series($2::int, $3::int) as ago`,
        [fleet.ids['integrations'], from, to],
      );
    await record(0, 0);
    const ours = await openAsAda();
    const { page } = ours;
    const part = page.getByRole('region', { name: 'Trusted over time', exact: true });
    await part.locator('canvas').waitFor();
    // A single day is no line: a dot at the end.
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(async () => (await drawn(page)).white).toBe(0);
    expect((await drawn(page)).from).toBeGreaterThan(0.95);

    await record(1, 59);
    await page.reload();
    await part.locator('canvas').waitFor();
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      await part.getByText('30 days').click();
      await expect.poll(async () => (await drawn(page)).from).toBeLessThan(0.02);
      const line = await drawn(page);
      expect(line.to).toBeGreaterThan(0.98);
      // To the pixel, of which there are less than two a device; the axis ends at 105.
      expect(Math.abs(line.first * 105 - 66)).toBeLessThan(1.5);
      expect(Math.abs(line.last * 105 - 95)).toBeLessThan(1.5);
      // Of 90 days, 60 are known.
      await part.getByText('90 days').click();
      await expect.poll(async () => (await drawn(page)).from).toBeCloseTo(30 / 89, 1);
      const [marked, chosen] = await Promise.all(
        ['.mantine-SegmentedControl-indicator', 'label[data-active]'].map((at) =>
          part.locator(at).boundingBox(),
        ),
      );
      expect(marked?.y).toBeCloseTo(chosen?.y ?? 0, 0);
      expect(marked?.x).toBeCloseTo(chosen?.x ?? 0, 0);
      expect(Math.abs((await drawn(page)).first * 105 - 36)).toBeLessThan(1.5);
    }
    await part.locator('.u-over').hover({ position: { x: 0, y: 20 } });
    await part.getByText(/^36 of 100 devices trusted on/).waitFor();
    const colors = await page.evaluate<string[]>(
      `[...document.querySelectorAll('.u-cursor-pt')].map((point) => getComputedStyle(point).backgroundColor)`,
    );
    expect(colors).toHaveLength(2);
    expect(colors).not.toContain('rgb(255, 255, 255)');
    await part.getByText('Show each day').click();
    const rows = part.getByRole('table').locator('tbody tr');
    expect(await rows.count()).toBe(60);
    expect((await rows.first().locator('td').allTextContents()).slice(1)).toEqual(['95', '100']);
    expect((await rows.last().locator('td').allTextContents()).slice(1)).toEqual(['36', '100']);
    expect(await ours.findings('[aria-labelledby="over-time"]')).toEqual([]);
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 240_000);

  test('a change of an integration’s settings says what is pushed again before it is saved', async () => {
    const ours = await openAsAda();
    const at = `/integrations/${fleet.ids['integrations'] ?? ''}`;
    await ours.goTo(at);
    const advanced = ours.page.getByRole('button', { name: 'Advanced' });
    expect(await advanced.getAttribute('aria-expanded')).toBe('false');
    expect(await ours.page.getByLabel('Give up after (hours)').count()).toBe(0);
    await pressByKey(ours.page, advanced);
    await ours.fill('Give up after (hours)', '48');
    await ours.see('Give up after (hours): 336 → 48');
    await ours.see('Odette does not push any payload again.');
    await ours.fill('Renew at (fraction of lifetime left)', '0.4');
    await ours.see('Odette reschedules the renewal of each certificate');
    await ours.page.getByRole('combobox', { name: 'Further custom domains' }).fill('id.acme.example');
    await ours.page.keyboard.press('Enter');
    await ours.see(/pushes the SSO extension profile again to 6 devices \(3 Macs, 3 iPhones and iPads\)/);
    expect(await ours.findings('[aria-label="Integration settings"]')).toEqual([]);
    await ours.close();
  }, 240_000);

  test('while the API restarts pages keep what they show, say that it may be old, and go on by themselves', async () => {
    const ours = await openAsAda();
    const { page } = ours;
    await page.getByRole('link', { name: 'Devices', exact: true }).click();
    await page.getByRole('link', { name: 'Device 0', exact: true }).first().waitFor();
    await page.getByRole('link', { name: 'Overview', exact: true }).click();
    await page.getByRole('heading', { level: 2, name: /^Five truths/ }).waitFor();
    await page.route('**/api/**', (route) => route.abort('connectionrefused'));
    await ours.see('This page may be out of date');
    await page.getByRole('heading', { level: 2, name: /^Five truths/ }).waitFor();
    // What was read before is there; what was not says why, and what happens.
    await page.getByRole('link', { name: 'Devices', exact: true }).click();
    await page.getByRole('link', { name: 'Device 0', exact: true }).first().waitFor();
    await page.getByRole('link', { name: 'Blueprints', exact: true }).click();
    await ours.see('This page retries automatically');
    expect(await ours.findings()).toEqual([]);
    await page.unroute('**/api/**');
    await page.getByRole('link', { name: 'Everybody', exact: true }).first().waitFor();
    await page.getByRole('link', { name: 'Overview', exact: true }).click();
    await page.getByText('This page may be out of date').waitFor({ state: 'detached' });
    await ours.close();
  }, 240_000);

  test('a page whose code cannot be loaded says so, and comes back by itself', async () => {
    const ours = await openAsAda();
    await ours.page.route('**/assets/renewals-page-*.js', (route) => route.abort());
    await ours.page.route('**/readyz', (route) => route.fulfill({ status: 503, body: '' }));
    await ours.page.getByRole('link', { name: 'Renewals', exact: true }).click();
    await ours.page.getByRole('heading', { level: 1, name: 'This page could not be loaded' }).waitFor();
    expect(await ours.findings()).toEqual([]);
    // The rest of the console goes on.
    await ours.press('Blueprints', 'link');
    await ours.page.getByRole('heading', { level: 1, name: 'Blueprints' }).waitFor();
    await ours.page.getByRole('link', { name: 'Renewals', exact: true }).click();
    await ours.page.getByRole('heading', { level: 1, name: 'This page could not be loaded' }).waitFor();
    await ours.page.unroute('**/assets/renewals-page-*.js');
    await ours.page.unroute('**/readyz');
    await ours.page.getByRole('heading', { level: 1, name: 'Renewals', exact: true }).waitFor();
    await ours.close();
  }, 240_000);
});
