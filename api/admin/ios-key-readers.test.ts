// Who has read the iOS secret key is known from the hand-over on, also of a device that is gone, and starts anew with a new key.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeNextCommand } from '../../adapters/store/devices/next-command.ts';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet, type SeededFleet } from '../../test/harness/seeded-fleet.ts';
import { queueCommand } from '../../test/harness/queue-command.ts';

let api: AdminApi;
let fleet: SeededFleet;
let secretId: string;
let phones: { id: string; enrollmentId: string }[];
beforeAll(async () => {
  api = await openAdminApi();
  fleet = await seedFleet(api.database, api.ring);
  const [platform] = await api.database.query<{ secretId: string }>(
    `select secret_id from integration_platforms where platform = 'iOS'`,
  );
  secretId = platform?.secretId ?? '';
  phones = await api.database.query(
    `select id, enrollment_id from devices where platform = 'iOS' order by name`,
  );
});
afterAll(() => api.close());

const readers = async (query = '') =>
  (await api.call('GET', `/api/integrations/${fleet.ids['integrations'] ?? ''}/ios-key-readers${query}`))
    .body as {
    readers: number;
    doubtful: number;
    items: { deviceId: string | null; doubt: string | null; serialNumber: string }[];
    next: string | null;
  };

async function queueFor(phone: { id: string; enrollmentId: string }, version = 1): Promise<void> {
  await api.database.inTransaction((sql) =>
    queueCommand(sql, {
      uuid: randomUUID(),
      deviceId: phone.id,
      enrollmentId: phone.enrollmentId,
      workflowId: 'rollout/x',
      step: 'ApplicationConfiguration',
      requestType: 'Settings',
      sealedBody: Buffer.from('sealed'),
      iosKey: { secretId, version },
    }),
  );
}
const handOver = async (phone: { id: string }) =>
  (await api.database.inTransaction((sql) => takeNextCommand(sql, phone.id))).next;

test('a device has read the key once it was handed over, not while it is queued', async () => {
  const [first = { id: '', enrollmentId: '' }, second = first] = phones;
  await queueFor(first);
  expect(await readers()).toMatchObject({ readers: 0, items: [] });
  expect((await handOver(first))?.requestType).toBe('Settings');
  await queueFor(second);
  await handOver(second);
  expect(await readers()).toMatchObject({ readers: 2, doubtful: 0 });
  const { items, next } = await readers('?limit=1');
  const rest = await readers(`?limit=1&after=${next ?? ''}`);
  expect(new Set([...items, ...rest.items].map(({ deviceId }) => deviceId))).toEqual(
    new Set([first.id, second.id]),
  );
  const { body } = await api.call('GET', `/api/devices/${first.id}`);
  expect(body.iosKeyRead).toMatchObject({ integrationId: fleet.ids['integrations'] });
});

test('one that left, went out of scope or was deleted stays a reader, and is in doubt', async () => {
  const [first, second] = phones;
  await api.database.query(`update devices set blueprint_id = null where id = $1`, [second?.id]);
  await api.database.query(`update devices set enrollment_status = 'checked_out' where id = $1`, [first?.id]);
  const doubts = async () => (await readers('?doubt=only')).items.map(({ doubt }) => doubt).toSorted();
  expect(await doubts()).toEqual(['left', 'out_of_scope']);
  expect((await api.call('DELETE', `/api/devices/${first?.id ?? ''}`)).status).toBe(204);
  expect(await doubts()).toEqual(['deleted', 'out_of_scope']);
  const [gone] = (await readers('?doubt=only')).items.filter(({ doubt }) => doubt === 'deleted');
  expect(gone).toMatchObject({ deviceId: null, serialNumber: expect.stringMatching(/^C02SEED/) as string });
});

test('nobody has read a new key yet', async () => {
  await storeSecret(api.database, api.ring, {
    kind: 'ios_secret_key',
    value: 'new key',
    by: 'test',
    id: secretId,
  });
  expect(await readers()).toMatchObject({ readers: 0, doubtful: 0, items: [] });
  const [, second = { id: '', enrollmentId: '' }] = phones;
  await queueFor(second, 2);
  await handOver(second);
  expect(await readers()).toMatchObject({ readers: 1, doubtful: 1 });
});
