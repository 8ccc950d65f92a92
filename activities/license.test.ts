// Licenses against a pretend Apps and Books that takes its time: asked for, given back, and wanted again meanwhile.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppsAndBooksClient } from '../adapters/apps-and-books/apps-and-books-client.ts';
import { KeyRing } from '../adapters/secrets/key-ring.ts';
import { OKTA_VERIFY } from '../domain/device-report.ts';
import { connectIntegration } from '../test/harness/connected-integration.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/postgres.ts';
import { openPretendAppsAndBooks, type PretendAppsAndBooks } from '../test/harness/pretend-okta.ts';
import { licenseActivities } from './license.ts';

const ASSOCIATION_SECONDS = 60; // far more than an activity waits for
let test: TestDatabase;
let shop: PretendAppsAndBooks;
let fleet: Awaited<ReturnType<typeof connectIntegration>>;
let licenses: ReturnType<typeof licenseActivities>;
let deviceId: string;
let serial: string;

beforeAll(async () => {
  [test, shop] = await Promise.all([createTestDatabase(), openPretendAppsAndBooks()]);
  const sealer = new KeyRing('test', new Map([['test', randomBytes(32)]]));
  fleet = await connectIntegration(test.database, sealer, 'localhost', {});
  await shop.manage('PATCH', '/knobs', { associationSeconds: ASSOCIATION_SECONDS });
  const client = new AppsAndBooksClient({ url: shop.url, token: await shop.newToken() });
  licenses = licenseActivities({
    database: test.database,
    appsAndBooks: () => Promise.resolve(client),
  } as never);
});
afterAll(async () => {
  await shop.close();
  await test.drop();
});
beforeEach(async () => {
  await fleet.switchTrust(true);
  serial = `C0${randomBytes(4).toString('hex').toUpperCase()}`;
  deviceId = await enroll(serial);
});

async function enroll(serialNumber: string): Promise<string> {
  const [row] = await test.database.query<{ id: string }>(
    `insert into devices (family, platform, udid, serial_number, blueprint_id, enrollment_status, enrollment_id, topic,
       push_token, push_magic, identity_fingerprint)
     values ('Mac', 'macOS', gen_random_uuid(), $1, $2, 'enrolled', gen_random_uuid(), 'topic', 'token', 'magic', $3) returning id`,
    [serialNumber, fleet.blueprintId, randomBytes(32)],
  );
  return row?.id ?? '';
}

const assign = () => licenses.assignLicense({ deviceId, isMissed: false });
const returnLicense = () => licenses.returnLicense({ deviceId, nowMs: Date.now() });
const later = () => shop.clock.move(ASSOCIATION_SECONDS * 1_000);
const held = () => shop.hasLicense(serial, OKTA_VERIFY.adamId);
async function assigned(): Promise<void> {
  expect(await assign()).toEqual({ kind: 'pending' });
  later();
  expect(await assign()).toEqual({ kind: 'ready' });
}

describe('a license', () => {
  it('is not asked for by a device that left the scope', async () => {
    await fleet.switchTrust(false);
    expect(await assign()).toEqual({ kind: 'not_wanted' });
    expect(await held()).toBe(false);
  });

  it('that somebody took away behind its back is assigned again when the device does not find it', async () => {
    await assigned();
    await shop.manage('DELETE', `/assignments/${OKTA_VERIFY.adamId}/${serial}`, {});
    expect(await held()).toBe(false);
    expect(await licenses.assignLicense({ deviceId, isMissed: true })).toEqual({ kind: 'pending' });
    later();
    expect(await assign()).toEqual({ kind: 'ready' });
    expect(await held()).toBe(true);
  });

  it('is given back once Apple has taken it, and its device is told so in the timeline', async () => {
    await assigned();
    await fleet.switchTrust(false);
    expect(await returnLicense()).toEqual({ kind: 'pending' });
    expect(await held()).toBe(true);
    later();
    expect(await returnLicense()).toEqual({ kind: 'settled' });
    expect(await held()).toBe(false);
    const told = await test.database.query('select kind from device_timeline where device_id = $1', [
      deviceId,
    ]);
    expect(told).toEqual([{ kind: 'license_given_back' }]);
    expect(await returnLicense()).toEqual({ kind: 'settled' });
  });

  it('that was still on its way to the device is given back when it is there', async () => {
    expect(await assign()).toEqual({ kind: 'pending' });
    await fleet.switchTrust(false);
    expect(await returnLicense()).toEqual({ kind: 'pending' });
    later();
    expect(await returnLicense()).toEqual({ kind: 'pending' });
    later();
    expect(await returnLicense()).toEqual({ kind: 'settled' });
    expect(await held()).toBe(false);
  });

  it('is left where another device says that it has the same serial number', async () => {
    await assigned();
    await enroll(serial.toLowerCase());
    await fleet.switchTrust(false);
    expect(await returnLicense()).toEqual({ kind: 'settled' });
    later();
    expect(await held()).toBe(true);
  });

  it('that is on its way back when it is wanted again is asked for anew afterwards', async () => {
    await assigned();
    await fleet.switchTrust(false);
    expect(await returnLicense()).toEqual({ kind: 'pending' });
    await fleet.switchTrust(true);
    expect(await returnLicense()).toEqual({ kind: 'settled' });
    expect(await assign()).toEqual({ kind: 'pending' });
    later();
    expect(await assign()).toEqual({ kind: 'pending' });
    later();
    expect(await assign()).toEqual({ kind: 'ready' });
    expect(await held()).toBe(true);
  });
});
