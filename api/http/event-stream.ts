// Server-sent events: what changes, from the last one a page has seen. One LISTEN and one reader for all pages of the process.
import type { Response } from 'express';
import type { Logger } from 'pino';
import type { Database } from '../../adapters/store/base/database.ts';
import {
  EVENTS_CHANNEL,
  eventPosition,
  eventsHorizon,
  isEventCursor,
  isOlder,
  readEvents,
} from '../../adapters/store/base/events.ts';
import { ACCESS_CHANNEL } from '../../adapters/store/people/sessions.ts';
import { AtOnce } from './at-once.ts';
import type { Caller } from './caller.ts';
import { endPage, sendToPages, writeToPage, type Page } from './event-pages.ts';
import { ProblemError } from './problem.ts';

/** Proxies close what is silent. */
const COMMENT_EVERY_MS = 15_000;
/** A row may be held back by an older transaction: looked for again, as nothing tells when that one is over. */
const LOOK_AGAIN_MS = 1_000;
/** A person has some tabs, a tool a stream or two. */
const MAX_OF_CALLER = 20;
const BUSY_MS = 30_000;
const BATCH = 500;

interface Limits {
  /** Then the page comes back by itself, and who asks is checked again. */
  readonly maxMs: number;
  /** Of all. Each costs some kB, and a look at every event. */
  readonly maxStreams: number;
  /** A page that reads so slowly is cut off; it comes back and catches up. */
  readonly maxBufferedBytes: number;
}
const LIMITS: Limits = { maxMs: 10 * 60_000, maxStreams: 5_000, maxBufferedBytes: 1_000_000 };

/** A page that is not served yet, and whose access may end meanwhile. */
interface Opening {
  readonly rests: readonly string[];
  isRefused: boolean;
}

export class EventStream {
  readonly #database: Database;
  readonly #log: Logger;
  readonly #limits: Limits;
  readonly #pages = new Set<Page>();
  readonly #ofCaller = new AtOnce(MAX_OF_CALLER);
  /** Those that are being opened, too. */
  #open = 0;
  readonly #opening = new Set<Opening>();
  #listening: Promise<() => Promise<void>> | undefined;
  #reading = false;
  #isTold = false;
  #again: NodeJS.Timeout | undefined;

  constructor(database: Database, log: Logger, limits: Partial<Limits> = {}) {
    this.#database = database;
    this.#log = log;
    this.#limits = { ...LIMITS, ...limits };
  }

  /**
   * @param subjects only events of these, e.g. device:ID; undefined: all
   * @throws ProblemError `request.too_many`
   */
  async open(
    response: Response,
    options: {
      /** Who asks: the stream ends with their access. */
      readonly caller: Pick<Caller, 'id' | 'session' | 'tokenId' | 'personId' | 'expiresAt'>;
      readonly cursor?: string | undefined;
      readonly subjects?: readonly string[] | undefined;
    },
  ): Promise<void> {
    const { caller } = options;
    const { maxMs, maxStreams } = this.#limits;
    // A person's tokens are the person.
    const leave = this.#open < maxStreams && this.#ofCaller.enter(caller.personId ?? caller.id);
    if (!leave) throw new ProblemError('request.too_many', { retryAfterMs: BUSY_MS });
    this.#open += 1;
    response.once('close', () => {
      this.#open -= 1;
      leave();
    });
    const isUpToDate = options.cursor === undefined || !isEventCursor(options.cursor);
    const opening = { rests: restsOf(caller), isRefused: false };
    this.#opening.add(opening);
    const cursor = await this.#begin(isUpToDate ? undefined : options.cursor).finally(() =>
      this.#opening.delete(opening),
    );
    // Whoever has left meanwhile closes nothing any more.
    if (response.closed) return;
    if (opening.isRefused) throw new ProblemError('request.not_signed_in');
    response.status(200).set({
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    // The id alone: a page that reconnects before the first event loses nothing.
    response.write(`retry: 2000\nid: ${cursor}\nevent: hello\ndata: {}\n\n`);
    const subjects = options.subjects === undefined ? undefined : new Set(options.subjects);
    const position = eventPosition(cursor);
    const page: Page = { response, subjects, cursor, position, isUpToDate, rests: opening.rests };
    const comment = setInterval(() => writeToPage(page, ': still here\n\n'), COMMENT_EVERY_MS);
    const lifeMs = (caller.expiresAt?.getTime() ?? Infinity) - Date.now();
    const last = setTimeout(() => endPage(page), Math.max(0, Math.min(maxMs, lifeMs)));
    this.#pages.add(page);
    response.once('close', () => {
      clearInterval(comment);
      clearTimeout(last);
      this.#pages.delete(page);
    });
    this.#look();
  }

  /** From here on, nothing that happens is missed. */
  async #begin(cursor: string | undefined): Promise<string> {
    await this.#listen();
    return cursor ?? (await eventsHorizon(this.#database));
  }

  async close(): Promise<void> {
    clearTimeout(this.#again);
    for (const page of this.#pages) endPage(page);
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
    for (const opening of this.#opening)
      if (whose === '' || opening.rests.includes(whose)) opening.isRefused = true;
    for (const page of this.#pages) if (whose === '' || page.rests.includes(whose)) endPage(page);
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
        const [first] = pages;
        if (!first) continue;
        const oldest = pages.reduce((one, other) => (isOlder(other.position, one.position) ? other : one));
        const events = await readEvents(this.#database, oldest.cursor, BATCH);
        await sendToPages(pages, events, this.#limits.maxBufferedBytes);
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
