// LISTEN on one kept connection: what happens when it cannot be made, breaks more than once, or is not wanted any more.
import { afterAll, beforeAll, expect, test } from 'vitest';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/postgres.ts';
import { NotificationListener } from './notification-listener.ts';

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.drop());

/** Whose connections are told apart by name; while `isAway` none can be made. */
function newListener(name: string) {
  const server = { isAway: false, connections: 0 };
  const listener = new NotificationListener(() => {
    server.connections += 1;
    const url = server.isAway ? own.url.replace(/host=[^&]+/, 'host=%2Fnowhere') : own.url;
    return new pg.Client({ connectionString: url, application_name: name });
  });
  return { listener, server };
}
const notify = (channel: string, payload: string) =>
  own.database.query('select pg_notify($1, $2)', [channel, payload]);
const breakAll = (name: string) =>
  own.database.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
    name,
  ]);

test('a listener that cannot connect says so, and the next one is not held up by it', async () => {
  const { listener, server } = newListener('first');
  const heard: string[] = [];
  server.isAway = true;
  await expect(listener.listen('news', () => heard.push('lost'))).rejects.toThrow();
  server.isAway = false;
  await listener.listen('news', (payload) => heard.push(payload));
  await notify('news', 'one');
  await expect.poll(() => heard).toEqual(['one']);
  await listener.end();
});

test('while the database is away it is tried again, and then every channel is listened to again and hears that it may have missed something', async () => {
  const { listener, server } = newListener('again');
  const heard: Record<string, string[]> = { news: [], weather: [] };
  for (const channel of ['news', 'weather'])
    await listener.listen(channel, (payload) => heard[channel]?.push(payload));
  server.isAway = true;
  await breakAll('again');
  await expect.poll(() => server.connections, { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
  server.isAway = false;
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual({ news: [''], weather: [''] });
  for (const channel of ['news', 'weather']) await notify(channel, 'after');
  await expect.poll(() => heard).toEqual({ news: ['', 'after'], weather: ['', 'after'] });
  await listener.end();
});

test('who stops listening hears nothing more, others of the same channel do', async () => {
  const { listener } = newListener('stops');
  const [one, other]: [string[], string[]] = [[], []];
  const stop = await listener.listen('news', (payload) => one.push(payload));
  const stopOther = await listener.listen('news', (payload) => other.push(payload));
  await stop();
  await notify('news', 'first');
  await expect.poll(() => other).toEqual(['first']);
  await stopOther();
  await listener.listen('marker', (payload) => one.push(payload));
  await notify('news', 'second');
  await notify('marker', 'end');
  await expect.poll(() => one).toEqual(['end']);
  expect(other).toEqual(['first']);
  await listener.end();
});

test('a channel is named by a word', async () => {
  const { listener } = newListener('named');
  await expect(listener.listen('news; drop table people', () => undefined)).rejects.toThrow(TypeError);
});
