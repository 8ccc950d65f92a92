// Profiles on a pretend device: what it installs, replaces, removes and refuses, and what becomes of the certificates.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import type { PretendDevice } from './device.ts';
import { payload, profileOf } from '../../test/harness/small-mdm-server.ts';
import type { TestWorld } from '../../test/harness/sandbox-world.ts';
import { openTestWorld } from '../../test/harness/sandbox-world.ts';

let world: TestWorld;
let mac: PretendDevice;
let phone: PretendDevice;
beforeAll(async () => {
  world = await openTestWorld();
  mac = await world.enrolled({ family: 'Mac', name: 'mac' });
  phone = await world.enrolled({ family: 'iPhone', name: 'phone' });
});
afterAll(() => world.close());

const install = (device: PretendDevice, profile: Buffer): Promise<PlistDict> =>
  world.ask(device, 'InstallProfile', { Payload: world.server.sign(profile) });
const scep = (keys: PlistDict = {}): PlistDict =>
  payload('com.apple.security.scep', {
    PayloadContent: {
      URL: `${world.server.url}/scep`,
      Challenge: world.server.challenge,
      Keysize: 2048,
      'Key Type': 'RSA',
      'Key Usage': 1,
      KeyIsExtractable: false,
      AllowAllAppsAccess: true,
      Subject: [[['CN', '%SerialNumber% managementAttestation %HardwareUUID%']], [['OU', 'odette-1']]],
      ...keys,
    },
  });
const sso = (hosts: string[]): PlistDict =>
  payload('com.apple.extensiblesso', {
    ExtensionIdentifier: 'com.okta.mobile.auth-service-extension',
    TeamIdentifier: 'B7F62B65BN',
    Type: 'Credential',
    Realm: 'Okta Device',
    Hosts: hosts,
  });
const codes = (response: PlistDict): string[] =>
  (response['ErrorChain'] as PlistDict[]).map(
    (one) => `${String(one['ErrorDomain'])} ${String(one['ErrorCode'])}`,
  );
const itemsOf = (device: PretendDevice, profile: string): unknown[] =>
  device.state.keychain.filter((item) => item.profile === profile);
const listed = async (device: PretendDevice): Promise<PlistDict[]> =>
  (await world.ask(device, 'ProfileList'))['ProfileList'] as PlistDict[];

describe('certificates', () => {
  it('each installation enrolls anew, a replacement takes the old certificate away, a removal the last one', async () => {
    const profile = profileOf('certificate.a', [scep()]);
    await expect(install(mac, profile)).resolves.toMatchObject({ Status: 'Acknowledged' });
    const [first] = itemsOf(mac, 'test.certificate.a');
    await install(mac, profile);
    const now = itemsOf(mac, 'test.certificate.a');
    expect(now).toHaveLength(1);
    expect(now[0]).not.toEqual(first);
    expect(mac.state.counts['certificatesReceived']).toBe(2);
    await world.ask(mac, 'RemoveProfile', { Identifier: 'test.certificate.a' });
    expect(itemsOf(mac, 'test.certificate.a')).toEqual([]);
  });

  it('CertificateList shows each one with its DER, its common name, and whether there is a key', async () => {
    await install(mac, profileOf('certificate.a', [scep()]));
    const { CertificateList } = await world.ask(mac, 'CertificateList');
    const { serialNumber, udid } = mac.state.hardware;
    expect(CertificateList).toContainEqual(
      expect.objectContaining({
        CommonName: `${serialNumber} managementAttestation ${udid}`,
        IsIdentity: true,
      }),
    );
  });

  it('a challenge that the authority refuses fails in Apple’s words, and the profile before it stays', async () => {
    await install(mac, profileOf('certificate.a', [scep()]));
    const response = await install(mac, profileOf('certificate.a', [scep({ Challenge: 'used' })]));
    expect(response['Status']).toBe('Error');
    expect(codes(response)).toEqual([
      'MCInstallationErrorDomain 4001',
      'MCSCEPErrorDomain 22013',
      'MDM-SCEP 15002',
    ]);
    expect(itemsOf(mac, 'test.certificate.a')).toHaveLength(1);
  });

  it('an authority that cannot be reached is a network error', async () => {
    const response = await install(
      phone,
      profileOf('elsewhere', [scep({ URL: 'https://localhost:1/scep' })]),
    );
    expect(codes(response)).toEqual(['MCInstallationErrorDomain 4001', 'MCSCEPErrorDomain 22005']);
  });

  it('told to lose certificates, it acknowledges a profile whose certificate is not there', async () => {
    mac.state.knobs.losesCertificates = true;
    const response = await install(mac, profileOf('certificate.b', [scep()]));
    mac.state.knobs.losesCertificates = false;
    expect(response['Status']).toBe('Acknowledged');
    expect(itemsOf(mac, 'test.certificate.b')).toEqual([]);
  });
});

describe('the profile store', () => {
  it('ProfileList proves the revision by PayloadUUID, names payloads, and tells no values', async () => {
    await install(
      mac,
      profileOf('settings', [payload('com.okta.mobile', { 'OktaVerify.OrgUrl': 'https://a.example' })]),
    );
    const [before] = (await listed(mac)).filter((one) => one['PayloadIdentifier'] === 'test.settings');
    await install(
      mac,
      profileOf('settings', [payload('com.okta.mobile', { 'OktaVerify.OrgUrl': 'https://b.example' })]),
    );
    const now = (await listed(mac)).filter((one) => one['PayloadIdentifier'] === 'test.settings');
    expect(now).toHaveLength(1);
    expect(now[0]?.['PayloadUUID']).not.toBe(before?.['PayloadUUID']);
    expect(now[0]?.['PayloadContent']).toMatchObject([{ PayloadType: 'com.okta.mobile' }]);
    expect(JSON.stringify(now)).not.toContain('example');
  });

  it('a host belongs to one single sign-on payload, and moves only with its profile', async () => {
    await install(phone, profileOf('sso', [sso(['org.okta.com'])]));
    const other = await install(phone, profileOf('sso.other', [sso(['ORG.okta.com'])]));
    expect(codes(other)).toContain('MCSSOErrorDomain 34001');
    await expect(install(phone, profileOf('sso', [sso(['org.okta.com'])]))).resolves.toMatchObject({
      Status: 'Acknowledged',
    });
  });

  it('removing what is not there is an error, in the words of macOS and of iOS', async () => {
    const phone = await world.enrolled({ family: 'iPhone', name: 'removes-nothing' });
    const nothing = { Identifier: 'test.nothing' };
    expect(codes(await world.ask(mac, 'RemoveProfile', nothing))).toEqual(['MDMClientError 89']);
    expect(codes(await world.ask(phone, 'RemoveProfile', nothing))).toEqual(['MCMDMErrorDomain 12075']);
  });
});

describe('what a device refuses', () => {
  const settings = (): Buffer => profileOf('refused', [payload('com.okta.mobile', {})]);
  const altered = (): Buffer => {
    const signed = world.server.sign(settings());
    const at = signed.indexOf('PayloadDisplayName');
    signed[at] = (signed[at] ?? 0) ^ 1;
    return signed;
  };
  const twice = { PayloadUUID: 'A', PayloadIdentifier: 'x' };
  const cases: readonly [string, () => Buffer, string][] = [
    ['an unsigned profile', settings, 'MCProfileErrorDomain 1004'],
    ['a profile altered after signing', altered, 'MCProfileErrorDomain 1004'],
    [
      'something that is no profile',
      () => world.server.sign(Buffer.from('hello')),
      'MCProfileErrorDomain 1000',
    ],
    ...(
      [
        [
          'a profile without UUID',
          profileOf('refused', [], { PayloadUUID: undefined }),
          'MCProfileErrorDomain 1002',
        ],
        [
          'a profile of another type',
          profileOf('refused', [], { PayloadType: 'Other' }),
          'MCProfileErrorDomain 1010',
        ],
        [
          'payloads with one UUID',
          profileOf('refused', [
            payload('com.okta.mobile', {}, twice),
            payload('com.okta.mobile', {}, twice),
          ]),
          'MCProfileErrorDomain 1007',
        ],
        [
          'payloads with one identifier',
          profileOf('refused', [
            payload('com.okta.mobile', {}, { PayloadIdentifier: 'x' }),
            payload('com.okta.mobile', {}, { PayloadIdentifier: 'x' }),
          ]),
          'MCProfileErrorDomain 1008',
        ],
        [
          'a payload nobody knows',
          profileOf('refused', [payload('com.example', {})]),
          'MCPayloadErrorDomain 2004',
        ],
        [
          'a misspelled key',
          profileOf('refused', [payload('com.apple.extensiblesso', { ...sso(['a.example']), Host: 'x' })]),
          'MCPayloadErrorDomain 2004',
        ],
        [
          'a missing key',
          profileOf('refused', [
            payload('com.apple.extensiblesso', { Type: 'Credential', Hosts: ['a.example'] }),
          ]),
          'MCPayloadErrorDomain 2002',
        ],
        [
          'a key of the wrong type',
          profileOf('refused', [payload('com.apple.servicemanagement', { Rules: 'all' })]),
          'MCPayloadErrorDomain 2003',
        ],
        [
          'a value outside Apple’s list',
          profileOf('refused', [
            payload('com.apple.servicemanagement', { Rules: [{ RuleType: 'Name', RuleValue: 'x' }] }),
          ]),
          'MCPayloadErrorDomain 2004',
        ],
      ] as const
    ).map(([what, profile, code]): [string, () => Buffer, string] => [
      what,
      () => world.server.sign(profile),
      code,
    ]),
  ];

  it.each(cases)('%s', async (_what, bytes, code) => {
    const response = await world.ask(mac, 'InstallProfile', { Payload: bytes() });
    expect(response['Status']).toBe('Error');
    expect(codes(response)).toContain(code);
    expect(mac.state.profiles.map((profile) => profile.identifier)).not.toContain('test.refused');
  });

  it('a payload of Macs on an iPhone', async () => {
    const response = await install(phone, profileOf('refused', [payload('com.okta.mobile', {})]));
    expect(codes(response)).toContain('MCPayloadErrorDomain 2004');
  });
});
