// Moving through a page with the keyboard alone, as somebody does who has no mouse.
import type { Locator, Page } from 'playwright-core';

const MAX_STEPS = 150;

const hasFocus = async (page: Page, wanted: Locator): Promise<boolean> =>
  (await wanted.and(page.locator(':focus')).count()) > 0;

/** Presses Tab until one of these has the focus. @throws Error when Tab comes round without it */
export async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.first().waitFor();
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    if (await hasFocus(page, wanted)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not come to ${String(wanted)}`);
}

export async function pressByKey(page: Page, wanted: Locator, key = 'Enter'): Promise<void> {
  await wanted.and(page.locator(':not([disabled])')).first().waitFor();
  await tabTo(page, wanted);
  await page.keyboard.press(key);
}

export async function typeInto(page: Page, label: string, text: string): Promise<void> {
  const field = page.getByRole('textbox', { name: label, exact: true });
  await tabTo(page, field.or(page.getByLabel(label, { exact: true })));
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type(text);
}
