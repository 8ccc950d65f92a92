// Two devices with one serial number: both say so, and the silent one may go.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet } from '../../test/harness/seeded-fleet.ts';

let api: AdminApi;
beforeAll(async () => {
  api = await openAdminApi();
  await seedFleet(api.database, api.ring);
});
afterAll(() => api.close());

interface Listed {
  readonly id: string;
  readonly sharesSerialNumber: boolean;
}
const list = async (): Promise<Listed[]> => (await api.call('GET', '/api/devices?family=Mac')).body.items;

test('are flagged on both, and the one that is unreachable or left is offered for retirement', async () => {
  const [one, other, third] = await list();
  const ids = [one?.id ?? '', other?.id ?? ''];
  expect((await list()).some(({ sharesSerialNumber }) => sharesSerialNumber)).toBe(false);
  await api.database.query(
    `update devices set serial_number = case when id = $1 then 'twin' else 'TWIN' end where id = any ($2)`,
    [ids[0], ids],
  );
  await api.database.query(
    `insert into device_trust (device_id, bucket) values ($1, 'unreachable') on conflict (device_id) do update set bucket = 'unreachable'`,
    [ids[1]],
  );
  const flagged = (await list()).filter(({ sharesSerialNumber }) => sharesSerialNumber).map(({ id }) => id);
  expect(flagged.sort()).toEqual([...ids].sort());
  const twinsOf = async (id = '') => (await api.call('GET', `/api/devices/${id}`)).body.serialNumberTwins;
  expect(await twinsOf(ids[0])).toMatchObject([{ id: ids[1], bucket: 'unreachable', mayBeRetired: true }]);
  expect(await twinsOf(ids[1])).toMatchObject([{ id: ids[0], mayBeRetired: false }]);
  expect(await twinsOf(third?.id)).toEqual([]);
  expect((await api.call('DELETE', `/api/devices/${ids[0] ?? ''}`)).status).toBe(409);
  expect((await api.call('DELETE', `/api/devices/${ids[1] ?? ''}`)).status).toBe(204);
  expect(await twinsOf(ids[0])).toEqual([]);
});

test('also a device that left is retired', async () => {
  const [left] = await list();
  await api.database.query(`update devices set enrollment_status = 'checked_out' where id = $1`, [left?.id]);
  expect((await api.call('DELETE', `/api/devices/${left?.id ?? ''}`)).status).toBe(204);
});
