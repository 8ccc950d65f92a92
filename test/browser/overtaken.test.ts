// What two admins do at once, or one by mistake: nothing that is typed is lost, and nothing is overwritten without a word.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CertificateAuthority, newRsaKeyPair } from '../../adapters/pki/certificate-authority.ts';
import { openAdminApi, type AdminApi } from '../harness/admin-api.ts';
import { seedFleet, type SeededFleet } from '../harness/seeded-fleet.ts';
import { temporalAddress } from '../harness/temporal.ts';
import { openConsole, signIn, type ConsolePage } from './console-page.ts';
import { escapeTo, outOfReach } from './keyboard.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';

const DAY = 86_400_000;
const ADA = { name: 'ada', password: 'correct horse battery staple' };
let browser: Browser;
let api: AdminApi;
let fleet: SeededFleet;

describe.skipIf(!hasBrowser)('one of two admins', () => {
  beforeAll(async () => {
    // A real Temporal server: the status page asks it, and a call that still retries when the API closes would outlive it.
    const connection = await Connection.connect({ address: await temporalAddress() });
    const temporal = new Client({ connection });
    [browser, api] = await Promise.all([sharedBrowser(), openAdminApi({ temporal })]);
    fleet = await seedFleet(api.database, api.ring);
    await api.call('POST', '/api/people', { ...ADA, role: 'admin' });
  }, 120_000);
  afterAll(async () => {
    await closePages();
    await api?.close();
  });

  const itemAddress = () => `/api/library-items/${fleet.ids['library-items'] ?? ''}`;
  const item = async () =>
    (await api.call('GET', itemAddress())).body as {
      deviceTrustOn: boolean;
      settings: { launchOptions?: string; removeAppOnRemoval?: boolean };
    };
  /** The other admin, by the API. */
  const saveAs = async (settings: object, deviceTrustOn = true) => {
    const body = {
      integrationId: fleet.ids['integrations'],
      blueprintIds: [fleet.ids['blueprints']],
      confirmAppConfigurationOverride: true,
      confirmPolicyIsLifted: true,
      deviceTrustOn,
      settings,
    };
    expect((await api.call('PUT', itemAddress(), body)).status).toBe(200);
  };
  const openItem = async (): Promise<ConsolePage> => {
    const ours = await openConsole(browser, api.url);
    await signIn(ours, ADA);
    await ours.goTo(`/library/okta-verify?integration=${fleet.ids['integrations'] ?? ''}`);
    return ours;
  };
  const preferences = 'Further managed preferences of Okta Verify (macOS)';

  test('sees what the other saved at once, while nothing is being changed', async () => {
    const ours = await openItem();
    await saveAs({ removeAppOnRemoval: true });
    await expect
      .poll(
        () => ours.page.getByLabel('Remove the Okta Verify app when a device goes out of scope').isChecked(),
        {
          timeout: 20_000,
        },
      )
      .toBe(true);
    await saveAs({});
    await ours.close();
  }, 120_000);

  test('gets the days of the heat map as a table for screen readers, and sees when a secret was set to the second', async () => {
    const ours = await openConsole(browser, api.url);
    await signIn(ours, ADA);
    await ours.goTo('/renewals');
    const table = ours.page.getByRole('table', { name: /Days on which certificates expire/ });
    await expect.poll(() => table.getByRole('row').count()).toBeGreaterThan(1);
    expect(await ours.findings('main')).toEqual([]);
    await ours.goTo(`/integrations/${fleet.ids['integrations'] ?? ''}`);
    const set = ours.page.getByText(/Set .* by ada/).first();
    expect(await set.locator('time').first().getAttribute('title')).toMatch(/:\d\d:\d\d/);
    await ours.close();
  }, 120_000);

  test('reads that tokens are revoked before a person is disabled or lowered', async () => {
    await api.call('POST', '/api/people', { ...ADA, name: 'bob', role: 'admin' });
    const ours = await openConsole(browser, api.url);
    await signIn(ours, ADA);
    await ours.goTo('/settings?tab=people');
    await ours.page
      .getByRole('row', { name: /bob/ })
      .getByRole('button', { name: /Change/ })
      .click();
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByText('revokes the API tokens and enrollment codes that they created').waitFor();
    expect(await dialog.getByText('exceed the lower role').count()).toBe(0);
    await dialog.getByLabel('Role').selectOption('viewer');
    await dialog.getByText('exceed the lower role').waitFor();
    await ours.close();
  }, 120_000);

  test('sees changes by others again after the stream of events was refused for a while', async () => {
    const ours = await openConsole(browser, api.url);
    let refused = 0;
    await ours.page.route('**/api/events*', (route) =>
      refused++ < 2 ? route.fulfill({ status: 503, body: 'the database is down' }) : route.continue(),
    );
    await signIn(ours, ADA);
    await ours.goTo(`/library/okta-verify?integration=${fleet.ids['integrations'] ?? ''}`);
    const opened = ours.page.waitForResponse((answer) => answer.url().includes('/api/events') && answer.ok());
    // Before the next event: shown because everything is read again.
    await saveAs({ removeAppOnRemoval: true });
    await opened;
    const removes = ours.page.getByLabel('Remove the Okta Verify app when a device goes out of scope');
    await expect.poll(() => removes.isChecked(), { timeout: 20_000 }).toBe(true);
    await saveAs({});
    await expect.poll(() => removes.isChecked(), { timeout: 20_000 }).toBe(false);
    await ours.close();
  }, 120_000);

  test('keeps what is being typed while the other saves, and loads the newer version when asked', async () => {
    const ours = await openItem();
    const field = ours.page.getByLabel(preferences);
    await field.fill('{ "OktaVerify.ReportDiagnostics": true }');
    await saveAs({ removeAppOnRemoval: true });
    await ours.see('Someone else saved this item');
    expect(await field.inputValue()).toBe('{ "OktaVerify.ReportDiagnostics": true }');
    await ours.press('Load the newer version');
    await expect.poll(() => field.inputValue()).toBe('');
    expect(
      await ours.page.getByLabel('Remove the Okta Verify app when a device goes out of scope').isChecked(),
    ).toBe(true);
    await saveAs({});
    await ours.close();
  }, 120_000);

  test('does not overwrite what the other saved while the dialog was open', async () => {
    const ours = await openItem();
    await ours.page.getByLabel(preferences).fill('{ "OktaVerify.ReportDiagnostics": true }');
    await ours.press('Save');
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByText('Okta Verify licenses').waitFor();
    await saveAs({}, false);
    await dialog.getByText('Someone else saved this item').waitFor();
    expect(await dialog.getByRole('button', { name: 'Save', exact: true }).isDisabled()).toBe(true);
    expect((await item()).deviceTrustOn).toBe(false);
    await dialog.getByRole('button', { name: 'Load the newer version' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(await ours.page.getByRole('switch', { name: 'Okta Device Trust' }).isChecked()).toBe(false);
    await saveAs({});
    await ours.close();
  }, 120_000);

  test('saves twice in a row and is not told that somebody else saved', async () => {
    const ours = await openItem();
    for (const text of ['{ "OktaVerify.ReportDiagnostics": true }', '']) {
      await ours.page.getByLabel(preferences).fill(text);
      await ours.press('Save');
      const dialog = ours.page.getByRole('dialog');
      await dialog.getByText('Okta Verify licenses').waitFor();
      await dialog.getByRole('button', { name: 'Save', exact: true }).click();
      await dialog.waitFor({ state: 'hidden' });
      await ours.page.getByText('You have unsaved changes.').waitFor({ state: 'hidden' });
      expect(await ours.page.getByText('Someone else saved').count()).toBe(0);
    }
    await ours.close();
  }, 120_000);

  test('keeps a new item that is being drafted while the other creates it, and saves it twice in a row alone', async () => {
    const before = itemAddress();
    expect((await api.call('DELETE', `${before}?confirmPolicyIsLifted=true`)).status).toBe(204);
    const ours = await openItem();
    const field = ours.page.getByLabel(preferences);
    const removes = ours.page.getByLabel('Remove the Okta Verify app when a device goes out of scope');
    await field.fill('{ "OktaVerify.ReportDiagnostics": true }');
    const made = await api.call('POST', '/api/library-items', {
      integrationId: fleet.ids['integrations'],
      blueprintIds: [fleet.ids['blueprints']],
      deviceTrustOn: false,
      settings: { removeAppOnRemoval: true },
    });
    expect(made.status).toBe(201);
    await ours.see('Someone else created this item');
    expect(await field.inputValue()).toBe('{ "OktaVerify.ReportDiagnostics": true }');
    expect(await removes.isChecked()).toBe(false);
    await ours.press('Save');
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByText('Someone else created this item').waitFor();
    expect(await dialog.getByRole('button', { name: 'Save', exact: true }).isDisabled()).toBe(true);
    expect(await ours.findings('[role=dialog]')).toEqual([]);
    await dialog.getByRole('button', { name: 'Load the newer version' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await expect.poll(() => removes.isChecked()).toBe(true);
    expect(await field.inputValue()).toBe('');

    // Gone again: what is being changed stays, and can be made as a new item.
    await field.fill('{ "OktaVerify.ReportDiagnostics": false }');
    expect((await api.call('DELETE', `/api/library-items/${made.body.id as string}`)).status).toBe(204);
    await ours.see('Someone else removed this item');
    expect(await field.inputValue()).toBe('{ "OktaVerify.ReportDiagnostics": false }');
    await ours.press('Start a new item');
    await expect.poll(() => field.inputValue()).toBe('');
    for (const text of ['{ "OktaVerify.ReportDiagnostics": true }', '']) {
      await field.fill(text);
      await ours.press('Save');
      await dialog.getByText('Odette sends nothing to any device.').waitFor();
      await dialog.getByRole('button', { name: 'Save', exact: true }).click();
      await dialog.waitFor({ state: 'hidden' });
      expect((await field.inputValue()).replaceAll(/\s+/g, ' ')).toBe(text);
      expect(await ours.page.getByText('Someone else').count()).toBe(0);
    }
    const { items } = (await api.call('GET', '/api/library-items')).body as { items: object[] };
    expect(items).toHaveLength(1);
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 120_000);

  test('is asked before changes are left for another item of the same page', async () => {
    const ours = await openConsole(browser, api.url);
    await signIn(ours, ADA);
    await ours.goTo('/library/okta-verify?integration=another-one');
    await ours.see('Which Okta tenant?');
    await ours.page.keyboard.press('Control+k');
    await ours.page.getByRole('combobox', { name: 'Search everywhere' }).fill('Okta Verify');
    await ours.page.getByRole('option', { name: 'Okta Verify', exact: true }).click();
    const field = ours.page.getByLabel(preferences);
    const text = '{ "OktaVerify.ReportDiagnostics": true }';
    await field.fill(text);
    await ours.page.goBack();
    await ours.press('Stay on this page');
    expect(await field.inputValue()).toBe(text);
    await ours.page.goBack();
    await ours.press('Leave without saving');
    await ours.see('Which Okta tenant?');
    await ours.close();
  }, 120_000);

  test('is asked before a push certificate of another topic is used while devices are enrolled', async () => {
    const dates = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + 400 * DAY) };
    const authority = await CertificateAuthority.create({ commonName: 'Pretend Apple', ...dates });
    const push = async (topic: string) => {
      const { publicKey, privateKey } = await newRsaKeyPair();
      const notAfter = new Date(Date.now() + 365 * DAY);
      const subject = [
        ['UID', topic],
        ['CN', `APSP:${topic}`],
      ] as const;
      const { pem } = authority.issue({ subject, publicKey, ...dates, notAfter, use: 'client' });
      return pem + privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    };
    await api.call('PUT', '/api/push-certificate', {
      pem: await push('com.apple.mgmt.External.ours'),
      accessRights: 'trust_only',
    });
    await api.database.query(`update devices set topic = 'com.apple.mgmt.External.ours'`);
    const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-push-'));
    const file = path.join(folder, 'created.pem');
    await writeFile(file, await push('com.apple.mgmt.External.created'));

    const ours = await openConsole(browser, api.url);
    await signIn(ours, ADA);
    await ours.goTo('/settings?tab=push');
    await ours.page.getByLabel('File').setInputFiles(file);
    await ours.press('Upload');
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByText('com.apple.mgmt.External.created').waitFor();
    await dialog.getByText('com.apple.mgmt.External.ours').waitFor();
    expect(await dialog.innerText()).toMatch(/\d devices/);
    expect(await ours.findings('[role=dialog]')).toEqual([]);
    expect(await outOfReach(ours.page, '[role=dialog]')).toEqual([]);
    await escapeTo(ours.page, ours.page.getByRole('button', { name: 'Upload' }));
    expect((await api.call('GET', '/api/push-certificate')).body.topic).toBe('com.apple.mgmt.External.ours');
    await ours.press('Upload');
    await dialog.getByRole('button', { name: 'Use it anyway' }).click();
    await ours.see(/enrolled with an earlier topic/);
    expect((await api.call('GET', '/api/push-certificate')).body.topic).toBe(
      'com.apple.mgmt.External.created',
    );
    expect(await ours.findings('main')).toEqual([]);
    expect(ours.complaints).toEqual([]);
    await ours.close();
    await rm(folder, { recursive: true });
  }, 120_000);
});
