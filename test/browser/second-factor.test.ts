// A second factor from the first look at the account page to the sign-in with its codes, with what a camera reads from the screen.
import decodeQR from 'qr/decode.js';
import { Client, Connection } from '@temporalio/client';
import type { TOTP } from 'otpauth';
import { URI } from 'otpauth';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../harness/admin-api.ts';
import { temporalAddress } from '../harness/temporal.ts';
import { openConsole, signIn, type ConsolePage } from './console-page.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';

const ADA = { name: 'ada', password: 'correct horse battery staple' };
const KIM = { name: 'kim', password: 'correct horse battery staple' };
/** For a machine that does many other things at once. */
const LONG_MS = 240_000;
let browser: Browser;
let api: AdminApi;

describe.skipIf(!hasBrowser)('a second factor', () => {
  beforeAll(async () => {
    // A real Temporal server: the status page asks it, and a call that still retries when the API closes would outlive it.
    const temporal = new Client({
      connection: await Connection.connect({ address: await temporalAddress() }),
    });
    [browser, api] = await Promise.all([sharedBrowser(), openAdminApi({ temporal })]);
    await api.call('POST', '/api/people', { ...ADA, role: 'viewer' });
    await api.call('POST', '/api/people', { ...KIM, role: 'viewer' });
  }, 120_000);
  afterAll(async () => {
    await closePages();
    await api?.close();
  });

  test(
    'is set up with the QR code, asked for at the next sign-in, and turned off with the password',
    async () => {
      const ours = await openConsole(browser, api.url);
      await signIn(ours, ADA);
      await ours.press('ada');
      await ours.press('Account', 'menuitem');
      const { app, codes } = await setUp(ours, ADA.password);
      await ours.see('10 of 10 recovery codes left');
      expect(await ours.findings()).toEqual([]);

      await forgetCodes();
      await signOut(ours, 'ada');
      await enter(ours, ADA);
      await ours.see('Six digits of your authenticator app, or a recovery code');
      expect(await ours.findings()).toEqual([]);
      await ours.fill('Code', '000 000');
      await ours.press('Sign in');
      await ours.see('The code is wrong, expired or already used.');
      await ours.fill('Code', app.generate());
      await ours.press('Sign in');
      await ours.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();

      await signOut(ours, 'ada');
      await enter(ours, ADA);
      await ours.fill('Code', codes[3] ?? '');
      await ours.press('Sign in');
      await ours.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
      await ours.goTo('/account');
      await ours.see('9 of 10 recovery codes left');
      await ours.press('Turn off');
      await ours.page.getByRole('textbox', { name: 'Your password' }).fill(ADA.password);
      await ours.page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
      await ours.see('Set up authenticator app');
      expect(ours.complaints).toEqual([]);
      await ours.close();
    },
    LONG_MS,
  );

  test(
    'that is required is all that a newcomer sees, until it is set up',
    async () => {
      await api.call('PUT', '/api/sign-in-policy', { isSecondFactorRequired: true });
      const ours = await openConsole(browser, api.url);
      await ours.goTo('/sign-in');
      await enter(ours, KIM);
      await ours.see('Odette requires a second factor');
      await ours.goTo('/devices');
      await ours.page.waitForURL('**/account');
      // Until the code of this page is loaded, the frame of the other one stands.
      await ours.see('Odette requires a second factor');
      expect(await ours.page.getByRole('link', { name: 'Devices' }).count()).toBe(0);
      await setUp(ours, KIM.password);
      await ours.press('Devices', 'link');
      await ours.page.getByRole('heading', { level: 1, name: 'Devices' }).waitFor();
      expect(ours.complaints).toEqual([]);
      await ours.close();
    },
    LONG_MS,
  );
});

/** The next code may be used at once. */
const forgetCodes = () => api.database.query('update second_factors set last_step = last_step - 2');

async function setUp(ours: ConsolePage, password: string): Promise<{ app: TOTP; codes: string[] }> {
  await ours.press('Set up authenticator app');
  const dialog = ours.page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Your password' }).fill(password);
  await ours.press('Next');
  await ours.see('Or enter this key in the app');
  const uri = await scanned(ours.page);
  expect(await dialog.locator('code').textContent()).toBe(new URL(uri).searchParams.get('secret'));
  const app = URI.parse(uri) as TOTP;
  await dialog.getByRole('textbox', { name: 'Code' }).fill(app.generate());
  await ours.press('Turn on');
  const codes = (await dialog.locator('pre[aria-label="Recovery codes"]').textContent()) ?? '';
  await ours.press('I have saved them');
  return { app, codes: codes.split('\n') };
}

async function enter(ours: ConsolePage, person: { name: string; password: string }): Promise<void> {
  await ours.fill('Name', person.name);
  await ours.page.locator('input[autocomplete="current-password"]').fill(person.password);
  await ours.press('Sign in');
}

async function signOut(ours: ConsolePage, name: string): Promise<void> {
  await ours.press(name);
  await ours.press('Sign out', 'menuitem');
  await ours.page.getByRole('heading', { level: 1, name: 'Sign in to Odette' }).waitFor();
}

/** As a camera would: the modules as pixels. */
async function scanned(page: Page): Promise<string> {
  const image = page.getByRole('img', { name: 'QR code for the authenticator app' });
  const size = Number((await image.getAttribute('viewBox'))?.split(' ')[2]);
  const path = (await image.locator('path').getAttribute('d')) ?? '';
  const scale = 8;
  const side = size * scale;
  const data = new Uint8Array(side * side * 4).fill(255);
  for (const [, left, top] of path.matchAll(/M(\d+) (\d+)/g))
    for (let y = Number(top) * scale; y < (Number(top) + 1) * scale; y += 1)
      for (let x = Number(left) * scale; x < (Number(left) + 1) * scale; x += 1)
        data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
  return decodeQR({ width: side, height: side, data });
}
