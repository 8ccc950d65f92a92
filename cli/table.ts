// Tables of an answer: as wide as their cells for a program, and for people as wide as their terminal.

/** Keeps cells apart until the width is known; no cell holds it. */
const SEPARATOR = '\u001f';
const GAP = '  ';
/** Below it a column of text cannot be read. */
const MIN_WIDTH = 12;

/** Rows for `laidOut`. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [head, ...rows].map((cells) => cells.map((cell) => cell.replaceAll(SEPARATOR, ' ')).join(SEPARATOR));

/**
 * Lines as they are printed: of tables each column as wide as its widest cell, with two spaces between. Where that is wider than
 * `columns`, the widest ones are narrowed and their text goes on below.
 */
export function laidOut(lines: readonly string[], columns: number | undefined): string[] {
  const laid: string[] = [];
  for (let at = 0; at < lines.length;) {
    const group: string[][] = [];
    while (lines[at]?.includes(SEPARATOR)) group.push((lines[at++] ?? '').split(SEPARATOR));
    if (group.length > 0) laid.push(...rowsOf(group, columns));
    else laid.push(lines[at++] ?? '');
  }
  return laid;
}

function rowsOf(rows: readonly (readonly string[])[], columns: number | undefined): string[] {
  const count = Math.max(...rows.map((cells) => cells.length));
  const natural = Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map((cells) => (cells[column] ?? '').length)),
  );
  const widths = narrowed(natural, columns === undefined ? Infinity : columns - GAP.length * (count - 1));
  return rows.flatMap((cells) => {
    const wrapped = widths.map((width, column) => wrap(cells[column] ?? '', width));
    const height = Math.max(...wrapped.map((parts) => parts.length));
    return Array.from({ length: height }, (_, line) =>
      wrapped
        .map((parts, column) => (parts[line] ?? '').padEnd(widths[column] ?? 0))
        .join(GAP)
        .trimEnd(),
    );
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
