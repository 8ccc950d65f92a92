// The payload set as it goes out: each profile fits Apple's schema and Okta's manifests, and holds exactly what it must.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { problemsOfProfile, targetsOf } from '../../../test/apple-schema/apple-schema.ts';
import { problemsOfOktaPayload } from '../../../test/okta-manifest.ts';
import { OpensslFolder, hasOpenssl } from '../../../test/openssl.ts';
import { CertificateAuthority, newRsaKeyPair } from '../../pki/certificate-authority.ts';
import { signAttached, verifyAttached } from '../../pki/cms.ts';
import { isDict, parsePlistDict, type PlistDict, type PlistValue } from '../plist.ts';
import { appConfiguration } from './app-configuration.ts';
import { enrollmentProfile } from './enrollment.ts';
import { certificateProfile, settingsProfile, ssoProfile } from './payload-set.ts';

const TARGET = { integrationId: 'i-1', deviceId: 'd-1', uuid: '11111111-2222-4333-8444-555555555555' };
const HOSTS = ['acme.okta.com', 'id.acme.com'];
const DELIVERY = {
  scepUrl: 'https://acme.okta.com/pki/scep/abc',
  challenge: 'c"h<a>l&lenge',
  serialNumber: 'C02MT66KFLHH',
  udid: '66ADE930-5FDF-5EC4-8429-15640684C489',
  deliveryId: 'd41',
};
const SETTINGS = {
  orgUrl: 'https://id.acme.com',
  enrollmentOptions: 'SilentEnrollmentEnabled',
  launchOptions: 'HideMainWindow',
};

const certificate = certificateProfile({ ...TARGET, slot: 'a', scope: 'System', ...DELIVERY });
const settings = settingsProfile({
  ...TARGET,
  ...SETTINGS,
  extraKeys: { 'OktaVerify.ReportDiagnostics': true },
});
const macSso = ssoProfile({ ...TARGET, platform: 'macOS', hosts: HOSTS });
const phoneSso = ssoProfile({ ...TARGET, platform: 'iOS', hosts: HOSTS, managementHint: 'hint' });
const enrollment = enrollmentProfile({
  mdmUrl: 'https://odette.acme.com/mdm',
  scepUrl: 'https://odette.acme.com/scep',
  topic: 'com.apple.mgmt.External.1',
  accessRights: 'trust_only',
  challenge: 'once',
});

const payloadsIn = (xml: Buffer): PlistDict[] =>
  (parsePlistDict(xml)['PayloadContent'] as PlistValue[]).filter(isDict);

/** A payload without the keys of its envelope. */
function contentOf(xml: Buffer, type: string): PlistDict {
  const found = payloadsIn(xml).find((each) => each['PayloadType'] === type) ?? {};
  const {
    PayloadIdentifier,
    PayloadUUID,
    PayloadVersion,
    PayloadDisplayName,
    PayloadOrganization,
    ...content
  } = found;
  expect(PayloadVersion).toBe(1);
  expect([PayloadIdentifier, PayloadUUID, PayloadDisplayName, PayloadOrganization]).not.toContain(undefined);
  return content;
}

/**
 * The value of the seeds and of Okta's older documentation, which Okta Verify takes; the manifest of 2026 lists the names
 * that came later.
 */
const NOT_IN_MANIFEST = [
  'com.okta.mobile OktaVerify.EnrollmentOptions: SilentEnrollmentEnabled not in the list',
  'com.okta.mobile.auth-service-extension OktaVerify.EnrollmentOptions: SilentEnrollmentEnabled not in the list',
];

describe("Apple's schema and Okta's manifests", () => {
  test.each([
    ['certificate', 'macOS', certificate],
    ['settings', 'macOS', settings],
    ['single sign-on', 'macOS', macSso],
    ['single sign-on', 'iOS', phoneSso],
    ['enrollment', 'macOS', enrollment],
    ['enrollment', 'iOS', enrollment],
  ] as const)('the %s profile fits for %s', (_name, platform, { xml }) => {
    for (const target of targetsOf(platform)) {
      const problems = problemsOfProfile(parsePlistDict(xml), target, problemsOfOktaPayload);
      const unexpected = problems.filter((problem) => !NOT_IN_MANIFEST.includes(problem));
      expect({ target, unexpected }).toEqual({ target, unexpected: [] });
    }
  });

  test('find what is wrong', () => {
    const MAC = { platform: 'macOS', osVersion: '15.1' } as const;
    const PHONE = { platform: 'iOS', osVersion: '18.1' } as const;
    const broken = (change: (payload: PlistDict) => PlistDict, xml = macSso.xml) => {
      const profile = parsePlistDict(xml);
      return problemsOfProfile(
        { ...profile, PayloadContent: payloadsIn(xml).map(change) },
        MAC,
        problemsOfOktaPayload,
      );
    };
    expect(broken((sso) => ({ ...sso, Host: 'x' }))).toEqual(['com.apple.extensiblesso Host: unknown key']);
    expect(broken((sso) => ({ ...sso, Type: 'Redirekt' }))).toHaveLength(1);
    expect(broken((sso) => ({ ...sso, ExtensionIdentifier: undefined }))).toHaveLength(1);
    expect(broken((sso) => ({ ...sso, Hosts: 'x' }))).toHaveLength(1);
    expect(broken((payload) => ({ ...payload, PayloadUUID: 'same' }), settings.xml)).not.toEqual([]);
    expect(problemsOfProfile(parsePlistDict(macSso.xml), PHONE)).toEqual([
      'com.apple.extensiblesso TeamIdentifier: not for iOS',
    ]);
    expect(problemsOfProfile(parsePlistDict(settings.xml), PHONE, () => [])).toHaveLength(2);
    const before = { platform: 'macOS', osVersion: '12.7.6' } as const;
    expect(problemsOfProfile(parsePlistDict(settings.xml), before, () => [])).toEqual([
      'com.apple.servicemanagement not before macOS 13.0',
    ]);
    expect(
      broken(
        (okta) => (okta['PayloadType'] === 'com.okta.mobile' ? { ...okta, 'OktaVerify.OrgURL': 'x' } : okta),
        settings.xml,
      ),
    ).toContain('com.okta.mobile OktaVerify.OrgURL: unknown key');
  });
});

test('the certificate payload makes the Mac ask for the key and subject that Okta needs', () => {
  expect(contentOf(certificate.xml, 'com.apple.security.scep')).toEqual({
    PayloadType: 'com.apple.security.scep',
    PayloadContent: {
      URL: DELIVERY.scepUrl,
      Subject: [
        [['CN', 'C02MT66KFLHH managementAttestation 66ADE930-5FDF-5EC4-8429-15640684C489']],
        [['OU', 'odette-d41']],
      ],
      Challenge: DELIVERY.challenge,
      'Key Type': 'RSA',
      'Key Usage': 1,
      Keysize: 2048,
      KeyIsExtractable: false,
      AllowAllAppsAccess: true,
    },
  });
  expect(certificate.identifier).toMatch(/\.certificate\.a$/);
  expect(certificateProfile({ ...TARGET, slot: 'b', scope: 'System', ...DELIVERY }).identifier).toMatch(
    /\.certificate\.b$/,
  );
});

test('both of Okta Verify’s domains get the same keys', () => {
  const expected = {
    'OktaVerify.ReportDiagnostics': true,
    'OktaVerify.OrgUrl': 'https://id.acme.com',
    'OktaVerify.EnrollmentOptions': 'SilentEnrollmentEnabled',
    'OktaVerify.LaunchOptions': 'HideMainWindow',
  };
  for (const PayloadType of ['com.okta.mobile', 'com.okta.mobile.auth-service-extension']) {
    expect(contentOf(settings.xml, PayloadType)).toEqual({ PayloadType, ...expected });
  }
});

test('extra keys are written as they are, but replace neither the address nor the envelope', () => {
  const extraKeys = {
    'OktaVerify.Plugins': ['com.crowdstrike.zta'],
    'OktaVerify.OrgUrl': 'x',
    PayloadType: 'x',
  };
  const { xml } = settingsProfile({ ...TARGET, ...SETTINGS, extraKeys });
  expect(contentOf(xml, 'com.okta.mobile')).toMatchObject({
    'OktaVerify.Plugins': ['com.crowdstrike.zta'],
    'OktaVerify.OrgUrl': 'https://id.acme.com',
  });
  expect(() => settingsProfile({ ...TARGET, ...SETTINGS, extraKeys: { a: null } })).toThrow(
    'request.invalid',
  );
});

test('the login item is started by one payload and kept allowed by the other', () => {
  expect(contentOf(settings.xml, 'com.apple.loginitems.managed')).toMatchObject({
    'AutoLaunchedApplicationDictionary-managed': [{ Path: '/Applications/Okta Verify.app', Hide: true }],
  });
  expect(contentOf(settings.xml, 'com.apple.servicemanagement')).toMatchObject({
    Rules: [{ RuleType: 'TeamIdentifier', RuleValue: 'B7F62B65BN' }],
  });
});

test('the management hint is on iPhones and iPads only, the team identifier on Macs only', () => {
  const common = {
    PayloadType: 'com.apple.extensiblesso',
    Type: 'Credential',
    ExtensionIdentifier: 'com.okta.mobile.auth-service-extension',
    Realm: 'Okta Device',
    Hosts: HOSTS,
  };
  expect(contentOf(macSso.xml, 'com.apple.extensiblesso')).toEqual({
    ...common,
    TeamIdentifier: 'B7F62B65BN',
  });
  expect(contentOf(phoneSso.xml, 'com.apple.extensiblesso')).toEqual({
    ...common,
    ExtensionData: { managementHint: 'hint' },
  });
  expect(appConfiguration({ orgUrl: 'https://acme.okta.com', managementHint: 'hint' })).toEqual({
    'OktaVerify.OrgUrl': 'https://acme.okta.com',
    managementHint: 'hint',
  });
});

test('the enrollment profile gives one address, signed messages and the identity of its own payload', () => {
  const identity = payloadsIn(enrollment.xml).find(
    (each) => each['PayloadType'] === 'com.apple.security.scep',
  );
  expect(contentOf(enrollment.xml, 'com.apple.mdm')).toEqual({
    PayloadType: 'com.apple.mdm',
    IdentityCertificateUUID: identity?.['PayloadUUID'],
    Topic: 'com.apple.mgmt.External.1',
    ServerURL: 'https://odette.acme.com/mdm',
    CheckInURL: 'https://odette.acme.com/mdm',
    SignMessage: true,
    AccessRights: 7443,
    ServerCapabilities: ['com.apple.mdm.per-user-connections', 'com.apple.mdm.bootstraptoken'],
    CheckOutWhenRemoved: true,
  });
  expect(identity?.['PayloadContent']).toMatchObject({ Challenge: 'once', Keysize: 2048, 'Key Usage': 5 });
});

test('identifiers stay, UUIDs follow the revision, and equal parts give equal bytes', () => {
  const other = { ...TARGET, uuid: '99999999-2222-4333-8444-555555555555' };
  const next = settingsProfile({ ...other, ...SETTINGS });
  expect(next.identifier).toBe(settings.identifier);
  const ids = (xml: Buffer, key: string) => payloadsIn(xml).map((payload) => payload[key]);
  expect(ids(next.xml, 'PayloadIdentifier')).toEqual(ids(settings.xml, 'PayloadIdentifier'));
  for (const uuid of ids(next.xml, 'PayloadUUID'))
    expect(ids(settings.xml, 'PayloadUUID')).not.toContain(uuid);
  expect(parsePlistDict(next.xml)).toMatchObject({ PayloadUUID: other.uuid, PayloadScope: 'System' });
  expect(parsePlistDict(phoneSso.xml)).not.toHaveProperty('PayloadScope');
  expect(settingsProfile({ ...other, ...SETTINGS }).xml).toEqual(next.xml);
});

describe.skipIf(!hasOpenssl)('signed as it is sent', () => {
  const folder = new OpensslFolder();
  let authority: CertificateAuthority;
  let signed: Buffer;

  beforeAll(async () => {
    const [notBefore, notAfter] = [new Date(Date.now() - 3_600_000), new Date(Date.now() + 86_400_000)];
    authority = await CertificateAuthority.create({ commonName: 'Odette', notBefore, notAfter });
    const { publicKey, privateKey } = await newRsaKeyPair();
    const subject = [['CN', 'Odette profiles']] as const;
    const signer = authority.issue({ subject, publicKey, notBefore, notAfter, use: 'signing' });
    signed = signAttached(settings.xml, { certificate: signer, privateKey }, [authority.certificate]);
    folder.file('signed', signed);
    folder.file('ca.pem', authority.certificate.pem);
  });
  afterAll(() => {
    folder.remove();
  });

  test.each(['smime', 'cms'])(
    '`openssl %s` verifies it, chain and all, and gives the profile back',
    (program) => {
      expect(folder.run(program, '-verify', '-inform', 'DER', '-in', 'signed', '-CAfile', 'ca.pem')).toEqual(
        settings.xml,
      );
    },
  );

  test('with one changed byte it is refused, by openssl and by Odette', () => {
    const changed = Buffer.from(signed);
    const at = changed.indexOf('HideMainWindow');
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    folder.file('changed', changed);
    expect(() =>
      folder.run('cms', '-verify', '-inform', 'DER', '-in', 'changed', '-CAfile', 'ca.pem'),
    ).toThrow();
    expect(() => verifyAttached(changed)).toThrow('mdm.signature_refused');
    expect(verifyAttached(signed).content).toEqual(settings.xml);
  });
});
