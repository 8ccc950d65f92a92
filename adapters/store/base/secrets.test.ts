// Sealed secrets in the table: a new version under the same handle, an audit row for each use, and no secret that nothing names.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeyRing } from '../../secrets/key-ring.ts';
import { newSetup } from '../../../domain/setup-wizard.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/postgres.ts';
import { openSecret, pruneSecrets, storeSecret, type SecretKind, type SecretOwner } from './secrets.ts';
import { addSetup, saveSetup } from '../integration/setups.ts';

const ring = new KeyRing('k', new Map([['k', randomBytes(32)]]));
let store_: TestDatabase;
beforeAll(async () => {
  store_ = await createTestDatabase();
});
afterAll(() => store_.drop());

test('a new value is a new version under the same handle, and setting and using it are in the audit trail', async () => {
  const { database } = store_;
  const kind = 'push_key' as const;
  const use = { actor: 'system', purpose: 'test', kind, owner: { installation: true as const } };
  const first = await storeSecret(database, ring, { kind, value: 'one', by: 'person:ada' });
  const second = await storeSecret(database, ring, { kind, value: 'two', by: 'person:eve', id: first.id });
  expect([first.version, second]).toEqual([1, { id: first.id, version: 2 }]);
  const opened = await openSecret(database, ring, first.id, use);
  expect([opened.value.toString(), opened.version]).toEqual(['two', 2]);
  const audit = await database.query<{ line: string }>(
    `select actor || ' ' || action || ' ' || (detail ->> 'version') as line from audit_entries where subject = $1 order by at, id`,
    [`secret:${first.id}`],
  );
  expect(audit.map(({ line }) => line).sort()).toEqual([
    'person:ada secret.set 1',
    'person:eve secret.set 2',
    'system secret.used 2',
  ]);
  await expect(openSecret(database, ring, globalThis.crypto.randomUUID(), use)).rejects.toMatchObject({
    code: 'secrets.not_found',
  });
});

test('a secret opens for the address it was entered for, and a refused use is in the audit trail', async () => {
  const { database } = store_;
  const kind = 'apps_and_books_token' as const;
  const owner = { installation: true } as const;
  await expect(storeSecret(database, ring, { kind, value: 'x', by: 'person:ada' })).rejects.toMatchObject({
    constraint: 'secrets_address',
  });
  const given = { kind, value: 'x', by: 'person:ada', address: 'acme.okta.com' };
  const { id } = await storeSecret(database, ring, given);
  const open = (address?: string) =>
    openSecret(database, ring, id, {
      actor: 'system',
      purpose: 'test',
      kind,
      owner,
      ...(address && { address }),
    });
  expect((await open('acme.okta.com')).value.toString()).toBe('x');
  await expect(open('acme.okta.com.evil.example')).rejects.toMatchObject({ code: 'secrets.other_address' });
  await expect(open()).rejects.toMatchObject({ code: 'secrets.other_address' });
  const [refused] = await database.query(
    `select count(*), max(detail ->> 'refusedAddress') as address from audit_entries where action = 'secret.refused'`,
  );
  expect(refused).toEqual({ count: 2, address: 'acme.okta.com.evil.example' });
});

test('a handle opens nothing for whoever does not own it, nor as another kind; that is in the audit trail', async () => {
  const { database } = store_;
  const setup = newSetup(globalThis.crypto.randomUUID());
  const other = newSetup(globalThis.crypto.randomUUID());
  for (const each of [setup, other]) await addSetup(database, each, 'test');
  const address = 'acme.okta.com';
  const { id } = await storeSecret(database, ring, {
    kind: 'okta_client_secret',
    value: 'x',
    by: 'test',
    address,
    setupId: setup.setupId,
  });
  const open = (owner: SecretOwner, kind: SecretKind = 'okta_client_secret') =>
    openSecret(database, ring, id, { actor: 'system', purpose: 'test', kind, owner, address });
  expect((await open({ setupId: setup.setupId })).value.toString()).toBe('x');
  const integrationId = globalThis.crypto.randomUUID();
  const refused = { code: 'secrets.other_owner' };
  await expect(open({ setupId: other.setupId })).rejects.toMatchObject(refused);
  await expect(open({ setupId: setup.setupId }, 'challenge_password')).rejects.toMatchObject(refused);
  await expect(open({ installation: true })).rejects.toMatchObject(refused);
  await expect(open({ integrationId })).rejects.toMatchObject(refused);

  await database.query(
    `insert into integrations (id, name, okta_org_id, okta_host, credentials_kind, client_id, credentials_secret_id, granted_scopes)
     values ($1, 'b', '00ob', 'acme.okta.com', 'api_service_integration', 'c', $2, '{}')`,
    [integrationId, id],
  );
  await saveSetup(database, { ...setup, status: 'complete' });
  expect((await open({ integrationId })).value.toString()).toBe('x');
  await expect(open({ setupId: setup.setupId })).rejects.toMatchObject(refused);
  const amending = newSetup(globalThis.crypto.randomUUID());
  await addSetup(database, { ...amending, integrationId, amends: true }, 'test');
  expect((await open({ setupId: amending.setupId })).value.toString()).toBe('x');

  const rows = await database.query<{ owner: string }>(
    `select detail ->> 'refusedOwner' as owner from audit_entries where action = 'secret.refused' and subject = $1`,
    [`secret:${id}`],
  );
  expect(rows.map(({ owner }) => owner)).toContain(`setup:${other.setupId}`);
  expect(rows).toHaveLength(5);
  await database.query('delete from integrations');
});

test('only old secrets that nothing names are removed', async () => {
  const { database } = store_;
  await database.query('delete from secrets');
  const store = async (kind: 'okta_client_secret' | 'ios_secret_key' | 'authority_key') =>
    (
      await storeSecret(database, ring, {
        kind,
        value: 'x',
        by: 'test',
        ...(kind === 'okta_client_secret' && { address: 'a.okta.com' }),
      })
    ).id;
  const [used, inSetup, forgotten, own] = [
    await store('okta_client_secret'),
    await store('ios_secret_key'),
    await store('ios_secret_key'),
    await store('authority_key'),
  ];
  await database.query(
    `insert into integrations (name, okta_org_id, okta_host, credentials_kind, client_id, credentials_secret_id, granted_scopes)
     values ('a', '00o', 'a.okta.com', 'api_service_integration', 'c', $1, '{}')`,
    [used],
  );
  const setup = newSetup(globalThis.crypto.randomUUID());
  await addSetup(
    database,
    { ...setup, answers: { ios: { step: 'ios', secretId: inSetup, providerName: 'Odette' } } },
    'test',
  );
  expect(await pruneSecrets(database)).toBe(0);
  await database.query(`update secrets set set_at = now() - interval '8 days'`);
  const fresh = await store('ios_secret_key');
  expect(await pruneSecrets(database)).toBe(1);
  const left = await database.query<{ id: string }>('select id from secrets');
  expect(new Set(left.map(({ id }) => id))).toEqual(new Set([used, inSetup, own, fresh]));
  expect(left.map(({ id }) => id)).not.toContain(forgotten);
});
