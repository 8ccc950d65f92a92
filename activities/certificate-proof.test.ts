// A proof is kept in one statement where nothing else follows from it, and what it says of the device is what the tables say then.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { KeyRing } from '../adapters/secrets/key-ring.ts';
import type { Database } from '../adapters/store/base/database.ts';
import { certificateViewOf } from '../adapters/store/rollout/deliveries.ts';
import { readDeviceState, type DeviceState } from '../adapters/store/rollout/rollout-state.ts';
import { connectIntegration } from '../test/harness/connected-integration.ts';
import { recordingDatabase } from '../test/harness/recording-database.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/postgres.ts';
import { proofOf, saveProof } from './certificate-proof.ts';
import { refreshTrust } from './refresh-trust.ts';

let own: TestDatabase;
let fleet: Awaited<ReturnType<typeof connectIntegration>>;
let database: Database;
let deviceId: string;
/** Since the device was made. */
const statements: string[] = [];

beforeAll(async () => {
  own = await createTestDatabase();
  const sealer = new KeyRing('test', new Map([['test', randomBytes(32)]]));
  fleet = await connectIntegration(own.database, sealer, 'localhost', {});
  database = recordingDatabase(own.database, statements);
});
afterAll(() => own.drop());
beforeEach(async () => {
  const [row] = await own.database.query<{ id: string }>(
    `insert into devices (family, platform, udid, enrollment_status, enrollment_id, blueprint_id)
     values ('Mac', 'macOS', $1, 'enrolled', gen_random_uuid(), $2) returning id`,
    [randomUUID(), fleet.blueprintId],
  );
  deviceId = row?.id ?? '';
  await show();
});

const show = (change: { readonly phase?: 'profiles'; readonly failureCode?: string } = {}) =>
  own.database.inTransaction((sql) => refreshTrust(sql, deviceId, { now: new Date(), ...change }));
const read = async (): Promise<DeviceState> => {
  const state = await readDeviceState(own.database, deviceId);
  if (state === undefined) throw new Error('no device');
  return state;
};
async function sent(reason: string, state = 'sent'): Promise<string> {
  const id = randomUUID();
  await own.database.query(
    `insert into certificate_deliveries (id, device_id, integration_id, slot, payload_uuid, command_uuid, state, challenge_fetched_at, reason, proven_at)
     values ($1, $2, $3, 'a', gen_random_uuid(), gen_random_uuid(), $4, now(), $5, now() - interval '1 year')`,
    [id, deviceId, fleet.integrationId, state, reason],
  );
  return id;
}
async function prove(id: string, state: DeviceState): Promise<DeviceState | undefined> {
  const delivery = certificateViewOf(state).deliveries.find((each) => each.id === id);
  if (delivery === undefined) throw new Error('no delivery');
  const nowMs = Date.now();
  const dates = { notBeforeMs: nowMs - 1_000, notAfterMs: nowMs + 365 * 86_400_000 };
  const certificate = {
    deliveryId: id,
    scope: 'System',
    serialNumber: '7',
    issuer: 'CN=Okta',
    ...dates,
  } as const;
  statements.length = 0;
  return saveProof(database, state, proofOf(delivery, certificate, new Date(nowMs)));
}
const states = async () => Object.fromEntries((await read()).deliveries.map(({ id, state }) => [id, state]));
const told = async () =>
  (
    await own.database.query<{ kind: string }>(
      `select kind from device_timeline where device_id = $1 and kind = 'certificate_proven'`,
      [deviceId],
    )
  ).length;

test.each([
  ['wanted', 1],
  ['window', 0],
])('a certificate (%s) is proven, the older one superseded, and both are known', async (reason, atOnce) => {
  const old = await sent('wanted', 'proven');
  const id = await sent(reason);
  const known = await prove(id, await read());
  if (atOnce === 1) expect(statements).toHaveLength(1);
  expect(await states()).toEqual({ [id]: 'proven', [old]: 'superseded' });
  const now = await read();
  expect(known && certificateViewOf(known)).toEqual(certificateViewOf(now));
  expect(now.shown?.certificateNotAfter).toEqual(new Date(now.deliveries[0]?.notAfter ?? ''));
  expect(await told()).toBe(1);
});

test('what another has written meanwhile stays, and the proof is kept all the same', async () => {
  const id = await sent('wanted');
  const seen = await read();
  await show({ phase: 'profiles' });
  await prove(id, seen);
  expect(await states()).toEqual({ [id]: 'proven' });
  expect((await read()).shown?.phase).toBe('profiles');
});

test('a rollout that failed is started again by the proof', async () => {
  const id = await sent('wanted');
  await show({ failureCode: 'certificate.not_seen' });
  await prove(id, await read());
  const [row] = await own.database.query(
    `select message ->> 'reason' as reason from outbox where ordering_key = $1`,
    [deviceId],
  );
  expect(row).toEqual({ reason: 'its certificate was proven' });
});

test('a second proof of the same, and one of a delivery that has failed meanwhile, change nothing', async () => {
  const [id, failed] = [await sent('wanted'), await sent('wanted')];
  const seen = await read();
  await prove(id, seen);
  await own.database.query(`update certificate_deliveries set state = 'failed' where id = $1`, [failed]);
  await prove(id, seen);
  await prove(failed, seen);
  expect(await told()).toBe(1);
  expect(await states()).toEqual({ [id]: 'proven' });
});
