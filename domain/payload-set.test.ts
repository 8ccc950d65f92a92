import { describe, expect, test } from 'vitest';
import { canonicalJson, payloadSetOf, ssoHostsOf, type PayloadSetInputs } from './payload-set.ts';

const inputs: PayloadSetInputs = {
  integrationId: 'i1',
  deviceId: 'd1',
  platform: 'macOS',
  oktaHost: 'acme.okta.com',
  customDomain: null,
  item: {},
  secret: { id: 's1', version: 1 },
};
const of = (changes: Partial<PayloadSetInputs>) => payloadSetOf({ ...inputs, ...changes });

describe('the payload set', () => {
  test('a Mac gets a certificate, the settings and the SSO profile, and no app configuration', () => {
    const set = of({});
    expect(set.wantsCertificate).toBe(true);
    expect(set.profiles.map((profile) => profile.kind)).toEqual(['settings', 'sso']);
    expect(set.appConfiguration).toBeNull();
  });

  test('an iPhone gets the SSO profile and the app configuration, and no certificate', () => {
    const set = of({ platform: 'iOS' });
    expect(set.wantsCertificate).toBe(false);
    expect(set.profiles.map((profile) => profile.kind)).toEqual(['sso']);
    expect(set.appConfiguration).not.toBeNull();
  });

  test('a new iOS key changes the SSO profile and the app configuration', () => {
    const before = of({ platform: 'iOS' });
    const after = of({ platform: 'iOS', secret: { id: 's1', version: 2 } });
    expect(after.profiles[0]?.inputs).not.toBe(before.profiles[0]?.inputs);
    expect(after.appConfiguration?.inputs).not.toBe(before.appConfiguration?.inputs);
  });

  test('a new challenge password changes no profile of a Mac', () => {
    expect(of({ secret: { id: 's1', version: 2 } })).toEqual(of({}));
  });

  test('extra keys change the settings only', () => {
    const after = of({ item: { extraKeys: { 'OktaVerify.ReportDiagnostics': true } } });
    expect(after.profiles[0]?.inputs).not.toBe(of({}).profiles[0]?.inputs);
    expect(after.profiles[1]?.inputs).toBe(of({}).profiles[1]?.inputs);
  });

  test('SSO hosts carry no port and appear once', () => {
    expect(
      ssoHostsOf({
        oktaHost: 'acme.okta.com',
        customDomain: 'id.acme.com',
        furtherDomains: ['login.acme.com', 'id.acme.com'],
      }),
    ).toEqual(['acme.okta.com', 'id.acme.com', 'login.acme.com']);
    expect(ssoHostsOf({ oktaHost: 'localhost:4791', customDomain: 'id.acme.com' })).toEqual([
      'localhost',
      'id.acme.com',
    ]);
  });

  test('canonical JSON does not depend on the order of keys', () => {
    expect(canonicalJson({ b: [1, { d: 1, c: undefined }], a: null })).toBe('{"a":null,"b":[1,{"d":1}]}');
  });
});
