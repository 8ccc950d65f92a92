// The database door: types, transactions, sessions, notifications, and what happens when connections break.
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/postgres.ts';
import { connectDatabase } from './database.ts';

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.drop());

test('a column is read by its property name, whatever the statement calls it', async () => {
  expect(await own.database.query('select 1 as trust_failure_code, 2 as plain, 3 as "macOS"')).toEqual([
    { trustFailureCode: 1, plain: 2, macOS: 3 },
  ]);
});

test('int8 comes as a number, an unsafe one throws, times as Date, objects go in as JSON', async () => {
  const [row] = await own.database.query<{ n: number; t: Date; j: unknown }>(
    `select 9007199254740991::int8 as n, '2026-01-02T03:04:05Z'::timestamptz as t, $1::jsonb as j`,
    [{ a: [1] }],
  );
  expect(row).toEqual({
    n: Number.MAX_SAFE_INTEGER,
    t: new Date('2026-01-02T03:04:05Z'),
    j: { a: [1] },
  });
  await expect(own.database.query('select 9007199254740993::int8 as n')).rejects.toThrow(RangeError);
});

test('a transaction is kept whole or not at all', async () => {
  await own.database.query('create table kept (n int)');
  await own.database.inTransaction((sql) => sql.query('insert into kept values (1)'));
  const failing = own.database.inTransaction(async (sql) => {
    await sql.query('insert into kept values (2)');
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await own.database.query('select n from kept')).toEqual([{ n: 1 }]);
});

test('a statement that is asked again and again is parsed once for each connection, one that is not is not kept', async () => {
  const database = connectDatabase(own.url, { max: 1, preparesStatements: true });
  const kept = async () =>
    (await database.query<{ statement: string }>('select statement from pg_prepared_statements')).map(
      ({ statement }) => statement,
    );
  for (const n of [1, 2, 3, 4, 5]) expect(await database.query('select $1::int as n', [n])).toEqual([{ n }]);
  await database.query('select $1::int as once', [1]);
  expect(await kept()).toEqual(['select $1::int as n']);
  const inside = await database.inTransaction((sql) => sql.query('select $1::int as n', [6]));
  expect(inside).toEqual([{ n: 6 }]);
  await database.end();
});

test('a session keeps one connection for its work, and its locks end with it', async () => {
  const pids = await own.database.inSession(async (sql) => {
    await sql.query('select pg_advisory_lock(42)');
    return Promise.all([1, 2].map(() => sql.query<{ pid: number }>('select pg_backend_pid() as pid')));
  });
  expect(pids[0]).toEqual(pids[1]);
  await expect
    .poll(() => own.database.query('select pg_try_advisory_xact_lock(42) as free'))
    .toEqual([{ free: true }]);
});

test('notifications arrive again after the connection was broken, with a hint that some were missed', async () => {
  const received: string[] = [];
  const stop = await own.database.listen('odette_test', (payload) => received.push(payload));
  await own.database.query(`select pg_notify('odette_test', 'one')`);
  await expect.poll(() => received).toEqual(['one']);
  await own.database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'listen%' and pid <> pg_backend_pid()`,
  );
  await expect.poll(() => received).toEqual(['one', '']);
  await own.database.query(`select pg_notify('odette_test', 'two')`);
  await expect.poll(() => received).toEqual(['one', '', 'two']);
  await stop();
});

test('what is announced is heard, each once where it is told often at a time', async () => {
  const received: string[] = [];
  const stop = await own.database.listen('odette_test', (payload) => received.push(payload));
  for (const payload of ['one', 'two', 'two', 'three', 'two']) own.database.announce('odette_test', payload);
  await expect.poll(() => received.toSorted()).toEqual(['one', 'three', 'two']);
  const last = connectDatabase(own.url, { max: 1 });
  last.announce('odette_test', 'last');
  await last.end();
  await expect.poll(() => received.at(-1)).toBe('last');
  expect(received).toHaveLength(4);
  await stop();
});

test('a connection that breaks inside a transaction is an unavailable store, and the next query works', async () => {
  const broken = own.database.inTransaction(async (sql) => {
    await sql.query('select pg_terminate_backend(pg_backend_pid())');
  });
  await expect(broken).rejects.toMatchObject({ code: 'store.unavailable' });
  expect(await own.database.query('select 1 as n')).toEqual([{ n: 1 }]);
});

test('a statement that takes too long is ended as an unavailable store, and so is its transaction', async () => {
  const hurried = connectDatabase(own.url, { max: 1, maxStatementMs: 200 });
  await expect(hurried.query('select pg_sleep(30)')).rejects.toMatchObject({ code: 'store.unavailable' });
  const late = hurried.inTransaction(async (sql) => {
    await sql.query('create table late (n int)');
    await sql.query('select pg_sleep(30)');
  });
  await expect(late).rejects.toMatchObject({ code: 'store.unavailable' });
  expect(await hurried.query(`select to_regclass('late') as late`)).toEqual([{ late: null }]);
  await hurried.end();
});

test('a server that says nothing more is given up, and the next query takes a new connection', async () => {
  const proxy = await openSilencingProxy(own.url);
  const database = connectDatabase(proxy.url, { max: 1, maxStatementMs: 200 });
  const hangs = database.inTransaction(async (sql) => {
    await sql.query('select 1');
    proxy.silence();
    await sql.query('select 2');
  });
  await expect(hangs).rejects.toMatchObject({ code: 'store.unavailable' });
  proxy.speak();
  expect(await database.query('select 3 as n')).toEqual([{ n: 3 }]);
  await database.end();
  await proxy.close();
}, 30_000);

test('a server whose end comes with its greeting ends no process, and is an unavailable store', async () => {
  const server = net.createServer((socket) => {
    // Its own words on one piece of the wire: authentication is in order, ready, and then the end.
    const message = (type: string, body: Buffer) => {
      const head = Buffer.alloc(5, type);
      head.writeInt32BE(body.length + 4, 1);
      return Buffer.concat([head, body]);
    };
    const end = 'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0';
    socket.once('data', () => {
      const greeting = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))];
      socket.end(Buffer.concat([...greeting, message('E', Buffer.from(end))]));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as net.AddressInfo;
  const database = connectDatabase(`postgresql://odette@127.0.0.1:${port}/odette?sslmode=disable`);
  const unavailable = { code: 'store.unavailable' };
  await expect(database.inTransaction((sql) => sql.query('select 1'))).rejects.toMatchObject(unavailable);
  await expect(database.query('select 1')).rejects.toMatchObject(unavailable);
  await database.end();
  server.close();
});

test('a database that is not there is an unavailable store, and the message holds no password', async () => {
  const nowhere = connectDatabase('postgresql://odette:planted-password@127.0.0.1:1/odette');
  const error: unknown = await nowhere.query('select 1').catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'store.unavailable' });
  expect(String(error)).not.toContain('planted-password');
  await nowhere.end();
});

/** A way to the database on which the server's words can be held back, as by a network that drops them. */
async function openSilencingProxy(url: string) {
  // postgresql://user@host:port/database, or with the folder of a Unix socket: /database?host=FOLDER&port=PORT
  const target = new URL(url);
  const folder = target.searchParams.get('host');
  const port = target.searchParams.get('port') ?? target.port;
  const upstreamAt =
    folder === null
      ? { host: target.hostname, port: Number(port) }
      : { path: path.join(folder, `.s.PGSQL.${port || '5432'}`) };
  let isSilent = false;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const upstream = net.connect(upstreamAt);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on('data', (bytes: Buffer) => {
      if (!isSilent) client.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: proxyPort } = server.address() as net.AddressInfo;
  target.searchParams.set('host', '127.0.0.1');
  target.searchParams.set('port', String(proxyPort));
  return {
    url: target.href,
    silence: () => {
      isSilent = true;
    },
    speak: () => {
      isSilent = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
