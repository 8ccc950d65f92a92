// The page of channels over the real API and a Fleet server: a server is added once its token is proven, tested, and its devices are adopted.
import { Client, Connection } from '@temporalio/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../harness/admin-api.ts';
import { startFleetServer, type TestFleet } from '../harness/fleet-server.ts';
import { temporalAddress } from '../harness/temporal.ts';
import { openConsole, PHONE, signIn, widthOnPhone, type ConsolePage } from './console-page.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';

const ADA = { name: 'ada', password: 'correct horse battery staple' };
let browser: Browser;
let api: AdminApi;
let fleet: TestFleet;
let ours: ConsolePage;

describe.skipIf(!hasBrowser)('the channels', () => {
  beforeAll(async () => {
    const temporal = new Client({
      connection: await Connection.connect({ address: await temporalAddress() }),
    });
    [browser, api, fleet] = await Promise.all([
      sharedBrowser(),
      openAdminApi({ temporal, allowedPrivateHosts: ['127.0.0.1'] }),
      startFleetServer(),
    ]);
    await api.call('POST', '/api/people', { ...ADA, role: 'admin' });
  }, 120_000);
  afterAll(async () => {
    await closePages();
    await api?.close();
    await fleet?.close();
  });

  test('a Fleet server is added once its token is proven, and the refusal stands at the token', async () => {
    ours = await openConsole(browser, api.url);
    await signIn(ours, ADA);
    await ours.goTo('/channels');
    await ours.see('No other MDM server');
    await ours.press('Add channel');
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Fleet');
    await dialog.getByLabel('URL').fill(fleet.url);
    await dialog.getByLabel('API token', { exact: true }).fill('a wrong token');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await expect
      .poll(() => dialog.getByLabel('API token', { exact: true }).getAttribute('aria-invalid'))
      .toBe('true');
    await dialog.getByLabel('API token', { exact: true }).fill(fleet.token);
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.waitFor({ state: 'hidden' });
    await ours.page.getByRole('region', { name: 'Fleet', exact: true }).waitFor();
    const { items } = (await api.call('GET', '/api/channels')).body;
    expect(items).toMatchObject([{ kind: 'fleet', name: 'Fleet', url: fleet.url }]);
  }, 60_000);

  test('it answers a test, and a device that is enrolled there is adopted; one that is not is named', async () => {
    fleet.world.state.knobs.newHostLabels = [];
    const device = await fleet.enroll();
    await ours.press('Test: Fleet');
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Test', exact: true }).click();
    await dialog.getByText(/^The server responds: /).waitFor();
    await ours.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await ours.press('Adopt devices: Fleet');
    await dialog.getByLabel('UDIDs or serial numbers').fill(`${device.udid}\nNOT-THERE`);
    await dialog.getByRole('button', { name: 'Adopt 2 devices' }).click();
    await dialog.getByText('1 device adopted').waitFor();
    await dialog.getByText('Not managed by the other server: NOT-THERE').waitFor();
    expect(await ours.findings()).toEqual([]);
    await ours.page.keyboard.press('Escape');
    await ours.page.getByRole('region', { name: 'Fleet', exact: true }).getByText('1 device').waitFor();
    expect(await ours.page.getByRole('button', { name: 'Remove: Fleet' }).isDisabled()).toBe(true);
  }, 60_000);

  test("its device's page names the channel, says what Odette cannot do there, and offers no re-enrollment", async () => {
    const [device] = (await api.call('GET', '/api/devices')).body.items as { id: string }[];
    await ours.goTo(`/devices/${device?.id ?? ''}`);
    await ours.see(/^Through Fleet, Odette cannot put a certificate in the user's login keychain/);
    await ours.press('More ▾');
    await ours.page.getByRole('menuitem', { name: 'User and blueprint…' }).waitFor();
    expect(await ours.page.getByRole('menuitem', { name: 'Allow re-enrollment…' }).count()).toBe(0);
  }, 60_000);

  test('where all devices are on it, neither push certificate nor enrollment code is asked for', async () => {
    await ours.goTo('/');
    await ours.see(/^Getting started/);
    expect(await ours.page.getByText(/push certificate|enrollment code/i).count()).toBe(0);
    await ours.goTo('/settings?tab=push');
    await ours.see('No push certificate is needed here');
    await ours.page.setViewportSize(PHONE);
    await ours.goTo('/channels');
    expect(await widthOnPhone(ours.page)).toBeLessThanOrEqual(PHONE.width);
    expect(ours.complaints).toEqual([]);
  }, 60_000);
});
