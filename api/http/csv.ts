// CSV (RFC 4180) that a spreadsheet opens without running anything.
import type { Response } from 'express';

type Cell = string | number | boolean | Date | null | undefined;

export function cellOf(value: Cell): string {
  const text =
    value === null || value === undefined ? '' : value instanceof Date ? value.toISOString() : String(value);
  // A cell that begins like a formula would be one (OWASP, "CSV Injection"), also behind white space and in full width.
  const safe = typeof value === 'string' && /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/u.test(text) ? `'${text}` : text;
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Writes page after page, as fast as the reader takes it. */
export async function sendCsv(
  response: Response,
  fileName: string,
  head: readonly string[],
  pages: AsyncIterable<readonly (readonly Cell[])[]>,
): Promise<void> {
  const line = (cells: readonly Cell[]) => `${cells.map(cellOf).join(',')}\r\n`;
  response.status(200).type('text/csv').attachment(fileName);
  response.write(line(head));
  for await (const rows of pages) {
    if (response.destroyed) return;
    if (!response.write(rows.map(line).join('')))
      await new Promise<void>((resolve) => {
        response.once('drain', resolve);
        response.once('close', resolve);
      });
  }
  response.end();
}
