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
import { hasBrowser, launchBrowser } from './find-browser.ts';
import { atStep } from './wizard-page.ts';

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

/** Okta's console in the sandbox, beside the wizard. */
async function openOkta(): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${world.sandbox.management}/tenants/two`);
  return page;
}

const shown = async (okta: Page, list: string, name: string): Promise<string> => {
  const value = okta
    .locator(`${list} dt`, { hasText: new RegExp(`^${name}$`) })
    .locator('xpath=following-sibling::dd[1]');
  return ((await value.textContent()) ?? '').replace(/\s*Copy$/, '').trim();
};

/** What a card of the device list counts. */
const countOn = async (page: Page, card: string): Promise<number> =>
  Number.parseInt(
    (await page.getByRole('link', { name: new RegExp(`^\\d+\\s*${card}`) }).textContent()) ?? '',
    10,
  );

describe.skipIf(!hasBrowser)('the main flow', () => {
  beforeAll(async () => {
    [browser, world] = await Promise.all([
      launchBrowser() as Promise<Browser>,
      startWorld({ devices: 'default' }),
    ]);
    origin = `http://${world.environment['ODETTE_ADMIN_LISTEN']}`;
    tenantHost = (await world.manage<{ host: string }>('GET', '/tenants/two')).host;
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
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

  test('the wizard is walked to its end, closed and continued on the way', async () => {
    let ours = await openConsole(browser, origin);
    const okta = await openOkta();
    await signIn(ours, ADMIN);
    await ours.goTo('/integrations');
    await ours.press('Discover integrations', 'link');
    await ours.press('Add and configure');
    await atStep(ours, 'Welcome to Okta Device Trust');
    await ours.press('Get started');

    await atStep(ours, 'Specify your Okta domain');
    const next = () => ours.page.getByRole('button', { name: 'Next', exact: true });
    expect(await next().isDisabled()).toBe(true);
    await ours.fill('Okta domain', 'localhost:1');
    await ours.press('Check');
    await ours.see('Remedy:');
    expect(await next().isDisabled()).toBe(true);
    await ours.fill('Okta domain', `https://${tenantHost}/`);
    await ours.press('Check');
    await ours.see('is an Okta tenant on Identity Engine');
    await next().click();

    // Another day, in another browser: the setup goes on where it was, with nothing retyped.
    await atStep(ours, 'Sign in with Okta');
    const state = await ours.context.storageState();
    await ours.close();
    ours = await openConsole(browser, origin, { state });
    await ours.goTo('/');
    await ours.press('Continue setup', 'link');
    await atStep(ours, 'Sign in with Okta');
    await ours.press('Back');
    await atStep(ours, 'Specify your Okta domain');
    expect(await ours.page.getByLabel('Okta domain').inputValue()).toContain(tenantHost);
    await ours.press('Next');
    await atStep(ours, 'Sign in with Okta');
    await ours.press('Next');

    await atStep(ours, 'API service integration credentials');
    await okta.locator('#install').click();
    await okta.locator('#integration dd').first().waitFor();
    const secret = await shown(okta, '#integration', 'Client secret');
    await ours.fill('Client ID', await shown(okta, '#integration', 'Client ID'));
    await ours.page.getByLabel('Client secret', { exact: true }).fill(`${secret}x`);
    await ours.press('Show or hide Client secret');
    expect(await ours.page.getByLabel('Client secret', { exact: true }).getAttribute('type')).toBe('text');
    await ours.press('Connect to Okta');
    await ours.see(/rejected the client secret/);
    await ours.page.getByLabel('Client secret', { exact: true }).fill(secret);
    await ours.press('Connect to Okta');

    await atStep(ours, 'Connect to Okta');
    await ours.page
      .getByRole('checkbox', { name: /I have checked/ })
      .first()
      .waitFor();
    expect(await next().isDisabled()).toBe(true);
    for (const box of await ours.page.getByRole('checkbox', { name: /I have checked/ }).all())
      await box.check();
    await next().click();

    // What was entered is told by date and name, and never shown again.
    await atStep(ours, 'Complete the following tasks in Okta');
    await ours.press('Back');
    await atStep(ours, 'Connect to Okta');
    await ours.press('Back');
    await atStep(ours, 'API service integration credentials');
    await ours.see(/Set on .* by olga/);
    expect(await ours.page.content()).not.toContain(secret);
    await ours.press('Next');
    await atStep(ours, 'Connect to Okta');
    await ours.press('Next');
    await atStep(ours, 'Complete the following tasks in Okta');
    await ours.press('Next');

    await atStep(ours, 'Configure device platforms');
    await ours.press('Next');

    await atStep(ours, 'Add macOS as a device platform');
    await okta.locator('#macos').click();
    await okta.locator('#macos-values dd').first().waitFor();
    for (const name of ['SCEP URL', 'Challenge URL', 'Username'])
      await ours.fill(name, await shown(okta, '#macos-values', name));
    const password = await shown(okta, '#macos-values', 'Password');
    await ours.page.getByLabel('Password', { exact: true }).fill('wrong');
    await ours.press('Check');
    await ours.see('Okta rejected the user name or password of the challenge URL.');
    await ours.page.getByLabel('Password', { exact: true }).fill(password);
    await ours.press('Check');
    await ours.see('Verified');
    await ours.press('Next');

    await atStep(ours, 'Add iOS as a device platform');
    await okta.locator('#ios button').click();
    await okta.locator('#ios-values dd').first().waitFor();
    await ours.page
      .getByLabel('Secret key', { exact: true })
      .fill(await shown(okta, '#ios-values', 'Secret key'));
    await ours.press('Finish setup');
    await atStep(ours, 'Okta Device Trust setup complete');
    await ours.press('View integration settings', 'link');
    await ours.page.getByRole('heading', { level: 2, name: 'Credentials' }).waitFor();
    await ours.see(/Set on .* by olga/);
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 240_000);

  test('Okta Device Trust is turned on, on a test blueprint, after a look at what will happen', async () => {
    const ours = await openConsole(browser, origin);
    await signIn(ours, ADMIN);
    await ours.goTo('/blueprints');
    await ours.press('Add blueprint');
    await ours.fill('Name', 'Pilot');
    await ours.press('Add');
    await ours.page.getByRole('heading', { level: 1, name: 'Pilot' }).waitFor();
    await ours.goTo('/library');
    await ours.press('Configure Okta Verify', 'link');
    await ours.page.getByRole('heading', { level: 2, name: 'Assignment' }).waitFor();
    await ours.page.getByRole('checkbox', { name: /Pilot/ }).check();
    await ours.page.getByRole('switch', { name: 'Okta Device Trust' }).press('Space');
    await ours.see('Managed AppConfig for iPhone and iPad will be disabled');
    await ours.press('Yes, turn on Okta Device Trust');
    await ours.see('Device families');
    await ours.press('Save');
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByText('Licenses of Okta Verify').waitFor();
    expect(await ours.findings()).toEqual([]);
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await ours.see('Saved. Odette has started the rollouts.');
    await expect.poll(() => ours.page.url()).toContain('item=');
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 120_000);

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
      'managed already',
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

  test('the sandbox’s pages have no finding of axe-core and fit a phone', async () => {
    const { page, context } = await openConsole(browser, world.sandbox.management);
    for (const at of ['/', '/tenants/one', '/tenants/two']) {
      await page.goto(at);
      await page.locator('tbody tr, #platforms:not(:empty)').first().waitFor();
      expect(await findingsOn(page), at).toEqual([]);
      await page.setViewportSize(PHONE);
      expect(await widthOnPhone(page), at).toBeLessThanOrEqual(PHONE.width);
    }
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
    await dialog.getByText('To undo it').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(await ours.page.getByRole('switch', { name: 'Okta Device Trust' }).isChecked()).toBe(true);
    await ours.close();
  }, 60_000);
});
