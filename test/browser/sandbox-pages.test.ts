// The sandbox's front page: a device is broken and mended, nothing is chosen before somebody does, times are the reader's.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { findingsOn } from './console-page.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';

let browser: Browser;
let sandbox: Sandbox;
let dataDir: string;
let page: Page;

const knobs = () => sandbox.fleet.get('mac-ada')?.state.knobs;
const row = () => page.getByRole('row').filter({ hasText: 'mac-ada' });
const press = (name: string) => row().getByRole('button', { name, exact: true }).click();

describe.skipIf(!hasBrowser)('the sandbox’s pages', () => {
  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(os.tmpdir(), 'odette-sandbox-pages-'));
    [browser, sandbox] = await Promise.all([
      sharedBrowser(),
      openSandbox({
        dataDir,
        hasDefaultFleet: true,
        ports: { management: 0, tenants: [0, 0], apns: 0, appsAndBooks: 0, fleet: 0 },
      }),
    ]);
    const context = await browser.newContext({
      baseURL: sandbox.addresses.management,
      timezoneId: 'Asia/Tokyo',
      locale: 'en-GB',
      ignoreHTTPSErrors: true,
    });
    page = await context.newPage();
  }, 120_000);
  afterAll(async () => {
    await closePages();
    await sandbox?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('a device is broken in each way, says so, and is mended', async () => {
    await page.goto('/');
    await row().locator('summary').click();
    expect(await findingsOn(page)).toEqual([]);
    for (const name of ['Refuse profiles', 'Respond NotNow', 'Fail downloads', 'Power off']) {
      await press(name);
      await row().locator('summary', { hasText: name.toLowerCase() }).waitFor();
    }
    expect(sandbox.fleet.get('mac-ada')?.state.power).toBe('off');
    expect(knobs()).toMatchObject({
      breaks: [{ requestType: 'InstallProfile', status: 'Error' }],
      notNow: { times: 1_000_000 },
      downloadFails: true,
    });
    await press('Mend');
    await row()
      .locator('summary', { hasText: /^Break$/ })
      .waitFor();
    expect(sandbox.fleet.get('mac-ada')?.state.power).toBe('awake');
    expect(knobs()).toMatchObject({ breaks: [], downloadFails: false });
    expect(knobs()?.notNow).toBeUndefined();
  }, 60_000);

  test('no device is enrolled by a form that nobody filled in, and the tenants’ consoles are one link away', async () => {
    await page.goto('/');
    await row().waitFor();
    expect(await page.locator('#enroll select').inputValue()).toBe('');
    await page.getByLabel('Enrollment code').fill('a-code');
    await page.getByRole('button', { name: 'Enroll', exact: true }).click();
    expect(sandbox.fleet.list().filter(({ isEnrolled }) => isEnrolled)).toEqual([]);
    await page.getByRole('link', { name: 'tenant two' }).click();
    await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor();
    expect(page.url()).toBe(`${sandbox.addresses.tenants[1]?.url}/admin/dashboard`);
  }, 60_000);

  test('the last sign-in is told in the reader’s own time', async () => {
    sandbox.fleet.get('mac-ada')?.state.oktaVerify.signIns.push({
      at: '2026-03-01T20:30:00.000Z',
      tenant: 'https://one.example',
      how: 'ordered',
      showedPrompt: false,
      evidence: 'none',
      result: 'registered',
    });
    await page.goto('/');
    await row().getByText('registered 02/03/2026, 05:30:00').waitFor();
  }, 60_000);
});
