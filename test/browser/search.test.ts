// Search everywhere and breadcrumbs, with the keyboard alone: devices, pages, actions, integrations and blueprints from any page.
import { Client, Connection } from '@temporalio/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../harness/admin-api.ts';
import { seedFleet, type SeededFleet } from '../harness/seeded-fleet.ts';
import { temporalAddress } from '../harness/temporal.ts';
import { openConsole, PHONE, signIn, type ConsolePage } from './console-page.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';
import { pressByKey } from './keyboard.ts';

const ADA = { name: 'ada', password: 'correct horse battery staple' };
const WANDA = { name: 'wanda', password: 'only looking around here' };
let browser: Browser;
let api: AdminApi;
let fleet: SeededFleet;

const field = ({ page }: ConsolePage) => page.getByRole('combobox', { name: 'Search everywhere' });
const heading = ({ page }: ConsolePage, name: string) =>
  page.getByRole('heading', { level: 1, name, exact: true }).waitFor();

async function search(ours: ConsolePage, text: string): Promise<string[]> {
  await ours.page.keyboard.press('Control+k');
  await field(ours).and(ours.page.locator(':focus')).waitFor();
  await ours.page.keyboard.type(text);
  await ours.page
    .getByRole('status')
    .filter({ hasText: /results?$/ })
    .waitFor();
  return ours.page.getByRole('option').allTextContents();
}

describe.skipIf(!hasBrowser)('search everywhere', () => {
  beforeAll(async () => {
    const temporal = new Client({
      connection: await Connection.connect({ address: await temporalAddress() }),
    });
    [browser, api] = await Promise.all([sharedBrowser(), openAdminApi({ temporal })]);
    fleet = await seedFleet(api.database, api.ring);
    await api.call('POST', '/api/people', { ...ADA, role: 'admin' });
    await api.call('POST', '/api/people', { ...WANDA, role: 'viewer' });
  }, 120_000);
  afterAll(async () => {
    await closePages();
    await api?.close();
  });

  test('a device is found by serial number, name and user, and opened by Enter', async () => {
    const ours = await openConsole(browser, api.url);
    await signIn(ours, ADA);
    for (const text of ['C02SEED0', 'device 0', 'user0@acme']) {
      await ours.goTo('/rollouts');
      expect((await search(ours, text))[0], text).toContain('Device 0');
      await ours.page.keyboard.press('Enter');
      await heading(ours, 'Device 0');
      expect(ours.page.url()).toContain(fleet.deviceId);
    }
    await ours.close();
  }, 240_000);

  test('pages, actions, integrations and blueprints are found, and arrows choose among them', async () => {
    const ours = await openConsole(browser, api.url);
    await signIn(ours, ADA);
    expect(await search(ours, 'audit')).toEqual(['Activity']);
    expect(await ours.findings('[role="dialog"]')).toEqual([]);
    await ours.page.keyboard.press('Escape');
    await field(ours).waitFor({ state: 'detached' });
    expect(await search(ours, 'push')).toEqual([
      'Apple push certificate',
      'Renew the Apple push certificate',
    ]);
    await ours.page.keyboard.press('ArrowDown');
    const chosen = ours.page.getByRole('option', { selected: true });
    await expect.poll(() => chosen.textContent()).toBe('Renew the Apple push certificate');
    expect(await field(ours).getAttribute('aria-activedescendant')).toBe(await chosen.getAttribute('id'));
    await ours.page.keyboard.press('ArrowDown');
    await expect.poll(() => chosen.textContent()).toBe('Apple push certificate');
    await ours.page.keyboard.press('Enter');
    await heading(ours, 'Settings');
    await search(ours, 'everybody');
    await ours.page.keyboard.press('Enter');
    await heading(ours, 'Everybody');
    await search(ours, 'acme.okta');
    await ours.page.keyboard.press('Enter');
    await heading(ours, 'acme');
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 240_000);

  test('a viewer is offered nothing that the API would refuse', async () => {
    const ours = await openConsole(browser, api.url);
    await signIn(ours, WANDA);
    expect(await search(ours, 'token')).toEqual([]);
    await ours.page.keyboard.press('Escape');
    await field(ours).waitFor({ state: 'detached' });
    expect(await search(ours, 'replay')).toEqual(['Rollouts']);
    await ours.close();
  }, 180_000);

  test('breadcrumbs lead up to each page above', async () => {
    const ours = await openConsole(browser, api.url);
    await signIn(ours, ADA);
    await ours.goTo(`/integrations/${fleet.ids['integrations'] ?? ''}/readiness`);
    const trail = ours.page.getByRole('navigation', { name: 'Breadcrumb' });
    await pressByKey(ours.page, trail.getByRole('link', { name: 'acme' }));
    await heading(ours, 'acme');
    await pressByKey(ours.page, trail.getByRole('link', { name: 'Integrations' }));
    await heading(ours, 'Integrations');
    await ours.close();
  }, 180_000);

  test('a phone has it in the header', async () => {
    const ours = await openConsole(browser, api.url, { width: PHONE.width });
    await signIn(ours, ADA);
    await ours.press('Search everywhere');
    await field(ours).fill('renewals');
    await ours.page.getByRole('option', { name: 'Renewals' }).click();
    await heading(ours, 'Renewals');
    await ours.close();
  }, 180_000);
});
