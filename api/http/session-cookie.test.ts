// The session's cookie: for https alone where the console is https, and still usable on plain http.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { sessionCookie } from './session-cookie.ts';

const ADA = { name: 'ada', password: 'correct horse battery staple' };
let api: AdminApi;
beforeAll(async () => {
  api = await openAdminApi({ settings: { consoleUrl: 'https://odette.example.com' } });
  await api.call('POST', '/api/people', { ...ADA, role: 'viewer' });
});
afterAll(() => api.close());

test('behind https the cookie is bound to this host and to https, and a plain one of the same session is not taken', async () => {
  const signedIn = await api.call('POST', '/api/session', ADA, { authorization: '' });
  const given = signedIn.headers.get('set-cookie') ?? '';
  expect(given).toMatch(/^__Host-odette_session=[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const cookie = given.split(';')[0] ?? '';
  const asked = (one: string) =>
    api.call('GET', '/api/session', undefined, { authorization: '', cookie: one });
  expect((await asked(cookie)).body).toMatchObject({ name: 'ada' });
  // What a page of a sibling domain could plant.
  expect((await asked(cookie.replace('__Host-', ''))).status).toBe(401);
});

test('over plain http nothing asks for https: Safari would not keep the cookie on loopback', () => {
  expect(sessionCookie('http://127.0.0.1:4780')).toMatchObject({
    name: 'odette_session',
    options: { httpOnly: true, secure: false },
  });
});
