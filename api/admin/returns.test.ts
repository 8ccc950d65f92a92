// A device that asks to enroll again although its earlier enrollment has not ended: an admin's to allow or refuse.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet } from '../../test/harness/seeded-fleet.ts';

let api: AdminApi;
let id: string;
beforeAll(async () => {
  api = await openAdminApi();
  ({ deviceId: id } = await seedFleet(api.database, api.ring));
});
afterAll(() => api.close());

const ask = () => api.database.query('update devices set return_asked_at = now() where id = $1', [id]);
const decide = (decision: string, headers?: Record<string, string>) =>
  api.call('POST', `/api/devices/${id}/return`, { decision, reason: 'a new disk' }, headers);
const standing = async () => {
  const [row] = await api.database.query(
    `select return_asked_at is not null as asks, return_allowed_until > now() as is_allowed from devices where id = $1`,
    [id],
  );
  return row;
};

test('an operator may not decide', async () => {
  await ask();
  const { body: made } = await api.call('POST', '/api/tokens', { name: 'operator', role: 'operator' });
  const refused = await decide('allow', { authorization: `Bearer ${String(made['token'])}` });
  expect([refused.status, await standing()]).toEqual([403, { asks: true, isAllowed: null }]);
});

test('is refused or allowed once, and the timeline tells each word', async () => {
  await ask();
  expect((await decide('refuse')).body).toMatchObject({ id, returnAskedAt: null });
  expect(await standing()).toEqual({ asks: false, isAllowed: null });
  expect((await decide('refuse')).body.code).toBe('request.conflict');
  await ask();
  expect((await decide('allow')).body).toMatchObject({ id, returnAskedAt: null });
  expect(await standing()).toEqual({ asks: false, isAllowed: true });
  await decide('refuse');
  const { body } = await api.call('GET', `/api/devices/${id}/timeline?limit=10`);
  const kinds: string[] = body.items.map(({ kind }: { kind: string }) => kind);
  expect(kinds.filter((kind) => kind.startsWith('return_'))).toEqual([
    'return_refused',
    'return_allowed',
    'return_refused',
  ]);
});
