// CSV (RFC 4180): written so that a spreadsheet opens it without running anything, read as spreadsheets save it.
import type { Response } from 'express';

/** A cell that begins so would be a formula (OWASP, "CSV Injection"), also behind white space and in full width. */
const FORMULA = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/u;

type Cell = string | number | boolean | Date | null | undefined;

export function cellOf(value: Cell): string {
  const text =
    value === null || value === undefined ? '' : value instanceof Date ? value.toISOString() : String(value);
  const safe = typeof value === 'string' && FORMULA.test(text) ? `'${text}` : text;
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

/**
 * Rows of cells. Spreadsheets separate by comma, semicolon (where the comma is the decimal sign) or tab: the first line says which. Empty
 * lines are left out; the sign that `sendCsv` puts before a formula is taken off again.
 * @returns with each row the line on which it begins, from 1
 */
export function readCsv(text: string): { readonly line: number; readonly cells: readonly string[] }[] {
  const content = text.replace(/^\ufeff/, '');
  const separator = separatorOf(content.split(/\r?\n/, 1)[0] ?? '');
  const cell = new RegExp(
    `(?:"((?:[^"]|"")*)"|((?!")[^${separator}\\r\\n]*))(${separator}|\\r?\\n|\\r|$)`,
    'y',
  );
  const rows: { line: number; cells: string[] }[] = [];
  let cells: string[] = [];
  let [line, begun] = [1, 1];
  while (cell.lastIndex < content.length || cells.length > 0) {
    const { lastIndex } = cell;
    const [whole, quoted, bare, end] = cell.exec(content) ?? [];
    // A quote that nobody closes: what is left is one cell.
    if (whole === undefined) return [...rows, { line: begun, cells: [...cells, content.slice(lastIndex)] }];
    cells.push(withoutSign(quoted?.replaceAll('""', '"') ?? bare ?? '').trim());
    line += (whole.match(/\r?\n|\r/g) ?? []).length;
    if (end === separator) continue;
    if (cells.some((each) => each !== '')) rows.push({ line: begun, cells });
    cells = [];
    begun = line;
  }
  return rows;
}

const withoutSign = (text: string): string =>
  text.startsWith("'") && FORMULA.test(text.slice(1)) ? text.slice(1) : text;

const separatorOf = (head: string): string =>
  [';', '\t'].find((each) => head.includes(each) && !head.includes(',')) ?? ',';
