// Tables of an answer: as wide as their cells for a program, and for people as wide as their terminal.
import type { Tone, TonedLine } from './terminal.ts';

/** Of an answer: text, or a row of the table that the rows around it make. */
export type Line = string | TableRow;

interface TableRow {
  readonly cells: readonly string[];
  readonly tone?: Tone | undefined;
}

const GAP = '  ';
/** Below it a column of text cannot be read. */
const MIN_WIDTH = 12;

/** @param tones of the rows, in their order */
export const table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  tones: readonly (Tone | undefined)[] = [],
): Line[] => [{ cells: head, tone: 'head' }, ...rows.map((cells, at) => ({ cells, tone: tones[at] }))];

/**
 * Lines as they are printed: of tables each column as wide as its widest cell, with two spaces between. Where that is wider than
 * `columns`, the widest ones are narrowed and their text goes on below.
 */
export function laidOut(lines: readonly Line[], columns: number | undefined): TonedLine[] {
  const laid: TonedLine[] = [];
  let rows: TableRow[] = [];
  for (const line of [...lines, undefined]) {
    if (typeof line === 'object') {
      rows.push(line);
      continue;
    }
    laid.push(...textOf(rows, columns));
    rows = [];
    if (line !== undefined) laid.push({ text: line });
  }
  return laid;
}

function textOf(rows: readonly TableRow[], columns: number | undefined): TonedLine[] {
  const count = Math.max(0, ...rows.map(({ cells }) => cells.length));
  const natural = Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map(({ cells }) => (cells[column] ?? '').length)),
  );
  const widths = narrowed(natural, columns === undefined ? Infinity : columns - GAP.length * (count - 1));
  return rows.flatMap(({ cells, tone }) => {
    const wrapped = widths.map((width, column) => wrap(cells[column] ?? '', width));
    const height = Math.max(...wrapped.map((parts) => parts.length));
    return Array.from({ length: height }, (_, line) => ({
      text: wrapped
        .map((parts, column) => (parts[line] ?? '').padEnd(widths[column] ?? 0))
        .join(GAP)
        .trimEnd(),
      tone,
    }));
  });
}

/** Takes from the widest column until all fit, or none is wide. */
function narrowed(natural: readonly number[], room: number): number[] {
  const widths = [...natural];
  const sum = () => widths.reduce((total, width) => total + width, 0);
  while (sum() > room) {
    const widest = Math.max(...widths);
    if (widest <= MIN_WIDTH) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  return widths;
}

/** Broken at blanks; a word that is wider stays whole, so that it can be copied. */
function wrap(text: string, width: number): string[] {
  if (text.length <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
