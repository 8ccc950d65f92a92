// Enforcement readiness over a fleet in the tables: who counts as ready, who would be locked out and why.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordSweep } from '../../adapters/store/integration/okta-sweeps.ts';
import { upsertOktaDevices, type SeenOktaDevice } from '../../adapters/store/integration/okta-devices.ts';
import { recordReadiness } from '../../adapters/store/integration/readiness.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet, type SeededFleet } from '../../test/harness/seeded-fleet.ts';

let api: AdminApi;
let fleet: SeededFleet;
let address: string;
beforeAll(async () => {
  api = await openAdminApi();
  fleet = await seedFleet(api.database, api.ring);
  await api.database.query('delete from okta_devices');
  address = `/api/integrations/${fleet.ids['integrations'] ?? ''}/readiness`;
});
afterAll(() => api.close());

const record = (
  id: string,
  login: string,
  managementStatus: 'MANAGED' | 'NOT_MANAGED',
  changes: Partial<SeenOktaDevice> = {},
): SeenOktaDevice => ({
  id,
  platform: 'MACOS',
  displayName: id,
  status: 'ACTIVE',
  registered: true,
  users: [{ id: `00u${login}`, login, managementStatus }],
  created: '2026-01-01T00:00:00.000Z',
  lastUpdated: '2026-01-01T00:00:00.000Z',
  ...changes,
});
const sweep = async (records: readonly SeenOktaDevice[], at: Date) => {
  const integrationId = fleet.ids['integrations'] ?? '';
  await upsertOktaDevices(api.database, integrationId, records, at);
  await recordSweep(api.database, integrationId, at);
  await recordReadiness(api.database, integrationId, at);
};
const users = async (query = ''): Promise<{ login: string; reason: string | null }[]> =>
  (await api.call('GET', `${address}/users${query}`)).body.items as {
    login: string;
    reason: string | null;
  }[];

test('before the first whole sweep nothing is claimed: asOf is null', async () => {
  expect((await api.call('GET', address)).body).toMatchObject({ asOf: null, ready: 0, trend: [] });
});

test('a user is ready with one managed device, whoever manages it; everybody else would be locked out, with a reason', async () => {
  const at = new Date();
  await sweep(
    [
      record('air', 'USER0@acme.example', 'MANAGED'),
      record('pro', 'user1@acme.example', 'NOT_MANAGED'),
      record('private', 'guest@acme.example', 'NOT_MANAGED'),
      record('lost', 'left@acme.example', 'MANAGED', { status: 'SUSPENDED' }),
      record('pc', 'windows@acme.example', 'NOT_MANAGED', { platform: 'WINDOWS' }),
    ],
    at,
  );
  const { body } = await api.call('GET', address);
  expect(body).toMatchObject({ asOf: at.toISOString(), users: 8, ready: 1, lockedOut: 7 });
  expect(body.byBlueprint).toEqual([
    {
      blueprint: { id: fleet.ids['blueprints'], name: 'Everybody' },
      users: 6,
      ready: 1,
      lockedOut: 5,
    },
    { blueprint: null, users: 2, ready: 0, lockedOut: 2 },
  ]);
  expect(body.trend).toEqual([{ day: at.toISOString().slice(0, 10), users: 8, ready: 1, lockedOut: 7 }]);
  const locked = await users();
  expect(locked.map(({ login }) => login)).toEqual([
    'guest@acme.example',
    'left@acme.example',
    ...[1, 2, 3, 4, 5].map((place) => `user${place}@acme.example`),
  ]);
  expect(locked.find(({ login }) => login.startsWith('guest'))?.reason).toContain('not enrolled in Odette');
  expect(locked.find(({ login }) => login.startsWith('left'))?.reason).toContain('Okta says SUSPENDED');
  expect(locked.find(({ login }) => login.startsWith('user1'))?.reason).toContain('Device 1:');
  expect((await users('?state=ready')).map(({ login, reason }) => [login, reason])).toEqual([
    ['user0@acme.example', null],
  ]);
});

test('the list is read by cursor and by blueprint, and is a CSV', async () => {
  const first = await api.call('GET', `${address}/users?limit=5`);
  const rest = await users(`?limit=5&after=${first.body.next as string}`);
  expect([(first.body.items as unknown[]).length, rest.length]).toEqual([5, 2]);
  expect(await users(`?blueprintId=${fleet.ids['blueprints'] ?? ''}`)).toHaveLength(5);
  const csv = (await api.call('GET', `${address}/export`)).text.split('\r\n');
  expect(csv[0]).toBe('login,ready,devices,reason,asOf');
  expect(csv.filter((line) => line.includes('@acme.example'))).toHaveLength(7);
});

test('the trend has a day for each day with a whole sweep, the oldest first; a later sweep of a day takes its place', async () => {
  const tomorrow = new Date(Date.now() + 86_400_000);
  const managed = ['user0', 'user1'].map((user) => record(user, `${user}@acme.example`, 'MANAGED'));
  await sweep([], tomorrow);
  await sweep(managed, tomorrow);
  const { trend } = (await api.call('GET', address)).body as { trend: { day: string; ready: number }[] };
  expect(trend.map(({ ready }) => ready)).toEqual([1, 2]);
  expect(trend[1]?.day).toBe(tomorrow.toISOString().slice(0, 10));
});

test('a device whose user nobody knows is told, for its user is missing from the numbers', async () => {
  await api.database.query('update devices set user_name = null where id = $1', [fleet.deviceId]);
  expect((await api.call('GET', address)).body).toMatchObject({ users: 8, devicesWithoutUser: 1 });
});
