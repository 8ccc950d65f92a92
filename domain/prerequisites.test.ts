import { expect, test } from 'vitest';
import { CataloguedError, type FailureCode } from './failures.ts';
import { findPrerequisites, type TenantChecks } from './prerequisites.ts';

const find = (appsAndBooksCode: FailureCode) =>
  findPrerequisites({
    tenant: { orgId: '00o1', host: 'acme.okta.com', pipeline: 'idx' },
    confirmed: [],
    oktaClient: () =>
      Promise.resolve({
        token: () => Promise.resolve({ scopes: [] }),
        checkDevices: () => Promise.resolve({}),
        checkFastPass: () => Promise.resolve({ oktaVerifyActive: true, fastPassActive: true, warnings: [] }),
      }),
    appsAndBooks: () => Promise.reject(new CataloguedError(appsAndBooksCode)),
    appsAndBooksId: () => Promise.resolve('own'),
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

test.each([
  ['own', 'passed', undefined],
  [undefined, 'passed', undefined],
  ['other', 'failed', 'apps_and_books.held_by_other'],
] as const)('a location that %s claimed last: %s', async (mdmId, result, failureCode) => {
  const { prerequisites } = await findPrerequisites({
    tenant: { orgId: '00o1', host: 'acme.okta.com', pipeline: 'idx' },
    confirmed: [],
    oktaClient: () => Promise.reject(new CataloguedError('okta.client_id_unknown')),
    appsAndBooks: () =>
      Promise.resolve({
        location: () =>
          Promise.resolve({ name: 'Berlin', ...(mdmId !== undefined && { mdmId, mdmName: 'Fleet' }) }),
        asset: () => Promise.resolve([{ available: 4, total: 5 }]),
      }),
    appsAndBooksId: () => Promise.resolve('own'),
  });
  const found = prerequisites.find(({ id }) => id === 'okta_verify_licenses');
  expect([found?.result, found?.failureCode]).toEqual([result, failureCode]);
  if (result === 'failed')
    expect(found?.detail).toBe('“Fleet” also uses the Apps and Books location “Berlin”.');
});

const judge = async (changes: Partial<TenantChecks>) => {
  const client: TenantChecks = {
    token: () => Promise.resolve({ scopes: ['okta.devices.read', 'okta.authenticators.read'] }),
    checkDevices: () => Promise.resolve({}),
    checkFastPass: () => Promise.resolve({ oktaVerifyActive: true, fastPassActive: true, warnings: [] }),
    ...changes,
  };
  const { prerequisites } = await findPrerequisites({
    tenant: { orgId: '00o1', host: 'acme.okta.com', pipeline: 'idx' },
    confirmed: [],
    oktaClient: () => Promise.resolve(client),
    appsAndBooks: () => Promise.reject(new CataloguedError('apps_and_books.token_missing')),
    appsAndBooksId: () => Promise.resolve('own'),
  });
  return (id: string) => prerequisites.find((one) => one.id === id);
};

test('without okta.devices.manage nothing is lacking, and the list notes it', async () => {
  expect((await judge({}))('scopes')).toMatchObject({
    result: 'passed',
    detail:
      'Not granted: okta.devices.manage. Odette works without it, because Odette changes nothing in Okta.',
  });
});

test('without a scope that Odette needs the list says which', async () => {
  const found = (await judge({ token: () => Promise.resolve({ scopes: ['okta.devices.manage'] }) }))(
    'scopes',
  );
  expect(found).toMatchObject({ result: 'failed', failureCode: 'okta.scope_not_granted' });
  expect(found?.detail).toBe('Not granted: okta.authenticators.read.');
});

test('a role that may view authenticators and no devices is found before the first sweep', async () => {
  const find = await judge({ checkDevices: () => Promise.reject(new CataloguedError('okta.access_denied')) });
  expect(find('devices_readable')).toMatchObject({ result: 'failed', failureCode: 'okta.access_denied' });
  expect(find('fastpass_active')?.result).toBe('passed');
});

test('a clock that differs is named as such, with the seconds', async () => {
  const reason = "The clock of this server is 310 seconds behind Okta's.";
  const find = await judge({
    token: () => Promise.reject(new CataloguedError('okta.clock_off', { facts: { reason } })),
  });
  expect(find('token')).toMatchObject({ result: 'failed', failureCode: 'okta.clock_off', detail: reason });
});

test('a clock that differs is a finding of its own where the token was given all the same', async () => {
  const find = await judge({ checkDevices: () => Promise.resolve({ clockSeconds: 95 }) });
  expect(find('clock')).toMatchObject({
    result: 'failed',
    failureCode: 'okta.clock_off',
    detail: "The clock of this server is 95 seconds ahead of Okta's.",
  });
  expect((await judge({}))('clock')?.result).toBe('passed');
});
