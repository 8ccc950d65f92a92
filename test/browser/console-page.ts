// A browser page on the console for one test: what breaks the Content-Security-Policy, goes to another host or throws is kept,
// and a failure leaves a screenshot, and a trace where one is wanted.
import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import axe, { type AxeResults, type RunOptions } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { onTestFailed } from 'vitest';

export interface ConsolePage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What a good page has none of. */
  readonly complaints: string[];
  /** Opens an address and waits until nothing loads any more. */
  goTo(address: string): Promise<void>;
  /** axe-core's findings, one line each: all rules in light, contrast again in dark; of the whole page, or within a part of it. */
  findings(within?: string): Promise<string[]>;
  /** By its accessible role and name: what a screen reader would find. */
  press(
    name: string | RegExp,
    role?: 'button' | 'link' | 'tab' | 'menuitem' | 'checkbox' | 'switch' | 'radio',
  ): Promise<void>;
  fill(label: string | RegExp, text: string): Promise<void>;
  see(text: string | RegExp, timeout?: number): Promise<void>;
  close(): Promise<void>;
}

export interface PageOptions {
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  /** Cookies and storage of an earlier page: the same person, another day. */
  readonly state?: Awaited<ReturnType<BrowserContext['storageState']>>;
}

export const PHONE = { width: 390, height: 844 };
/** Whether a test that fails leaves a trace, which Playwright's viewer opens. */
const TRACES = process.env['BROWSER_TRACES'] === '1';
/** For a machine that does many other things at once. */
const LONG_MS = 60_000;

export async function openConsole(
  browser: Browser,
  origin: string,
  options: PageOptions = {},
): Promise<ConsolePage> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: 860 },
    colorScheme: options.scheme ?? 'light',
    reducedMotion: 'reduce',
    // What a browser has from a machine without one (en-US@posix) is no language tag: Intl refuses it.
    locale: 'en-US',
    baseURL: origin,
    // The sandbox's own authority is not the browser's.
    ignoreHTTPSErrors: true,
    ...(options.state && { storageState: options.state }),
  });
  context.setDefaultTimeout(LONG_MS);
  // A snapshot of the page with each action takes longer than the action.
  if (TRACES) await context.tracing.start({ screenshots: false, snapshots: true });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content.Security.Policy|Refused to/i.test(message.text()))
      complaints.push(message.text());
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    const isOwn =
      url.origin === new URL(origin).origin || url.protocol === 'blob:' || url.protocol === 'data:';
    if (!isOwn && page.url().startsWith(origin)) complaints.push(`another host: ${url.origin}`);
  });
  onTestFailed(async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-browser-'));
    await page.screenshot({ path: path.join(folder, 'page.png'), fullPage: true }).catch(() => undefined);
    if (TRACES) await context.tracing.stop({ path: path.join(folder, 'trace.zip') }).catch(() => undefined);
    console.log(
      `${TRACES ? 'Screenshot and trace' : 'Screenshot (BROWSER_TRACES=1: and trace)'}: ${folder} (${page.url()})`,
    );
  });
  return {
    page,
    context,
    complaints,
    async goTo(address) {
      await page.goto(address);
      await settled(page);
    },
    findings: (within) => findingsOn(page, within),
    async press(name, role = 'button') {
      await page
        .getByRole(role, { name, exact: typeof name === 'string' })
        .first()
        .click();
    },
    async fill(label, text) {
      await page
        .getByRole('textbox', { name: label })
        .or(page.getByLabel(label, { exact: true }))
        .first()
        .fill(text);
    },
    async see(text, timeout = LONG_MS) {
      await page.getByText(text).first().waitFor({ timeout });
    },
    close: () => context.close(),
  };
}

/** The event stream stays open for ever, so that "no network" would never come: nothing is busy, and the title stands. */
async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
}

export async function signIn(
  console_: ConsolePage,
  person: { name: string; password: string },
): Promise<void> {
  await console_.goTo('/sign-in');
  await console_.fill('Name', person.name);
  await console_.page.locator('input[autocomplete="current-password"]').fill(person.password);
  await console_.press('Sign in');
  await console_.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
}

/** All rules in the present colors, and those about colors in the other ones. */
export async function findingsOn(page: Page, within?: string): Promise<string[]> {
  // Half a megabyte: once a page.
  if (await page.evaluate<boolean>(`typeof axe === 'undefined'`)) await page.evaluate(axe.source);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await atRest(page);
  const found = await runAxe(page, {}, within);
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await atRest(page);
  found.push(...(await runAxe(page, { runOnly: ['color-contrast'] }, within)).map((line) => `dark ${line}`));
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  return found;
}

/** Laid out anew, and no color on its way to another one. */
const atRest = (page: Page): Promise<unknown> =>
  page.evaluate(`(async () => {
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    const ending = document.getAnimations().filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime));
    for (const animation of ending) animation.finish();
  })()`);

/** How wide the page is, once it is laid out for what it is shown on. */
export async function widthOnPhone(page: Page): Promise<number> {
  await atRest(page);
  return page.evaluate<number>('document.documentElement.scrollWidth');
}

/** Labels of the tables of which a column is out of sight. */
export const cutTables = (page: Page): Promise<string[]> =>
  page.evaluate<string[]>(
    `[...document.querySelectorAll('.table-scroll')].filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.getAttribute('aria-label'))`,
  );

async function runAxe(page: Page, options: RunOptions, within: string | undefined): Promise<string[]> {
  const context = within === undefined ? 'document' : JSON.stringify({ include: [[within]] });
  // What passed is not told: on a long table it is most of the work. No rule that runs reads style sheets or media files.
  const given = JSON.stringify({ ...options, resultTypes: ['violations'], preload: false });
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${context}, ${given})`);
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
  );
}
