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

/** Chooses among the options of a list, as whoever has no mouse does: by the first letters. */
export async function chooseIn(page: Page, label: string, option: string): Promise<void> {
  await tabTo(
    page,
    page.getByRole('combobox', { name: label, exact: true }).or(page.getByLabel(label, { exact: true })),
  );
  await page.keyboard.type(option);
}

/** Escape closes the dialog, and the focus is where it was before. @throws Error when it is not */
export async function escapeTo(page: Page, opener: Locator): Promise<void> {
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await opener.and(page.locator(':focus')).waitFor();
}

/**
 * Presses Tab until it comes round within a part of the page, and returns what it never came to: the HTML of each field, button and link. Of radio
 * buttons one takes the focus for all.
 * @param within a selector
 */
export async function outOfReach(page: Page, within: string): Promise<string[]> {
  const tabbable = `[...document.querySelector(${JSON.stringify(within)}).querySelectorAll('${TABBABLE}')].filter((each) =>
    !each.disabled && each.tabIndex >= 0 && each.checkVisibility({ visibilityProperty: true }) && each.closest('[inert]') === null)`;
  const count = (): Promise<number> => page.evaluate<number>(`${tabbable}.length`);
  await page.evaluate(`globalThis.reached = new Set([document.activeElement]);
    globalThis.reach ??= addEventListener('focusin', ({ target }) => globalThis.reached.add(target)) ?? true`);
  for (;;) {
    const wanted = await count();
    for (let steps = 0; steps <= wanted + 2; steps += 1) await page.keyboard.press('Tab');
    const missed = await page.evaluate<string[]>(`${tabbable}
      .filter((each) => !globalThis.reached.has(each) && !(each.type === 'radio' &&
        [...globalThis.reached].some((other) => other?.type === 'radio' && other.name === each.name)))
      .map((each) => each.outerHTML.slice(0, 120))`);
    // A button that could be pressed only when Tab had passed it is met in the next round.
    if (missed.length === 0 || (await count()) === wanted) return missed;
  }
}

const TABBABLE = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
