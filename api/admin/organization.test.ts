// Name and logo of the organization: kept, shown, refused where it is no picture, and on the activity log.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_LOGO_BYTES } from '../../domain/logo.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { chunk, header, pngOf, squarePng } from '../../test/harness/png.ts';

const PNG = squarePng(64).toString('base64');
let api: AdminApi;
beforeAll(async () => {
  api = await openAdminApi();
});
afterAll(() => api.close());

const put = (body: object) => api.call('PUT', '/api/organization', body);

test('a logo is a PNG; an SVG is refused', async () => {
  expect((await api.call('GET', '/api/organization')).body).toEqual({ name: null, logoHash: null });
  expect((await api.call('GET', '/api/organization/logo')).status).toBe(404);
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64');
  expect(await put({ name: 'Acme', logo: svg })).toMatchObject({
    status: 400,
    body: { errors: [{ field: 'logo' }] },
  });
  const large = pngOf(header(2, 2), chunk('IDAT', Buffer.alloc(MAX_LOGO_BYTES)), chunk('IEND'));
  expect((await put({ name: 'Acme', logo: large.toString('base64') })).status).toBe(400);
  expect((await put({ name: 'Acme', logo: PNG })).body).toEqual({
    name: 'Acme',
    logoHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  });
  const logo = await fetch(`${api.url}/api/organization/logo`, {
    headers: { authorization: `Bearer ${api.token}` },
  });
  expect(logo.headers.get('content-type')).toBe('image/png');
  expect(Buffer.from(await logo.arrayBuffer()).toString('base64')).toBe(PNG);
});

test('a change of the name leaves the logo, and the activity log says what changed', async () => {
  const { logoHash } = (await api.call('GET', '/api/organization')).body as { logoHash: string };
  expect((await put({ name: 'Acme & Sons' })).body).toEqual({ name: 'Acme & Sons', logoHash });
  expect((await put({ name: null, logo: null })).body).toEqual({ name: null, logoHash: null });
  const { items } = (await api.call('GET', '/api/audit?action=organization.changed')).body as {
    items: { detail: { changes: object[] } }[];
  };
  const shownLogo = `PNG ${logoHash.slice(0, 8)}`;
  expect(items.map(({ detail }) => detail.changes)).toEqual([
    [
      { name: 'name', before: 'Acme & Sons', after: null },
      { name: 'logo', before: shownLogo, after: null },
    ],
    [{ name: 'name', before: 'Acme', after: 'Acme & Sons' }],
    [
      { name: 'name', before: null, after: 'Acme' },
      { name: 'logo', before: null, after: shownLogo },
    ],
  ]);
});
