// How long a page is served.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../../test/harness/postgres.ts';
import { appendEvent, eventsHorizon, readEvents } from '../../adapters/store/base/events.ts';
import { EventStream } from './event-stream.ts';

test('a page is served for a while only: when it comes back, who asks is checked again', async () => {
  const { database, drop } = await createTestDatabase();
  const stream = new EventStream(database, pino({ level: 'silent' }), 50);
  const server = express()
    .get('/', (request, response) =>
      stream.open(request, response, { caller: { id: 'token:t', expiresAt: null } }),
    )
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    // The text is whole only when the stream has ended.
    expect(await response.text()).toContain('event: hello');
  } finally {
    server.close();
    await stream.close();
    await drop();
  }
});

test('pages that began at different times are served with one read, each with what is new to it and once', async () => {
  const { database, drop } = await createTestDatabase();
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
  const stream = new EventStream(counted, pino({ level: 'silent' }), 3000);
  const server = express()
    .get('/', (request, response) =>
      stream.open(request, response, {
        caller: { id: String(request.query['caller']), expiresAt: null },
        cursor: request.query['cursor'] as string | undefined,
      }),
    )
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const before = await eventsHorizon(database);
    const pages: Promise<Response>[] = [];
    for (let index = 0; index < 40; index += 1) {
      await appendEvent(database, { kind: 'test.early', subject: `early:${index}` });
      // A page begins behind it once no open transaction, also of another test's, is older.
      await expect.poll(async () => (await readEvents(database, before, 100)).length).toBe(index + 1);
      const page = fetch(`${url}?caller=${index}`);
      await page;
      pages.push(page);
    }
    const late = fetch(`${url}?caller=late&cursor=${before}`);
    await late;
    reads = 0;
    await appendEvent(database, { kind: 'test.happened', subject: 'all:1' });
    const texts = await Promise.all([...pages, late].map(async (page) => (await page).text()));
    for (const text of texts) expect(text.match(/event: test.happened/g)).toHaveLength(1);
    expect(texts[0]?.match(/event: test.early/g)).toHaveLength(39);
    expect(texts[39]).not.toContain('test.early');
    expect(texts[40]?.match(/event: test.early/g)).toHaveLength(40);
    // Some looks a second, not one for each page.
    expect(reads).toBeLessThan(20);
  } finally {
    server.close();
    await stream.close();
    await drop();
  }
}, 20_000);
