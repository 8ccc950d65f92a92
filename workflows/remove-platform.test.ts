// The removal of a platform and of an integration, on devices: waves, the way back, the stop, and what is left of it.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addPlatformRemoval, setRemovalStatus } from '../adapters/store/rollout/platform-removals.ts';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { storeSecret } from '../adapters/store/base/secrets.ts';
import { addRotation } from '../adapters/store/integration/secret-rotations.ts';
import { giveBack } from '../adapters/store/rollout/platform-removals.ts';
import { rollOutDevices } from '../adapters/store/rollout/enqueue-rollouts.ts';
import type { FakeDevice } from '../test/harness/fake-device.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { workflowIds } from './messages.ts';

quietRuntime();
let world: RolloutWorld;
let macs: FakeDevice[];
let phone: FakeDevice;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [1] });
  const [one, other, third] = await Promise.all([
    world.newDevice('Mac'),
    world.newDevice('Mac'),
    world.newDevice('iPhone', { userName: 'ada@acme.com' }),
  ]);
  macs = [one, other];
  phone = third;
  for (const { id } of [...macs, phone]) await world.rollOut(id);
  for (const { id } of [...macs, phone]) await world.ended(id);
  // As the devices' server does with each message.
  await world.database.query(`update devices set last_contact_at = now() + interval '1 hour'`);
}, 120_000);
afterAll(() => world.close());

const tell = (removalId: string) =>
  appendOutboxMessage(world.database, removalId, {
    kind: 'removePlatform',
    removalId,
    integrationId: world.fleet.integrationId,
    label: 'acme',
  });

async function remove(platform: 'macOS' | null): Promise<string> {
  const id = randomUUID();
  await addPlatformRemoval(world.database, {
    id,
    integrationId: world.fleet.integrationId,
    integrationName: 'acme',
    oktaHost: 'acme.okta.com',
    platform,
    usersLosingTrust: 0,
    readinessAsOf: null,
    askedBy: 'person:ada',
    delayMinutes: 0,
    reason: null,
  });
  await tell(id);
  return id;
}
const statusOf = async (id: string) =>
  (
    await world.database.query<{ status: string }>('select status from platform_removals where id = $1', [id])
  )[0]?.status;
const phases = async (devices: readonly FakeDevice[]) =>
  Promise.all(devices.map(async ({ id }) => (await world.trust(id))?.phase));
const count = async (text: string): Promise<number> =>
  (await world.database.query<{ n: number }>(`select count(*)::int as n from ${text}`))[0]?.n ?? -1;

test('undone in the middle, the devices that lost their payloads get them back', async () => {
  const id = await remove('macOS');
  await world.until(async () => expect(await phases(macs)).toContain('out_of_scope'));
  await world.database.inTransaction(async (sql) => {
    await setRemovalStatus(sql, id, { status: 'undone', actor: 'person:ada' });
    await rollOutDevices(sql, [{ deviceIds: await giveBack(sql, id) }], 'an admin undid the removal');
  });
  await tell(id);
  await world.until(async () => expect(await phases(macs)).toEqual(['delivered', 'delivered']));
  expect(macs.map(({ certificates }) => certificates.length)).toEqual([1, 1]);
  const handle = world.client.workflow.getHandle(workflowIds.removal(id));
  await world.until(async () => expect((await handle.describe()).status.name).toBe('COMPLETED'));
});

test('a platform goes from its devices, then from Odette with its secret; other platforms keep theirs', async () => {
  const secrets = await count('secrets');
  const id = await remove('macOS');
  await world.until(async () => expect(await statusOf(id)).toBe('finished'), 90_000);
  expect(await phases([...macs, phone])).toEqual(['out_of_scope', 'out_of_scope', 'delivered']);
  for (const mac of macs) expect([mac.certificates.length, mac.profiles.size]).toEqual([0, 0]);
  expect(await count('integration_platforms')).toBe(1);
  expect(await count('secrets')).toBe(secrets - 1);
  // Both are the canary.
  const [taken] = await world.database.query<{ waves: number; devices: number }>(
    `select count(distinct taken_at)::int as waves, count(*)::int as devices from platform_removal_devices where removal_id = $1`,
    [id],
  );
  expect(taken).toEqual({ waves: 1, devices: 2 });
}, 120_000);

test('an integration goes with everything that was its own; what happened to its devices stays told', async () => {
  const deliveries = await count('certificate_deliveries');
  expect(deliveries).toBeGreaterThan(0);
  // A rotation that waits for a person, with a value of its own.
  const { id: newSecretId } = await storeSecret(world.database, world.deps.sealer, {
    kind: 'ios_secret_key',
    value: 'A-key-of-phones',
    by: 'person:ada',
  });
  await addRotation(world.database, {
    integrationId: world.fleet.integrationId,
    kind: 'ios_secret_key',
    status: 'prepared',
    newSecretId,
    oldSecretId: null,
    publicJwk: null,
    by: 'person:ada',
  });
  const id = await remove(null);
  await world.until(async () => expect(await statusOf(id)).toBe('finished'), 90_000);
  expect(await phases([phone])).toEqual(['out_of_scope']);
  for (const table of ['integrations', 'integration_platforms', 'library_items', 'okta_devices'])
    expect(await count(table), table).toBe(0);
  expect(
    await count(
      `secrets where kind in ('okta_client_secret', 'okta_private_key', 'challenge_password', 'ios_secret_key')`,
    ),
  ).toBe(0);
  expect(await count('certificate_deliveries')).toBe(deliveries);
  expect(await count(`device_timeline where device_id = '${phone.id}'`)).toBeGreaterThan(0);
  expect(await count(`audit_entries where action = 'integration.removed'`)).toBe(1);
}, 120_000);
