// Devices leave Okta Device Trust by leaving their blueprint; a record is deleted only when its device has left Odette.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet, type SeededFleet } from '../../test/harness/seeded-fleet.ts';

let api: AdminApi;
let fleet: SeededFleet;
beforeAll(async () => {
  api = await openAdminApi();
  fleet = await seedFleet(api.database, api.ring);
});
afterAll(() => api.close());

const outbox = () => api.database.query<{ message: object }>('select message from outbox');

test('removal is told beforehand with its delay, then tells the device’s rollout, and is written down', async () => {
  const ids = [fleet.deviceId];
  const preview = await api.call('POST', '/api/devices/removals', { ids, preview: true });
  expect(preview).toMatchObject({ status: 202, body: { devices: 1, startsInMinutes: 15 } });
  expect(await outbox()).toEqual([]);
  const removed = await api.call('POST', '/api/devices/removals', { ids, reason: 'left the company' });
  expect(removed.body).toEqual(preview.body);
  expect((await api.call('GET', `/api/devices/${fleet.deviceId}`)).body.blueprint).toBeNull();
  expect(await outbox()).toMatchObject([{ message: { kind: 'rollOutDevice', deviceId: fleet.deviceId } }]);
  expect((await api.call('GET', '/api/audit?action=device.removed')).body.items).toMatchObject([
    { subject: `device:${fleet.deviceId}`, detail: { devices: 1, reason: 'left the company' } },
  ]);
  expect((await api.call('POST', '/api/devices/removals', { ids })).body.code).toBe('request.conflict');
});

test('the record of an enrolled device stays; one that has left goes with its history, and out of the totals', async () => {
  const at = `/api/devices/${fleet.deviceId}`;
  expect((await api.call('DELETE', at)).body.code).toBe('request.conflict');
  const total = async () => (await api.call('GET', '/api/status')).body.devices.total as number;
  const before = await total();
  await api.database.query(`update devices set enrollment_status = 'checked_out' where id = $1`, [
    fleet.deviceId,
  ]);
  expect((await api.call('DELETE', at)).status).toBe(204);
  expect((await api.call('GET', at)).status).toBe(404);
  expect(await total()).toBe(before - 1);
});

test.each(['a push token that Apple does not know any more', 'two weeks of silence'])(
  'the record of a device that is lost can be deleted: after %s',
  async (what) => {
    const [row] = await api.database.query<{ id: string }>(
      `select id from devices where enrollment_status = 'enrolled' limit 1`,
    );
    const at = `/api/devices/${row?.id}`;
    expect((await api.call('DELETE', at)).body.code).toBe('request.conflict');
    if (what.startsWith('a push'))
      await api.database.query(`update devices set enrollment_status = 'unreachable' where id = $1`, [
        row?.id,
      ]);
    else
      await api.database.query(`update device_trust set bucket = 'unreachable' where device_id = $1`, [
        row?.id,
      ]);
    expect((await api.call('DELETE', at)).status).toBe(204);
    expect((await api.call('GET', at)).status).toBe(404);
  },
);
