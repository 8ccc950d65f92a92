// People of an identity provider: told apart by issuer and subject, never by name.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/postgres.ts';
import { saveProviderPerson } from './people.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

test('the same subject and name at another issuer is another person', async () => {
  const ada = { issuer: 'https://one.example', subject: '7', name: 'ada@example.com' };
  const first = await saveProviderPerson(db.database, ada, 'admin');
  const other = await saveProviderPerson(db.database, { ...ada, issuer: 'https://two.example' }, 'viewer');
  expect(first).toMatchObject({ name: 'ada@example.com', role: 'admin' });
  expect(other).toMatchObject({ name: 'ada@example.com (two.example)', role: 'viewer' });
  expect((await saveProviderPerson(db.database, ada, 'operator')).id).toBe(first.id);
});
