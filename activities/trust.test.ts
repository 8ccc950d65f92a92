// What is kept of Okta's word on devices: against a pretend tenant and a database, with workers killed in between.
// Long, because each fault of Okta's needs the same tenant, fleet and counts of what was asked.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OktaClient } from '../adapters/okta/okta-client.ts';
import { CataloguedError, type FailureCode } from '../domain/failures.ts';
import { deriveAll } from '../adapters/store/integration/okta-sweeps.ts';
import { MAX_LISTED_EACH_TIME } from '../domain/okta-sync.ts';
import { findOktaReads } from '../adapters/store/integration/okta-reads.ts';
import { KeyRing } from '../adapters/secrets/key-ring.ts';
import type { Database } from '../adapters/store/base/database.ts';
import { listHaltedReissues, resumeReissues } from '../adapters/store/rollout/automatic-reissues.ts';
import { refreshTrust } from './refresh-trust.ts';
import { alarmsOf } from '../api/admin/status.ts';
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import * as admin from '../sandbox/okta/admin.ts';
import { changeLifecycle } from '../sandbox/okta/devices-route.ts';
import { DEFAULT_KNOBS } from '../sandbox/okta/knobs.ts';
import { appendLog } from '../sandbox/okta/system-log.ts';
import type { DeviceRecord } from '../sandbox/okta/tenant-state.ts';
import { connectIntegration } from '../test/harness/connected-integration.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/postgres.ts';
import { openPretendOkta, openTlsService, type PretendOkta } from '../test/harness/pretend-okta.ts';
import { lookUpDevice, trustActivities } from './trust.ts';

let test: TestDatabase;
let database: Database;
let okta: PretendOkta;
let client: OktaClient;
let fleet: Awaited<ReturnType<typeof connectIntegration>>;

beforeAll(async () => {
  [test, okta] = await Promise.all([createTestDatabase(), openPretendOkta()]);
  database = test.database;
  const sealer = new KeyRing('test', new Map([['test', randomBytes(32)]]));
  fleet = await connectIntegration(database, sealer, 'localhost', {});
  client = new OktaClient({
    host: okta.host,
    credentials: {
      kind: 'api_service_integration',
      ...(await admin.installApiServiceIntegration(okta.tenant)),
    },
    allowedPrivateHosts: [okta.host],
  });
  const created = new Date().toISOString();
  okta.tenant.state.users = [{ id: '00uAda', login: 'ada@acme.example', created }];
});
afterAll(async () => {
  await okta.close();
  await test.drop();
});
beforeEach(async () => {
  okta.tenant.state.knobs = structuredClone(DEFAULT_KNOBS);
  okta.tenant.state.devices = [];
  await fleet.switchTrust(true);
  await database.query('delete from devices');
  await database.query('delete from okta_devices');
  await database.query('delete from outbox');
});

const trust = (using: Database = database) =>
  trustActivities({ database: using, oktaClient: () => Promise.resolve(client) } as never);

/** Sweeps as the workflow does. */
async function sweep(using = trust()): Promise<void> {
  const { integrationId } = fleet;
  const beganAtMs = Date.now();
  let next: string | null = null;
  do ({ next } = await using.observeOktaPage({ integrationId, next, nowMs: Date.now() }));
  while (next !== null);
  await using.concludeObservation({ integrationId, beganAtMs, nowMs: Date.now() });
}
const lookUp = (deviceId: string) =>
  lookUpDevice({ database, oktaClient: () => Promise.resolve(client) } as never, {
    deviceId,
    integrationId: fleet.integrationId,
    nowMs: Date.now(),
  });

/** The process ends before this transaction: what was committed stays. */
function killedAt(nth: number): Database {
  let begun = 0;
  return {
    ...database,
    inTransaction: (work) =>
      ++begun < nth ? database.inTransaction(work) : Promise.reject(new Error('killed')),
  };
}

interface Enrolled {
  readonly id: string;
  readonly serialNumber: string;
}

/** A Mac with a certificate, or an iPhone of Ada's. */
async function enroll(family: 'Mac' | 'iPhone' = 'Mac'): Promise<Enrolled> {
  const isMac = family === 'Mac';
  const device = { id: randomUUID(), serialNumber: `C0${randomBytes(4).toString('hex').toUpperCase()}` };
  await database.query(
    `insert into devices (id, family, platform, udid, serial_number, model, blueprint_id, enrollment_status, enrollment_id,
       identity_fingerprint, user_name)
     values ($1, $2, $3, $4, $5, $6, $7, 'enrolled', gen_random_uuid(), $8, 'ada@acme.example')`,
    [
      device.id,
      family,
      isMac ? 'macOS' : 'iOS',
      randomUUID(),
      device.serialNumber,
      isMac ? 'Mac14,2' : 'iPhone15,2',
      fleet.blueprintId,
      randomBytes(32),
    ],
  );
  if (isMac)
    await database.query(
      `insert into certificate_deliveries (id, device_id, integration_id, slot, payload_uuid, command_uuid, state, challenge_fetched_at,
         not_before, not_after, proven_at)
       values ($1, $2, $3, 'a', gen_random_uuid(), gen_random_uuid(), 'proven', now(), now(), now() + interval '1 year', now())`,
      [randomUUID(), device.id, fleet.integrationId],
    );
  return device;
}

let made = 0;
function register(
  serialNumber: string | undefined,
  change: Partial<DeviceRecord> = {},
  managementStatus: 'MANAGED' | 'NOT_MANAGED' = 'MANAGED',
): DeviceRecord {
  made += 1;
  const created = new Date().toISOString();
  const isMac = serialNumber !== undefined;
  const record: DeviceRecord = {
    id: `guo${String(made).padStart(17, '0')}`,
    created,
    lastUpdated: created,
    status: 'ACTIVE',
    profile: {
      displayName: `Device ${made}`,
      platform: isMac ? 'MACOS' : 'IOS',
      registered: true,
      managed: false,
      model: isMac ? 'Mac14,2' : 'iPhone15,2',
      osVersion: '26.1',
      manufacturer: 'APPLE',
      secureHardwarePresent: true,
      diskEncryptionType: 'FULL',
      ...(isMac ? { serialNumber } : {}),
    },
    users: [{ userId: '00uAda', managementStatus, created }],
    ...change,
  };
  okta.tenant.addDevice(record);
  return record;
}

const managed = async (deviceId: string): Promise<string | undefined> => {
  const [row] = await database.query<{ state: string }>(
    `select state from device_truths where device_id = $1 and truth = 'managed'`,
    [deviceId],
  );
  return row?.state;
};
/** Devices for which a new certificate was asked. */
const renewals = async (): Promise<string[]> =>
  (
    await database.query<{ id: string }>(
      `select ordering_key as id from outbox where message ->> 'signal' = 'renewNow' order by 1`,
    )
  ).map(({ id }) => id);
const setStatus = (record: DeviceRecord, status: 'MANAGED' | 'NOT_MANAGED'): void =>
  okta.tenant.changeDevice(record, (changed) => {
    for (const user of changed.users) user.managementStatus = status;
  });

describe('a fall to NOT_MANAGED', () => {
  it.each([1, 2, 3, 4])(
    'by deletion in Okta asks for new certificates, however far the worker came that was killed (%i)',
    async (nth) => {
      const macs = [await enroll(), await enroll(), await enroll()];
      for (const { serialNumber } of macs) register(serialNumber);
      await sweep();
      expect(await Promise.all(macs.map(({ id }) => managed(id)))).toEqual(['held', 'held', 'held']);
      okta.tenant.state.devices = [];
      const { integrationId } = fleet;
      const input = { integrationId, beganAtMs: Date.now(), nowMs: Date.now() };
      await expect(trust(killedAt(nth)).concludeObservation(input)).rejects.toThrow('killed');
      await trust().concludeObservation(input);
      expect(await Promise.all(macs.map(({ id }) => managed(id)))).toEqual([
        'not_held',
        'not_held',
        'not_held',
      ]);
      expect(await renewals()).toEqual(macs.map(({ id }) => id).sort());
    },
  );

  it('is not read from a list that came empty: who is missing is asked by id', async () => {
    const mac = await enroll();
    register(mac.serialNumber);
    await sweep();
    const emptyList = {
      token: () => Promise.resolve({ scopes: [] }),
      listDevices: () => Promise.resolve({ devices: [] }),
      confirm: (ids: readonly string[]) => client.confirm(ids),
    };
    await sweep(trustActivities({ database, oktaClient: () => Promise.resolve(emptyList) } as never));
    expect(await managed(mac.id)).toBe('held');
    expect(await renewals()).toEqual([]);
  });

  it('asks for a new certificate whoever sees it first, and once', async () => {
    const mac = await enroll();
    const record = register(mac.serialNumber);
    await sweep();
    setStatus(record, 'NOT_MANAGED');
    // The page is kept; then the worker is killed, and a rollout of the device comes first.
    const { integrationId } = fleet;
    const page = { integrationId, next: null, nowMs: Date.now() };
    await expect(trust(killedAt(2)).observeOktaPage(page)).rejects.toThrow('killed');
    await database.inTransaction((sql) => refreshTrust(sql, mac.id, { now: new Date(), phase: 'waiting' }));
    expect(await renewals()).toEqual([mac.id]);
    await sweep();
    expect(await renewals()).toEqual([mac.id]);
  });

  it('is also that of a certificate that worked while another user had the device: one is asked for, once', async () => {
    const mac = await enroll();
    // After its certificate: no sign-in before can have used another one.
    register(mac.serialNumber, { created: new Date(Date.now() + 1000).toISOString() });
    await sweep();
    expect(await managed(mac.id)).toBe('held');
    await database.query(`update devices set user_name = 'bob@acme.example' where id = $1`, [mac.id]);
    await database.inTransaction((sql) => refreshTrust(sql, mac.id, { now: new Date() }));
    expect(await managed(mac.id)).toBe('not_held');
    expect(await renewals()).toEqual([]);
    // Deleted in Okta, it registers anew; the certificate is bound to the record that is gone.
    okta.tenant.state.devices = [];
    const created = new Date().toISOString();
    okta.tenant.state.users.push({ id: '00uBob', login: 'bob@acme.example', created });
    register(mac.serialNumber, {
      users: [{ userId: '00uBob', managementStatus: 'NOT_MANAGED', created }],
    });
    await sweep();
    expect(await renewals()).toEqual([mac.id]);
    await sweep();
    await lookUp(mac.id);
    expect(await renewals()).toEqual([mac.id]);
  });

  it('is none where no sign-in has ever used the certificate', async () => {
    const mac = await enroll();
    register(mac.serialNumber, {}, 'NOT_MANAGED');
    await sweep();
    expect(await managed(mac.id)).toBe('not_held');
    expect(await renewals()).toEqual([]);
  });

  it('is not what happens to a device that leaves the scope', async () => {
    const mac = await enroll();
    register(mac.serialNumber);
    await sweep();
    await fleet.switchTrust(false);
    await database.inTransaction((sql) => refreshTrust(sql, mac.id, { now: new Date() }));
    expect(await managed(mac.id)).toBe('not_held');
    expect(await renewals()).toEqual([]);
  });

  it('does not come from one of two records that goes while the other says MANAGED', async () => {
    const mac = await enroll();
    const old = register(mac.serialNumber, { created: '2026-01-01T00:00:00.000Z' });
    const newer = register(mac.serialNumber);
    await sweep();
    okta.tenant.state.devices = [old];
    expect(newer.id).not.toBe(old.id);
    await sweep();
    expect(await managed(mac.id)).toBe('held');
    expect(await renewals()).toEqual([]);
  });
});

describe('two records alike', () => {
  it('are told apart by the sweep that sees one of them gone', async () => {
    const phone = await enroll('iPhone');
    const [first] = [register(undefined), register(undefined)];
    await sweep();
    expect(await managed(phone.id)).toBe('unknown');
    okta.tenant.state.devices = [first];
    await sweep();
    expect(await managed(phone.id)).toBe('held');
  });
});

describe('a look-up while search is behind', () => {
  const lag = (): void => {
    okta.tenant.state.knobs.devices.searchDelaySeconds = 60;
  };

  it('leaves a Mac its record that search does not show', async () => {
    lag();
    const mac = await enroll();
    register(mac.serialNumber);
    await sweep();
    expect(await client.findDevices({ serialNumber: mac.serialNumber })).toEqual([]);
    await lookUp(mac.id);
    expect(await managed(mac.id)).toBe('held');
    expect(await renewals()).toEqual([]);
  });

  it('sees that the record of a Mac was deleted, and asks for a new certificate', async () => {
    const mac = await enroll();
    register(mac.serialNumber);
    await sweep();
    okta.tenant.state.devices = [];
    expect(await lookUp(mac.id)).toBe(false);
    expect(await managed(mac.id)).toBe('not_held');
    expect(await renewals()).toEqual([mac.id]);
  });

  it('takes the word of the record on an iPhone, not that of search', async () => {
    const phone = await enroll('iPhone');
    const record = register(undefined, {}, 'NOT_MANAGED');
    lag();
    setStatus(record, 'MANAGED');
    await lookUp(phone.id);
    expect(await managed(phone.id)).toBe('held');
  });

  it('asks for the record of an iPhone that search does not show', async () => {
    lag();
    const phone = await enroll('iPhone');
    const record = register(undefined, {}, 'NOT_MANAGED');
    await sweep();
    setStatus(record, 'MANAGED');
    expect(await client.findDevices({ platform: 'IOS' })).toEqual([]);
    await lookUp(phone.id);
    expect(await managed(phone.id)).toBe('held');
  });
});

describe('the look-up of an iPhone', () => {
  it('reads one page of a large tenant: what was used since about the delivery', async () => {
    const phone = await enroll('iPhone');
    const lastUpdated = new Date(Date.now() - 3_600_000).toISOString();
    for (let other = 0; other < 950; other += 1) register(undefined, { users: [], lastUpdated });
    register(undefined);
    const asked = (): number => okta.counts()['api'] ?? 0;
    await client.token();
    const before = asked();
    expect(await lookUp(phone.id)).toBe(false);
    expect(await managed(phone.id)).toBe('held');
    // One page of the search, then the record and its users.
    expect(asked() - before).toBe(3);
  });
});

describe('many devices fall at once', () => {
  const halted = () => listHaltedReissues(database, fleet.integrationId);
  const enrolled = async (count: number, family: 'Mac' | 'iPhone' = 'Mac') => {
    const devices = [];
    for (let made = 0; made < count; made += 1) devices.push(await enroll(family));
    return devices;
  };
  beforeEach(() => database.query('delete from automatic_reissues'));

  it('stops the re-issue, says so once, and a person lets it go on', async () => {
    const macs = await enrolled(12);
    const records = macs.map(({ serialNumber }) => register(serialNumber));
    await sweep();
    for (const record of records) setStatus(record, 'NOT_MANAGED');
    await sweep();
    const before = await renewals();
    expect(before).toHaveLength(4);
    expect(await halted()).toMatchObject([
      { platform: 'macOS', reason: 'many_fell', fallen: 5, managedBefore: 12, held: 8 },
    ]);
    const texts = (await alarmsOf(database)).filter(({ failure }) => failure.code === 'okta.many_lost_trust');
    expect(texts.map(({ text }) => text)).toEqual([
      expect.stringContaining('42 % of the Macs (5 of 12) lost "managed" in Okta within 15 minutes.'),
    ]);
    // One is counted again meanwhile: it needs nothing.
    const held = macs.findIndex(({ id }) => !before.includes(id));
    setStatus(records[held]!, 'MANAGED');
    await sweep();
    expect(await renewals()).toHaveLength(4);
    const which = { integrationId: fleet.integrationId, platform: 'macOS', actor: 'person:ada' } as const;
    expect(await database.inTransaction((sql) => resumeReissues(sql, which))).toBe(7);
    expect(await renewals()).toHaveLength(11);
    expect(await halted()).toEqual([]);
    expect(await database.inTransaction((sql) => resumeReissues(sql, which))).toBeUndefined();
  });

  it('goes beyond the limit of an hour for no device, however many processes see falls at once', async () => {
    await database.query(`update integrations set settings = '{"reissuesPerHour": 3}'`);
    const macs = await enrolled(4);
    const records = macs.map(({ serialNumber }) => register(serialNumber));
    await sweep();
    for (const record of records) setStatus(record, 'NOT_MANAGED');
    await Promise.all(macs.map(({ id }) => lookUp(id)));
    await database.query(`update integrations set settings = '{}'`);
    expect(await renewals()).toHaveLength(3);
    expect(await halted()).toMatchObject([{ reason: 'limit_reached', held: 1 }]);
  });

  /** Each of its own user, managed, and not used for days. */
  async function managedPhones(count: number): Promise<DeviceRecord[]> {
    const phones = await enrolled(count, 'iPhone');
    await database.query(`update devices set user_name = serial_number where platform = 'iOS'`);
    const { created } = okta.tenant.state.users[0]!;
    okta.tenant.state.users.push(
      ...phones.map(({ serialNumber }) => ({ id: `00u${serialNumber}`, login: serialNumber, created })),
    );
    const lastUpdated = new Date(Date.now() - 3 * 86_400_000).toISOString();
    const records = phones.map(({ serialNumber }) =>
      register(undefined, {
        created: lastUpdated,
        lastUpdated,
        users: [{ userId: `00u${serialNumber}`, managementStatus: 'MANAGED', created }],
      }),
    );
    await sweep();
    return records;
  }

  it('on iPhones raises the alarm, though nothing is re-issued there', async () => {
    await enrolled(1);
    const records = await managedPhones(6);
    for (const record of records) setStatus(record, 'NOT_MANAGED');
    await sweep();
    expect(await halted()).toMatchObject([{ platform: 'iOS', reason: 'many_fell', held: 0 }]);
    expect(await renewals()).toEqual([]);
  });

  it('on iPhones is seen at their sign-ins, however few sign in at a time', async () => {
    const records = await managedPhones(80);
    // A day on which others sign in and stay managed.
    for (const record of records.slice(74)) setStatus(record, 'MANAGED');
    for (const record of records.slice(0, 5)) setStatus(record, 'NOT_MANAGED');
    await sweep();
    expect(await halted()).toEqual([]);
    // After the reset, nobody does.
    setStatus(records[5]!, 'NOT_MANAGED');
    await sweep();
    expect(await halted()).toMatchObject([
      { platform: 'iOS', reason: 'sign_ins_fell', fallen: 6, managedBefore: 12, held: 0 },
    ]);
    const alarm = (await alarmsOf(database)).find(({ failure }) => failure.code === 'okta.many_lost_trust');
    expect(alarm).toMatchObject({ rotation: { secret: 'ios_secret_key' } });
    expect(alarm?.text).toContain(
      '6 of the 12 iPhones and iPads whose record in Okta changed within 24 hours',
    );
  });

  it('is not what an Okta admin does to devices', async () => {
    const macs = await enrolled(6);
    const records = macs.map(({ serialNumber }) => register(serialNumber));
    await sweep();
    for (const record of records)
      okta.tenant.changeDevice(record, (changed) => {
        changed.status = 'SUSPENDED';
      });
    await sweep();
    expect(await managed(macs[0]!.id)).toBe('not_held');
    expect([await halted(), await renewals()]).toEqual([[], []]);
  });
});

describe('the use of the newest certificate', () => {
  const use = async (deviceId: string): Promise<string | undefined> => {
    const [row] = await database.query<{ use: string }>(
      `select use from certificate_deliveries where device_id = $1 and state = 'proven'`,
      [deviceId],
    );
    return row?.use;
  };
  /** As long after the proof as clocks may differ. */
  const later = new Date(Date.now() + 10 * 60_000).toISOString();
  const old = { created: '2026-01-01T00:00:00.000Z', lastUpdated: '2026-01-01T00:00:00.000Z' };
  /** A Mac that was MANAGED with the certificate before. */
  async function renewed(): Promise<{ mac: Enrolled; record: DeviceRecord }> {
    const mac = await enroll();
    const record = register(mac.serialNumber, structuredClone(old));
    await sweep();
    expect(await use(mac.id)).toBe('none');
    return { mac, record };
  }

  it('is proven by MANAGED that follows NOT_MANAGED, and stays so when it falls again', async () => {
    const { mac, record } = await renewed();
    setStatus(record, 'NOT_MANAGED');
    await sweep();
    expect(await use(mac.id)).toBe('none');
    setStatus(record, 'MANAGED');
    await sweep();
    expect(await use(mac.id)).toBe('proven');
    setStatus(record, 'NOT_MANAGED');
    await sweep();
    expect(await use(mac.id)).toBe('proven');
  });

  it('is probable when the record changed and nothing explains it', async () => {
    const { mac, record } = await renewed();
    record.lastUpdated = later;
    await sweep();
    expect(await use(mac.id)).toBe('probable');
  });

  it.each<[string, (record: DeviceRecord) => void]>([
    ['an update of the OS', (record) => (record.profile.osVersion = '26.2')],
    ['another name', (record) => (record.profile.displayName = 'Renamed')],
    [
      'another user',
      (record) => record.users.push({ userId: '00uBob', managementStatus: 'NOT_MANAGED', created: later }),
    ],
    ['what an Okta admin did', (record) => (record.status = 'SUSPENDED')],
  ])('is not told from %s', async (_what, change) => {
    const { mac, record } = await renewed();
    change(record);
    record.lastUpdated = later;
    await sweep();
    expect(await use(mac.id)).toBe('none');
  });

  it('is proven by the System Log where okta.logs.read is granted; without it the log is not asked for', async () => {
    const { mac, record } = await renewed();
    appendLog(okta.tenant, 'pki.cert.bind', [{ id: record.id, type: 'UDDevice' }]);
    await sweep();
    expect(await use(mac.id)).toBe('none');
    const scopes = ['okta.devices.read', 'okta.authenticators.read', 'okta.logs.read'];
    const reader = new OktaClient({
      host: okta.host,
      credentials: {
        kind: 'api_service_integration',
        ...(await admin.installApiServiceIntegration(okta.tenant, { scopes })),
      },
      allowedPrivateHosts: [okta.host],
    });
    await sweep(trustActivities({ database, oktaClient: () => Promise.resolve(reader) } as never));
    expect(await use(mac.id)).toBe('proven');
  });

  it('does not need the System Log: a sweep ends well while Okta refuses it', async () => {
    const { mac } = await renewed();
    const failing = {
      token: () => Promise.resolve({ scopes: ['okta.logs.read'] }),
      listBindings: () => Promise.reject(new CataloguedError('okta.access_denied')),
      listDevices: (next?: string) => client.listDevices(next),
      confirm: (ids: readonly string[]) => client.confirm(ids),
    };
    await sweep(trustActivities({ database, oktaClient: () => Promise.resolve(failing) } as never));
    expect(await managed(mac.id)).toBe('held');
  });
});

describe('a sweep', () => {
  /** Every version of every row, and who locked it: a write that changes nothing is seen too. */
  const versions = async (): Promise<Map<string, string>> => {
    const rows = await database.query<{ key: string; version: string }>(
      `select 'record ' || okta_id as key, format('%s %s %s', xmin, xmax, ctid) as version from okta_devices
       union all select 'trust ' || device_id, format('%s %s %s', xmin, xmax, ctid) from device_trust
       union all select format('truth %s %s', device_id, truth), format('%s %s %s', xmin, xmax, ctid) from device_truths
       union all select 'device ' || id, format('%s %s %s', xmin, xmax, ctid) from devices`,
    );
    return new Map(rows.map(({ key, version }) => [key, version]));
  };
  const changes = (before: Map<string, string>, after: Map<string, string>): string[] =>
    [...after].flatMap(([key, version]) => (before.get(key) === version ? [] : [key])).sort();
  /** Records of a tenant that is too large to be listed whole each time; Odette knows them, the pretend tenant does not. */
  const fill = () =>
    database.query(
      `insert into okta_devices (integration_id, okta_id, platform, display_name, status, registered, users, created_at, last_updated_at, observed_at)
       select $1, 'filled' || n, 'WINDOWS', '', 'ACTIVE', true, '[]', now(), now(), now() from generate_series(1, $2::int) as n`,
      [fleet.integrationId, MAX_LISTED_EACH_TIME],
    );

  it('writes nothing of devices on which nothing changed, and of one that changed its own rows', async () => {
    const macs = [await enroll(), await enroll(), await enroll()];
    const phone = await enroll('iPhone');
    const records = macs.map(({ serialNumber }) => register(serialNumber));
    register(undefined);
    await sweep();
    const before = await versions();
    await sweep();
    expect(changes(before, await versions())).toEqual([]);
    const [mac] = macs;
    const [record] = records;
    if (!mac || !record) throw new Error('No Mac.');
    setStatus(record, 'NOT_MANAGED');
    await sweep();
    const changed = changes(before, await versions());
    expect(changed).toContain(`record ${record.id}`);
    expect(changed.filter((key) => !key.includes(record.id) && !key.includes(mac.id))).toEqual([]);
    expect(await managed(phone.id)).toBe('held');
  });

  it('of a large tenant lists what changed, and asks by id about records that can have been deleted', async () => {
    const [mac, other, third] = [await enroll(), await enroll(), await enroll()];
    const [record, gone] = [mac, other].map(({ serialNumber }) => register(serialNumber));
    if (!record || !gone) throw new Error('No record.');
    const lastUpdated = new Date(Date.now() - 2 * 3_600_000).toISOString();
    const old = register(third.serialNumber, { lastUpdated });
    await database.query('delete from okta_reads');
    await sweep();
    // What the planner knows of the table is from before it grew.
    await database.query('analyze');
    await fill();
    okta.tenant.changeDevice(gone, (changed) => (changed.status = 'DEACTIVATED'));
    setStatus(record, 'NOT_MANAGED');
    // Not told by a list of changes: its time of change stays.
    for (const user of old.users) user.managementStatus = 'NOT_MANAGED';
    await sweep();
    expect(await Promise.all([mac, other, third].map(({ id }) => managed(id)))).toEqual([
      'not_held',
      'not_held',
      'held',
    ]);
    okta.tenant.state.devices = okta.tenant.state.devices.filter(({ id }) => id !== gone.id);
    const before = okta.counts()['api'] ?? 0;
    await sweep();
    expect((okta.counts()['api'] ?? 0) - before).toBe(2);
    const kept = await database.query<{ oktaId: string }>(
      `select okta_id from okta_devices where okta_id = any ($1)`,
      [[record.id, gone.id]],
    );
    expect(kept.map(({ oktaId }) => oktaId)).toEqual([record.id]);
    // Once a day all of it.
    await database.query(`update okta_reads set whole_at = now() - interval '25 hours'`);
    await sweep();
    expect(await managed(third.id)).toBe('not_held');
  });

  it('marks what a whole list lacks beyond those that it asks for, the next sweeps ask for them', async () => {
    const macs = [];
    for (let made = 0; made < 30; made += 1) macs.push(await enroll());
    for (const { serialNumber } of macs) register(serialNumber);
    await sweep();
    okta.tenant.state.devices = [];
    await sweep();
    const left = await database.query<{ isMarked: boolean }>(
      'select unlisted_at is not null as is_marked from okta_devices',
    );
    expect(left.map(({ isMarked }) => isMarked)).toEqual([true, true, true, true, true]);
    await sweep();
    expect(await database.query('select from okta_devices')).toEqual([]);
    expect(new Set(await Promise.all(macs.map(({ id }) => managed(id))))).toEqual(new Set(['not_held']));
  });

  it.each([['ACTIVE'], ['UNSUSPENDED']] as const)(
    'takes a device that was suspended and unsuspended for what it was, whether Okta says %s then',
    async (unsuspendTo) => {
      okta.tenant.state.knobs.devices.unsuspendTo = unsuspendTo;
      const [mac, phone] = [await enroll(), await enroll('iPhone')];
      const records = [register(mac.serialNumber), register(undefined)];
      const states = () => Promise.all([mac, phone].map(({ id }) => managed(id)));
      await sweep();
      for (const record of records) await changeLifecycle(okta.tenant, record, 'suspend');
      await sweep();
      expect(await managed(mac.id)).toBe('not_held');
      for (const record of records) await changeLifecycle(okta.tenant, record, 'unsuspend');
      await sweep();
      expect([await states(), await renewals()]).toEqual([['held', 'held'], []]);
      const before = await versions();
      await sweep();
      expect(changes(before, await versions())).toEqual([]);
    },
  );

  it('believes no list of an app whose role shows it no devices any more: nothing is taken for deleted', async () => {
    const mac = await enroll();
    register(mac.serialNumber);
    const keys = await generateKeyPair('RS256', { extractable: true });
    const { clientId } = await admin.createApiServicesApp(okta.tenant, {
      scopes: ['okta.devices.read', 'okta.authenticators.read'],
      roles: ['READ_ONLY_ADMIN'],
      dpop: false,
      publicJwks: [{ ...(await exportJWK(keys.publicKey)), kid: 'one' }],
    });
    const own = new OktaClient({
      host: okta.host,
      credentials: {
        kind: 'api_services_app',
        clientId,
        privateKeyPem: await exportPKCS8(keys.privateKey),
        keyId: 'one',
      },
      allowedPrivateHosts: [okta.host],
    });
    const using = trustActivities({ database, oktaClient: () => Promise.resolve(own) } as never);
    await sweep(using);
    expect(await managed(mac.id)).toBe('held');
    okta.tenant.state.knobs.devices.withoutRole = 'empty';
    await admin.changeApiServicesApp(okta.tenant, clientId, { roles: ['HELP_DESK_ADMIN'] });
    await expect(sweep(using)).rejects.toMatchObject({ code: 'okta.access_denied' });
    expect([await managed(mac.id), await renewals()]).toEqual(['held', []]);
    expect(await findOktaReads(database, fleet.integrationId)).toMatchObject({
      failureCode: 'okta.access_denied',
    });
  });

  it('derives every device anew after a setting changed that decides what Okta means', async () => {
    const mac = await enroll();
    await database.query(`update devices set user_name = 'bob@acme.example' where id = $1`, [mac.id]);
    register(mac.serialNumber);
    await sweep();
    expect(await managed(mac.id)).toBe('not_held');
    const any = (countsAnyUser: boolean) =>
      database.query('update integrations set settings = settings || $1', [{ countsAnyUser }]);
    await any(true);
    await sweep();
    expect(await managed(mac.id)).toBe('not_held');
    await deriveAll(database, fleet.integrationId);
    await sweep();
    expect(await managed(mac.id)).toBe('held');
    await any(false);
  });
});

describe('sweeps that fail', () => {
  const alarms = async () =>
    (await alarmsOf(database)).filter(({ failure }) => failure.code === 'okta.not_synced');
  const failing = (listDevices: () => Promise<unknown>) =>
    trustActivities({ database, oktaClient: () => Promise.resolve({ listDevices }) } as never);
  const reject = (code: FailureCode) => () => Promise.reject(new CataloguedError(code));

  it('for too long are an alarm: since the first failure, why, and whom it endangers; the next whole sweep ends it', async () => {
    const mac = await enroll();
    register(mac.serialNumber);
    await database.query('delete from okta_reads');
    await sweep();
    // A portal's page, an outage, an answer too large: all keep it from its end.
    await expect(sweep(failing(reject('okta.unexpected_response')))).rejects.toThrow();
    await database.query(
      `update okta_reads set swept_at = now() - interval '3 hours', failing_since = now() - interval '150 minutes'`,
    );
    await expect(sweep(failing(reject('okta.unreachable')))).rejects.toThrow();
    const [alarm, ...more] = await alarms();
    expect(more).toEqual([]);
    expect(Math.round((Date.now() - (alarm?.since?.getTime() ?? 0)) / 60_000)).toBe(150);
    expect(alarm?.text).toContain('Odette cannot reach Okta.');
    expect(alarm?.text).toContain('1 device that Odette shows as managed may no longer be');
    await sweep();
    expect(await alarms()).toEqual([]);
  });

  it('are one too where none is even attempted', async () => {
    await sweep();
    await database.query(`update okta_reads set swept_at = now() - interval '2 hours'`);
    expect((await alarms()).map(({ text }) => text)).toEqual([
      expect.stringContaining('check Temporal and its schedules'),
    ]);
    await sweep();
  });

  it('a web page in place of Okta, and an answer that is too large, are among them', async () => {
    const page = (body: string, type: string) => async () => {
      const service = await openTlsService();
      service.serve((request, response) => {
        const isToken = request.url?.startsWith('/oauth2') === true;
        response
          .writeHead(200, { 'content-type': isToken ? 'application/json' : type })
          .end(isToken ? '{"access_token":"t","token_type":"Bearer","expires_in":3600,"scope":""}' : body);
      });
      const other = new OktaClient({
        host: service.host,
        credentials: { kind: 'api_service_integration', clientId: 'c', clientSecret: 's' },
        allowedPrivateHosts: [service.host],
      });
      await other.listDevices().finally(() => service.close());
    };
    for (const each of [
      page('<html>Sign in to Wi-Fi', 'text/html'),
      page('[' + ' '.repeat(9e6), 'application/json'),
    ]) {
      await database.query('delete from okta_reads');
      await expect(sweep(failing(each))).rejects.toMatchObject({ code: 'okta.unexpected_response' });
      expect(await findOktaReads(database, fleet.integrationId)).toMatchObject({
        sweptAt: null,
        failingSince: expect.any(Date),
        failureCode: 'okta.unexpected_response',
      });
    }
  });
});
