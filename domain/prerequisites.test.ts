import { expect, test } from 'vitest';
import { CataloguedError, type FailureCode } from './failures.ts';
import { findPrerequisites } from './prerequisites.ts';

const find = (appsAndBooksCode: FailureCode) =>
  findPrerequisites({
    tenant: { orgId: '00o1', host: 'acme.okta.com', pipeline: 'idx' },
    confirmed: [],
    oktaClient: () =>
      Promise.resolve({
        token: () => Promise.resolve({ scopes: [] }),
        checkFastPass: () => Promise.resolve({ oktaVerifyActive: true, fastPassActive: true, warnings: [] }),
      }),
    appsAndBooks: () => Promise.reject(new CataloguedError(appsAndBooksCode)),
  });

test("no prerequisite is called missing while Odette's own database does not respond", async () => {
  await expect(find('store.unavailable')).rejects.toMatchObject({ code: 'store.unavailable' });
});

test('licenses that Apple refuses to tell are a finding with the reason', async () => {
  const { prerequisites } = await find('apps_and_books.token_refused');
  expect(prerequisites).toContainEqual(
    expect.objectContaining({ id: 'okta_verify_licenses', failureCode: 'apps_and_books.token_refused' }),
  );
});
