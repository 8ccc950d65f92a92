// The admin API as its callers meet it: roles, problems, repeated requests, versions, and nothing secret in any response or log.
// Long, because all of it is asked of one running API.
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAdminApi, type AdminApi, type ApiResponse, sessionOf } from '../../test/harness/admin-api.ts';
import { offerFirstRun } from './first-start.ts';

let api: AdminApi;
beforeAll(async () => {
  // Nothing listens there, and it is tried again, as the API process does.
  const temporal = new Client({ connection: Connection.lazy({ address: '127.0.0.1:9' }) });
  api = await openAdminApi({ settings: { trustedProxy: '127.0.0.1', temporal } });
});
afterAll(() => api.close());

const PASSWORD = 'correct horse battery staple';
const nobody = { authorization: '' };

const expectProblem = (answer: ApiResponse, status: number, code: string): void => {
  expect(answer).toMatchObject({ status, body: { code, status } });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
};

describe('people', () => {
  test('the first-run link makes the first admin once', async () => {
    expect((await api.call('GET', '/api/first-run', undefined, nobody)).body).toEqual({ needed: true });
    const old = await offerFirstRun(api.database);
    const token = await offerFirstRun(api.database);
    const first = { name: 'ada', password: PASSWORD };
    expectProblem(
      await api.call('POST', '/api/first-run', { ...first, token: old }, nobody),
      403,
      'people.first_run_refused',
    );
    const made = await api.call('POST', '/api/first-run', { ...first, token }, nobody);
    expect(made).toMatchObject({ status: 201, body: { actor: 'person:ada', role: 'admin' } });
    expect(made.headers.get('set-cookie')).toMatch(
      /^odette_session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expectProblem(
      await api.call('POST', '/api/first-run', { ...first, name: 'eve', token }, nobody),
      403,
      'people.first_run_refused',
    );
    expect(await offerFirstRun(api.database)).toBeUndefined();
    expect((await api.call('GET', '/api/first-run', undefined, nobody)).body).toEqual({ needed: false });
  });

  test('a session works until it is ended, and only from the own site', async () => {
    const signedIn = await api.call('POST', '/api/session', { name: 'ada', password: PASSWORD }, nobody);
    const headers = sessionOf(signedIn);
    expect((await api.call('GET', '/api/session', undefined, headers)).body).toMatchObject({
      name: 'ada',
      kind: 'person',
    });
    const forged = { ...headers, 'sec-fetch-site': 'cross-site' };
    expectProblem(
      await api.call('POST', '/api/blueprints', { name: 'forged' }, forged),
      403,
      'request.not_allowed',
    );
    const otherOrigin = { ...headers, origin: 'https://evil.example' };
    expectProblem(
      await api.call('POST', '/api/blueprints', { name: 'forged' }, otherOrigin),
      403,
      'request.not_allowed',
    );
    // Behind a proxy that puts a Host of its own the browser's word counts.
    const proxied = { ...headers, 'sec-fetch-site': 'same-origin', origin: 'https://console.example' };
    expect((await api.call('DELETE', '/api/session', undefined, proxied)).status).toBe(204);
    expectProblem(await api.call('GET', '/api/session', undefined, headers), 401, 'request.not_signed_in');
  });

  test('a wrong password and an unknown name get the same answer, and too many get a wait', async () => {
    const wrong = await api.call('POST', '/api/session', { name: 'ada', password: 'wrong' }, nobody);
    const unknown = await api.call('POST', '/api/session', { name: 'nobody', password: 'wrong' }, nobody);
    expect({ ...wrong.body, requestId: 0, instance: 0 }).toEqual({
      ...unknown.body,
      requestId: 0,
      instance: 0,
    });
    let last = wrong;
    for (let attempt = 0; attempt < 7; attempt += 1)
      last = await api.call('POST', '/api/session', { name: 'mallory', password: 'wrong' }, nobody);
    expectProblem(last, 429, 'request.too_many');
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('guessing at a name from one address locks its owner out at no other', async () => {
    const from = (address: string) => ({ ...nobody, 'x-forwarded-for': address });
    const tried = (password: string, address: string) =>
      api.call('POST', '/api/session', { name: 'ada', password }, from(address));
    for (let attempt = 0; attempt < 7; attempt += 1) await tried('wrong', '192.0.2.66');
    expectProblem(await tried(PASSWORD, '192.0.2.66'), 429, 'request.too_many');
    expect((await tried(PASSWORD, '192.0.2.1')).status).toBe(201);
  });

  test('the tokens of a person who is disabled end with them', async () => {
    const bob = { name: 'bob', role: 'admin', password: PASSWORD };
    const { id } = (await api.call('POST', '/api/people', bob)).body as { id: string };
    const signedIn = await api.call('POST', '/api/session', { name: 'bob', password: PASSWORD }, nobody);
    const headers = sessionOf(signedIn);
    const made = await api.call('POST', '/api/tokens', { name: "bob's", role: 'admin' }, headers);
    const token = { authorization: `Bearer ${made.body.token as string}` };
    expect((await api.call('GET', '/api/people', undefined, token)).status).toBe(200);
    expect((await api.call('PATCH', `/api/people/${id}`, { disabled: true })).status).toBe(200);
    expectProblem(await api.call('GET', '/api/people', undefined, token), 401, 'request.not_signed_in');
    expect((await api.call('GET', '/api/devices')).status).toBe(200);
  });

  test('a token may no more than who made it, also when that became less', async () => {
    const eve = { name: 'eve', role: 'admin', password: PASSWORD };
    const { id } = (await api.call('POST', '/api/people', eve)).body as { id: string };
    const signedIn = await api.call('POST', '/api/session', { name: 'eve', password: PASSWORD }, nobody);
    const headers = sessionOf(signedIn);
    const token = async (role: string) => {
      const made = await api.call('POST', '/api/tokens', { name: `eve's ${role}`, role }, headers);
      return { authorization: `Bearer ${made.body.token as string}` };
    };
    const [admins, viewers] = [await token('admin'), await token('viewer')];
    expect((await api.call('PATCH', `/api/people/${id}`, { role: 'operator' })).status).toBe(200);
    expectProblem(await api.call('GET', '/api/people', undefined, admins), 401, 'request.not_signed_in');
    expect((await api.call('GET', '/api/devices', undefined, viewers)).status).toBe(200);
  });

  test('each role may do what the contract says, and the last admin stays', async () => {
    const made = await api.call('POST', '/api/tokens', { name: 'reader', role: 'viewer' });
    const reader = { authorization: `Bearer ${made.body.token as string}` };
    expect((await api.call('GET', '/api/devices', undefined, reader)).status).toBe(200);
    expectProblem(
      await api.call('POST', '/api/rollouts/replay', { failureCode: 'mdm.device_silent' }, reader),
      403,
      'request.not_allowed',
    );
    expectProblem(await api.call('GET', '/api/people', undefined, reader), 403, 'request.not_allowed');
    expect((await api.call('DELETE', `/api/tokens/${made.body.id as string}`)).status).toBe(204);
    expectProblem(await api.call('GET', '/api/devices', undefined, reader), 401, 'request.not_signed_in');
    const people = (await api.call('GET', '/api/people')).body.items as { id: string; name: string }[];
    const ada = people.find(({ name }) => name === 'ada');
    expectProblem(
      await api.call('PATCH', `/api/people/${ada?.id ?? ''}`, { role: 'viewer' }),
      409,
      'people.last_admin',
    );
    expect((await api.call('GET', '/api/people')).body.items).toContainEqual(
      expect.objectContaining({ name: 'ada', role: 'admin' }),
    );
  });
});

describe('requests', () => {
  test('what is wrong with a body is named field by field', async () => {
    const answer = await api.call('POST', '/api/people', { name: '', role: 'king', password: 'short' });
    expectProblem(answer, 400, 'request.invalid');
    expect(answer.body.errors.map((error: { field: string }) => error.field).sort()).toEqual([
      'name',
      'password',
      'role',
    ]);
  });

  test('malformed, foreign and oversized requests are refused as what they are', async () => {
    expectProblem(await api.call('POST', '/api/blueprints', '{"name":'), 400, 'request.invalid');
    expectProblem(
      await api.call('POST', '/api/blueprints', 'name=x', { 'content-type': 'text/plain' }),
      415,
      'request.unsupported_media_type',
    );
    expectProblem(
      await api.call('POST', '/api/blueprints', { name: 'x'.repeat(300_000) }),
      413,
      'request.too_large',
    );
    expectProblem(await api.call('GET', '/api/nothing'), 404, 'request.not_found');
    expectProblem(await api.call('GET', '/api/devices/%00'), 400, 'request.invalid');
    expectProblem(await api.call('GET', '/api/devices/%'), 400, 'request.invalid');
    expectProblem(await api.call('GET', '/api/devices?after=Z2FyYmFnZQ'), 400, 'request.invalid');
  });

  test('an address says which methods it takes', async () => {
    const answer = await api.call('DELETE', '/api/blueprints');
    expectProblem(answer, 405, 'request.method_not_allowed');
    expect(answer.headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS');
    expect((await api.call('OPTIONS', '/api/blueprints')).headers.get('allow')).toBe(
      'GET, HEAD, POST, OPTIONS',
    );
  });

  test('control characters and broken Unicode never make a server error', async () => {
    for (const name of ['a\u0000b', 'a\u0007b', '\ud800', '\u{1F6E1}', "'; drop table people; --"]) {
      const answer = await api.call('POST', '/api/blueprints', { name });
      expect([201, 400, 409], JSON.stringify(name)).toContain(answer.status);
    }
  });
});

describe('a repeated request', () => {
  const key = (text: string) => ({ 'idempotency-key': text });

  test('the same key and body get the same answer, also when sent at once', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() => api.call('POST', '/api/blueprints', { name: 'Once' }, key('once'))),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ body }) => body.id as string)).size).toBe(1);
  });

  test('another body with the key is refused, another caller is not bound by it', async () => {
    expectProblem(
      await api.call('POST', '/api/blueprints', { name: 'Other' }, key('once')),
      422,
      'request.idempotency_key_reused',
    );
    const { body } = await api.call('POST', '/api/tokens', { name: 'second', role: 'admin' });
    const second = { authorization: `Bearer ${body.token as string}`, ...key('once') };
    expect((await api.call('POST', '/api/blueprints', { name: 'Mine' }, second)).status).toBe(201);
  });

  test('an answer that shows a secret is kept sealed', async () => {
    const first = await api.call('POST', '/api/tokens', { name: 'kept', role: 'viewer' }, key('secret'));
    const again = await api.call('POST', '/api/tokens', { name: 'kept', role: 'viewer' }, key('secret'));
    expect(again.body.token).toBe(first.body.token);
    const rows = await api.database.query('select body::text as body from idempotency_keys');
    expect(JSON.stringify(rows)).not.toContain(first.body.token);
  });

  test('a refused change leaves nothing behind, and its key can be used again', async () => {
    expectProblem(
      await api.call('POST', '/api/blueprints', { name: 'Once' }, key('again')),
      409,
      'request.conflict',
    );
    expect((await api.call('POST', '/api/blueprints', { name: 'Fresh' }, key('again'))).status).toBe(201);
  });
});

describe('audit and events', () => {
  test('a change is in the audit trail with its actor, newest first, page by page', async () => {
    const { body } = await api.call('POST', '/api/blueprints', { name: 'Audited' });
    const first = await api.call('GET', '/api/audit?limit=1');
    expect(first.body.items).toMatchObject([
      { actor: 'token:this machine', action: 'blueprint.added', subject: `blueprint:${body.id as string}` },
    ]);
    const second = await api.call('GET', `/api/audit?limit=1&after=${first.body.next as string}`);
    expect(second.body.items[0].id).not.toBe(first.body.items[0].id);
    expect((await api.call('GET', '/api/audit/export?action=token.')).text).toContain('token.made');
    const actorsOf = async (actor: string): Promise<string[]> => {
      const { items } = (await api.call('GET', `/api/audit?actor=${actor}`)).body;
      return (items as { actor: string }[]).map((entry) => entry.actor.replace(/:.*/, ''));
    };
    expect(new Set(await actorsOf('token:'))).toEqual(new Set(['token']));
    expect(await actorsOf('toke')).toEqual([]);
  });

  test('a page that was away catches up from the last event it saw', async () => {
    const stream = await fetch(`${api.url}/api/events`, {
      headers: { authorization: `Bearer ${api.token}` },
    });
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    const until = async (text: string): Promise<string> => {
      let seen = '';
      while (!seen.includes(text)) seen += (await reader?.read())?.value ?? '';
      return seen;
    };
    const hello = await until('event: hello');
    const cursor = /id: (\S+)/.exec(hello)?.[1] ?? '';
    await api.database.query(`insert into events (kind, subject) values ('test.happened', 'test:1')`);
    await api.database.query(`select pg_notify('odette_events', '')`);
    expect(await until('test.happened')).toContain('"subject":"test:1"');
    await reader?.cancel();
    const again = await fetch(`${api.url}/api/events`, {
      headers: { authorization: `Bearer ${api.token}`, 'last-event-id': cursor },
    });
    const caught = again.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    while (!seen.includes('test.happened')) seen += (await caught?.read())?.value ?? '';
    await caught?.cancel();
  });
});

test('the API stays up without Temporal, and says what is missing', async () => {
  const status = await api.call('GET', '/api/status');
  expect(status.body).toMatchObject({
    ready: false,
    parts: { database: true, temporal: false, worker: false },
    devices: { total: 0 },
  });
  expect(status.body.needs.map((need: { id: string }) => need.id)).toEqual([
    'push_certificate',
    'apps_and_books',
    'integration',
  ]);
  expectProblem(await api.call('POST', '/api/setups', {}), 503, 'server.unavailable');
  expect((await api.call('GET', '/api/setups')).body.items).toEqual([]);
  expect((await api.call('GET', '/healthz', undefined, nobody)).body).toEqual({ ok: true });
});

test('nothing that was typed as a password or shown as a token is in the log', () => {
  const log = api.logged.join('');
  expect(log).toContain('"operation":"signIn"');
  expect(log).not.toContain(PASSWORD);
  expect(log).not.toContain(api.token);
});
