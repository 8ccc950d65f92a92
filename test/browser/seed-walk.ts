// The numbered steps of the two guides that the product follows, and a table of how a walk through them matched.
import type { Page } from 'playwright-core';

/** Sections of "Okta Device Trust integration setup" (45 steps) and of "Configuring the Okta Verify library item" (8), in their order. */
const SECTIONS = {
  'Integration setup': 16,
  'Adding device integrations in Okta': 3,
  'Adding macOS': 7,
  'Adding iOS': 6,
  'Rotating a password': 4,
  'Deleting a platform': 4,
  'Configuring device platforms': 5,
  'Configuring Okta Verify': 8,
} as const;
type Section = keyof typeof SECTIONS;

const ALL = Object.entries(SECTIONS).flatMap(([section, count]) =>
  Array.from({ length: count }, (_, index) => `${section} ${index + 1}`),
);

interface Row {
  readonly step: string;
  readonly says: string;
  readonly page: string;
  /** Why it is done otherwise here; absent: it matches. */
  readonly reason?: string;
}

export class SeedWalk {
  readonly #rows: Row[] = [];
  #section: Section = 'Integration setup';
  #number = 0;

  enter(section: Section): void {
    this.#section = section;
    this.#number = 0;
  }

  /**
   * Does the next step of the section and notes on which page it left the walker.
   * @param work may return what it opened: the walker is there then
   * @param reason why it deviates
   */
  async step<Opened extends { readonly page: Page } | void>(
    says: string,
    page: Page,
    work: () => Promise<Opened>,
    reason?: string,
  ): Promise<Opened> {
    this.#number += 1;
    const step = `${this.#section} ${this.#number}`;
    const opened = await work().catch((error: unknown) => {
      throw new Error(`${step}, “${says}”`, { cause: error });
    });
    const shown = await nameOf(opened?.page ?? page);
    this.#rows.push({ step, says, page: shown, ...(reason !== undefined && { reason }) });
    return opened;
  }

  /** Steps that were left out, done twice or out of their order. */
  get disorder(): string[] {
    const walked = this.#rows.map(({ step }) => step);
    return ALL.flatMap((step, index) =>
      walked[index] === step ? [] : [`${step}: walked ${walked[index] ?? 'nothing'}`],
    );
  }

  get deviations(): string[] {
    return this.#rows.flatMap(({ step, reason }) => (reason === undefined ? [] : [step]));
  }

  table(): string {
    const cells = this.#rows.map(({ step, says, page, reason }) => [step, says, page, reason ?? 'matches']);
    const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
    const matching = this.#rows.length - this.deviations.length;
    return [
      `${this.#rows.length} steps: ${matching} match, ${this.deviations.length} deviate`,
      ...cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')),
    ].join('\n');
  }
}

/** Whose page it is, and what stands over it: the dialog's title, or else the heading that has the most to say. */
async function nameOf(page: Page): Promise<string> {
  const whose = new URL(page.url()).pathname.startsWith('/admin/') ? 'Okta' : 'Odette';
  const dialog = page.getByRole('dialog').last();
  const heading = (await dialog.count()) > 0 ? dialog.getByRole('heading').first() : undefined;
  // Read at once: the wizard's form may end between a look whether it is there and a look at what it says.
  const [wizard] = heading === undefined ? await page.locator('form h2').allTextContents() : [];
  const shown = wizard ?? (await (heading ?? page.locator('h1').first()).textContent()) ?? '';
  return `${whose}: ${shown.trim()}`;
}
