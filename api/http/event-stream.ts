// Server-sent events: what changes, from the last one a page has seen. One LISTEN and one reader for all pages of the process.
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import type { Database } from '../../adapters/store/base/database.ts';
import {
  compareEventCursors,
  EVENTS_CHANNEL,
  eventsHorizon,
  isEventCursor,
  readEvents,
  type StoredEvent,
} from '../../adapters/store/base/events.ts';
import { ACCESS_CHANNEL } from '../../adapters/store/people/sessions.ts';
import { AtOnce } from './at-once.ts';
import type { Caller } from './caller.ts';
import { ProblemError } from './problem.ts';

/** Proxies close what is silent. */
const COMMENT_EVERY_MS = 15_000;
/** A row may be held back by an older transaction: looked for again, as nothing tells when that one is over. */
const LOOK_AGAIN_MS = 1_000;
/** Then the page comes back by itself, and who asks is checked again. */
const MAX_MS = 10 * 60_000;
/** A person has some tabs, a tool a stream or two. */
const MAX_OF_CALLER = 20;
/** Of all. Each costs some kB, and a look at every event. */
const MAX_STREAMS = 5_000;
const BUSY_MS = 30_000;
const BATCH = 500;
/** A page that reads so slowly is cut off; it comes back and catches up. */
const MAX_BUFFERED_BYTES = 1_000_000;

interface Page {
  /** Whose access it rests on: `session:HASH`, `token:ID`, `person:ID`. */
  readonly rests: readonly string[];
  readonly response: Response;
  readonly subjects: ReadonlySet<string> | undefined;
  cursor: string;
  /** Has seen all there was at the last look. */
  isUpToDate: boolean;
}

export class EventStream {
  readonly #database: Database;
  readonly #log: Logger;
  readonly #maxMs: number;
  readonly #pages = new Set<Page>();
  readonly #ofCaller = new AtOnce(MAX_OF_CALLER);
  #listening: Promise<() => Promise<void>> | undefined;
  #reading = false;
  #isTold = false;
  #again: NodeJS.Timeout | undefined;

  /** @param maxMs how long a page is served before it must ask again */
  constructor(database: Database, log: Logger, maxMs = MAX_MS) {
    this.#database = database;
    this.#log = log;
    this.#maxMs = maxMs;
  }

  /**
   * @param subjects only events of these, e.g. device:ID; undefined: all
   * @throws ProblemError `request.too_many`
   */
  async open(
    request: Request,
    response: Response,
    options: {
      /** Who asks: the stream ends with their access. */
      readonly caller: Pick<Caller, 'id' | 'session' | 'tokenId' | 'personId' | 'expiresAt'>;
      readonly cursor?: string | undefined;
      readonly subjects?: readonly string[] | undefined;
    },
  ): Promise<void> {
    const { caller } = options;
    // A person's tokens are the person.
    const leave = this.#pages.size < MAX_STREAMS && this.#ofCaller.enter(caller.personId ?? caller.id);
    if (!leave) throw new ProblemError('request.too_many', { retryAfterMs: BUSY_MS });
    response.once('close', leave);
    const isUpToDate = options.cursor === undefined || !isEventCursor(options.cursor);
    const cursor = isUpToDate ? await eventsHorizon(this.#database) : (options.cursor ?? '');
    await this.#listen();
    response.status(200).set({
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    // The id alone: a page that reconnects before the first event loses nothing.
    response.write(`retry: 2000\nid: ${cursor}\nevent: hello\ndata: {}\n\n`);
    const subjects = options.subjects === undefined ? undefined : new Set(options.subjects);
    const page: Page = { response, subjects, cursor, isUpToDate, rests: restsOf(caller) };
    const comment = setInterval(() => response.write(': still here\n\n'), COMMENT_EVERY_MS);
    const lifeMs = (caller.expiresAt?.getTime() ?? Infinity) - Date.now();
    const last = setTimeout(() => response.end(), Math.max(0, Math.min(this.#maxMs, lifeMs)));
    this.#pages.add(page);
    request.on('close', () => {
      clearInterval(comment);
      clearTimeout(last);
      this.#pages.delete(page);
    });
    this.#look();
  }

  async close(): Promise<void> {
    clearTimeout(this.#again);
    for (const { response } of this.#pages) response.end();
    this.#pages.clear();
    await (
      await this.#listening
    )?.();
  }

  #listen(): Promise<() => Promise<void>> {
    this.#listening ??= Promise.all([
      this.#database.listen(EVENTS_CHANNEL, () => this.#look()),
      this.#database.listen(ACCESS_CHANNEL, (whose) => this.#endAccess(whose)),
    ])
      .then((stops) => async () => {
        for (const stop of stops) await stop();
      })
      .catch((error: unknown) => {
        this.#listening = undefined;
        throw error;
      });
    return this.#listening;
  }

  /** @param whose empty: something may have been missed, so that every page asks again */
  #endAccess(whose: string): void {
    for (const { rests, response } of this.#pages) if (whose === '' || rests.includes(whose)) response.end();
  }

  /** Reads on for every page; a notice that comes meanwhile makes it read once more. */
  #look(): void {
    this.#isTold = true;
    if (this.#reading) return;
    this.#reading = true;
    clearTimeout(this.#again);
    void this.#readAll()
      .catch((error: unknown) => {
        this.#log.warn({ err: error }, 'events could not be read');
      })
      .finally(() => {
        this.#reading = false;
        if (this.#isTold) this.#look();
        else if (this.#pages.size > 0) {
          this.#again = setTimeout(() => this.#look(), LOOK_AGAIN_MS);
          this.#again.unref();
        }
      });
  }

  async #readAll(): Promise<void> {
    while (this.#isTold) {
      this.#isTold = false;
      // Two reads for however many pages; who catches up, perhaps from long ago, does not hold the others back.
      for (const isUpToDate of [true, false]) {
        const pages = [...this.#pages].filter((page) => page.isUpToDate === isUpToDate);
        const [first] = pages.toSorted((one, other) => compareEventCursors(one.cursor, other.cursor));
        if (!first) continue;
        const events = await readEvents(this.#database, first.cursor, BATCH);
        for (const page of pages) write(page, events);
        if (events.length === BATCH) this.#isTold = true;
        else for (const page of pages) page.isUpToDate = true;
      }
    }
  }
}

const restsOf = ({
  session,
  tokenId,
  personId,
}: Pick<Caller, 'session' | 'tokenId' | 'personId'>): string[] => [
  ...(session ? [`session:${session.toString('hex')}`] : []),
  ...(tokenId === undefined ? [] : [`token:${tokenId}`]),
  ...(personId === undefined ? [] : [`person:${personId}`]),
];

function write(page: Page, events: readonly StoredEvent[]): void {
  if (page.response.writableLength > MAX_BUFFERED_BYTES) {
    page.response.destroy();
    return;
  }
  for (const { cursor, kind, subject, at, data } of events) {
    if (compareEventCursors(cursor, page.cursor) <= 0) continue;
    page.cursor = cursor;
    if (page.subjects && !page.subjects.has(subject)) continue;
    page.response.write(`id: ${cursor}\nevent: ${kind}\ndata: ${JSON.stringify({ subject, at, data })}\n\n`);
  }
}
