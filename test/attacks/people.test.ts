// Attacks by people: with more than their role, with what outlived them, with names that others have, and by guessing.
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { offerFirstRun } from '../../api/admin/first-start.ts';
import { openAdminApi, type AdminApi, type ApiResponse, sessionOf } from '../harness/admin-api.ts';
import { seedFleet, type SeededFleet } from '../harness/seeded-fleet.ts';

const PASSWORD = 'correct horse battery';
let api: AdminApi;
let fleet: SeededFleet;
beforeAll(async () => {
  api = await openAdminApi({ settings: { trustedProxy: '127.0.0.1/32' } });
  fleet = await seedFleet(api.database, api.ring);
});
afterAll(() => api.close());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
async function newPerson(name: string, role: string): Promise<string> {
  const made = await api.call('POST', '/api/people', { name, role, password: PASSWORD });
  expect(made.status).toBe(201);
  return made.body.id as string;
}
async function signIn(name: string, password = PASSWORD, address = '192.0.2.1'): Promise<ApiResponse> {
  const headers = { authorization: '', 'x-forwarded-for': address };
  return api.call('POST', '/api/session', { name, password }, headers);
}
async function newToken(body: object, headers = {}): Promise<ApiResponse> {
  return api.call('POST', '/api/tokens', body, headers);
}
const codesAt = () => `/api/blueprints/${fleet.ids['blueprints'] ?? ''}/enrollment-codes`;

test('an operator makes no code that takes an enrolled device over; an admin does, and the device says so', async () => {
  await newPerson('olga', 'operator');
  const olga = sessionOf(await signIn('olga'));
  const body = { forDeviceId: fleet.deviceId };
  const refused = await api.call('POST', codesAt(), body, olga);
  expect([refused.status, refused.body.code, refused.body.errors[0].field]).toEqual([
    403,
    'request.not_allowed',
    'forDeviceId',
  ]);
  expect((await api.call('POST', codesAt(), {}, olga)).status).toBe(201);

  await newPerson('ada', 'admin');
  expect((await api.call('POST', codesAt(), body, sessionOf(await signIn('ada')))).status).toBe(201);
  const { items } = (await api.call('GET', `/api/devices/${fleet.deviceId}/timeline`)).body;
  expect(items[0]).toMatchObject({
    kind: 'reenrollment_code_made',
    text: expect.stringContaining('ada') as string,
    at: expect.any(String) as string,
  });
});

test('a token ends after 90 days unless something else is asked for', async () => {
  const { body } = await newToken({ name: 'plain', role: 'viewer' });
  const days = (Date.parse(body.expiresAt as string) - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(90);
});

test('a token makes no other that lives longer than itself, and takes what it made with it', async () => {
  const parent = await newToken({ name: 'parent', role: 'admin', expiresInDays: 10 });
  const headers = bearer(parent.body.token as string);
  for (const expiresInDays of [11, null]) {
    const refused = await newToken({ name: 'child', role: 'viewer', expiresInDays }, headers);
    expect([refused.status, refused.body.errors[0].field]).toEqual([403, 'expiresInDays']);
  }
  const child = await newToken({ name: 'child', role: 'admin' }, headers);
  expect(child.body.expiresAt).toBe(parent.body.expiresAt);
  const grandchild = await newToken(
    { name: 'grandchild', role: 'viewer' },
    bearer(child.body.token as string),
  );
  const used = () => api.call('GET', '/api/devices', undefined, bearer(grandchild.body.token as string));
  expect((await used()).status).toBe(200);
  await api.call('DELETE', `/api/tokens/${parent.body.id as string}`);
  expect((await used()).status).toBe(401);
});

test('disabling a person ends at once what came from them: session, token, its tokens, codes, event streams', async () => {
  const id = await newPerson('mallory', 'admin');
  const session = sessionOf(await signIn('mallory'));
  const token = await newToken({ name: 'tool', role: 'admin' }, session);
  const child = await newToken({ name: 'hidden', role: 'admin' }, bearer(token.body.token as string));
  const hidden = bearer(child.body.token as string);
  const code = await api.call('POST', codesAt(), { maxUses: 100 }, hidden);
  const streams = await Promise.all(
    [session, hidden].map((headers) => fetch(`${api.url}/api/events`, { headers })),
  );
  expect(streams.map(({ status }) => status)).toEqual([200, 200]);
  const stays = await fetch(`${api.url}/api/events`, { headers: bearer(api.token) });
  const ended = Promise.all(streams.map((stream) => stream.text()));

  expect((await api.call('PATCH', `/api/people/${id}`, { disabled: true })).status).toBe(200);
  // Whole only when the stream has ended.
  for (const text of await ended) expect(text).toContain('event: hello');
  for (const headers of [session, hidden, bearer(token.body.token as string)])
    expect((await api.call('GET', '/api/devices', undefined, headers)).status).toBe(401);
  const { items } = (await api.call('GET', codesAt())).body as { items: { id: string; revokedAt: string }[] };
  expect(items.find((one) => one.id === code.body.id)?.revokedAt).not.toBeNull();
  expect(stays.body?.locked).toBe(false);
  await stays.body?.cancel();

  await api.call('PATCH', `/api/people/${id}`, { disabled: false });
  expect((await api.call('GET', '/api/devices', undefined, hidden)).status).toBe(401);
});

test('a token of a demoted person is demoted with them, though another token made it', async () => {
  const id = await newPerson('dora', 'admin');
  const token = await newToken({ name: 't', role: 'operator' }, sessionOf(await signIn('dora')));
  const headers = bearer(token.body.token as string);
  await api.database.query(`update people set role = 'viewer' where id = $1`, [id]);
  expect((await api.call('GET', '/api/session', undefined, headers)).body.role).toBe('viewer');
});

test('a token of the same name gets no response that was saved for another by its Idempotency-Key', async () => {
  const [one, two] = [
    await newToken({ name: 'ci', role: 'admin' }),
    await newToken({ name: 'ci', role: 'admin' }),
  ];
  const key = { 'idempotency-key': 'nightly' };
  const wanted = { name: 'made by ci', role: 'admin' };
  const first = await newToken(wanted, { ...bearer(one.body.token as string), ...key });
  const again = await newToken(wanted, { ...bearer(one.body.token as string), ...key });
  expect(again.body.token).toBe(first.body.token);
  const other = await newToken(wanted, { ...bearer(two.body.token as string), ...key });
  expect(other.status).toBe(201);
  expect(other.body.token).not.toBe(first.body.token);
});

test('who is no admin sees no handle of a secret, in the audit trail or its export', async () => {
  const viewer = bearer(fleet.viewerToken);
  const secrets = await api.database.query<{ id: string }>('select id from secrets');
  const admins = (await api.call('GET', '/api/audit?action=secret.')).text;
  expect(secrets.some(({ id }) => admins.includes(id))).toBe(true);
  for (const at of [
    '/api/audit',
    '/api/audit/export',
    '/api/integrations',
    '/api/setups',
    `/api/devices/${fleet.deviceId}`,
    `/api/devices/${fleet.deviceId}/timeline`,
    `/api/devices/${fleet.deviceId}/profiles`,
  ]) {
    const { status, text } = await api.call('GET', at, undefined, viewer);
    expect(status).toBe(200);
    for (const { id } of secrets) expect(text, at).not.toContain(id);
  }
});

test('a first-run link does not make an admin after a day', async () => {
  const own = await openAdminApi();
  const token = (await offerFirstRun(own.database)) ?? '';
  await own.database.query(
    `update instance_settings set value = jsonb_set(value, '{until}', to_jsonb((extract(epoch from now()) * 1000)::bigint - 1)) where name = 'first_run'`,
  );
  const body = { token, name: 'eve', password: PASSWORD };
  const late = await own.call('POST', '/api/first-run', body, { authorization: '' });
  expect([late.status, late.body.code]).toEqual([403, 'people.first_run_refused']);
  await own.close();
});

test('a refused sign-in is audited with its address, and a name that nobody has is not written down', async () => {
  await newPerson('target', 'viewer');
  expect((await signIn('target', PASSWORD, '192.0.2.50')).status).toBe(201);
  expect((await signIn('target', 'wrong', '192.0.2.51')).status).toBe(401);
  // It may be a password in the wrong field.
  expect((await signIn('hunter2hunter2', 'wrong', '192.0.2.52')).status).toBe(401);
  const rows = await api.database.query(
    `select action, detail from audit_entries where detail ->> 'address' like '192.0.2.5%' order by at`,
  );
  expect(rows).toEqual([
    { action: 'session.started', detail: { address: '192.0.2.50' } },
    { action: 'session.refused', detail: { address: '192.0.2.51', name: 'target' } },
    { action: 'session.refused', detail: { address: '192.0.2.52', name: null } },
  ]);
});

test('a name of somebody else that points to the console gets nothing of it', async () => {
  const strict = await openAdminApi({ settings: { consoleUrl: 'https://odette.example.com' } });
  for (const [host, status] of [
    ['rebound.evil.example', 421],
    ['odette.example.com', 200],
    ['localhost:4780', 200],
    ['127.0.0.1', 200],
  ] as const)
    expect(await statusFrom(strict, host), host).toBe(status);
  await strict.close();
});

/** `fetch` sets the Host itself. */
function statusFrom(at: AdminApi, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(at.url);
    const request = httpRequest({ host: '127.0.0.1', port, path: '/api/sign-in', headers: { host } });
    request.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
    request.end();
  });
}
