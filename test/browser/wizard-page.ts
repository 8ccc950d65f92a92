// The wizard as a test walks it: the step by its heading, what is said at a field, another day in another browser.
import type { Browser } from 'playwright-core';
import { openConsole, type ConsolePage } from './console-page.ts';

/** The step by its heading; each has the focus when it appears, so that a screen reader says it. */
export const atStep = (ours: ConsolePage, title: string): Promise<void> =>
  ours.page.getByRole('heading', { level: 2, name: title, exact: true }).waitFor();

export const nextButton = (ours: ConsolePage) =>
  ours.page.getByRole('button', { name: /^(Next|Get started|Finish setup)$/ });

export const fieldOf = (ours: ConsolePage, label: string) => ours.page.getByLabel(label, { exact: true });

/** What a screen reader says of a field after its name, once it says that it is wrong. */
export async function errorAt(ours: ConsolePage, label: string): Promise<string> {
  const field = fieldOf(ours, label);
  await field.and(ours.page.locator('[aria-invalid="true"]')).waitFor();
  const ids = ((await field.getAttribute('aria-describedby')) ?? '').split(' ').filter(Boolean);
  const texts = ids.map((id) => ours.page.locator(`[id="${id}"]`).textContent());
  return (await Promise.all(texts)).join(' ');
}

/** Closes the browser and comes back with its cookies and storage, by the overview's own link. */
export async function anotherDay(browser: Browser, origin: string, ours: ConsolePage): Promise<ConsolePage> {
  const state = await ours.context.storageState();
  await ours.close();
  const next = await openConsole(browser, origin, { state });
  await next.goTo('/');
  await next.press('Continue setup', 'link');
  return next;
}
