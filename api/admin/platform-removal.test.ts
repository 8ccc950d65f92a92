// The removal of a platform or an integration over the API: readiness first, two confirmations, one at a time, and the way back.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet } from '../../test/harness/seeded-fleet.ts';

let api: AdminApi;
let integration: string;
let item: string;
beforeAll(async () => {
  api = await openAdminApi();
  const { ids } = await seedFleet(api.database, api.ring);
  integration = ids['integrations'] ?? '';
  item = ids['library-items'] ?? '';
});
afterAll(() => api.close());

const preview = async (platform: string | null) =>
  (await api.call('POST', `/api/integrations/${integration}/removals/preview`, { platform })).body;
const remove = (body: object) => api.call('POST', `/api/integrations/${integration}/removals`, body);

test('the preview names the devices, the users who would be locked out, and what is to be typed', async () => {
  const all = await preview(null);
  expect(all.devices.macOS).toBeGreaterThan(0);
  expect(all.devices.iOS).toBeGreaterThan(0);
  expect(all.usersLosingTrustTotal).toBe(all.usersLosingTrust.length);
  expect(all.usersLosingTrustTotal).toBeGreaterThan(0);
  expect(all.confirmation).toMatch(/^remove /);
  expect((await preview('iOS')).devices).toEqual({ macOS: 0, iOS: all.devices.iOS });
});

test('nothing begins without the typed text and the word that the policy is lifted', async () => {
  const { confirmation } = await preview('macOS');
  const untyped = await remove({ platform: 'macOS', confirmation: 'yes', policyIsLifted: true });
  expect([untyped.status, untyped.body.code]).toEqual([422, 'removal.not_confirmed']);
  const inForce = await remove({ platform: 'macOS', confirmation, policyIsLifted: false });
  expect([inForce.status, inForce.body.code]).toEqual([422, 'removal.policy_in_force']);
  expect(inForce.body.errors).toMatchObject([{ field: 'policyIsLifted' }]);
  expect(inForce.body.detail).toMatch(/^Would be locked out: /);
  expect((await api.call('GET', `/api/removals?integrationId=${integration}`)).body.items).toMatchObject([
    { status: 'undone' },
  ]);
});

test('one at a time; undone before its begin it leaves nothing but its line in the history', async () => {
  const { confirmation } = await preview('macOS');
  const begun = await remove({
    platform: 'macOS',
    confirmation,
    policyIsLifted: true,
    reason: 'another vendor',
  });
  expect([begun.status, begun.body.status]).toEqual([202, 'waiting']);
  expect(Date.parse(begun.body.startsAt as string) - Date.now()).toBeGreaterThan(10 * 60_000);
  const again = await remove({
    platform: 'iOS',
    confirmation: (await preview('iOS')).confirmation,
    policyIsLifted: true,
  });
  expect(again.body.code).toBe('request.conflict');
  const act = (action: string) =>
    api.call('POST', `/api/removals/${begun.body.id as string}/actions`, { action });
  expect((await act('resume')).body.code).toBe('request.conflict');
  expect((await act('undo')).body.status).toBe('undone');
  expect((await act('undo')).body.code).toBe('request.conflict');
  const messages = await api.database.query<{ kind: string }>(
    `select message ->> 'kind' as kind from outbox where ordering_key = $1`,
    [begun.body.id],
  );
  expect(messages.map(({ kind }) => kind)).toEqual(['removePlatform', 'removePlatform']);
  const audit = await api.database.query<{ action: string }>(
    `select action from audit_entries where action like 'removal.%' order by at`,
  );
  expect(audit.map(({ action }) => action)).toEqual(['removal.asked', 'removal.undo']);
});

test('Okta Device Trust is not switched off, nor the item deleted, over the heads of users whom it would lock out', async () => {
  const known = (await api.call('GET', `/api/library-items/${item}`)).body;
  const body = {
    integrationId: integration,
    deviceTrustOn: true,
    settings: known.settings,
    blueprintIds: known.blueprints.map(({ id }: { id: string }) => id),
  };
  const at = `/api/library-items/${item}`;
  const unassigned = await api.call('PUT', at, { ...body, blueprintIds: [] });
  expect([unassigned.status, unassigned.body.code]).toEqual([422, 'library.policy_in_force']);
  expect(unassigned.body.errors).toMatchObject([{ field: 'confirmPolicyIsLifted' }]);
  const off = await api.call('PUT', at, { ...body, deviceTrustOn: false });
  expect(off.body.code).toBe('library.policy_in_force');
  expect((await api.call('DELETE', at)).body.code).toBe('library.policy_in_force');
  expect((await api.call('GET', at)).body.version).toBe(known.version);
  const confirmed = await api.call('PUT', at, { ...body, deviceTrustOn: false, confirmPolicyIsLifted: true });
  expect(confirmed.body.deviceTrustOn).toBe(false);
});
