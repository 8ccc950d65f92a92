// Renewals through the API: what is due, late and unused goes by the numbers of the certificate's own integration.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../test/harness/admin-api.ts';
import { seedFleet, type SeededFleet } from '../test/harness/seeded-fleet.ts';

const DAY_MS = 86_400_000;

let api: AdminApi;
let fleet: SeededFleet;
beforeAll(async () => {
  api = await openAdminApi();
  // One certificate, from 100 days ago to 90 days from now.
  fleet = await seedFleet(api.database, api.ring);
  await api.database.query(`update certificate_deliveries set proven_at = now() - interval '50 days'`);
  await api.database.query('update device_trust set managed = false');
});
afterAll(() => api.close());

const set = (settings: object) =>
  api.call('PATCH', `/api/integrations/${fleet.ids['integrations'] ?? ''}`, { settings });
const listed = async (state: string): Promise<number> =>
  ((await api.call('GET', `/api/renewals?state=${state}`)).body.items as unknown[]).length;
const toldKeepers = async (): Promise<object[]> =>
  (
    await api.database.query<{ message: object }>(
      `with gone as (delete from outbox returning message) select message from gone where message->>'kind' = 'keepCertificate'`,
    )
  ).map(({ message }) => message);

test('a certificate is late and unused by the numbers of its integration', async () => {
  expect([await listed('due'), await listed('late'), await listed('unused')]).toEqual([1, 0, 0]);
  await set({ renewalWindowStart: 0.6, renewalWindowEnd: 0.5, unusedWarnDays: 40 });
  expect([await listed('due'), await listed('late'), await listed('unused')]).toEqual([1, 1, 1]);
});

test('the calendar opens the window on the day that the integration says', async () => {
  await set({ renewalWindowStart: 0.4, renewalWindowEnd: 0.1 });
  const { body } = await api.call('GET', '/api/renewals/by-day');
  const dayIn = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
  expect(body.items).toEqual([
    { day: dayIn(90 - 190 * 0.4), ending: 0, windowOpens: 1 },
    { day: dayIn(90), ending: 1, windowOpens: 0 },
  ]);
});

test('keepers that sleep plan again when a number of the renewal changes, and only then', async () => {
  await toldKeepers();
  await set({ renewalWindowEnd: 0.2 });
  expect(await toldKeepers()).toEqual([
    {
      kind: 'keepCertificate',
      deviceId: fleet.deviceId,
      signal: 'certificateWanted',
      body: { integrationId: fleet.ids['integrations'] },
    },
  ]);
  await set({ renewalWindowEnd: 0.2, verifyAfterHours: 12 });
  expect(await toldKeepers()).toEqual([]);
});
