// Rotations at the API: what is said before, what is shown once, and what the workflow is told.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet } from '../../test/harness/seeded-fleet.ts';

let api: AdminApi;
let integration: string;

beforeAll(async () => {
  api = await openAdminApi();
  const { ids } = await seedFleet(api.database, api.ring);
  integration = `/api/integrations/${ids['integrations'] ?? ''}`;
  await api.database.query('delete from secret_rotations');
});
afterAll(() => api.close());

const start = (body: object) => api.call('POST', `${integration}/rotations`, body);

test('each secret of the integration has its steps in Okta, its exposure, and the devices that it concerns', async () => {
  const { items } = (await api.call('GET', `${integration}/rotation-plans`)).body as {
    items: { kind: string; steps: string[]; exposure: string; overlaps: boolean; impact: object | null }[];
  };
  expect(items.map(({ kind }) => kind)).toEqual(['client_secret', 'challenge_password', 'ios_secret_key']);
  const [client, macs, phones] = items;
  // Okta takes two client secrets at once, and nothing goes to devices.
  expect(client).toMatchObject({ overlaps: true, impact: null });
  expect(client?.exposure).toMatch(/^None: Okta accepts both secrets/);
  // Okta ends the old challenge password and the old key with the reset.
  expect(macs).toMatchObject({ overlaps: false, impact: null });
  expect(macs?.steps.join(' ')).toMatch(/Actions.*reset.*Reset.*Copy the new password.*Enter it here/);
  expect(macs?.exposure).toMatch(/^From the reset until you enter the new password, Macs get no new/);
  expect(phones).toMatchObject({ overlaps: false, impact: { devices: 3 } });
  expect(phones?.impact).toMatchObject({ pushes: expect.any(Number), minutes: expect.any(Number) });
  expect(phones?.steps.join(' ')).toMatch(
    /Choose the new key here first.*Actions.*reset.*Use existing key.*Reset/,
  );
  expect(phones?.exposure).toMatch(
    /^From the reset in Okta until a device has the new key.*locked out\..*asleep or offline stay exposed/,
  );
});

test('a made iOS key is shown once, fits what Okta takes, and waits for the word that it is set in Okta', async () => {
  const { status, body } = await start({ kind: 'ios_secret_key' });
  expect(status).toBe(201);
  expect(body.secretKey).toMatch(/^[\w-]{44}$/);
  expect(body.rotation).toMatchObject({ status: 'prepared', orders: ['commit', 'abandon'] });
  const id = body.rotation.id as string;
  expect(body.rotation.temporalUrl).toBe(
    `http://127.0.0.1:8233/namespaces/default/workflows/${encodeURIComponent(`rotation/${id}`)}`,
  );
  expect((await api.call('GET', `/api/rotations/${id}`)).text).not.toContain(body.secretKey);
  const told = await api.database.query(
    `select message from outbox where message ->> 'kind' = 'rotateSecret'`,
  );
  expect(told).toEqual([{ message: { kind: 'rotateSecret', rotationId: id } }]);
  expect(await start({ kind: 'ios_secret_key' })).toMatchObject({ status: 409 });
  const committed = await api.call('POST', `/api/rotations/${id}/orders`, { order: 'commit' });
  expect(committed.body).toMatchObject({ status: 'trying', committedBy: 'token:this machine', orders: [] });
  expect((await api.call('POST', `/api/rotations/${id}/orders`, { order: 'abandon' })).status).toBe(409);
});

test('a given value is sealed and tried; one that does not fit is refused before anything is stored', async () => {
  const secrets = async () => (await api.database.query('select id from secrets')).length;
  const before = await secrets();
  expect((await start({ kind: 'client_secret' })).body.errors).toMatchObject([{ field: 'value' }]);
  expect((await start({ kind: 'private_key' })).status).toBe(404);
  expect(await secrets()).toBe(before);
  const { body } = await start({ kind: 'client_secret', value: 'the-new-client-secret' });
  expect(body).toMatchObject({ secretKey: null, rotation: { status: 'trying', publicJwk: null } });
  expect(await secrets()).toBe(before + 1);
  expect(api.logged.join()).not.toContain('the-new-client-secret');
});
