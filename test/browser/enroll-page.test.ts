// The enrollment page on a phone: the link fills in its code, no request tells it to anybody, and without script it is typed.
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newEnrollmentCode } from '../../adapters/store/devices/enrollments.ts';
import { startDeviceListener, type DeviceListener } from '../harness/device-listener.ts';
import { openConsole, PHONE } from './console-page.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';

let browser: Browser;
let listener: DeviceListener;

describe.skipIf(!hasBrowser)('the enrollment page on a phone', () => {
  beforeAll(async () => {
    [browser, listener] = await Promise.all([sharedBrowser(), startDeviceListener()]);
  }, 120_000);
  afterAll(async () => {
    await closePages();
    await listener?.stop();
  });

  /** What any server, proxy or log of it could see of this browser: addresses and headers, no body. */
  function listenTo(context: BrowserContext): string[] {
    const seen: string[] = [];
    context.on('request', (request) => seen.push(`${request.url()} ${JSON.stringify(request.headers())}`));
    return seen;
  }

  test('the link fills in the code, which no address or referrer ever holds', async () => {
    const { page, context, complaints } = await openConsole(browser, listener.url, { width: PHONE.width });
    const seen = listenTo(context);
    const code = await listener.newCode({ maxUses: 1 });
    await page.goto(`${listener.url}/enroll#${code}`);
    const field = page.getByLabel('Enrollment code');
    expect(await field.inputValue()).toBe(code);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the profile' }).click();
    expect((await download).suggestedFilename()).toBe('enroll.mobileconfig');
    // Not kept in the history of the browser either, once it is sent.
    expect(page.url()).toBe(`${listener.url}/enroll`);
    // The page that comes back with what is wrong has no code either, and says so until the code is another one.
    const wrong = newEnrollmentCode();
    await page.goto(`${listener.url}/enroll#${wrong}`);
    await expect.poll(() => field.inputValue()).toBe(wrong);
    await page.getByRole('button', { name: 'Download the profile' }).click();
    await page.getByRole('alert').getByText('This code is wrong, used up').waitFor();
    expect([page.url(), await field.inputValue()]).toEqual([`${listener.url}/enroll`, '']);
    await field.fill('A');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    expect([await field.getAttribute('aria-invalid'), await page.title()]).toEqual([
      null,
      'Enroll this device',
    ]);
    expect(seen.length).toBeGreaterThanOrEqual(4);
    expect(seen.filter((line) => line.includes(code) || line.includes(wrong))).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  test('a second link in the same window replaces the first code, and what is no code fills in nothing', async () => {
    const { page, context } = await openConsole(browser, listener.url, { width: PHONE.width });
    const field = page.getByLabel('Enrollment code');
    await page.goto(`${listener.url}/enroll#${encodeURIComponent('<b>no code</b>')}`);
    expect(await field.inputValue()).toBe('');
    for (const code of [newEnrollmentCode(), newEnrollmentCode()]) {
      await page.goto(`${listener.url}/enroll#${code}`);
      await expect.poll(() => field.inputValue()).toBe(code);
    }
    await context.close();
  }, 60_000);

  test('without script the code is typed', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, viewport: PHONE });
    const page = await context.newPage();
    const code = await listener.newCode({ maxUses: 1 });
    await page.goto(`${listener.url}/enroll#${code}`);
    const field = page.getByLabel('Enrollment code');
    expect(await field.inputValue()).toBe('');
    await field.fill(code);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the profile' }).click();
    expect((await download).suggestedFilename()).toBe('enroll.mobileconfig');
    await context.close();
  }, 60_000);
});
