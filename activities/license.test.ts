// Licenses against a pretend Apps and Books that takes its time: asked for, given back, and wanted again meanwhile.
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { AppsAndBooksClient } from '../adapters/apps-and-books/apps-and-books-client.ts';
import { KeyRing } from '../adapters/secrets/key-ring.ts';
import { OKTA_VERIFY } from '../domain/device-report.ts';
import { connectIntegration } from '../test/harness/connected-integration.ts';
import { createTestDatabase } from '../test/harness/postgres.ts';
import { openPretendAppsAndBooks } from '../test/harness/pretend-okta.ts';
import { licenseActivities } from './license.ts';

const ASSOCIATION_SECONDS = 60; // far more than an activity waits for
const closes: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closes.map((close) => close())));

/** A Mac in a fleet of its own, whose licenses come from a shop of its own. */
async function openScene() {
  const [{ database, drop }, shop] = await Promise.all([createTestDatabase(), openPretendAppsAndBooks()]);
  closes.push(drop, () => shop.close());
  await shop.manage('PATCH', '/knobs', { associationSeconds: ASSOCIATION_SECONDS });
  const client = new AppsAndBooksClient({ url: shop.url, token: await shop.newToken() });
  const sealer = new KeyRing('test', new Map([['test', randomBytes(32)]]));
  const fleet = await connectIntegration(database, sealer, 'localhost', {});
  const licenses = licenseActivities({ database, appsAndBooks: () => Promise.resolve(client) } as never);
  const enroll = async (serialNumber: string): Promise<string> => {
    const [row] = await database.query<{ id: string }>(
      `insert into devices (family, platform, udid, serial_number, blueprint_id, enrollment_status, enrollment_id, topic,
         push_token, push_magic, identity_fingerprint)
       values ('Mac', 'macOS', gen_random_uuid(), $1, $2, 'enrolled', gen_random_uuid(), 'topic', 'token', 'magic', $3) returning id`,
      [serialNumber, fleet.blueprintId, randomBytes(32)],
    );
    return row?.id ?? '';
  };
  const serial = `C0${randomBytes(4).toString('hex').toUpperCase()}`;
  const deviceId = await enroll(serial);
  const assign = (isMissed = false) => licenses.assignLicense({ deviceId, isMissed });
  const later = () => shop.clock.move(ASSOCIATION_SECONDS * 1_000);
  return {
    database,
    shop,
    fleet,
    serial,
    deviceId,
    enroll,
    assign,
    later,
    returnLicense: () => licenses.returnLicense({ deviceId, nowMs: Date.now() }),
    held: () => shop.hasLicense(serial, OKTA_VERIFY.adamId),
    async assigned(): Promise<void> {
      expect(await assign()).toEqual({ kind: 'pending' });
      later();
      expect(await assign()).toEqual({ kind: 'ready' });
    },
  };
}

// An activity looks for three seconds before it says "pending": at the same time.
describe.concurrent('a license', () => {
  it('is not asked for by a device that left the scope', async () => {
    const { fleet, assign, held } = await openScene();
    await fleet.switchTrust(false);
    expect(await assign()).toEqual({ kind: 'not_wanted' });
    expect(await held()).toBe(false);
  });

  it('that somebody took away behind its back is assigned again when the device does not find it', async () => {
    const { shop, serial, assign, later, held, assigned } = await openScene();
    await assigned();
    await shop.manage('DELETE', `/assignments/${OKTA_VERIFY.adamId}/${serial}`, {});
    expect(await held()).toBe(false);
    expect(await assign(true)).toEqual({ kind: 'pending' });
    later();
    expect(await assign()).toEqual({ kind: 'ready' });
    expect(await held()).toBe(true);
  });

  it('is given back once Apple has taken it, and its device is told so in the timeline', async () => {
    const { database, fleet, deviceId, later, returnLicense, held, assigned } = await openScene();
    await assigned();
    await fleet.switchTrust(false);
    expect(await returnLicense()).toEqual({ kind: 'pending' });
    expect(await held()).toBe(true);
    later();
    expect(await returnLicense()).toEqual({ kind: 'settled' });
    expect(await held()).toBe(false);
    const told = await database.query('select kind from device_timeline where device_id = $1', [deviceId]);
    expect(told).toEqual([{ kind: 'license_given_back' }]);
    expect(await returnLicense()).toEqual({ kind: 'settled' });
  });

  it('that was still on its way to the device is given back when it is there', async () => {
    const { fleet, assign, later, returnLicense, held } = await openScene();
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
    const { fleet, serial, enroll, later, returnLicense, held, assigned } = await openScene();
    await assigned();
    await enroll(serial.toLowerCase());
    await fleet.switchTrust(false);
    expect(await returnLicense()).toEqual({ kind: 'settled' });
    later();
    expect(await held()).toBe(true);
  });

  it('that is on its way back when it is wanted again is asked for anew afterwards', async () => {
    const { fleet, assign, later, returnLicense, held, assigned } = await openScene();
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
