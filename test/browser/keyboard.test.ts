// No mouse anywhere: the wizard with an app of the tenant's own, then the Okta Device Trust switch on and off.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addIosPlatform, addMacPlatform, createApiServicesApp } from '../../sandbox/okta/admin.ts';
import { OKTA_SCOPES } from '../../domain/setup-wizard.ts';
import { openWizardWorld, type WizardWorld } from '../harness/wizard.ts';
import { openConsole, type ConsolePage } from './console-page.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';
import { pressByKey, tabTo, typeInto } from './keyboard.ts';
import { atStep, nextButton } from './wizard-page.ts';

const OLGA = { name: 'olga', password: 'a long enough password' };
let browser: Browser;
let world: WizardWorld;
let ours: ConsolePage;

const button = (name: string | RegExp) => ours.page.getByRole('button', { name, exact: true });
const link = (name: string) => ours.page.getByRole('link', { name, exact: true });
const press = (name: string | RegExp) => pressByKey(ours.page, button(name));
const next = () => pressByKey(ours.page, nextButton(ours));
const type = (label: string, text: string) => typeInto(ours.page, label, text);

describe.skipIf(!hasBrowser)('with the keyboard alone', () => {
  beforeAll(async () => {
    [browser, world] = await Promise.all([sharedBrowser(), openWizardWorld()]);
    await world.api.call('POST', '/api/people', { ...OLGA, role: 'admin' });
    await world.api.call('PUT', '/api/apps-and-books', { token: await world.licenses.newToken() });
    await world.api.call('POST', '/api/blueprints', { name: 'Pilot' });
  }, 180_000);
  afterAll(async () => {
    await closePages();
    await world?.close();
  }, 60_000);

  test('an admin signs in and walks the wizard, with the public key that Odette shows', async () => {
    ours = await openConsole(browser, world.api.url);
    const { page } = ours;
    await ours.goTo('/sign-in');
    await type('Name', OLGA.name);
    await tabTo(page, page.locator('input[autocomplete="current-password"]'));
    await page.keyboard.type(OLGA.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await pressByKey(page, link('Integrations'));
    await pressByKey(page, link('Discover integrations'));
    await press('Add and configure');
    await atStep(ours, 'Welcome to Okta Device Trust');
    await next();

    await atStep(ours, 'Specify your Okta domain');
    await type('Okta domain', world.okta.host);
    await page.keyboard.press('Enter');

    await atStep(ours, 'Sign in with Okta');
    await tabTo(page, page.getByRole('radio', { checked: true }));
    await page.keyboard.press('ArrowDown');
    expect(await page.getByRole('radio', { name: 'API service integration' }).isChecked()).toBe(true);
    await page.keyboard.press('ArrowUp');
    expect(await page.getByRole('radio', { name: 'Your own API Services app' }).isChecked()).toBe(true);
    await next();

    await atStep(ours, 'Complete the following tasks in Okta');
    const shown = await page.locator('code', { hasText: '"kty"' }).textContent();
    const publicJwk = JSON.parse(shown ?? '') as Record<string, string>;
    expect(Object.keys(publicJwk)).not.toContain('d');
    const { clientId } = await createApiServicesApp(world.okta.tenant, {
      publicJwks: [publicJwk],
      scopes: [...OKTA_SCOPES],
      roles: ['SUPER_ADMIN'],
    });
    await next();
    await atStep(ours, 'API Services app credentials');
    expect(await page.getByLabel('Client secret').count()).toBe(0);
    await type('Client ID', clientId);
    await page.keyboard.press('Enter');

    await atStep(ours, 'Connect to Okta');
    const looked = page.getByRole('checkbox', { name: 'I have checked: The tenant has Adaptive MFA' });
    await pressByKey(page, looked, 'Space');
    await next();
    await atStep(ours, 'Configure device platforms');
    await next();

    await atStep(ours, 'Add macOS as a device platform');
    const mac = await addMacPlatform(world.okta.tenant);
    await type('SCEP URL', mac.scepUrl);
    await type('Challenge URL', mac.challengeUrl);
    await type('Username', mac.username);
    await type('Password', mac.password);
    await page.keyboard.press('Enter');
    await atStep(ours, 'Add iOS as a device platform');
    const ios = await addIosPlatform(world.okta.tenant, {
      providerName: 'Odette',
      enrollmentLink: 'https://mdm.example.com/enroll',
    });
    await type('Secret key', ios.secretKey);
    await page.keyboard.press('Enter');
    await atStep(ours, 'Okta Device Trust setup complete');
    await pressByKey(page, link('Go to library item'));
    await page.getByRole('heading', { level: 2, name: 'Assignment' }).waitFor();
  }, 600_000);

  test('Okta Device Trust is turned on and off again', async () => {
    const { page } = ours;
    const trust = page.getByRole('switch', { name: 'Okta Device Trust' });
    const dialog = page.getByRole('dialog');
    const save = async () => {
      await press('Save');
      await pressByKey(page, dialog.getByRole('button', { name: 'Save', exact: true }));
      await dialog.waitFor({ state: 'hidden' });
    };
    const isSavedOn = async () =>
      ((await world.api.call('GET', '/api/library-items')).body.items as { deviceTrustOn: boolean }[])[0]
        ?.deviceTrustOn;
    await pressByKey(page, page.getByRole('checkbox', { name: /Pilot/ }), 'Space');
    await pressByKey(page, trust, 'Space');
    await ours.see('Managed AppConfig for iPhone and iPad will be disabled');
    await dialog.getByText('These blueprints have no devices yet. Each device gets Okta Verify').waitFor();
    // Escape takes nothing for granted, and the focus comes back to where it was.
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await trust.isChecked()).toBe(false);
    await pressByKey(page, trust, 'Space');
    await press('Yes, turn on Okta Device Trust');
    await save();
    await expect.poll(isSavedOn).toBe(true);

    await ours.goTo('/library');
    await pressByKey(page, link('Open Okta Verify'));
    await pressByKey(page, trust, 'Space');
    await dialog.getByText('What stays in Okta').waitFor();
    await press('Turn off');
    await save();
    await expect.poll(isSavedOn).toBe(false);
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 300_000);
});
