// How long a page is served.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../../test/harness/postgres.ts';
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
