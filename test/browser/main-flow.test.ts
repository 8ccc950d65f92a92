// The click path of both seeds as a newcomer walks it, Okta's half in the sandbox's pages: from the first-run link to trusted devices.
// Long, because it is one path: each step goes on where the last one ended.
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { offerFirstRun } from '../../api/admin/first-start.ts';
import { DEFAULT_FLEET } from '../../sandbox/default-fleet.ts';
import { enrollDevices } from '../../sandbox/demo/enroll.ts';
import { stageOf } from '../harness/stage.ts';
import { startWorld, type World } from '../harness/world.ts';
import { findingsOn, openConsole, PHONE, signIn, widthOnPhone } from './console-page.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';
import { deviceIntegrations, devicePlatforms, integrationSetup, libraryItem } from './seed-steps.ts';
import { SeedWalk } from './seed-walk.ts';

const ADMIN = { name: 'olga', password: 'a long enough password' };
/** The one user of the default devices who signs in only by the button. */
const LATE = DEFAULT_FLEET.find(({ user }) => user?.signsIn === 'manual');
const SIGNED_IN = DEFAULT_FLEET.length - 1;
/** Sooner and longer than in real life, so that a device turns green whenever its user signs in within this file. */
const LOOKUP_SECONDS = [2, 5, 10, 20, 30, 60, 90, 120, 180, 240];
let browser: Browser;
let world: World;
let origin: string;
let tenantHost: string;

/** What a card of the device list counts. */
const countOn = async (page: Page, card: string): Promise<number> =>
  Number.parseInt(
    (await page.getByRole('link', { name: new RegExp(`^\\d+\\s*${card}`) }).textContent()) ?? '',
    10,
  );

describe.skipIf(!hasBrowser)('the main flow', () => {
  beforeAll(async () => {
    [browser, world] = await Promise.all([sharedBrowser(), startWorld({ devices: 'default' })]);
    origin = `http://${world.environment['ODETTE_ADMIN_LISTEN']}`;
    tenantHost = (await world.manage<{ host: string }>('GET', '/tenants/two')).host;
  }, 180_000);
  afterAll(async () => {
    await closePages();
    await world?.stop();
  }, 60_000);

  test('the first-run link creates the first admin, who gives Apple’s two certificates', async () => {
    const database = connectDatabase(world.databaseUrl, { max: 1 });
    const token = await offerFirstRun(database);
    await database.end();
    const ours = await openConsole(browser, origin);
    await ours.goTo(`/first-run#${token}`);
    await ours.fill('Name', ADMIN.name);
    await ours.page.locator('input[autocomplete="new-password"]').fill(ADMIN.password);
    await ours.press('Create the first admin');
    await ours.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await ours.see('Connect your Okta tenant');

    const { files } = await (await stageOf(world)).sandbox.addresses();
    await ours.goTo('/settings?tab=push');
    await ours.see('No push certificate');
    await ours.page.getByLabel('File').setInputFiles(files.pushCertificate);
    // Kept for as long as devices are enrolled with this certificate: an admin chooses.
    await ours.page.getByRole('radio', { name: 'Trust only' }).check();
    await ours.press('Upload');
    await ours.see(/days? left/);
    await ours.goTo('/settings?tab=licenses');
    await ours.page.getByLabel('Content token').setInputFiles(files.appsAndBooksToken);
    await ours.press('Upload');
    await ours.see(/licenses left/);
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 90_000);

  test('both guides are walked step by step, Okta’s half in the tenant’s own pages', async () => {
    await world.api('POST', '/api/blueprints', { name: 'Pilot' });
    const ours = await openConsole(browser, origin);
    await ours.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const walk = new SeedWalk();
    const walker = { walk, ours, tenantHost, signIn: () => signIn(ours, ADMIN) };
    const secret = await integrationSetup(walker);
    const values = await deviceIntegrations(walker);
    await devicePlatforms(walker, values);
    // What was entered is told by date and name, and never shown again.
    await ours.see(/Set .* by olga/);
    for (const one of [secret, values.password, values.secretKey])
      expect(await ours.page.content()).not.toContain(one);
    await libraryItem(walker, 'Pilot');
    await expect.poll(() => ours.page.url()).toContain('item=');
    console.log(walk.table());
    expect(walk.disorder).toEqual([]);
    // The table says why.
    expect(walk.deviations).toEqual([
      'Integration setup 8',
      'Integration setup 9',
      'Integration setup 13',
      'Integration setup 16',
      'Configuring Okta Verify 8',
    ]);
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 360_000);

  test('a user finds on a phone what to enter, what it means, and what to click next', async () => {
    const { items } = (await world.api<{ items: { id: string }[] }>('GET', '/api/blueprints')).body;
    const made = await world.api<{ code: string; link: string }>(
      'POST',
      `/api/blueprints/${items[0]?.id ?? ''}/enrollment-codes`,
      { maxUses: 1, expiresInHours: 1 },
    );
    const { page, context } = await openConsole(browser, origin, { width: PHONE.width });
    await page.goto(made.body.link);
    for (const words of [
      'Your organization will manage this device',
      'What to click next',
      'already managed',
    ])
      await page.getByText(words).first().waitFor();
    expect(await widthOnPhone(page)).toBeLessThanOrEqual(PHONE.width);
    expect(await findingsOn(page)).toEqual([]);
    const code = page.getByLabel('Enrollment code');
    await code.fill('wrong-code');
    await page.getByRole('button', { name: 'Download the profile' }).click();
    await page.getByRole('alert').getByText('This code is wrong').waitFor();
    expect(await code.getAttribute('aria-invalid')).toBe('true');
    expect(await findingsOn(page)).toEqual([]);
    await code.fill(made.body.code.toLowerCase());
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the profile' }).click();
    const profile = await download;
    expect(profile.suggestedFilename()).toBe('enroll.mobileconfig');
    expect(await readFile(await profile.path(), 'latin1')).toContain('com.apple.mdm');
    await context.close();
  }, 90_000);

  test('devices enroll, and the counts turn green while the admin watches', async () => {
    const ours = await openConsole(browser, origin);
    await signIn(ours, ADMIN);
    await ours.goTo('/devices');
    await ours.see('No device is enrolled yet');
    const stage = await stageOf(world);
    const [integration] = (await stage.odette.call('get /api/integrations')).items;
    await stage.odette.call('patch /api/integrations/{id}', {
      params: { id: integration?.id ?? '' },
      body: { settings: { trustLookupSeconds: LOOKUP_SECONDS } },
    });
    const { items } = await stage.odette.call('get /api/blueprints');
    await enrollDevices(stage, items.find(({ name }) => name === 'Pilot')?.id ?? '');
    // Nobody loads the page again. Everybody has signed in but the one user who does so only by the button.
    await expect
      .poll(() => countOn(ours.page, 'Trusted'), { timeout: 180_000, interval: 1_000 })
      .toBe(SIGNED_IN);
    await expect.poll(() => countOn(ours.page, 'Needs its user')).toBe(DEFAULT_FLEET.length - SIGNED_IN);
    await ours.page
      .getByRole('link', { name: /mac-ada|Mac/i })
      .first()
      .click();
    await ours.page.getByRole('heading', { level: 2, name: 'Five truths' }).waitFor();
    await ours.page
      .getByRole('button', { name: /^View / })
      .first()
      .click();
    await ours.page.getByRole('region', { name: 'XML of the profile' }).waitFor();
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 240_000);

  test('the last user signs in on the shelf of devices, and the device’s badge turns to Trusted', async () => {
    const { items } = await (await stageOf(world)).odette.call('get /api/devices', { query: { limit: 500 } });
    const late = items.find(({ user }) => user === LATE?.user?.login);
    const ours = await openConsole(browser, origin);
    await signIn(ours, ADMIN);
    await ours.goTo(`/devices/${late?.id ?? ''}`);
    const badge = ours.page.locator('.mantine-Badge-root', {
      hasText: /^(Trusted|In progress|Needs its user|Needs you|Unreachable)$/,
    });
    await badge.getByText('Needs its user', { exact: true }).waitFor();

    const shelf = await browser.newPage();
    await shelf.goto(world.sandbox.management);
    const row = shelf.getByRole('row').filter({ hasText: LATE?.name ?? '' });
    await row.getByRole('button', { name: 'Sign in' }).click();
    await row.getByText(/^managed /).waitFor();
    await shelf.close();
    // Nobody loads the console's page again.
    await badge.getByText('Trusted', { exact: true }).waitFor({ timeout: 120_000 });
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 180_000);

  test('turning it off says what goes, what stays and how to undo it', async () => {
    const ours = await openConsole(browser, origin);
    await signIn(ours, ADMIN);
    await ours.goTo('/library');
    await ours.press('Open Okta Verify', 'link');
    await ours.page.getByRole('switch', { name: 'Okta Device Trust' }).press('Space');
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByText(/the profiles and the app configuration of Odette on 7 devices/).waitFor();
    await dialog.getByText('To undo').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(await ours.page.getByRole('switch', { name: 'Okta Device Trust' }).isChecked()).toBe(true);
    await ours.close();
  }, 60_000);
});
