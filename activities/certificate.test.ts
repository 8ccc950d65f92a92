// A certificate's challenge is good for one device and one time: whoever asks for it twice, too early or too late gets no second one.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { KeyRing } from '../adapters/secrets/key-ring.ts';
import { CERTIFICATE_LISTS } from '../domain/certificate-plan.ts';
import { connectIntegration } from '../test/harness/connected-integration.ts';
import { newSigner } from '../test/harness/new-signer.ts';
import { openChallenges } from '../test/harness/outside-services.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/postgres.ts';
import { certificateDelivery, type DeliverInput } from './certificate.ts';
import type { ActivityDependencies } from './dependencies.ts';

let own: TestDatabase;
let okta: Awaited<ReturnType<typeof openChallenges>>;
let fleet: Awaited<ReturnType<typeof connectIntegration>>;
let deps: ActivityDependencies;

beforeAll(async () => {
  [own, okta] = await Promise.all([createTestDatabase(), openChallenges()]);
  const sealer = new KeyRing('test', new Map([['test', randomBytes(32)]]));
  fleet = await connectIntegration(own.database, sealer, okta.host, {});
  const signer = await newSigner();
  deps = {
    database: own.database,
    sealer,
    apns: () => Promise.resolve({ push: () => Promise.resolve() }),
    profileSigner: () => Promise.resolve(signer),
    allowedPrivateHosts: [okta.host],
  } as Partial<ActivityDependencies> as ActivityDependencies;
});
afterAll(async () => {
  await okta.close();
  await own.drop();
});
afterEach(async () => {
  okta.state.answers = undefined;
  await fleet.switchTrust(true);
});

/** A Mac that was in contact just now, and what its workflow asks for. */
async function awakeMac(more: Partial<DeliverInput> = {}): Promise<DeliverInput> {
  const [mac] = await own.database.query<{ id: string; enrollmentId: string }>(
    `insert into devices (family, platform, udid, serial_number, blueprint_id, enrollment_status, enrollment_id, topic, push_token, push_magic,
       identity_fingerprint, last_contact_at)
     values ('Mac', 'macOS', gen_random_uuid(), $1, $2, 'enrolled', gen_random_uuid(), 'topic', 'token', 'magic', $3, now())
     returning id, enrollment_id`,
    [`C0${randomBytes(4).toString('hex').toUpperCase()}`, fleet.blueprintId, randomBytes(32)],
  );
  const { id: deviceId = '', enrollmentId = '' } = mac ?? {};
  const { integrationId } = fleet;
  const workflow = { workflowId: `certificate/${deviceId}`, firstRunId: randomUUID() };
  const asked = { slot: 'a', scope: 'System', reason: 'wanted', number: 1, ...more } as const;
  return { deviceId, enrollmentId, integrationId, ...workflow, ...asked };
}

/** As a worker process of its own, which knows nothing of the others. */
const deliver = (input: DeliverInput) => certificateDelivery(deps).deliverCertificate(input);
const sentTo = async ({ deviceId }: DeliverInput) => {
  const rows = await own.database.query<{ requestType: string }>(
    'select request_type from commands where device_id = $1 order by request_type',
    [deviceId],
  );
  return rows.map(({ requestType }) => requestType);
};
const ONE_DELIVERY = [...CERTIFICATE_LISTS.System, 'InstallProfile'].sort();

test.each(['wanted', 'window'])(
  'two attempts at once (%s) fetch two challenges and send one, and both say the same of it',
  async (reason) => {
    const mac = await awakeMac({ reason });
    const before = okta.state.fetched;
    let answer: () => void = () => undefined;
    okta.state.answers = new Promise((resolve) => (answer = resolve));
    const attempts = [deliver(mac), deliver(mac)];
    await expect.poll(() => okta.counts.underWay, { interval: 10 }).toBe(2);
    answer();
    const [one, other] = await Promise.all(attempts);
    expect(one).toEqual(other);
    expect(one).toMatchObject({ kind: 'sent' });
    expect(okta.state.fetched - before).toBe(2);
    expect(await sentTo(mac)).toEqual(ONE_DELIVERY);
  },
);

test('asked for again, as after a lost result, it says what became of the first and fetches nothing', async () => {
  const mac = await awakeMac();
  const first = await deliver(mac);
  const before = okta.counts.requests;
  expect(await deliver(mac)).toEqual(first);
  await own.database.query(
    `update commands set state = 'responded', status = 'Acknowledged', responded_at = now()
      where device_id = $1 and request_type = 'InstallProfile'`,
    [mac.deviceId],
  );
  const { commandUuid = '' } = first.kind === 'sent' ? first : {};
  expect(await deliver(mac)).toMatchObject({
    kind: 'sent',
    commandUuid,
    progress: expect.arrayContaining([
      expect.objectContaining({ commandUuid, status: 'Acknowledged' }),
    ]) as unknown,
  });
  expect(okta.counts.requests).toBe(before);
  expect(await sentTo(mac)).toEqual(ONE_DELIVERY);
});

test('while the device may still install the one before, another is that one', async () => {
  const mac = await awakeMac();
  const first = await deliver(mac);
  const before = okta.counts.requests;
  expect(await deliver({ ...mac, number: 2, slot: 'b' })).toEqual(first);
  expect(okta.counts.requests).toBe(before);
});

test('a delivery whose command is gone is not said to be sent', async () => {
  const mac = await awakeMac();
  await deliver(mac);
  await own.database.query('delete from commands where device_id = $1', [mac.deviceId]);
  await expect(deliver(mac)).rejects.toMatchObject({ code: 'store.unavailable' });
});

test('a Mac that sleeps, enrolled anew, or whose user is logged out is not fetched a challenge for', async () => {
  const before = okta.counts.requests;
  const sleeping = await awakeMac();
  await own.database.query(`update devices set last_contact_at = now() - interval '1 hour' where id = $1`, [
    sleeping.deviceId,
  ]);
  const left = { ...(await awakeMac()), enrollmentId: randomUUID() };
  const loggedOut = await awakeMac({ scope: 'User' });
  for (const mac of [sleeping, left, loggedOut]) expect(await deliver(mac)).toEqual({ kind: 'asleep' });
  expect(okta.counts.requests).toBe(before);
});

test('a Mac that is meant for another integration or keychain by now, or for none, is not fetched a challenge for', async () => {
  const before = okta.counts.requests;
  const mac = await awakeMac();
  const refuses = (input: DeliverInput) =>
    expect(deliver(input)).rejects.toMatchObject({ code: 'request.changed_meanwhile' });
  await refuses({ ...mac, integrationId: randomUUID() });
  await own.database.query(`update library_items set settings = settings || '{"certificateScope": "User"}'`);
  await refuses(mac);
  await own.database.query(`update library_items set settings = settings - 'certificateScope'`);
  await fleet.switchTrust(false);
  await refuses(mac);
  expect(okta.counts.requests).toBe(before);
  expect(await sentTo(mac)).toEqual([]);
});

test.each(['wanted', 'window'])(
  'who is sent a certificate (%s) waits for no turn at Okta any more',
  async (reason) => {
    const mac = await awakeMac({ reason });
    await own.database.query(
      `insert into okta_waiters (device_id, integration_id, endpoint, lane) values ($1, $2, 'challenge', 0)`,
      [mac.deviceId, mac.integrationId],
    );
    await deliver(mac);
    const rows = await own.database.query('select from okta_waiters where device_id = $1', [mac.deviceId]);
    expect(rows).toEqual([]);
    const [delivery] = await own.database.query(
      'select state, slot, scope, reason, integration_id from certificate_deliveries where device_id = $1',
      [mac.deviceId],
    );
    const { slot, scope, integrationId } = mac;
    expect(delivery).toEqual({ state: 'sent', slot, scope, reason, integrationId });
  },
);

test('the challenge is in no column in the clear', async () => {
  const mac = await awakeMac();
  await deliver(mac);
  const [command] = await own.database.query<{ body: Buffer | null; sealedBody: Buffer | null }>(
    `select body, sealed_body from commands where device_id = $1 and request_type = 'InstallProfile'`,
    [mac.deviceId],
  );
  expect(command?.body).toBeNull();
  expect(command?.sealedBody?.includes('PayloadContent')).toBe(false);
});
