// Changes by people that touch more than twenty devices go out in waves; each place where one is made is here.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet } from '../../test/harness/seeded-fleet.ts';

let api: AdminApi;
let ids: Readonly<Record<string, string>>;
let item: string;
let blueprints: { readonly everybody: string; readonly small: string };

/** 25 more Macs in "Everybody", and two in a blueprint of their own. */
beforeAll(async () => {
  api = await openAdminApi();
  ({ ids } = await seedFleet(api.database, api.ring));
  item = `/api/library-items/${ids['library-items'] ?? ''}`;
  const { body } = await api.call('POST', '/api/blueprints', { name: 'Small', deviceIds: [] });
  blueprints = { everybody: ids['blueprints'] ?? '', small: body.id as string };
  for (let number = 0; number < 27; number += 1)
    await api.database.query(
      `insert into devices (family, platform, udid, serial_number, name, blueprint_id, enrollment_status, enrollment_id, identity_fingerprint, enrolled_at)
       values ('Mac', 'macOS', gen_random_uuid()::text, $1, $1, $2, 'enrolled', gen_random_uuid(), $3, now())`,
      [`WAVE${number}`, number < 25 ? blueprints.everybody : blueprints.small, randomBytes(32)],
    );
  await save({ blueprintIds: [blueprints.everybody, blueprints.small] });
});
afterAll(() => api.close());

const save = (change: object) =>
  api.call('PUT', item, {
    integrationId: ids['integrations'],
    deviceTrustOn: true,
    blueprintIds: [blueprints.everybody, blueprints.small],
    ...change,
  });
const newest = async () => (await api.call('GET', '/api/fleet-rollouts')).body.items[0];
const outboxOf = async (kind: string): Promise<number> => {
  const [row] = await api.database.query<{ rows: number }>(
    `select count(*)::int as rows from outbox where message ->> 'kind' = $1`,
    [kind],
  );
  return row?.rows ?? 0;
};

test('a saved item whose settings change begins nothing but the workflow of its waves', async () => {
  const rolloutsBefore = await outboxOf('rollOutDevice');
  const fleetBefore = await outboxOf('rollOutFleet');
  const preview = await api.call('POST', '/api/library-items/preview', {
    integrationId: ids['integrations'],
    deviceTrustOn: true,
    blueprintIds: [blueprints.everybody, blueprints.small],
    settings: { launchOptions: 'HideMainWindow;NoTray' },
    libraryItemId: ids['library-items'],
  });
  expect(preview.body.waves).toMatchObject({
    canaryBlueprint: 'Small',
    waves: [2, 8, 20],
    devices: 30,
    pushes: 30,
  });
  const saved = await save({ settings: { launchOptions: 'HideMainWindow;NoTray' } });
  expect(saved.status).toBe(200);
  expect(await outboxOf('rollOutDevice')).toBe(rolloutsBefore);
  expect(await outboxOf('rollOutFleet')).toBe(fleetBefore + 1);
  expect(await newest()).toMatchObject({
    kind: 'library_item',
    subject: `library_item:${ids['library-items'] ?? ''}`,
    status: 'running',
    text: 'The canary starts.',
    canaryBlueprint: 'Small',
    waves: [2, 8, 20],
    devices: 30,
    counts: { waiting: 30 },
    orders: ['pause', 'all_at_once', 'abort'],
    startedBy: 'token:this machine',
  });
  const { id } = await newest();
  const first = await api.call('GET', `/api/fleet-rollouts/${id as string}/devices?limit=2`);
  expect(first.body.items.map(({ device }: { device: { name: string } }) => device.name).sort()).toEqual([
    'WAVE25',
    'WAVE26',
  ]);
  const rest = await api.call(
    'GET',
    `/api/fleet-rollouts/${id as string}/devices?after=${first.body.next as string}&limit=500`,
  );
  expect(rest.body).toMatchObject({ next: null });
  expect(rest.body.items).toHaveLength(28);
});

test('an order is refused where it changes nothing, audited where it does, and wakes the workflow', async () => {
  const { id } = await newest();
  const orders = `/api/fleet-rollouts/${id as string}/orders`;
  expect(await api.call('POST', orders, { order: 'resume' })).toMatchObject({
    status: 409,
    body: { code: 'request.conflict', detail: 'The change is running.' },
  });
  const before = await outboxOf('rollOutFleet');
  const paused = await api.call('POST', orders, { order: 'pause', reason: 'lunch' });
  expect(paused.body).toMatchObject({
    status: 'paused',
    steeringReason: 'lunch',
    orders: ['resume', 'all_at_once', 'abort'],
  });
  expect(await outboxOf('rollOutFleet')).toBe(before + 1);
  expect((await api.call('GET', '/api/audit?action=fleet_rollout.steered')).body.items).toMatchObject([
    { detail: { order: 'pause', reason: 'lunch', waiting: 30 } },
  ]);
  const aborted = await api.call('POST', orders, { order: 'abort' });
  expect(aborted.body).toMatchObject({ status: 'aborted', counts: { left: 30, waiting: 0 }, orders: [] });
});

test('a removal of many devices and a removed item go out in waves; twenty devices at once', async () => {
  const rows = await api.database.query<{ id: string }>('select id from devices where blueprint_id = $1', [
    blueprints.everybody,
  ]);
  const all = rows.map((row) => row.id);
  const preview = await api.call('POST', '/api/devices/removals', { ids: all.slice(0, 22), preview: true });
  expect(preview.body).toMatchObject({ devices: 22, fleetRolloutId: null, waves: { waves: [5, 17] } });
  const removed = await api.call('POST', '/api/devices/removals', { ids: all.slice(0, 22) });
  const { id, kind, counts } = await newest();
  expect(removed.body.fleetRolloutId).toBe(id);
  expect({ kind, waiting: counts.waiting }).toMatchObject({ kind: 'removal', waiting: 22 });
  const few = await api.call('POST', '/api/devices/removals', { ids: all.slice(22, 24) });
  expect(few.body.fleetRolloutId).toBeNull();
});
