// How long a page is served, how many are, and what becomes of one that does not read.
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { promisify } from 'node:util';
import express from 'express';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/postgres.ts';
import { appendEvent, eventsHorizon, readEvents } from '../../adapters/store/base/events.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { notifyAccessEnded } from '../../adapters/store/people/sessions.ts';
import { EventStream } from './event-stream.ts';
import { problems } from './problem.ts';

let own: TestDatabase;
let database: Database;
beforeAll(async () => {
  own = await createTestDatabase();
  ({ database } = own);
});
afterAll(() => own.drop());

test('a page is served for a while only: when it comes back, who asks is checked again', async () => {
  const stream = new EventStream(database, pino({ level: 'silent' }), { maxMs: 50 });
  const server = express()
    .get('/', (_request, response) => stream.open(response, { caller: { id: 'token:t', expiresAt: null } }))
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    // The text is whole only when the stream has ended.
    expect(await response.text()).toContain('event: hello');
  } finally {
    server.close();
    await stream.close();
  }
});

test('pages that began at different times are served with one read, each with what is new to it and once', async () => {
  let reads = 0;
  const counted = new Proxy(database, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (key === 'query' && String(args[0]).includes('from events')) reads += 1;
        return Reflect.apply(value, target, args);
      };
    },
  });
  const stream = new EventStream(counted, pino({ level: 'silent' }));
  const server = express()
    .get('/', (request, response) =>
      stream.open(response, {
        caller: { id: String(request.query['caller']), expiresAt: null },
        cursor: request.query['cursor'] as string | undefined,
      }),
    )
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const before = await eventsHorizon(database);
    const texts: string[] = [];
    const pages: Promise<void>[] = [];
    const openPage = async (query: string): Promise<void> => {
      const { body } = await fetch(`${url}?${query}`);
      const index = texts.push('') - 1;
      const decoder = new TextDecoder();
      const readAll = async () => {
        for await (const chunk of body ?? []) texts[index] += decoder.decode(chunk as Uint8Array);
      };
      pages.push(readAll());
    };
    for (let index = 0; index < 40; index += 1) {
      await appendEvent(database, { kind: 'test.early', subject: `early:${index}` });
      // A page begins behind it once no open transaction, also of another test's, is older.
      await expect.poll(async () => (await readEvents(database, before, 100)).length).toBe(index + 1);
      await openPage(`caller=${index}`);
    }
    await openPage(`caller=late&cursor=${before}`);
    reads = 0;
    const from = performance.now();
    await appendEvent(database, { kind: 'test.happened', subject: 'all:1' });
    await expect.poll(() => texts.filter((text) => text.includes('test.happened')).length).toBe(41);
    await stream.close();
    await Promise.all(pages);
    for (const text of texts) expect(text.match(/event: test.happened/g)).toHaveLength(1);
    expect(texts[0]?.match(/event: test.early/g)).toHaveLength(39);
    expect(texts[39]).not.toContain('test.early');
    expect(texts[40]?.match(/event: test.early/g)).toHaveLength(40);
    // Some looks a second, not one for each page. An open transaction of another test holds the event back, and looks go on meanwhile.
    expect(reads).toBeLessThan(20 * Math.max(1, (performance.now() - from) / 1000));
  } finally {
    server.close();
    await stream.close();
  }
}, 60_000);

interface Served {
  readonly url: string;
  /** That are open, as the server sees it. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** Each page is a caller of its own, unless it says who it is. */
async function serve(of: Database, limits: ConstructorParameters<typeof EventStream>[2]): Promise<Served> {
  const stream = new EventStream(of, pino({ level: 'silent' }), limits);
  let pages = 0;
  const server = express()
    .get('/', async (request, response) => {
      const tokenId = (request.query['token'] as string | undefined) ?? String((pages += 1));
      const cursor = request.query['cursor'] as string | undefined;
      await stream.open(response, { caller: { id: `token:${tokenId}`, tokenId, expiresAt: null }, cursor });
    })
    .use(problems(pino({ level: 'silent' })))
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    connections: () => promisify(server.getConnections.bind(server))(),
    async close() {
      await stream.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A page that asks, and then reads nothing more. */
async function openUnread(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'readable');
  return socket;
}

/** More than the system keeps of a connection that nobody reads; all of it is told at one look. */
async function appendMegabytes(megabytes: number): Promise<void> {
  await database.inTransaction(async (sql) => {
    await sql.query(
      `insert into events (kind, subject, data) select 'test.large', 'all:1', jsonb_build_object('text', repeat('x', 100000))
         from generate_series(1, $1)`,
      [megabytes * 10],
    );
    await appendEvent(sql, { kind: 'test.last', subject: 'all:1' });
  });
}

const reads = async (response: Response, what: string): Promise<void> => {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    // What is looked for may lie across two chunks.
    text = text.slice(-what.length) + decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.includes(what)) return;
  }
  throw new Error(`ended before ${what}`);
};

test('all together have so many pages, also those that come at the same moment; one that ends makes room', async () => {
  const served = await serve(database, { maxStreams: 30 });
  try {
    const pages = await Promise.all(Array.from({ length: 50 }, () => fetch(served.url)));
    const open = pages.filter(({ status }) => status === 200);
    expect(open).toHaveLength(30);
    expect(new Set(pages.map(({ status }) => status))).toEqual(new Set([200, 429]));
    await open[0]?.body?.cancel();
    await expect.poll(async () => (await fetch(served.url)).status).toBe(200);
  } finally {
    await served.close();
  }
});

test('a page that does not read what it is sent is cut off, and the others are told everything', async () => {
  const served = await serve(database, {});
  try {
    const reader = await fetch(served.url);
    const slow = await openUnread(served.url);
    const isClosed = once(slow, 'close');
    await appendMegabytes(30);
    await reads(reader, 'test.last');
    // It is cut off at the next event: a page without news holds what it holds.
    await appendEvent(database, { kind: 'test.happened', subject: 'all:1' });
    // One that reads on before the event comes, which other tests' transactions hold back, is cut off no more.
    await vi.waitUntil(async () => (await served.connections()) === 0, { timeout: 20_000 });
    slow.resume();
    await isClosed;
    expect(slow.bytesRead).toBeLessThan(30_000_000);
  } finally {
    await served.close();
  }
}, 30_000);

test('a page that has ended and still has something to read is sent no more, and nobody else is harmed', async () => {
  const served = await serve(database, { maxMs: 1500, maxBufferedBytes: 100_000_000 });
  try {
    const slow = await openUnread(served.url);
    await appendMegabytes(10);
    const ended = await fetch(served.url);
    await ended.text();
    // Its time is over, and its last bytes are not read: an event comes. Other tests' transactions may hold it back until a reader's time is
    // over, too; that one comes back, as pages do.
    const before = await eventsHorizon(database);
    await appendEvent(database, { kind: 'test.happened', subject: 'all:1' });
    const readsToItsEnd = async () => (await fetch(`${served.url}?cursor=${before}`)).text();
    await expect.poll(readsToItsEnd).toContain('test.happened');
    expect(slow.destroyed).toBe(false);
    slow.destroy();
  } finally {
    await served.close();
  }
}, 60_000);

test('access that ends while a page is being opened ends it too', async () => {
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  let isHeld = false;
  let opening = 0;
  const slow = new Proxy(database, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        if (isHeld && key === 'query' && String(args[0]).includes('::numeric - 1')) {
          opening += 1;
          await held;
        }
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
  const served = await serve(slow, {});
  try {
    const witness = await fetch(`${served.url}?token=one`);
    isHeld = true;
    const page = fetch(`${served.url}?token=one`);
    const other = fetch(`${served.url}?token=other`);
    await expect.poll(() => opening).toBe(2);
    await notifyAccessEnded(database, 'token:one');
    // The open page of the same token ends when the word arrives.
    await witness.text();
    goOn();
    expect([(await page).status, (await other).status]).toEqual([401, 200]);
  } finally {
    await served.close();
  }
});
