// The doctor over a fleet in the tables: facts are found where devices, Okta and connections left them.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { upsertOktaDevices } from '../../adapters/store/integration/okta-devices.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet, type SeededFleet } from '../../test/harness/seeded-fleet.ts';

let api: AdminApi;
let fleet: SeededFleet;
beforeAll(async () => {
  api = await openAdminApi();
  fleet = await seedFleet(api.database, api.ring);
});
afterAll(() => api.close());

interface Diagnosis {
  readonly cause: string;
  readonly evidence: string;
  readonly action: string | null;
  readonly user: string | null;
}
const examine = async (id = fleet.deviceId): Promise<Diagnosis[]> =>
  (await api.call('GET', `/api/devices/${id}/doctor`)).body.items as Diagnosis[];
const find = async (cause: string): Promise<Diagnosis | undefined> =>
  (await examine()).find((one) => one.cause === cause);
const { stringify } = JSON;

test('a certificate that another device was delivered is told by its serial number, with a new one as the cure', async () => {
  const [other] = await api.database.query<{ id: string }>(
    `select id from devices where id <> $1 and platform = 'macOS' order by id limit 1`,
    [fleet.deviceId],
  );
  await api.database.query(
    `insert into certificate_deliveries (id, device_id, integration_id, slot, payload_uuid, command_uuid, state, challenge_fetched_at, serial_number)
     values ('clone', $1, $2, 'a', gen_random_uuid(), gen_random_uuid(), 'superseded', now(), 'c10e')`,
    [other?.id, fleet.ids['integrations']],
  );
  expect(await find('shared_certificate')).toBeUndefined();
  const listed = [
    {
      serialNumber: 'c10e',
      commonName: 'Mac',
      organizationalUnits: [],
      issuer: 'CN=Okta',
      isIdentity: true,
      notAfter: '2099-01-01T00:00:00Z',
    },
  ];
  await api.database.query(
    `insert into reported_inventory (device_id, certificates) values ($1, $2)
     on conflict (device_id) do update set certificates = excluded.certificates`,
    [fleet.deviceId, stringify(listed)],
  );
  expect(await find('shared_certificate')).toMatchObject({
    evidence: expect.stringMatching(/^Also listed by Device \d\.$/) as string,
    action: 'renew',
  });
  // It is the only valid one that the Mac has, until its own is there.
  const there = {
    evidence: 'The device lists "Mac" (issued by CN=Okta, expires on 2099-01-01).',
    action: null,
  };
  expect(await find('foreign_certificate_needed')).toMatchObject(there);
  expect(await find('foreign_certificate')).toBeUndefined();
  await api.database.query(
    `insert into device_truths (device_id, truth, state, evidence, since) values ($1, 'certificatePresent', 'held', '', now())
     on conflict (device_id, truth) do update set state = 'held'`,
    [fleet.deviceId],
  );
  expect(await find('foreign_certificate')).toMatchObject(there);
});

test('what another product left on the device is told by its profile', async () => {
  const profiles = [
    {
      identifier: 'com.old-mdm.okta',
      uuid: 'A',
      displayName: 'Old MDM',
      payloads: [{ type: 'com.apple.security.scep', identifier: 'x' }],
    },
    {
      identifier: 'odette.enrollment',
      uuid: 'B',
      displayName: 'Odette enrollment',
      payloads: [{ type: 'com.apple.security.scep', identifier: 'y' }],
    },
    {
      identifier: 'com.fleetdm.fleet.mdm.apple.mdm',
      uuid: 'C',
      displayName: 'Fleet enrollment',
      payloads: [
        { type: 'com.apple.security.scep', identifier: 'z' },
        { type: 'com.apple.mdm', identifier: 'm' },
      ],
    },
    {
      identifier: 'com.kandji.profile.custom.54bef6b3-b25e-44b4-89fd-d528d73939e4',
      uuid: 'D',
      displayName: 'Okta Verify',
      payloads: [{ type: 'com.okta.mobile', identifier: 's' }],
    },
  ];
  await api.database.query('update reported_inventory set profiles = $2 where device_id = $1', [
    fleet.deviceId,
    stringify(profiles),
  ]);
  // The profile with which the device enrolled brings one too: in Odette, or in the server of its channel.
  expect((await find('foreign_scep_profile'))?.evidence).toBe(
    'The device lists "Old MDM" with com.apple.security.scep.',
  );
  expect((await find('foreign_settings'))?.evidence).toBe(
    'The device lists "Okta Verify" of Iru (Kandji) with com.okta.mobile.',
  );
});

test('another user whom Okta names is taken over by a change of the device', async () => {
  await upsertOktaDevices(
    api.database,
    fleet.ids['integrations'] ?? '',
    [
      {
        id: 'guoDoctor',
        platform: 'MACOS',
        serialNumber: 'C02SEED0',
        displayName: 'Device 0',
        status: 'ACTIVE',
        registered: true,
        users: [{ id: '00u1', login: 'smith@acme.example', managementStatus: 'MANAGED' }],
        created: '2026-01-01T00:00:00.000Z',
        lastUpdated: '2026-01-01T00:00:00.000Z',
      },
    ],
    new Date(),
  );
  await api.database.query(
    `update okta_devices set device_id = case when okta_id = 'guoDoctor' then $1::uuid end, match = 'serial_number'`,
    [fleet.deviceId],
  );
  const found = await find('managed_for_other_user');
  expect(found).toMatchObject({ action: 'take_user_over', user: 'smith@acme.example' });
  await api.call('PATCH', `/api/devices/${fleet.deviceId}`, { user: found?.user });
  expect(await find('managed_for_other_user')).toBeUndefined();
});

test('a connection that fails is told where it matters: the challenge on Macs', async () => {
  const phones = await api.database.query<{ id: string }>(
    `select id from devices where platform = 'iOS' order by id limit 1`,
  );
  expect(await find('challenge_password_wrong')).toBeDefined();
  expect((await examine(phones[0]?.id)).map(({ cause }) => cause)).not.toContain('challenge_password_wrong');
});

test('the fleet is examined without its trusted devices, page by page; out of scope nothing is found', async () => {
  const whole = (await api.call('GET', '/api/doctor')).body.items as {
    device: { id: string; bucket: string };
  }[];
  expect(whole.length).toBeGreaterThan(2);
  expect(whole.map(({ device }) => device.bucket)).not.toContain('trusted');
  const first = await api.call('GET', '/api/doctor?limit=2');
  const rest = await api.call('GET', `/api/doctor?after=${first.body.next as string}`);
  const ids = [first, rest].flatMap(({ body }) =>
    (body.items as typeof whole).map(({ device }) => device.id),
  );
  expect(ids).toEqual(whole.map(({ device }) => device.id));
  await api.database.query('update library_items set device_trust_on = false');
  expect(await examine()).toEqual([]);
});
