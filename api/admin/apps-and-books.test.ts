// An Apps and Books token is asked of Apple before it is taken, and the location is claimed: against a pretend Apps and Books.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AppsAndBooksClient } from '../../adapters/apps-and-books/apps-and-books-client.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { openPretendAppsAndBooks, type PretendAppsAndBooks } from '../../test/harness/pretend-okta.ts';

let shop: PretendAppsAndBooks;
let api: AdminApi;
beforeAll(async () => {
  shop = await openPretendAppsAndBooks();
  api = await openAdminApi({ appsAndBooksUrl: shop.url });
});
afterAll(async () => {
  await api.close();
  await shop.close();
});

const put = (token: string, more: object = {}) => api.call('PUT', '/api/apps-and-books', { token, ...more });
const shown = async () => (await api.call('GET', '/api/apps-and-books')).body;
const asOther = async (id: string) =>
  new AppsAndBooksClient({ url: shop.url, token: await shop.newToken() }).claim({
    id,
    name: 'Other MDM',
    metadata: 'mdm.example.org',
  });

test('a token that Apple does not take is refused at its field with Apple’s reason, and nothing is stored', async () => {
  const revoked = await shop.newToken();
  await shop.manage('POST', '/tokens/revoke', {});
  const strange = Buffer.from(
    JSON.stringify({ token: 'x', expDate: '2099-01-01T00:00:00+0000', orgName: 'x' }),
  ).toString('base64');
  for (const [token, detail] of [
    [await shop.newToken({ lifeDays: -3 }), /^It expired on \d{4}-/],
    [revoked, /revoked/],
    [strange, undefined],
  ] as const) {
    const { status, body } = await put(token);
    expect([status, body.code, body.errors[0].field]).toEqual([502, 'apps_and_books.token_refused', 'token']);
    if (detail) expect(body.detail).toMatch(detail);
  }
  expect((await shown()).code).toBe('apps_and_books.token_missing');
});

test('while Apple cannot be asked no token is taken', async () => {
  const token = await shop.newToken();
  await shop.manage('PATCH', '/knobs', { unavailable: 1 });
  expect((await put(token)).body.code).toBe('apps_and_books.unreachable');
  expect((await shown()).code).toBe('apps_and_books.token_missing');
});

test('a location that another MDM server uses is refused until somebody confirms, then it is claimed for Odette', async () => {
  await asOther('other-1');
  const token = await shop.newToken();
  const refused = await put(token);
  expect([refused.status, refused.body.code, refused.body.facts]).toEqual([
    409,
    'apps_and_books.held_by_other',
    { location: 'Sandbox', heldBy: 'Other MDM' },
  ]);
  expect((await shown()).code).toBe('apps_and_books.token_missing');
  expect((await put(token, { confirmTakeover: true })).body).toMatchObject({
    location: 'Sandbox',
    failure: null,
  });
  const claimed = await new AppsAndBooksClient({ url: shop.url, token }).location();
  expect(claimed.mdmName).toBe('Odette');
});

test('a newer token of the own location is taken without a question', async () => {
  expect((await put(await shop.newToken({ organization: 'Acme' }))).body).toMatchObject({
    organization: 'Acme',
    failure: null,
  });
});

test('licenses are shown for each platform', async () => {
  expect((await shown()).licenses).toMatchObject({
    total: 1000,
    platforms: [
      { platform: 'macOS', total: 1000, available: 1000 },
      { platform: 'iOS', total: 1000, available: 1000 },
    ],
  });
  await shop.manage('PATCH', '/assets/490179405', { platforms: ['iOS'] });
  expect((await shown()).licenses.platforms).toMatchObject([
    { platform: 'macOS', total: 0 },
    { platform: 'iOS', total: 1000 },
  ]);
});

test('a location that another server took over since says so', async () => {
  await asOther('other-2');
  expect((await shown()).failure).toMatchObject({ code: 'apps_and_books.held_by_other' });
});
