// What APNs says of a push certificate belongs to that certificate, and not to the one that replaced it.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/postgres.ts';
import { KeyRing } from '../../secrets/key-ring.ts';
import { findPushCertificate, markPushCertificate, storePushCertificate } from './push-certificates.ts';
import { storeSecret } from '../base/secrets.ts';

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.drop());

const topic = 'com.apple.mgmt.External.test';

async function upload() {
  const ring = new KeyRing('test', new Map([['test', randomBytes(32)]]));
  const key = await storeSecret(own.database, ring, { kind: 'push_key', value: 'a key', by: 'test' });
  await storePushCertificate(own.database, {
    topic,
    certificatePem: 'PEM',
    keySecretId: key.id,
    accessRights: 'trust_only',
    notAfter: new Date(),
  });
  return found();
}

async function found() {
  const certificate = await findPushCertificate(own.database, topic);
  if (certificate === undefined) throw new Error('no push certificate');
  return certificate;
}

test('a refusal that comes late does not touch the certificate that was renewed meanwhile', async () => {
  const old = await upload();
  await markPushCertificate(own.database, old, 'refused');
  expect((await found()).refusedAt).not.toBeNull();
  const renewed = await upload();
  expect(renewed.refusedAt).toBeNull();
  await markPushCertificate(own.database, old, 'refused');
  expect((await found()).refusedAt).toBeNull();
  await markPushCertificate(own.database, renewed, 'refused');
  expect((await found()).refusedAt).not.toBeNull();
  await markPushCertificate(own.database, renewed, 'taken');
  expect((await found()).refusedAt).toBeNull();
});
