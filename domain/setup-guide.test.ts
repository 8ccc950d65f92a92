import { expect, test } from 'vitest';
import { guideOf } from './setup-guide.ts';
import { newSetup, type CredentialsKind, type SetupState } from './setup-wizard.ts';

const copied = (enrollmentLink: string | null) =>
  (['platforms', 'ios'] as const).map((step) => {
    const { tasks } = guideOf(step, newSetup('setup-1'), { enrollmentLink, providerName: 'Odette' });
    const link = tasks.find(({ text }) => /^(Enrollment link|Odette has no enrollment link)/.test(text));
    return [link?.copy?.value, link?.text.includes('Set ODETTE_PUBLIC_URL')];
  });

test('the enrollment link is offered once it is known; before, what to set is said and nothing is there to copy', () => {
  const link = 'https://mdm.example.com/enroll';
  expect(copied(link)).toEqual([
    [link, false],
    [link, false],
  ]);
  expect(copied(null)).toEqual([
    [undefined, true],
    [undefined, true],
  ]);
});

test('where devices are enrolled in another server, its enrollment page stands in for the link, and the end says to add it', () => {
  const state: SetupState = {
    ...newSetup('setup-1'),
    answers: { get_started: { step: 'get_started', channel: 'fleet' } },
  };
  const tasksOf = (step: 'platforms' | 'complete') =>
    guideOf(step, state, facts).tasks.map(({ text }) => text);
  expect(tasksOf('platforms')).toContainEqual(expect.stringContaining('where your users enroll in Fleet'));
  expect(tasksOf('complete')[0]).toContain('add the Fleet server');
});

const signedIn = (credentialsKind: CredentialsKind, host = 'acme.okta.com'): SetupState => ({
  ...newSetup('setup-1'),
  tenant: { orgId: '00o1', host, pipeline: 'idx' },
  answers: {
    credentials_kind: { step: 'credentials_kind', credentialsKind, publicJwk: { kty: 'RSA', kid: 'key-1' } },
  },
});
const facts = { enrollmentLink: null, providerName: 'Odette' };
const textOf = (state: SetupState): string => JSON.stringify(guideOf('okta_tasks', state, facts));

test('the tasks are those of the chosen kind of credentials, and of no other', () => {
  expect(textOf(signedIn('api_services_app'))).toMatch(/API Services.*key-1.*Admin roles/s);
  expect(textOf(signedIn('api_services_app'))).not.toMatch(/Install & Authorize|client secret/i);
  expect(textOf(signedIn('api_service_integration'))).toMatch(/Install & Authorize.*client secret/s);
  expect(textOf(signedIn('api_service_integration'))).not.toMatch(/key-1|Admin roles/);
});

test.each([
  ['acme.okta.com', 'https://acme-admin.okta.com/admin/dashboard'],
  ['acme.oktapreview.com', 'https://acme-admin.oktapreview.com/admin/dashboard'],
  ['localhost:4791', 'https://localhost:4791/admin/dashboard'],
])('the links lead to the admin console of %s', (host, address) => {
  const state = signedIn('api_services_app', host);
  const links = (['credentials_kind', 'okta_tasks', 'platforms'] as const).flatMap((step) =>
    guideOf(step, state, facts).tasks.flatMap(({ link }) => (link ? [link.url] : [])),
  );
  expect(links).toEqual([address, address, address]);
});
