// What devices send back: recorded responses are decoded, and errors are told apart by what has to be done next.
import { describe, expect, test } from 'vitest';
import { problemsOfResponse } from '../../test/apple-schema/apple-schema.ts';
import { recordedMessage } from '../../test/recorded-message.ts';
import { CertificateAuthority, newRsaKeyPair } from '../pki/certificate-authority.ts';
import { readResponse } from './response.ts';
import { readDeviceMessage, type Report } from './device-message.ts';
import { buildPlist, type PlistDict } from './plist.ts';

function reportOf(body: Buffer): Report {
  const message = readDeviceMessage(body);
  if (message.type !== 'Report') throw new Error('not a report');
  return message;
}

const responded = (requestType: string, dict: PlistDict) =>
  readResponse(
    requestType,
    reportOf(buildPlist({ UDID: 'u', CommandUUID: 'c', Status: 'Acknowledged', ...dict })),
  );

describe('recorded replies', () => {
  const recorded = (requestType: string, name: string) =>
    readResponse(requestType, reportOf(recordedMessage(name)));

  test('ProfileList names each profile, its revision and its payloads', async () => {
    const response = await recorded('ProfileList', 'zentral/profile_list.plist');
    expect(response).toMatchObject({
      kind: 'profiles',
      profiles: [
        {
          identifier: 'com.example.zentral.santa_configuration',
          uuid: 'db2004f8-9e9f-4043-8a6f-339cfd7d7891',
          displayName: 'Zentral - Santa configuration',
        },
        {
          identifier: 'com.example.zentral.mdm',
          payloads: [
            { type: 'com.apple.mdm' },
            { type: 'com.apple.security.scep', identifier: 'com.example.zentral.scep' },
            { type: 'com.apple.security.pem' },
          ],
        },
      ],
    });
  });

  test('CertificateList is read from the certificates themselves', async () => {
    expect(await recorded('CertificateList', 'zentral/certificate_list.plist')).toMatchObject({
      certificates: [
        { serialNumber: 'c78d3b3ed539bd22', commonName: 'zentral', isIdentity: true },
        { commonName: 'Zentral CA', organizationalUnits: ['IT'], isIdentity: false },
      ],
    });
    // The device has no name for it, the certificate has no subject.
    expect(await recorded('CertificateList', 'nanocmd/certlist.plist')).toEqual({
      kind: 'certificates',
      certificates: [
        {
          serialNumber: '62',
          commonName: '',
          organizationalUnits: [],
          issuer: 'CN=ca,OU=SCEP CA,O=scep,C=US',
          notBefore: '2024-05-02T17:33:31.000Z',
          notAfter: '2034-04-30T17:43:31.000Z',
          isIdentity: true,
        },
      ],
    });
  });

  test('applications, managed and installed', async () => {
    expect(await recorded('ManagedApplicationList', 'zentral/managed_application_list.plist')).toEqual({
      kind: 'applications',
      applications: [{ identifier: 'com.acme.myenterpriseapp', status: 'Managed', hasConfiguration: false }],
    });
    expect(await recorded('InstalledApplicationList', 'zentral/installed_application_list.plist')).toEqual({
      kind: 'installedApplications',
      applications: [
        { identifier: 'com.apple.mail', shortVersion: '16.0', isInstalling: false, isAppStore: false },
        { identifier: 'com.apple.dt.Xcode', shortVersion: '14.0', isInstalling: false, isAppStore: true },
      ],
    });
  });

  test('DeviceInformation', async () => {
    expect(await recorded('DeviceInformation', 'zentral/device_information.plist')).toMatchObject({
      kind: 'deviceInformation',
      name: 'Yolo',
      osVersion: '13.0',
      productName: 'VirtualMac2,1',
      isSupervised: true,
    });
  });

  test('an acknowledgement alone, and a refusal', async () => {
    expect(await recorded('InstallProfile', 'nanocmd/resp-ack.plist')).toEqual({ kind: 'none' });
    expect(await recorded('InstallProfile', 'nanocmd/resp-error.plist')).toEqual({ kind: 'none' });
  });

  test("fit Apple's schema of responses", async () => {
    const cases = [
      ['ProfileList', 'profile_list'],
      ['CertificateList', 'certificate_list'],
      ['ManagedApplicationList', 'managed_application_list'],
      ['InstalledApplicationList', 'installed_application_list'],
    ] as const;
    // A Mac reports these although Apple says it does not.
    const known = [
      'ManagedApplicationList.com.acme.myenterpriseapp.IsValidated: not for macOS',
      'ManagedApplicationList.com.acme.myenterpriseapp.HasFeedback: not on the device channel',
    ];
    for (const [requestType, name] of cases) {
      const { dict } = reportOf(recordedMessage(`zentral/${name}.plist`));
      const problems = problemsOfResponse(requestType, dict, { platform: 'macOS', osVersion: '15.1' });
      expect(problems.filter((problem) => !known.includes(problem))).toEqual([]);
    }
  });
});

test('an odd certificate hides no other', async () => {
  const day = 86_400_000;
  const notBefore = new Date('2026-01-01T00:00:00Z');
  const authority = await CertificateAuthority.create({
    commonName: 'Okta',
    notBefore,
    notAfter: new Date(notBefore.getTime() + 30 * day),
  });
  const { publicKey } = await newRsaKeyPair();
  const certificate = authority.issue({
    subject: [
      ['CN', 'C02 managementAttestation U-1'],
      ['OU', 'odette-d-1'],
    ],
    publicKey,
    notBefore,
    notAfter: new Date(notBefore.getTime() + day),
    use: 'client',
  });
  const response = await responded('CertificateList', {
    CertificateList: [
      { CommonName: 'broken', IsIdentity: false, Data: Buffer.from('not a certificate') },
      { CommonName: 'no data', IsIdentity: false },
      { CommonName: 'good', IsIdentity: true, Data: certificate.der },
    ],
  });
  expect(response).toMatchObject({
    certificates: [
      { serialNumber: certificate.serialNumber, organizationalUnits: ['odette-d-1'], issuer: 'CN=Okta' },
    ],
  });
});

test('the managed app configuration is read back', async () => {
  expect(
    await responded('ManagedApplicationConfiguration', {
      ApplicationConfigurations: [{ Identifier: 'com.okta.mobile', Configuration: { managementHint: 'x' } }],
    }),
  ).toMatchObject({
    configurations: [{ identifier: 'com.okta.mobile', configuration: { managementHint: 'x' } }],
  });
});

test('a setting that failed is seen although the command is acknowledged', async () => {
  const ErrorChain = [
    { ErrorCode: 12038, ErrorDomain: 'MCMDMErrorDomain', USEnglishDescription: 'not managed' },
  ];
  const chain = [{ code: 12038, domain: 'MCMDMErrorDomain', description: 'not managed' }];
  const failed = { Item: 'ApplicationConfiguration', Status: 'Error', ErrorChain };
  expect(await responded('Settings', { Settings: [failed] })).toEqual({ kind: 'settings', failed: chain });
  expect(await responded('Settings', { Settings: failed })).toEqual({ kind: 'settings', failed: chain });
  expect(await responded('Settings', { Settings: [{ Status: 'Acknowledged' }] })).toEqual({
    kind: 'settings',
    failed: undefined,
  });
});

test('a refused installation says why', async () => {
  expect(
    await responded('InstallApplication', { Status: 'Error', RejectionReason: 'CouldNotVerifyAppID' }),
  ).toEqual({ kind: 'installApplication', rejectionReason: 'CouldNotVerifyAppID' });
});

test('where the app came from: iPhones say it, Macs show it, and while it is being installed nothing is known', async () => {
  const where = (item: PlistDict) =>
    responded('InstalledApplicationList', {
      InstalledApplicationList: [{ Identifier: 'com.okta.mobile', ...item }],
    });
  const isAppStore = (value: boolean) => ({ applications: [{ isAppStore: value }] });
  expect(await where({ AppStoreVendable: true })).toMatchObject(isAppStore(true));
  expect(await where({ AppStoreVendable: false, ExternalVersionIdentifier: 1 })).toMatchObject(
    isAppStore(false),
  );
  expect(await where({ ExternalVersionIdentifier: 868412035 })).toMatchObject(isAppStore(true));
  expect(await where({ ExternalVersionIdentifier: 0 })).toMatchObject(isAppStore(false));
  expect(await where({ Installing: true })).toEqual({
    kind: 'installedApplications',
    applications: [{ identifier: 'com.okta.mobile', isInstalling: true }],
  });
});
