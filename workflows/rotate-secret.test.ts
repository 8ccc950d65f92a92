import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { storeSecret } from '../adapters/store/base/secrets.ts';
import { listPlatforms } from '../adapters/store/integration/integrations.ts';
import {
  addRotation,
  findRotation,
  isSecretInUse,
  type RotationRow,
} from '../adapters/store/integration/secret-rotations.ts';
import { countMembers } from '../adapters/store/rollout/fleet-rollouts.ts';
import { macPlatformAddress } from '../domain/secret-address.ts';
import type { RotatedSecret } from '../domain/secret-rotation.ts';
import { oktaRecordOf } from '../test/harness/okta-record.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { TASK_QUEUE } from './messages.ts';

quietRuntime();
let world: RolloutWorld;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [] });
});
afterAll(() => world.close());

const platform = async (name: 'macOS' | 'iOS') => {
  const found = (await listPlatforms(world.database, world.fleet.integrationId)).find(
    (each) => each.platform === name,
  );
  if (!found) throw new Error(`${name} is not configured`);
  return found;
};

async function rotate(kind: RotatedSecret, value: string): Promise<string> {
  const of = await platform(kind === 'ios_secret_key' ? 'iOS' : 'macOS');
  const { scepUrl, challengeUrl, secretId: oldSecretId } = of;
  const address = macPlatformAddress({ scepUrl: scepUrl ?? '', challengeUrl: challengeUrl ?? '' });
  const secretKind = kind === 'ios_secret_key' ? 'ios_secret_key' : 'challenge_password';
  const { id: newSecretId } = await storeSecret(world.database, world.deps.sealer, {
    kind: secretKind,
    value,
    by: 'person:ada',
    ...(secretKind === 'challenge_password' && { address }),
  });
  const { integrationId } = world.fleet;
  const begun = { integrationId, kind, newSecretId, oldSecretId, publicJwk: null, by: 'person:ada' };
  const id = (await addRotation(world.database, { ...begun, status: 'trying' })) ?? '';
  await appendOutboxMessage(world.database, id, { kind: 'rotateSecret', rotationId: id });
  return id;
}

const until = (id: string, status: RotationRow['status']): Promise<RotationRow> =>
  world.until(async () => {
    const row = await findRotation(world.database, id);
    expect(row?.status).toBe(status);
    return row as RotationRow;
  }, 90_000);
const isStored = async (secretId: string | null): Promise<boolean> =>
  (await world.database.query('select from secrets where id = $1', [secretId])).length > 0;

test('a password that Okta refuses is never used, and is destroyed', async () => {
  const before = (await platform('macOS')).secretId;
  world.challenges.state.password = 'right';
  const id = await rotate('challenge_password', 'wrong');
  expect(await until(id, 'refused')).toMatchObject({ failureCode: 'okta.challenge_credentials_refused' });
  expect((await platform('macOS')).secretId).toBe(before);
  expect(await isStored(before)).toBe(true);
  expect(world.challenges.passwords).toEqual(['wrong']);
}, 120_000);

test('a challenge password reset in Okta: Macs that waited continue with the new one, and no request has the old one after the commit', async () => {
  const macs = [await world.newDevice('Mac'), await world.newDevice('Mac'), await world.newDevice('Mac')];
  for (const mac of macs) await world.rollOut(mac.id);
  await world.until(async () => {
    const waiting = await world.database.query('select from okta_waiters');
    expect(waiting.length).toBeGreaterThan(0);
  }, 60_000);
  const old = (await platform('macOS')).secretId;
  const id = await rotate('challenge_password', 'right');
  const { committedAt } = await until(id, 'finished');
  expect(committedAt).toBeInstanceOf(Date);
  expect(await isStored(old)).toBe(false);
  const requestsBefore = world.challenges.passwords.length;
  await world.restartWorker();
  for (const mac of macs)
    await world.until(async () => expect((await world.trust(mac.id))?.delivered).toBe(true), 90_000);
  const after = world.challenges.passwords.slice(requestsBefore);
  expect(after.filter((password) => password !== 'right')).toEqual([]);
  await expect(world.database.inTransaction((sql) => isSecretInUse(sql, old))).resolves.toBe(false);
}, 240_000);

test('an iOS key goes to every phone in the middle of rollouts, and the first sign-in proves it', async () => {
  const phones = [];
  for (let number = 0; number < 4; number += 1)
    phones.push(await world.newDevice('iPhone', { userName: `user${number}@acme.com` }));
  for (const phone of phones) await world.rollOut(phone.id);
  const old = (await platform('iOS')).secretId;
  const id = await rotate('ios_secret_key', 'New-key-of-phones');
  const proving = await until(id, 'proving');
  expect(await isStored(old)).toBe(false);
  expect(await countMembers(world.database, proving.fleetRolloutId ?? '')).toMatchObject({
    completed: 4,
    failed: 0,
  });
  for (const phone of phones) expect(phone.appConfiguration?.['managementHint']).toBe('New-key-of-phones');
  const [first] = phones;
  world.knobs.oktaDevices = [
    await oktaRecordOf(world.database, first?.id ?? '', {
      platform: 'IOS',
      model: 'iPhone15,2',
      lastUpdated: new Date(Date.now() + 60_000).toISOString(),
      users: [{ id: 'u0', login: 'user0@acme.com', managementStatus: 'MANAGED' }],
    }),
  ];
  await world.client.workflow.execute('observeTrust', {
    workflowId: 'observe',
    taskQueue: TASK_QUEUE,
    args: [{ integrationId: world.fleet.integrationId }],
  });
  await appendOutboxMessage(world.database, id, { kind: 'rotateSecret', rotationId: id });
  expect((await until(id, 'finished')).provenBy).not.toBeNull();
}, 240_000);
