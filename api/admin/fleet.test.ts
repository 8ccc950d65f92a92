// Devices, library item and rollouts through the API: lists page without a gap, and a saved change tells exactly the devices it touches.
// Long, because all of it is asked of one seeded fleet.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CataloguedError } from '../../domain/failures.ts';
import { recordHealth } from '../../adapters/store/integration/integrations.ts';
import { saveAppsAndBooksToken } from '../../adapters/store/integration/apps-and-books-tokens.ts';
import {
  findPushCertificate,
  markPushCertificate,
  storePushCertificate,
  type PushCertificateRow,
} from '../../adapters/store/devices/push-certificates.ts';
import { recordUnparsedResponse } from '../../adapters/store/devices/inventory.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import { recordTrustedDay } from '../../adapters/store/fleet/trusted-days.ts';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import { FAILURES, type FailureCode } from '../../domain/failures.ts';
import { alarmsOf } from './status.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet, type SeededFleet } from '../../test/harness/seeded-fleet.ts';

let api: AdminApi;
let askedApple = 0;
let fleet: SeededFleet;
beforeAll(async () => {
  api = await openAdminApi({
    settings: {
      appsAndBooks: () => {
        askedApple += 1;
        return Promise.reject(new CataloguedError('apps_and_books.token_missing'));
      },
    },
  });
  fleet = await seedFleet(api.database, api.ring);
});
afterAll(() => api.close());

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly bucket: string;
}
const list = async (query: string): Promise<Listed[]> =>
  (await api.call('GET', `/api/devices?${query}`)).body.items as Listed[];
const names = async (query: string): Promise<string[]> => (await list(query)).map(({ name }) => name);

/** What the outbox was given since the last look. */
async function told(): Promise<Record<string, unknown>[]> {
  const rows = await api.database.query<{ message: Record<string, unknown> }>(
    'with gone as (delete from outbox returning message, position) select message from gone order by position',
  );
  return rows.map(({ message }) => message);
}

describe('the device list', () => {
  test.each(['name', 'serialNumber', 'user', 'lastContact', 'certificateNotAfter', 'changed'])(
    'pages by %s in both directions without a gap or a repetition',
    async (sort) => {
      for (const order of ['asc', 'desc']) {
        const whole = (await list(`sort=${sort}&order=${order}`)).map(({ id }) => id);
        const paged: string[] = [];
        let next: string | null = '';
        while (next !== null) {
          const after: string = next === '' ? '' : `&after=${next}`;
          const { body } = await api.call('GET', `/api/devices?sort=${sort}&order=${order}&limit=2${after}`);
          paged.push(...(body.items as Listed[]).map(({ id }) => id));
          next = body.next as string | null;
        }
        expect(whole).toHaveLength(6);
        expect(paged).toEqual(whole);
      }
    },
  );

  test('a cursor of another order is refused', async () => {
    const { body } = await api.call('GET', '/api/devices?limit=1');
    const answer = await api.call('GET', `/api/devices?sort=user&after=${body.next as string}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'request.invalid']);
  });

  test('filters widen within one and narrow between several', async () => {
    expect(await names('bucket=needs_you')).toEqual(['Device 3', 'Device 5']);
    expect(await names('bucket=needs_you&bucket=trusted')).toEqual(['Device 0', 'Device 3', 'Device 5']);
    expect(await names('bucket=needs_you&family=iPhone&search=c02seed3')).toEqual(['Device 3']);
    expect(await names('bucket=out_of_scope')).toEqual(['Device 4']);
    expect(await names('failureCode=mdm.device_silent&platform=iOS')).toEqual(['Device 3', 'Device 5']);
    expect(await names('holds=delivered')).toEqual(['Device 0']);
    expect(await names('lacks=managed&bucket=needs_user&holds=delivered')).toEqual([]);
    expect(await names('lacks=managed&platform=macOS')).toEqual(['Device 2', 'Device 4']);
    expect(await names('search=USER2')).toEqual(['Device 2']);
    expect(await names('search=%25')).toEqual([]);
    expect(
      await names(`certificateExpiresBefore=${new Date(Date.now() + 91 * 86_400_000).toISOString()}`),
    ).toHaveLength(6);
  });

  test('the channel that a device is on finds it, is shown, and says where it enrolls again', async () => {
    const device = `(select id from devices where name = 'Device 2')`;
    await api.database.query(
      `update devices set channel_id = $1, enrollment_status = 'checked_out' where name = 'Device 2'`,
      [fleet.ids['channels']],
    );
    await api.database.query(
      `update device_trust set bucket = 'left', obstacle = 'left', waits_for = null where device_id = ${device}`,
    );
    const ofChannel = `channel=${fleet.ids['channels'] ?? ''}`;
    expect(await names(ofChannel)).toEqual(['Device 2']);
    expect(await names('channel=built_in')).toHaveLength(5);
    expect(await names(`channel=built_in&${ofChannel}`)).toHaveLength(6);
    const [listed] = await list(ofChannel);
    const { body: page } = await api.call('GET', `/api/devices/${listed?.id ?? ''}`);
    expect(listed).toMatchObject({ channel: { kind: 'nanomdm', name: 'NanoMDM' }, nextStep: page.nextStep });
    expect(page.nextStep.text).toContain('enroll it again in NanoMDM.');
    expect(page.nextStep.action).toBeNull();
    const { text } = await api.call('GET', `/api/devices/export?${ofChannel}`);
    expect(text).toContain(',NanoMDM,left,');
    expect((await api.call('GET', '/api/devices?channel=nobody')).status).toBe(400);
    await api.database.query(
      `update devices set channel_id = null, enrollment_status = 'enrolled' where name = 'Device 2'`,
    );
    await api.database.query(
      `update device_trust set bucket = 'in_progress', obstacle = null, waits_for = 'Nothing.' where device_id = ${device}`,
    );
  });

  test('totals and buckets are those of the devices in scope', async () => {
    const { body } = await api.call('GET', '/api/status');
    expect(body.devices).toMatchObject({ total: 5, delivered: 1, managed: 1 });
    expect(body.buckets).toMatchObject({
      trusted: 1,
      needs_you: 2,
      needs_user: 1,
      in_progress: 1,
    });
  });

  test('the CSV of a filter runs nothing in a spreadsheet', async () => {
    await api.database.query(`update devices set name = '=cmd("x")' where name = 'Device 5'`);
    const { text, headers } = await api.call('GET', '/api/devices/export?bucket=needs_you');
    expect(headers.get('content-type')).toMatch('text/csv');
    expect(text.trim().split('\r\n')).toHaveLength(3);
    expect(text).toContain(`"'=cmd(""x"")"`);
    await api.database.query(`update devices set name = 'Device 5' where name like '=cmd%'`);
  });
});

describe('who acts next', () => {
  const withObstacle = (obstacle: string | null) =>
    api.database.query(
      `update device_trust set obstacle = $1 from devices where devices.id = device_id and name = 'Device 3'`,
      [obstacle],
    );

  test('list, page and to-do list say the same of a device, and the list finds it by what stands in its way', async () => {
    await withObstacle('user_unknown');
    const [listed] = (await api.call('GET', '/api/devices?obstacle=user_unknown')).body.items;
    const { body: page } = await api.call('GET', `/api/devices/${listed.id as string}`);
    expect([listed.name, listed.nextStep]).toEqual(['Device 3', page.nextStep]);
    expect(page.nextStep).toMatchObject({ owner: 'you', action: 'set_user' });
    const { steps } = (await api.call('GET', '/api/status')).body;
    const ofDevices = steps.filter(({ id }: { id: string }) => id.startsWith('devices:'));
    expect(ofDevices.map(({ id, owner, devices }: Record<string, unknown>) => [id, owner, devices])).toEqual([
      ['devices:needs_you:mdm.device_silent', 'you', 1],
      ['devices:needs_you:user_unknown', 'you', 1],
      ['devices:needs_user:sign_in', 'user', 1],
    ]);
    await withObstacle(null);
    expect(await names('obstacle=user_unknown')).toEqual([]);
  });

  test('a new installation has its ticks until all are done, each true to the tables', async () => {
    const ticks = (await api.call('GET', '/api/status')).body.onboarding as { id: string; isDone: boolean }[];
    expect(ticks.filter(({ isDone }) => isDone).map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        'integration',
        'library_item',
        'enrollment_code',
        'first_device',
        'first_trusted',
      ]),
    );
    expect(ticks.filter(({ isDone }) => !isDone).map(({ id }) => id)).toContain('push_certificate');
  });

  test('“Ask Okta now” asks Okta and not the device; without a tenant it is refused', async () => {
    await told();
    const asked = await api.call('POST', `/api/devices/${fleet.deviceId}/ask-okta`);
    expect(asked.status).toBe(202);
    const [wish] = await api.database.query<{ integrationId: string; deviceId: string }>(
      'select * from okta_looks where is_wish',
    );
    expect(wish?.deviceId).toBe(fleet.deviceId);
    expect(await told()).toEqual([{ kind: 'pollOktaTrust', integrationId: wish?.integrationId }]);
    const [outside] = await list('bucket=out_of_scope');
    const refused = await api.call('POST', `/api/devices/${outside?.id ?? ''}/ask-okta`);
    expect([refused.status, refused.body.code]).toEqual([409, 'request.conflict']);
  });
});

test('trusted over time is a row a day that the last sweep of the day writes, of all integrations together', async () => {
  const { database } = api;
  const { ids } = fleet;
  const yesterday = new Date(Date.now() - 86_400_000);
  const integrationId = ids['integrations'] ?? '';
  await recordTrustedDay(database, integrationId, yesterday);
  await database.query('update trusted_days set trusted = 0, devices = 9');
  await recordTrustedDay(database, integrationId, new Date());
  await recordTrustedDay(database, integrationId, new Date());
  const { items } = (await api.call('GET', '/api/totals/by-day?days=30')).body as {
    items: Record<string, unknown>[];
  };
  expect(items).toEqual([
    { day: yesterday.toISOString().slice(0, 10), devices: 9, trusted: 0 },
    { day: new Date().toISOString().slice(0, 10), devices: 5, trusted: 1 },
  ]);
  expect((await api.call('GET', '/api/totals/by-day?days=1')).body.items).toHaveLength(1);
});

describe('evidence', () => {
  test('carries the time at which the device or Okta gave it, “held since” only where it holds, and none for what does not apply', async () => {
    const { database } = api;
    const [phone] = await list('family=iPhone');
    await database.query(
      `update reported_inventory set profiles_at = '2026-11-29T03:04:00Z' where device_id = $1`,
      [fleet.deviceId],
    );
    await database.query(
      `update okta_devices set observed_at = '2026-11-29T04:15:00Z' where device_id = $1`,
      [fleet.deviceId],
    );
    await database.query(
      `insert into device_truths (device_id, truth, state, evidence, since) values ($1, 'managed', 'not_held', 'Okta says NOT_MANAGED.', now())`,
      [fleet.deviceId],
    );
    const evidence = async (id: string) =>
      (await api.call('GET', `/api/devices/${id}`)).body.evidence as Record<string, string | null>[];
    const ofMac = await evidence(fleet.deviceId);
    expect(ofMac[0]).toMatchObject({ state: 'held', source: 'device', at: '2026-11-29T03:04:00.000Z' });
    expect(ofMac[0]?.['since']).not.toBeNull();
    expect(ofMac[4]).toMatchObject({
      state: 'not_held',
      source: 'okta',
      at: '2026-11-29T04:15:00.000Z',
      since: null,
    });
    expect((await evidence(phone?.id ?? ''))[1]).toMatchObject({
      state: 'not_applicable',
      source: null,
      at: null,
      since: null,
    });
    await database.query(`delete from device_truths where truth = 'managed'`);
  });

  test('a certificate is neither held nor lacking on an iPhone, in lists and in totals', async () => {
    const { database } = api;
    const phones = (await api.call('GET', '/api/devices?platform=iOS')).body.items as {
      truths: Record<string, unknown>;
    }[];
    expect(new Set(phones.map(({ truths }) => truths['certificatePresent']))).toEqual(new Set([null]));
    expect(await names('platform=iOS&holds=certificatePresent')).toEqual([]);
    expect(await names('platform=iOS&lacks=certificatePresent')).toEqual([]);
    const [{ macs }] = (await database.query(
      `select count(*)::int as macs from device_trust join devices on devices.id = device_id
        where platform = 'macOS' and integration_id is not null`,
    )) as [{ macs: number }];
    expect((await api.call('GET', '/api/status')).body.devices).toMatchObject({
      certificateApplies: macs,
      certificatePresent: 1,
    });
  });
});

describe('one device', () => {
  test('shows five truths, payload set, certificate, Okta record and rollouts', async () => {
    const { body } = await api.call('GET', `/api/devices/${fleet.deviceId}`);
    expect(
      body.evidence.map((each: { truth: string; state: string }) => `${each.truth} ${each.state}`),
    ).toEqual([
      'delivered held',
      'certificatePresent unknown',
      'oktaVerifyManaged unknown',
      'registered unknown',
      'managed unknown',
    ]);
    expect(body.certificates).toMatchObject([{ slot: 'a', state: 'proven', serialNumber: 'ab12' }]);
    expect(body.oktaRecords).toMatchObject([
      { adminUrl: 'https://acme.okta.com/admin/devices/guo1', users: [{ managementStatus: 'MANAGED' }] },
    ]);
    expect(body.oktaVerify).toEqual({ status: 'Managed', version: '9.1', isAppStore: true });
    expect(body.temporalUrl).toBe(
      `http://127.0.0.1:8233/namespaces/default/workflows/rollout%2F${fleet.deviceId}`,
    );
  });

  test('shows the profiles it should have with every secret masked, and fetches no challenge for it', async () => {
    const { body } = await api.call('GET', `/api/devices/${fleet.deviceId}/profiles`);
    expect(body.items.map((each: { kind: string }) => each.kind)).toEqual(['certificate', 'settings', 'sso']);
    expect(body.items[0].xml).toContain('••••••••');
    expect(body.items[1].xml).toContain('https://acme.okta.com');
    const [phone] = await list('family=iPhone');
    const phones = await api.call('GET', `/api/devices/${phone?.id ?? ''}/profiles`);
    expect(phones.body.items.map((each: { kind: string }) => each.kind)).toEqual([
      'sso',
      'app_configuration',
    ]);
    expect(phones.body.items[1].xml).toContain('••••••••');
  });

  test('says which command the device refused, and in which words', async () => {
    const [device] = await list('bucket=needs_you');
    const id = device?.id ?? '';
    const [{ code } = { code: '' }] = await api.database.query<{ code: string }>(
      'select failure_code as code from device_trust where device_id = $1',
      [id],
    );
    const errorChain = [
      { code: 4001, domain: 'MCInstallationErrorDomain', description: 'Profile installation failed' },
      { code: 15002, domain: 'MDM-SCEP', description: 'SCEP server returned an invalid response' },
    ];
    await api.database.query(
      `insert into commands (uuid, device_id, enrollment_id, workflow_id, step, request_type, state, status, failure, responded_at)
         select gen_random_uuid(), id, enrollment_id, 'rollout/' || id, 'rollout.profile.sso', 'InstallProfile', 'responded', 'Error', $2, now()
           from devices where id = $1`,
      [id, { code, errorChain }],
    );
    const { body } = await api.call('GET', `/api/devices/${id}`);
    expect(body['deviceError']).toMatchObject({
      requestType: 'InstallProfile',
      text: 'SCEP server returned an invalid response (MDM-SCEP 15002)',
      errorChain,
    });
  });

  test('shows an admin, and nobody else, what of a device could not be read', async () => {
    const path = `/api/devices/${fleet.deviceId}/unreadable-responses`;
    await recordUnparsedResponse(api.database, {
      deviceId: fleet.deviceId,
      reason: 'not a device message',
      body: Buffer.from('<plist>'),
    });
    const { body } = await api.call('GET', path);
    expect(body['items']).toMatchObject([
      { reason: 'not a device message', body: Buffer.from('<plist>').toString('base64') },
    ]);
    const { body: made } = await api.call('POST', '/api/tokens', { name: 'op', role: 'operator' });
    const refused = await api.call('GET', path, undefined, {
      authorization: `Bearer ${String(made['token'])}`,
    });
    expect([refused.status, refused.body.code]).toEqual([403, 'request.not_allowed']);
  });

  test('its timeline is newest first, page by page', async () => {
    const first = await api.call('GET', `/api/devices/${fleet.deviceId}/timeline?limit=1`);
    expect(first.body.items).toMatchObject([{ kind: 'rollout_started' }]);
    const second = await api.call(
      'GET',
      `/api/devices/${fleet.deviceId}/timeline?after=${first.body.next as string}`,
    );
    expect(second.body).toMatchObject({ items: [{ kind: 'enrolled' }], next: null });
  });
});

describe('what an operator asks', () => {
  test('a rollout that an operator starts asks a user who refused once more', async () => {
    await told();
    const body = { deviceIds: [fleet.deviceId], reason: 'the user agreed' };
    expect((await api.call('POST', '/api/rollouts', body)).status).toBe(202);
    expect(await told()).toEqual([
      { kind: 'rollOutDevice', deviceId: fleet.deviceId, reason: 'the user agreed', asksUserAgain: true },
    ]);
  });

  test('check and renew become messages of that device, in the transaction of their audit row', async () => {
    await told();
    expect((await api.call('POST', `/api/devices/${fleet.deviceId}/check`)).status).toBe(202);
    expect((await api.call('POST', `/api/devices/${fleet.deviceId}/renew`, { reason: 'test' })).status).toBe(
      202,
    );
    expect(await told()).toEqual([
      {
        kind: 'rollOutDevice',
        deviceId: fleet.deviceId,
        reason: 'someone requested a check',
        asksUserAgain: true,
      },
      { kind: 'keepCertificate', deviceId: fleet.deviceId, signal: 'renewNow', body: { reason: 'test' } },
    ]);
    const [phone] = await list('family=iPhone');
    expect((await api.call('POST', `/api/devices/${phone?.id ?? ''}/renew`)).body.code).toBe(
      'request.conflict',
    );
  });

  test('failures are grouped by cause, and a whole group is replayed after a preview', async () => {
    const { body } = await api.call('GET', '/api/rollouts/failures');
    expect(body.items).toMatchObject([{ failure: { code: 'mdm.device_silent', owner: 'user' }, devices: 2 }]);
    const group = { failureCode: 'mdm.device_silent', reason: 'network repaired' };
    const preview = await api.call('POST', '/api/rollouts/replay', { ...group, preview: true });
    expect(preview.body).toEqual({
      devices: 2,
      lacking: { delivered: 2, certificatePresent: 0, oktaVerifyManaged: 2 },
      replayId: null,
      next: null,
    });
    expect(await told()).toEqual([]);
    await api.call('POST', '/api/rollouts/replay', group, { 'idempotency-key': 'replay' });
    await api.call('POST', '/api/rollouts/replay', group, { 'idempotency-key': 'replay' });
    expect(await told()).toHaveLength(2);
    expect((await api.call('GET', '/api/audit?action=rollout.replayed')).body.items).toMatchObject([
      { detail: { reason: 'network repaired' } },
    ]);
    expect((await api.call('GET', '/api/rollouts?state=failed')).body.items).toHaveLength(2);
  });

  test('a failed rollout says why it failed, also while its device is busy with the next one', async () => {
    const [failed] = await list('search=C02SEED3');
    const id = failed?.id ?? '';
    const at = async (state: string) =>
      (await api.call('GET', `/api/rollouts?state=${state}`)).body.items as {
        device: { id: string };
        failure: { code: string; title: string; remedy: string } | null;
        phase: string | null;
        waitsFor: string | null;
      }[];
    const isOf = ({ device }: { device: { id: string } }) => device.id === id;
    await api.database.query(
      `insert into rollout_runs (run_id, device_id, workflow_id, started_at) values ('run-again', $1, 'rollout/again', now())`,
      [id],
    );
    const busyWith = (phase: string, waitsFor: string) =>
      api.database.query('update device_trust set phase = $2, waits_for = $3 where device_id = $1', [
        id,
        phase,
        waitsFor,
      ]);
    try {
      await busyWith('profiles', 'The iPhone installs its profiles.');
      expect((await at('failed')).find(isOf)).toMatchObject({
        failure: {
          code: 'mdm.device_silent',
          title: expect.any(String) as string,
          remedy: expect.any(String) as string,
        },
        phase: null,
        waitsFor: null,
      });
      expect(await at('running')).toMatchObject([
        { failure: null, phase: 'profiles', waitsFor: 'The iPhone installs its profiles.' },
      ]);
      expect(await at('waiting')).toEqual([]);
      await busyWith('waiting_for_license', 'A license.');
      expect(await at('running')).toEqual([]);
      expect(await at('waiting')).toMatchObject([{ phase: 'waiting_for_license', waitsFor: 'A license.' }]);
    } finally {
      await api.database.query(`delete from rollout_runs where run_id = 'run-again'`);
      await busyWith('failed', 'Nothing.');
    }
  });

  const ask = (body: object) => api.call('POST', '/api/devices/requests', body);

  test('a filter is asked as a whole', async () => {
    const asked = await ask({ action: 'check', filter: { family: ['iPhone'] } });
    expect(asked).toMatchObject({ status: 202, body: { devices: 3, next: null } });
    expect(await told()).toHaveLength(3);
    expect((await ask({ action: 'check' })).status).toBe(400);
  });

  test('a preview counts the devices that the action does something to', async () => {
    const everywhere = { blueprintId: [fleet.ids['blueprints']] };
    const preview = async (request: object) =>
      (await ask({ filter: everywhere, ...request, preview: true })).body.devices as number;
    const { id: elsewhere } = (await api.call('POST', '/api/blueprints', { name: 'Elsewhere' })).body;
    expect(await preview({ action: 'check' })).toBe(6);
    expect(await preview({ action: 'renew' })).toBe(3);
    expect(await preview({ action: 'move', blueprintId: elsewhere })).toBe(6);
    expect(await preview({ action: 'move', blueprintId: fleet.ids['blueprints'] })).toBe(0);
    await api.database.query(
      `update devices set enrollment_status = 'checked_out' where serial_number = 'C02SEED2'`,
    );
    expect([await preview({ action: 'check' }), await preview({ action: 'renew' })]).toEqual([5, 2]);
    await api.database.query(
      `update devices set enrollment_status = 'enrolled' where serial_number = 'C02SEED2'`,
    );
    expect(await told()).toEqual([]);
  });

  test.each(['check', 'renew'])(
    'more devices than one request takes to %s are asked in portions, each device once',
    async (action) => {
      const filter = { platform: ['macOS'] };
      const one = { action, filter, limit: 2 };
      expect((await ask({ ...one, limit: 100_001 })).status).toBe(400);
      const { body: seen } = await ask({ ...one, preview: true });
      expect(seen).toEqual({ devices: 2, next: expect.any(String) as string });
      const { body: first } = await ask(one);
      expect(first).toEqual(seen);
      const { body: rest } = await ask({ ...one, after: first.next });
      expect(rest).toEqual({ devices: 1, next: null });
      const devices = (await told()).map(({ deviceId }) => deviceId);
      expect(devices.toSorted()).toEqual((await list('platform=macOS')).map(({ id }) => id).toSorted());
    },
  );
});

describe('the library item', () => {
  const item = () => ({
    integrationId: fleet.ids['integrations'],
    deviceTrustOn: true,
    blueprintIds: [fleet.ids['blueprints']],
    confirmPolicyIsLifted: true,
  });
  const at = () => `/api/library-items/${fleet.ids['library-items'] ?? ''}`;

  test('is saved on the version it was read at, and not over a newer one', async () => {
    const read = await api.call('GET', at());
    expect(read.body).toMatchObject({
      families: ['Mac', 'iPhone', 'iPad'],
      oktaDomain: 'acme.okta.com',
      buckets: { needs_you: 2 },
    });
    const version = { 'if-match': read.headers.get('etag') ?? '' };
    expect((await api.call('PUT', at(), item(), version)).status).toBe(200);
    const late = await api.call('PUT', at(), item(), version);
    expect([late.status, late.body.code]).toEqual([412, 'request.changed_meanwhile']);
  });

  test('saved, it starts only devices whose desired state changed', async () => {
    const families = async (change: object) => {
      await told();
      expect((await api.call('PUT', at(), { ...item(), ...change })).status).toBe(200);
      const ids = (await told()).map(({ deviceId }) => deviceId);
      const rows = await api.database.query<{ family: string }>(
        'select family from devices where id = any ($1) order by family',
        [ids],
      );
      return rows.map(({ family }) => family);
    };
    await families({});
    expect(await families({})).toEqual([]);
    expect(await families({ settings: { launchOptions: 'none' } })).toEqual(['Mac', 'Mac', 'Mac']);
    expect(await families({ settings: {} })).toEqual(['Mac', 'Mac', 'Mac']);
    expect(await families({ blueprintIds: [] })).toHaveLength(6);
    expect(await families({})).toHaveLength(6);
  });

  test('turning it off tells its devices; turning it on again needs the confirmation', async () => {
    await told();
    const off = await api.call('PUT', at(), { ...item(), deviceTrustOn: false });
    expect(off.body).toMatchObject({ deviceTrustOn: false, overridesAppConfiguration: false });
    expect(await told()).toHaveLength(6);
    const unconfirmed = await api.call('PUT', at(), item());
    expect([unconfirmed.status, unconfirmed.body.code]).toEqual([422, 'library.confirmation_needed']);
    expect(unconfirmed.body.detail).toContain('overrides');
    expect(await told()).toEqual([]);
    const on = await api.call('PUT', at(), { ...item(), confirmAppConfigurationOverride: true });
    expect(on.body.deviceTrustOn).toBe(true);
    expect(await told()).toHaveLength(6);
  });

  test('the preview counts what would be sent and what is missing', async () => {
    const { body } = await api.call('POST', '/api/library-items/preview', {
      ...item(),
      blueprintIds: [],
      libraryItemId: fleet.ids['library-items'],
    });
    expect(body).toMatchObject({
      devices: 0,
      leaving: 6,
      removalStartsInMinutes: 15,
      usersLosingTrust: ['user0@acme.example'],
      usersLosingTrustTotal: 1,
    });
    const fresh = await api.call('POST', '/api/library-items/preview', item());
    expect(fresh.body).toMatchObject({
      devices: 6,
      byFamily: { Mac: 3, iPhone: 3, iPad: 0 },
      usersAsked: 3,
      pushCertificate: { ok: false, failure: { code: 'apns.certificate_missing' } },
      appsAndBooksToken: { ok: false },
      needsConfirmation: true,
      testBlueprint: { suggestedDevices: expect.any(Array) as unknown[] },
    });
  });

  test('the preview counts every user who loses trust, and names a hundred', async () => {
    await api.database.query(
      `update okta_devices set users = users || (select jsonb_agg(jsonb_build_object('id', n, 'login', 'many' || n || '@acme.example',
         'managementStatus', 'MANAGED')) from generate_series(1, 150) as n)`,
    );
    const { body } = await api.call('POST', '/api/library-items/preview', {
      ...item(),
      deviceTrustOn: false,
      libraryItemId: fleet.ids['library-items'],
    });
    expect(body.usersLosingTrustTotal).toBe(151);
    expect(body.usersLosingTrust).toHaveLength(100);
  });

  test('the preview counts only devices that this save sends something to', async () => {
    const preview = async (change: object) =>
      (
        await api.call('POST', '/api/library-items/preview', {
          ...item(),
          libraryItemId: fleet.ids['library-items'],
          ...change,
        })
      ).body as unknown;
    expect(await preview({})).toMatchObject({ devices: 0, unchanged: 6, usersAsked: 0 });
    // What it says is what devices have by default.
    const asItIs = { launchOptions: 'HideMainWindow', removeAppOnRemoval: true };
    expect(await preview({ settings: asItIs })).toMatchObject({ devices: 0, unchanged: 6 });
    expect(await preview({ settings: { launchOptions: 'none' } })).toMatchObject({
      devices: 3,
      byFamily: { Mac: 3, iPhone: 0, iPad: 0 },
      unchanged: 3,
    });
    const { id } = (await api.call('POST', '/api/blueprints', { name: 'Joins' })).body as { id: string };
    const moved = fleet.deviceId;
    await api.database.query('update devices set blueprint_id = $2 where id = $1', [moved, id]);
    expect(await preview({ blueprintIds: [fleet.ids['blueprints'], id] })).toMatchObject({
      devices: 1,
      unchanged: 5,
    });
    await api.database.query('update devices set blueprint_id = $2 where id = $1', [
      moved,
      fleet.ids['blueprints'],
    ]);
  });

  test('the preview says what is wrong with the push certificate, of an earlier topic too, and what to do', async () => {
    const shown = async () =>
      (await api.call('POST', '/api/library-items/preview', item())).body.pushCertificate as {
        ok: boolean;
        text: string | null;
        failure: { remedy: string } | null;
      };
    const { database, ring } = api;
    const key = await storeSecret(database, ring, { kind: 'push_key', value: 'a key', by: 'test' });
    const store = async (topic: string, days: number) => {
      const notAfter = new Date(Date.now() + days * 86_400_000);
      await storePushCertificate(database, {
        topic,
        certificatePem: 'pem',
        keySecretId: key.id,
        accessRights: 'trust_only',
        notAfter,
      });
      return findPushCertificate(database, topic);
    };
    const first = await store('first', 200);
    expect(await shown()).toEqual({ ok: true, text: null, failure: null });
    await markPushCertificate(database, first as PushCertificateRow, 'refused');
    expect(await shown()).toMatchObject({
      ok: false,
      text: 'Apple rejects the push certificate: Odette cannot wake devices.',
      failure: { remedy: FAILURES['apns.certificate_refused'].remedy },
    });
    // Renewed: what APNs says late of the one before is not said of this one.
    await store('first', 9.5);
    await markPushCertificate(database, first as PushCertificateRow, 'refused');
    expect(await shown()).toMatchObject({
      ok: false,
      text: 'The push certificate expires in 9 days.',
      failure: { remedy: FAILURES['apns.certificate_refused'].remedy },
    });
    await store('first', -2);
    expect((await shown()).text).toBe('The push certificate has expired: Odette cannot wake devices.');
    // Another topic is in order, but a device is still woken with the one before.
    await store('second', 365);
    expect(await shown()).toMatchObject({ ok: true });
    await database.query(`update devices set topic = 'first' where id = $1`, [fleet.deviceId]);
    expect((await shown()).text).toBe(
      'The push certificate of the earlier topic first has expired: Odette cannot wake the devices that enrolled with it.',
    );
    await store('first', 365);
    expect(await shown()).toMatchObject({ ok: true });
    await database.query(`update devices set topic = null`);
    await database.query('delete from push_certificates');
  });

  test('a changed answer concerns the enrolled devices of the switched-on item, also of a platform to come; a preview does not count those', async () => {
    const at = `/api/integrations/${fleet.ids['integrations'] ?? ''}`;
    const impact = async () => {
      const { macOS, iOS } = (await api.call('GET', `${at}/impact`)).body as Record<string, number>;
      return { macOS, iOS };
    };
    expect(await impact()).toEqual({ macOS: 3, iOS: 3 });
    const { database } = api;
    await database.query(`update devices set enrollment_status = 'checked_out' where id = $1`, [
      fleet.deviceId,
    ]);
    expect(await impact()).toEqual({ macOS: 2, iOS: 3 });
    await database.query(`update devices set enrollment_status = 'enrolled' where id = $1`, [fleet.deviceId]);
    const platforms = await database.query<{ row: object }>(
      `with gone as (delete from integration_platforms where platform = 'iOS' returning *) select to_jsonb(gone) as row from gone`,
    );
    expect(await impact()).toEqual({ macOS: 3, iOS: 3 });
    const { body } = await api.call('POST', '/api/library-items/preview', item());
    expect(body.byFamily).toEqual({ Mac: 3, iPhone: 0, iPad: 0 });
    await database.query(
      'insert into integration_platforms select * from jsonb_populate_record(null::integration_platforms, $1)',
      [JSON.stringify(platforms[0]?.row)],
    );
    await database.query('update library_items set device_trust_on = false');
    expect(await impact()).toEqual({ macOS: 0, iOS: 0 });
    await database.query('update library_items set device_trust_on = true');
  });

  test('the preview of turning it off does not wait for Apple', async () => {
    const preview = (deviceTrustOn: boolean) =>
      api.call('POST', '/api/library-items/preview', {
        ...item(),
        deviceTrustOn,
        libraryItemId: fleet.ids['library-items'],
      });
    askedApple = 0;
    expect((await preview(false)).body).toMatchObject({ leaving: 6, appsAndBooksToken: null });
    expect(askedApple).toBe(0);
    await preview(true);
    expect(askedApple).toBe(1);
  });

  test('a test blueprint is proposed under a name that is free, and of devices without an item if none is chosen', async () => {
    const proposal = async (blueprintIds: unknown[]) =>
      (await api.call('POST', '/api/library-items/preview', { ...item(), blueprintIds })).body
        .testBlueprint as { name: string; suggestedDevices: { name: string }[] } | null;
    const everybody = [fleet.ids['blueprints']];
    expect((await proposal(everybody))?.name).toBe('Okta Device Trust test');
    expect(await proposal([])).toMatchObject({ suggestedDevices: [] });
    await api.database.query(`update devices set blueprint_id = null where name = 'Device 1'`);
    expect(await proposal([])).toMatchObject({ suggestedDevices: [{ name: 'Device 1' }] });
    await api.database.query(`update devices set blueprint_id = $1 where name = 'Device 1'`, everybody);
    for (const expected of [
      'Okta Device Trust test',
      'Okta Device Trust test 2',
      'Okta Device Trust test 3',
    ]) {
      const proposed = await proposal(everybody);
      expect(proposed?.name).toBe(expected);
      expect((await api.call('POST', '/api/blueprints', { name: proposed?.name })).status).toBe(201);
    }
  });

  test('a blueprint has one item', async () => {
    const other = await api.call('POST', '/api/library-items', { ...item(), deviceTrustOn: false });
    expect([other.status, other.body.code, other.body.detail]).toEqual([
      409,
      'library.blueprint_taken',
      'Everybody',
    ]);
  });
});

test('an enrollment code is shown once with a link that fills it in, is kept as a hash, and can be revoked', async () => {
  const at = `/api/blueprints/${fleet.ids['blueprints'] ?? ''}/enrollment-codes`;
  const made = await api.call('POST', at, { user: 'ada@acme.example' });
  const { code, link, maxUses } = made.body as { code: string; link: string; maxUses: number };
  expect([link, maxUses]).toEqual([`https://mdm.example.com/enroll#${code}`, 1]);
  const listed = await api.call('GET', at);
  expect(listed.text).not.toContain(code);
  expect((await api.call('DELETE', `/api/enrollment-codes/${made.body.id as string}`)).status).toBe(204);
  expect((await api.call('GET', at)).body.items).toMatchObject([{ revokedAt: expect.any(String) as string }]);
});

test('an Apps and Books token raises an alarm from a month before its end', async () => {
  const { database, ring } = api;
  const secret = await storeSecret(database, ring, {
    kind: 'apps_and_books_token',
    value: 'T',
    by: 'test',
    address: '127.0.0.1:9/',
  });
  const alarmsAt = async (days: number) => {
    const expiresAt = new Date(Date.now() + (days + 0.5) * 86_400_000);
    await saveAppsAndBooksToken(database, {
      secretId: secret.id,
      organization: 'Acme',
      location: 'Paris',
      expiresAt,
    });
    const alarms = await alarmsOf(database);
    return alarms.map(({ text }) => text).filter((text) => text.startsWith('The Apps'));
  };
  expect(await alarmsAt(30)).toEqual([]);
  expect(await alarmsAt(1)).toEqual(['The Apps and Books token expires in 1 day.']);
  expect(await alarmsAt(-1)).toEqual(['The Apps and Books token has expired: devices get no license.']);
  await database.query('delete from apps_and_books_tokens');
});

test('an alarm counts one in the singular', async () => {
  const texts = async () => (await alarmsOf(api.database)).map(({ text }) => text);
  for (const words of ['Odette refused 1 message that', 'Odette refused 2 messages that']) {
    await appendAudit(api.database, { actor: 'system', action: 'temporal.refused' });
    expect(await texts()).toContainEqual(expect.stringContaining(words));
  }
  await api.database.query(`delete from audit_entries where action = 'temporal.refused'`);
});

test('a connection that refuses Odette raises an alarm until it works again, and is told once', async () => {
  const integrationId = fleet.ids['integrations'] ?? '';
  const alarms = async () =>
    ((await api.call('GET', '/api/status')).body.alarms as { failure: { code: string } }[]).map(
      ({ failure }) => failure.code,
    );
  expect(await alarms()).toEqual(['okta.challenge_credentials_refused']);
  // Somebody may have reset the password in Okta: the alarm leads to its rotation.
  expect((await api.call('GET', '/api/status')).body.alarms).toMatchObject([
    { rotation: { integrationId, host: 'acme.okta.com', secret: 'challenge_password' } },
  ]);
  await recordHealth(api.database, integrationId, 'challenge', undefined);
  expect(await alarms()).toEqual([]);
  await recordHealth(api.database, integrationId, 'okta', 'okta.client_secret_wrong');
  await recordHealth(api.database, integrationId, 'okta', 'okta.client_secret_wrong');
  expect(await alarms()).toEqual(['okta.client_secret_wrong']);
  const told = await api.database.query(
    `select data from events where kind = 'integration.health_changed' order by id`,
  );
  expect(told).toEqual([
    { data: { connection: 'challenge', failureCode: null } },
    { data: { connection: 'okta', failureCode: 'okta.client_secret_wrong' } },
  ]);
});

test('a refusal of Okta that an admin must fix raises an alarm, unless only a setup meets it', async () => {
  const ofSetups: readonly FailureCode[] = ['okta.not_okta', 'okta.host_not_allowed', 'okta.classic_engine'];
  // The daily check finds these, no connection meets them.
  const ofChecks: readonly FailureCode[] = ['okta.custom_domain_changed', 'okta.authority_changed'];
  const integrationId = fleet.ids['integrations'] ?? '';
  const isForAdmins = (code: FailureCode) => FAILURES[code].owner === 'admin' && !FAILURES[code].isRetried;
  const codes = (Object.keys(FAILURES) as FailureCode[]).filter(
    (code) => code.startsWith('okta.') && isForAdmins(code) && ![...ofSetups, ...ofChecks].includes(code),
  );
  const silent: FailureCode[] = [];
  // One that is told again after a new token was fetched is no passing trouble either.
  for (const code of [...codes, 'okta.token_invalid' as const]) {
    await recordHealth(api.database, integrationId, 'okta', code);
    const alarms = await alarmsOf(api.database);
    if (!alarms.some(({ failure }) => failure.code === code)) silent.push(code);
  }
  await recordHealth(api.database, integrationId, 'okta', undefined);
  expect(silent).toEqual([]);
});
