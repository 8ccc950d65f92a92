// Renewals through the API: what is due, late and unused goes by the numbers of the certificate's own integration.
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  failDelivery,
  insertDelivery,
  proveDelivery,
  recordRemovedDeliveries,
} from '../../adapters/store/rollout/deliveries.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet, type SeededFleet } from '../../test/harness/seeded-fleet.ts';

const DAY_MS = 86_400_000;
const PROVEN = { kind: 'certificate_proven', text: 'The device lists its certificate from Okta.' };

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
const signaledWorkflows = async (): Promise<object[]> =>
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

test('a certificate whose renewal failed is listed as failed, and one of a device that failed otherwise is not', async () => {
  const failWith = (code: string | null) =>
    api.database.query(`update device_trust set phase = $2, failure_code = $3 where device_id = $1`, [
      fleet.deviceId,
      code === null ? 'delivered' : 'failed',
      code,
    ]);
  await failWith('scep.enrollment_failed');
  expect(await listed('failed')).toBe(1);
  await failWith('mdm.device_silent');
  expect(await listed('failed')).toBe(0);
  await failWith(null);
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

test('certificate workflows that sleep plan again when a number of the renewal changes, and only then', async () => {
  await signaledWorkflows();
  await set({ renewalWindowEnd: 0.2 });
  expect(await signaledWorkflows()).toEqual([
    {
      kind: 'keepCertificate',
      deviceId: fleet.deviceId,
      signal: 'certificateWanted',
      body: { integrationId: fleet.ids['integrations'] },
    },
  ]);
  await set({ renewalWindowEnd: 0.2, verifyAfterHours: 12 });
  expect(await signaledWorkflows()).toEqual([]);
});

test('the history says who requested a renewal, when, and what came of it', async () => {
  const { database } = api;
  await database.query('delete from certificate_deliveries');
  const history = async () =>
    (await api.call('GET', '/api/renewals/history')).body.items as {
      reason: string;
      requestedBy: string | null;
      note: string | null;
      outcome: string;
      failureText: string | null;
    }[];
  const deliver = (id: string, reason: string) =>
    database.inTransaction((sql) =>
      insertDelivery(sql, {
        id,
        deviceId: fleet.deviceId,
        integrationId: fleet.ids['integrations'] ?? '',
        slot: 'a',
        scope: 'System',
        payloadUuid: globalThis.crypto.randomUUID(),
        commandUuid: globalThis.crypto.randomUUID(),
        reason,
        fetchedAt: new Date(),
      }),
    );
  const told = async () =>
    (
      await database.query<{ count: number }>(
        `select count(*)::int as count from events where kind = 'certificate.renewal_changed'`,
      )
    )[0]?.count;
  await deliver('first', 'wanted');
  expect(await history()).toEqual([]);
  const before = (await told()) ?? 0;

  await api.call('POST', `/api/devices/${fleet.deviceId}/renew`, { reason: 'the keychain was reset' });
  expect(await history()).toMatchObject([
    { reason: 'requested', note: 'the keychain was reset', outcome: 'requested' },
  ]);
  expect((await history())[0]?.requestedBy).toMatch(/^(person|token):/);

  await deliver('asked', 'asked for');
  expect(await history()).toMatchObject([{ note: 'the keychain was reset', outcome: 'sent' }]);
  const proof = {
    serialNumber: '7',
    issuer: 'CN=Okta',
    notBefore: new Date(),
    notAfter: new Date(Date.now() + 365 * DAY_MS),
    provenAt: new Date(),
  };
  await database.inTransaction((sql) => proveDelivery(sql, fleet.deviceId, 'asked', proof, PROVEN));
  await deliver('windowed', 'window');
  await database.inTransaction((sql) => failDelivery(sql, 'windowed'));
  await database.query(
    `insert into device_timeline (device_id, kind, text) values ($1, 'certificate_failed', 'The Mac refused the profile.')`,
    [fleet.deviceId],
  );
  expect(await history()).toMatchObject([
    {
      reason: 'window',
      requestedBy: null,
      outcome: 'failed',
      failureText: 'The Mac refused the profile.',
    },
    { reason: 'requested', outcome: 'installed' },
  ]);
  // The request, two deliveries, a proof and a failure: each tells the pages.
  expect(await told()).toBe(before + 5);
  const first = (await api.call('GET', '/api/renewals/history?limit=1')).body as { next: string };
  expect((await api.call('GET', `/api/renewals/history?after=${first.next}`)).body.items).toMatchObject([
    { outcome: 'installed' },
  ]);
});

test('a certificate says from when on it is renewed, at its own place in the window', async () => {
  await set({ renewalWindowStart: 0.4, renewalWindowEnd: 0.1 });
  const [device] = (await api.call('GET', '/api/renewals')).body.items as {
    certificateNotAfter: string;
    renewal: { windowOpensAt: string; renewsFrom: string; windowClosesAt: string; urgency: string };
  }[];
  const { windowOpensAt, renewsFrom, windowClosesAt, urgency } = device?.renewal ?? {
    windowOpensAt: '',
    renewsFrom: '',
    windowClosesAt: '',
    urgency: '',
  };
  expect(windowOpensAt < renewsFrom && renewsFrom < windowClosesAt).toBe(true);
  expect(windowOpensAt.slice(0, 10)).toBe(
    new Date(Date.now() + 0.6 * 365 * DAY_MS).toISOString().slice(0, 10),
  );
  expect(urgency).toBe('none');
});

test('the days are those of the current certificates, whatever becomes of them', async () => {
  const { database } = api;
  const counted = () =>
    database.query(
      `select certificate_day(not_after)::text as ends, count(*)::int as certificates from certificate_deliveries
        where state = 'proven' and not_after is not null and not_before is not null group by 1 order by 1`,
    );
  const saved = () =>
    database.query(
      `select ends::text, sum(certificates)::int as certificates from certificate_days where certificates <> 0 group by 1 order by 1`,
    );
  const renewed = 'the renewed one';
  const changes: readonly (() => Promise<unknown>)[] = [
    () =>
      database.query(
        `insert into certificate_deliveries (id, device_id, integration_id, slot, payload_uuid, command_uuid, state, challenge_fetched_at)
           select $1, device_id, integration_id, 'b', gen_random_uuid(), gen_random_uuid(), 'sent', now()
             from certificate_deliveries limit 1`,
        [renewed],
      ),
    () => {
      const [notBefore, provenAt] = [new Date(), new Date()];
      const notAfter = new Date(Date.now() + 365 * DAY_MS);
      const proof = { serialNumber: '1', issuer: 'CN=Okta', notBefore, notAfter, provenAt };
      return database.inTransaction((sql) => proveDelivery(sql, fleet.deviceId, renewed, proof, PROVEN));
    },
    () => recordRemovedDeliveries(database, fleet.deviceId, 'System', [], new Date()),
    () => database.query(`update certificate_deliveries set state = 'proven' where id = $1`, [renewed]),
    () => database.query('delete from devices'),
  ];
  const totals: number[] = [];
  for (const change of changes) {
    await change();
    expect(await saved()).toEqual(await counted());
    totals.push((await saved()).length);
  }
  expect(totals).toEqual([1, 1, 0, 1, 0]);
});
