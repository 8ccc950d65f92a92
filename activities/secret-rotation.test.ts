// A client secret and a key of one's own are rotated: tried with Okta before they are used, one beside the other there, the old one destroyed here.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newAppKey } from '../adapters/okta/api-services-app.ts';
import { KeyRing } from '../adapters/secrets/key-ring.ts';
import { storeSecret, type SecretKind } from '../adapters/store/base/secrets.ts';
import {
  addRotation,
  findRotation,
  lockRotation,
  setRotationStatus,
} from '../adapters/store/integration/secret-rotations.ts';
import type { RotatedSecret } from '../domain/secret-rotation.ts';
import * as admin from '../sandbox/okta/admin.ts';
import { OKTA_SCOPES } from '../domain/setup-wizard.ts';
import { connectIntegration } from '../test/harness/connected-integration.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/postgres.ts';
import { openPretendOkta, type PretendOkta } from '../test/harness/pretend-okta.ts';
import { secretRotationActivities } from './secret-rotation.ts';

const sealer = new KeyRing('test', new Map([['test', randomBytes(32)]]));
let scratch: TestDatabase;
let okta: PretendOkta;
let integrationId: string;

beforeAll(async () => {
  [scratch, okta] = await Promise.all([createTestDatabase(), openPretendOkta()]);
  ({ integrationId } = await connectIntegration(scratch.database, sealer, okta.host, {}));
});
afterAll(async () => {
  await okta.close();
  await scratch.drop();
});
beforeEach(() => scratch.database.query('delete from secret_rotations'));

const store = async (kind: SecretKind, value: string): Promise<string> =>
  (await storeSecret(scratch.database, sealer, { kind, value, by: 'person:ada', address: okta.host })).id;

async function connect(kind: string, clientId: string, secretId: string): Promise<void> {
  await scratch.database.query(
    `update integrations set okta_host = $1, credentials_kind = $2, client_id = $3, credentials_secret_id = $4`,
    [okta.host, kind, clientId, secretId],
  );
}
const inUse = async (): Promise<string> => {
  const [row] = await scratch.database.query<{ id: string }>(
    'select credentials_secret_id as id from integrations',
  );
  return row?.id ?? '';
};
const isStored = async (id: string): Promise<boolean> =>
  (await scratch.database.query('select from secrets where id = $1', [id])).length > 0;

async function begin(
  kind: RotatedSecret,
  newSecretId: string,
  status: 'prepared' | 'trying',
): Promise<string> {
  const oldSecretId = await inUse();
  const begun = { integrationId, kind, newSecretId, oldSecretId, publicJwk: null, by: 'person:ada', status };
  return (await addRotation(scratch.database, begun)) ?? '';
}

/** As its workflow does, until it waits. */
async function advance(rotationId: string): Promise<string> {
  const { advanceRotation } = secretRotationActivities({
    database: scratch.database,
    sealer,
    allowedPrivateHosts: [okta.host],
  });
  for (;;) {
    const step = await advanceRotation({ rotationId, nowMs: Date.now() });
    if (step === null || step.waitSeconds === null || step.waitSeconds > 1) return step?.status ?? 'gone';
  }
}

const failureOf = async (rotationId: string) =>
  (await findRotation(scratch.database, rotationId))?.failureCode;

test('a client secret that Okta refuses is never used; the second of two is, and the first is destroyed here', async () => {
  const { clientId, clientSecret } = await admin.installApiServiceIntegration(okta.tenant);
  const first = await store('okta_client_secret', clientSecret);
  await connect('api_service_integration', clientId, first);

  const wrong = await store('okta_client_secret', 'not-the-secret');
  const refused = await begin('client_secret', wrong, 'trying');
  expect([await advance(refused), await failureOf(refused)]).toEqual(['refused', 'okta.client_secret_wrong']);
  expect([await inUse(), await isStored(first), await isStored(wrong)]).toEqual([first, true, false]);

  const added = await admin.addClientSecret(okta.tenant, clientId);
  const second = await store('okta_client_secret', added?.clientSecret ?? '');
  expect(await advance(await begin('client_secret', second, 'trying'))).toBe('finished');
  expect([await inUse(), await isStored(first), await isStored(second)]).toEqual([second, false, true]);
});

test('a key that Okta does not know yet waits beside the old one, which stays in use until Okta takes the new one', async () => {
  const [old, next] = [await newAppKey(), await newAppKey()];
  const app = { scopes: [...OKTA_SCOPES], roles: ['SUPER_ADMIN'], publicJwks: [{ ...old.publicJwk }] };
  const { clientId } = await admin.createApiServicesApp(okta.tenant, app);
  const first = await store('okta_private_key', old.privateKeyPem);
  await connect('api_services_app', clientId, first);
  const second = await store('okta_private_key', next.privateKeyPem);
  const id = await begin('private_key', second, 'prepared');
  const confirm = () =>
    scratch.database.inTransaction(async (sql) => {
      await lockRotation(sql, id);
      await setRotationStatus(sql, id, 'trying', { by: 'person:ada', failureCode: null });
    });

  await confirm();
  expect([await advance(id), await failureOf(id)]).toEqual(['prepared', 'okta.key_refused']);
  expect([await inUse(), await isStored(first), await isStored(second)]).toEqual([first, true, true]);

  await admin.changeApiServicesApp(okta.tenant, clientId, {
    publicJwks: [{ ...old.publicJwk }, { ...next.publicJwk }],
  });
  await confirm();
  expect(await advance(id)).toBe('finished');
  expect([await inUse(), await isStored(first)]).toEqual([second, false]);
});
