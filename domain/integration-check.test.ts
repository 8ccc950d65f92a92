import { expect, test } from 'vitest';
import { CataloguedError, type FailureCode } from './failures.ts';
import {
  authorityChange,
  checkTenant,
  checkTroubles,
  type AuthorityCertificate,
  type CheckSources,
  type IntegrationCheck,
} from './integration-check.ts';

const certificate = (fingerprint: string, subject: string, isAuthority = true): AuthorityCertificate => ({
  fingerprint,
  subject,
  isAuthority,
  notAfter: '2046-01-01T00:00:00.000Z',
});
const CA = certificate('aa', 'CN=Organization Intermediate Authority');
const RA = certificate('bb', 'CN=Organization Registration Authority', false);

test.each([
  ['the same certificates in another order', [RA, CA], undefined],
  [
    'another registration authority',
    [CA, { ...RA, fingerprint: 'cc' }],
    { isAuthority: false, cause: /Certificates are not affected/ },
  ],
  [
    'a renewed authority',
    [{ ...CA, fingerprint: 'dd' }, RA],
    { isAuthority: true, cause: /Okta renewed its authority CN=Organization Inter/ },
  ],
  [
    'another authority',
    [certificate('ee', 'CN=Somebody'), RA],
    { isAuthority: true, cause: /CN=Somebody instead of CN=Organization Inter/ },
  ],
  ['no authority any more', [RA], { isAuthority: true, cause: /no longer presents/ }],
])('of %s the cause is named', (_, now, expected) => {
  const change = authorityChange([CA, RA], now);
  expect(change?.isAuthority).toBe(expected?.isAuthority);
  if (expected) expect(change?.text).toMatch(expected.cause);
});

const KNOWN = {
  channel: 'built_in' as const,
  oktaOrgId: '00o1',
  customDomain: 'id.acme.com',
  furtherDomains: ['login.acme.com'],
};
const tenant = {
  orgId: '00o1',
  host: 'acme.okta.com',
  customDomain: 'id.acme.com',
  pipeline: 'idx' as const,
};
const fails = (code: FailureCode) => Promise.reject(new CataloguedError(code));
const sources = (changes: Partial<CheckSources> = {}): CheckSources => ({
  organization: () => Promise.resolve(tenant),
  authority: () => Promise.resolve([CA]),
  appsAndBooks: () => fails('apps_and_books.token_missing'),
  appsAndBooksId: () => Promise.resolve('own'),
  oktaClient: () =>
    Promise.resolve({
      token: () => Promise.resolve({ scopes: ['okta.devices.read', 'okta.authenticators.read'] }),
      checkDevices: () => Promise.resolve({}),
      checkFastPass: () => Promise.resolve({ oktaVerifyActive: true, fastPassActive: false, warnings: [] }),
    }),
  ...changes,
});
const problems = (check: IntegrationCheck) =>
  checkTroubles({ ...check, authorityChange: null, authorityChangedAt: null }, KNOWN, new Date());

test('a prerequisite that is no longer met is told with what is missing', async () => {
  const check = await checkTenant(KNOWN, sources());
  expect(problems(check)).toEqual([
    {
      code: 'setup.prerequisites_missing',
      text: 'The tenant no longer meets a prerequisite. Okta FastPass is not active.',
    },
  ]);
});

test('an address that leads to another tenant is the only finding', async () => {
  const check = await checkTenant(
    KNOWN,
    sources({ organization: () => Promise.resolve({ ...tenant, orgId: '00o2' }) }),
  );
  expect(check).toMatchObject({ failureCode: 'setup.other_tenant', prerequisites: [] });
  expect(problems(check).map(({ code }) => code)).toEqual(['setup.other_tenant']);
});

test('each custom domain is asked: one that leads elsewhere is named, one that cannot be reached from here is not', async () => {
  const asked: (string | undefined)[] = [];
  const organization = (host?: string) => {
    asked.push(host);
    if (host === 'id.acme.com') return fails('okta.not_okta');
    return host === 'login.acme.com' ? fails('okta.unreachable') : Promise.resolve(tenant);
  };
  const check = await checkTenant(KNOWN, sources({ organization }));
  expect(asked).toEqual([undefined, 'id.acme.com', 'login.acme.com']);
  expect(check.strayDomains).toEqual(['id.acme.com']);
  expect(problems(check)).toContainEqual(
    expect.objectContaining({
      code: 'okta.custom_domain_changed',
      text: expect.stringContaining('id.acme.com') as string,
    }),
  );
});

test('a custom domain that Okta names anew is told with both names', async () => {
  const organization = () => Promise.resolve({ ...tenant, customDomain: 'sso.acme.com' });
  expect(problems(await checkTenant(KNOWN, sources({ organization })))).toContainEqual({
    code: 'okta.custom_domain_changed',
    text: "Okta's custom domain is sso.acme.com; devices use id.acme.com.",
  });
});

test('what passes by itself is no finding: the check is made again', async () => {
  await expect(
    checkTenant(KNOWN, sources({ organization: () => fails('okta.unreachable') })),
  ).rejects.toMatchObject({
    code: 'okta.unreachable',
  });
});

test('a changed authority is told for a week, a renewed registration authority not at all', async () => {
  const check = await checkTenant(KNOWN, sources());
  const told = (isAuthority: boolean, days: number) => {
    const authorityChangedAt = new Date(Date.now() - days * 86_400_000);
    const stored = { ...check, authorityChange: { text: 'Changed.', isAuthority }, authorityChangedAt };
    return checkTroubles(stored, KNOWN, new Date()).some(({ code }) => code === 'okta.authority_changed');
  };
  expect([told(true, 6), told(true, 8), told(false, 1)]).toEqual([true, false, false]);
});
