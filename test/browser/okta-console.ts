// A pretend tenant's admin console as a test clicks it, in a browser that has an admin's clipboard.
import type { Browser, Locator, Page } from 'playwright-core';
import { findingsOn, PHONE, widthOnPhone } from './console-page.ts';

export interface OktaConsole {
  readonly page: Page;
  /** Through the navigation at the side. */
  goTo(name: string): Promise<void>;
  press(name: string, role?: 'button' | 'link'): Promise<void>;
  choose(name: string, role?: 'radio' | 'checkbox'): Promise<void>;
  /** "Actions" of a row, then one of its buttons. */
  act(row: string, name: string): Promise<void>;
  dialog(title: string): Locator;
  /** Presses a value's Copy button. @returns what is on the clipboard then */
  copy(name: string): Promise<string>;
  /** What axe-core finds, and what does not fit a phone. */
  findings(): Promise<string[]>;
  close(): Promise<void>;
}

export async function openOktaConsole(
  browser: Browser,
  origin: string,
  address = '/admin/dashboard',
): Promise<OktaConsole> {
  const context = await browser.newContext({
    baseURL: origin,
    ignoreHTTPSErrors: true,
    permissions: ['clipboard-read', 'clipboard-write'],
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(address);
  return oktaConsoleOn(page);
}

/** On a page that a link opened. */
export async function oktaConsoleOn(page: Page): Promise<OktaConsole> {
  const context = page.context();
  const drawn = () => page.locator('#host:not(:empty)').waitFor();
  await drawn();
  return {
    page,
    async goTo(name) {
      await page
        .getByRole('navigation', { name: 'Admin console' })
        .getByRole('link', { name, exact: true })
        .click();
      await drawn();
    },
    async press(name, role = 'button') {
      const open = page.getByRole('dialog');
      const place = (await open.count()) > 0 ? open.last() : page.locator('main');
      await place.getByRole(role, { name, exact: true }).click();
    },
    choose: (name, role = 'radio') => page.getByRole(role, { name, exact: true }).check(),
    async act(row, name) {
      await page.locator(`summary[aria-label="Actions, ${row}"]`).click();
      await page.getByRole('button', { name, exact: true }).click();
    },
    dialog: (title) => page.getByRole('dialog', { name: title }),
    async copy(name) {
      await page.getByRole('button', { name: new RegExp(`^(Copy|Copied) ${name}$`) }).click();
      return page.evaluate<string>('navigator.clipboard.readText()');
    },
    async findings() {
      const size = page.viewportSize() ?? { width: 1280, height: 860 };
      const found = await findingsOn(page);
      await page.setViewportSize(PHONE);
      const width = await widthOnPhone(page);
      await page.setViewportSize(size);
      return width > PHONE.width ? [...found, `${page.url()} is ${width} wide on a phone`] : found;
    },
    close: () => context.close(),
  };
}

/** Add integration → Install & Authorize → the secret once → Done → the overview's client ID. */
export async function installIntegration(
  okta: OktaConsole,
): Promise<{ clientId: string; clientSecret: string }> {
  await okta.goTo('API Service Integrations');
  await okta.press('Add integration');
  await okta.press('Odette Device Trust', 'link');
  await okta.press('Install & Authorize');
  const clientSecret = await okta.copy('Client secret');
  await okta.press('Done');
  await okta.page.getByRole('heading', { level: 1, name: 'Odette Device Trust: overview' }).waitFor();
  return { clientId: await okta.copy('Client ID'), clientSecret };
}

/** Desktop, Okta as authority, dynamic SCEP URL, Generic, Generate; not saved yet. */
export async function generateMacPlatform(okta: OktaConsole) {
  await okta.goTo('Device integrations');
  await okta.press('Add platform');
  await okta.choose('Desktop (Windows and macOS only)');
  await okta.press('Next');
  await okta.choose('Use Okta as certificate authority');
  await okta.choose('Dynamic SCEP URL');
  await okta.choose('Generic');
  await okta.press('Generate SCEP URL');
  await okta.page.getByText('This is the only time you can view the password.').waitFor();
  return {
    scepUrl: await okta.copy('SCEP URL'),
    challengeUrl: await okta.copy('Challenge URL'),
    username: await okta.copy('Username'),
    password: await okta.copy('Password'),
  };
}

export async function addIosPlatform(
  okta: OktaConsole,
  enrollmentLink: string,
): Promise<{ secretKey: string }> {
  await okta.goTo('Device integrations');
  await okta.press('Add platform');
  await okta.choose('iOS');
  await okta.press('Next');
  const secretKey = await okta.copy('Secret key');
  await okta.page.getByLabel('Device management provider').fill('Odette');
  await okta.page.getByLabel('Enrollment link').fill(enrollmentLink);
  await okta.press('Save');
  await okta.page.getByRole('cell', { name: 'iOS', exact: true }).waitFor();
  return { secretKey };
}
