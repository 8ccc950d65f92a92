// What goes to pages that are open: each event once to each page that has not seen it, in portions, and never to one that has ended.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Response } from 'express';
import {
  eventPosition,
  isOlder,
  type EventPosition,
  type StoredEvent,
} from '../../adapters/store/base/events.ts';

export interface Page {
  /** Whose access it rests on: `session:HASH`, `token:ID`, `person:ID`. */
  readonly rests: readonly string[];
  readonly response: Response;
  readonly subjects: ReadonlySet<string> | undefined;
  cursor: string;
  position: EventPosition;
  /** Has seen all there was at the last look. */
  isUpToDate: boolean;
}

/** As it goes to every page. */
interface WrittenEvent {
  readonly cursor: string;
  readonly position: EventPosition;
  readonly subject: string;
  readonly text: string;
}

/** Pages that are written to before requests have their turn. */
const PAGES_AT_ONCE = 100;
/** What is left for a page that has ended is read by then, or never. */
const LAST_WORDS_MS = 10_000;

/** @param maxBufferedBytes a page that has not read so much is cut off; it comes back and catches up */
export async function sendToPages(
  pages: readonly Page[],
  events: readonly StoredEvent[],
  maxBufferedBytes: number,
): Promise<void> {
  const written = events.map(({ cursor, kind, subject, at, data }) => ({
    cursor,
    position: eventPosition(cursor),
    subject,
    text: `id: ${cursor}\nevent: ${kind}\ndata: ${JSON.stringify({ subject, at, data })}\n\n`,
  }));
  const last = written.at(-1);
  if (last === undefined) return;
  // Pages that want everything share the bytes.
  const fromEach = new Map<number, Buffer>();
  for (const [index, page] of pages.entries()) {
    if (index > 0 && index % PAGES_AT_ONCE === 0) await breathe();
    const from = written.findIndex(({ position }) => isOlder(page.position, position));
    if (from === -1) continue;
    page.cursor = last.cursor;
    page.position = last.position;
    if (page.response.writableLength > maxBufferedBytes) page.response.destroy();
    else writeToPage(page, newFor(page, written, from, fromEach));
  }
}

function newFor(
  { subjects }: Page,
  written: readonly WrittenEvent[],
  from: number,
  fromEach: Map<number, Buffer>,
): Buffer | string {
  const textOf = (events: readonly WrittenEvent[]) => events.map(({ text }) => text).join('');
  if (subjects !== undefined)
    return textOf(written.slice(from).filter(({ subject }) => subjects.has(subject)));
  const bytes = fromEach.get(from) ?? Buffer.from(textOf(written.slice(from)));
  fromEach.set(from, bytes);
  return bytes;
}

/** One that has ended, and whose last words nobody has read yet, takes no more: Node ends the process for it. */
export function writeToPage({ response }: Page, what: Buffer | string): void {
  if (!response.writableEnded && what.length > 0) response.write(what);
}

export function endPage({ response }: Page): void {
  response.end();
  const impatience = setTimeout(() => response.destroy(), LAST_WORDS_MS);
  response.once('close', () => clearTimeout(impatience));
}
