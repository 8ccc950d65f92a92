// What one party may have going at once: requests of a person that wait, and bodies of devices that are being read.
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Idempotency } from '../../api/http/idempotency.ts';
import { problems } from '../../api/http/problem.ts';
import { serve } from '../../api/http/serve.ts';
import { sessionCookie } from '../../api/http/session-cookie.ts';
import { Admission } from '../../api/mdm/admission.ts';
import { endpoint } from '../../api/contract/endpoint.ts';
import { sha256 } from '../../api/admin/passwords.ts';
import { addToken } from '../../adapters/store/people/tokens.ts';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';

const contract = {
  wait: endpoint({
    tag: 't',
    summary: 's',
    method: 'post',
    path: '/wait',
    access: 'viewer',
    status: 204,
    ownTransaction: true,
  }),
};
let own: TestDatabase;
let server: Server;
let url: string;
let waiting = 0;
let goOn: () => void;

beforeAll(async () => {
  own = await createTestDatabase();
  const until = new Promise<void>((resolve) => (goOn = resolve));
  const app = express();
  serve(
    app,
    contract,
    {
      wait: async () => {
        waiting += 1;
        await until;
        return undefined;
      },
    },
    {
      database: own.database,
      idempotency: new Idempotency(own.database, {
        currentKeyId: 'none',
        seal: (plain) => plain,
        open: (sealed) => sealed,
      }),
      cookie: sessionCookie('http://127.0.0.1'),
    },
  );
  app.use(problems(pino({ enabled: false })));
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/wait`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await own.drop();
});

async function newToken(name: string, personId?: string): Promise<Record<string, string>> {
  const token = randomBytes(16).toString('hex');
  await addToken(own.database, {
    name,
    role: 'viewer',
    tokenHash: sha256(token),
    createdBy: 'test',
    expiresAt: null,
    personId,
  });
  return { authorization: `Bearer ${token}` };
}
const ask = async (headers: Record<string, string>) => (await fetch(url, { method: 'POST', headers })).status;

test('one person has a hundred requests that wait, whatever tokens they use; others get theirs, and so does the person afterwards', async () => {
  const [person] = await own.database.query<{ id: string }>(
    `insert into people (name, role, is_local) values ('mallory', 'viewer', true) returning id`,
  );
  const tokens = [await newToken('one', person?.id), await newToken('two', person?.id)];
  const held = Array.from({ length: 100 }, (_, turn) => ask(tokens[turn % 2] ?? {}));
  await expect.poll(() => waiting, { timeout: 30_000 }).toBe(100);
  for (const headers of tokens) expect(await ask(headers)).toBe(429);
  expect(waiting).toBe(100);
  const other = ask(await newToken('other'));
  await expect.poll(() => waiting, { timeout: 30_000 }).toBe(101);
  goOn();
  expect(new Set([...(await Promise.all(held)), await other])).toEqual(new Set([204]));
  expect(await ask(tokens[0] ?? {})).toBe(204);
});

test('bodies of all devices together are 64 MB at once; what ended makes room', () => {
  const admission = new Admission();
  const megabytes = 2 * 1024 * 1024;
  const leave = Array.from({ length: 32 }, (_, turn) => admission.enter(`identity ${turn}`, megabytes));
  expect(() => admission.enter('one more', 1)).toThrow(
    expect.objectContaining({ code: 'server.unavailable' }),
  );
  leave[0]?.();
  leave[0]?.();
  expect(() => admission.enter('one more', megabytes + 1)).toThrow();
  admission.enter('one more', megabytes);
});
