import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ApiClient, ApiProblem, addressOf, retryDelayMs } from './client.ts';

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

/** A server that answers in this order, and what it was asked. */
async function serve(...answers: ((response: ServerResponse) => void)[]) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    request.resume();
    (answers.shift() ?? ((last) => last.end()))(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  const client = new ApiClient({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    init: { headers: { Authorization: 'Bearer secret' } },
    retry: (failure, attempt) => (attempt < 3 ? retryDelayMs(failure, 1) : undefined),
    errorOf: (failure) =>
      failure.kind === 'problem' ? new ApiProblem(failure.problem) : new Error(failure.kind),
    waitForCheck: () => 1,
  });
  return { client, asked };
}

const json =
  (status: number, body: object, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, headers).end(JSON.stringify(body));
const problem = (status: number, code: string) =>
  json(status, {
    title: 'Sentence.',
    code,
    status,
    errors: [{ field: 'name', reason: 'too long', code: 'x' }],
  });

test('a change that met an unavailable server is repeated under the same Idempotency-Key', async () => {
  const { client, asked } = await serve(
    (response) => response.destroy(),
    problem(503, 'store.unavailable'),
    json(200, { devices: 1 }),
  );
  await client.call('post /api/devices/{id}/check', { params: { id: 'a/b' } });
  expect(asked.map(({ url }) => url)).toEqual(Array(3).fill('/api/devices/a%2Fb/check'));
  const keys = new Set(asked.map(({ headers }) => headers['idempotency-key']));
  expect([...keys]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
});

test('a problem that a retry does not help is thrown with its fields', async () => {
  const { client, asked } = await serve(problem(422, 'request.invalid'));
  const error = await client.call('get /api/blueprints').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiProblem);
  expect((error as ApiProblem).message).toBe('Sentence. name: too long');
  expect(asked).toHaveLength(1);
});

test('a check that takes its time is waited for, and never at another server', async () => {
  const { client, asked } = await serve(
    json(202, {}, { Location: 'https://elsewhere.example/api/setups/1/answers/2' }),
    json(202, {}),
    json(200, { status: 'open' }),
  );
  const answer = { params: { id: '1' }, body: { step: 'get_started' as const } };
  expect(await client.call('post /api/setups/{id}/answers', answer)).toEqual({ status: 'open' });
  expect(asked.slice(1).map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual(
    Array(2).fill(['GET', '/api/setups/1/answers/2', 'Bearer secret']),
  );
});

test("what is no problem document, as a proxy's page, is not taken for one", async () => {
  const page = (response: ServerResponse) => void response.writeHead(502).end('<html>');
  const { client, asked } = await serve(page, page, page);
  await expect(client.call('get /api/blueprints')).rejects.toThrow('unreadable');
  expect(asked).toHaveLength(3);
});

test('a list in a query is repeated, and what is empty is left out', () => {
  expect(
    addressOf('get /api/devices', { query: { bucket: ['left', 'trusted'], search: '', model: undefined } }),
  ).toBe('/api/devices?bucket=left&bucket=trusted');
});
