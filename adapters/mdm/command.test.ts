// Every command that Odette sends fits Apple's schema on each platform it is sent to.
import { describe, expect, test } from 'vitest';
import { problemsOfCommand, targetsOf } from '../../test/apple-schema/apple-schema.ts';
import type { Platform } from '../../domain/device.ts';
import { buildCommand, readCommand, type CommandSpec } from './command.ts';
import type { PlistDict } from './plist.ts';

const CONFIGURATION = { 'OktaVerify.OrgUrl': 'https://acme.okta.com', managementHint: 'hint' };

const USER_CHANNEL = { platform: 'macOS', osVersion: '15.1', channel: 'user' } as const;

const SENT: readonly (readonly [Platform | 'both', CommandSpec])[] = [
  ['both', { requestType: 'DeviceInformation' }],
  ['both', { requestType: 'DeviceInformation', queries: ['OSVersion'] }],
  ['both', { requestType: 'InstallProfile', payload: Buffer.from('profile') }],
  ['both', { requestType: 'RemoveProfile', identifier: 'odette.x' }],
  ['both', { requestType: 'ProfileList' }],
  ['both', { requestType: 'CertificateList' }],
  ['macOS', { requestType: 'InstallApplication', platform: 'macOS' }],
  ['iOS', { requestType: 'InstallApplication', platform: 'iOS', configuration: CONFIGURATION }],
  ['iOS', { requestType: 'Settings', appConfiguration: CONFIGURATION }],
  ['iOS', { requestType: 'Settings', appConfiguration: undefined }],
  ['iOS', { requestType: 'ManagedApplicationConfiguration' }],
  ['both', { requestType: 'ManagedApplicationList' }],
  ['both', { requestType: 'InstalledApplicationList' }],
];

describe("Apple's schema", () => {
  const cases = SENT.flatMap(([platform, spec]) =>
    (platform === 'both' ? (['macOS', 'iOS'] as const) : [platform]).map((each) => [each, spec] as const),
  );

  test.each(cases)('%s: %j', (platform, spec) => {
    const { request, commandUuid } = readCommand(buildCommand('c-1', spec));
    expect(commandUuid).toBe('c-1');
    for (const target of targetsOf(platform))
      expect({ target, problems: problemsOfCommand(request, target) }).toEqual({ target, problems: [] });
  });

  test('is asked for every OS from macOS 13 and iOS 16 on', () => {
    const majors = (platform: Platform) =>
      targetsOf(platform).map(({ osVersion }) => Number.parseInt(osVersion));
    expect(majors('macOS')).toEqual(expect.arrayContaining([13, 14, 15, 26]));
    expect(majors('iOS')).toEqual(expect.arrayContaining([16, 17, 18, 26]));
  });

  test('finds what is wrong', () => {
    const install = { RequestType: 'InstallApplication' };
    const wrong = (request: PlistDict, platform: Platform = 'iOS', osVersion = '18.1') =>
      problemsOfCommand(request, { platform, osVersion });
    expect(wrong({ RequestType: 'InstallProfile' })).toEqual(['Payload: missing']);
    expect(wrong({ RequestType: 'InstallProfile', Payload: 'text' })).toHaveLength(1);
    expect(wrong({ ...install, ItunesStoreId: 1 })).toEqual(['ItunesStoreId: unknown key']);
    expect(wrong({ ...install, ManagementFlags: 2 })).toHaveLength(1);
    expect(wrong({ ...install, InstallAsManaged: true })).toEqual(['InstallAsManaged: not for iOS']);
    expect(wrong({ ...install, InstallAsManaged: true }, 'macOS', '10.15.7')).toEqual([
      'InstallAsManaged: not before macOS 11.0',
    ]);
    expect(wrong({ RequestType: 'InstallApp' })).toEqual(['InstallApp: no such command']);
    const hostName = { Item: 'HostName', HostName: 'x' };
    expect(wrong({ RequestType: 'Settings', Settings: [hostName] })).toHaveLength(1);
    expect(wrong({ RequestType: 'Settings', Settings: [hostName] }, 'macOS')).toEqual([]);
    expect(problemsOfCommand({ ...install, ChangeManagementState: 'Managed' }, USER_CHANNEL)).toEqual([]);
    expect(problemsOfCommand({ RequestType: 'RemoveApplication', Identifier: 'x' }, USER_CHANNEL)).toEqual([
      'not on the user channel',
    ]);
  });
});

test('Okta Verify is installed from the App Store and managed, on a Mac with the key that only Macs know', () => {
  const mac = readCommand(buildCommand('c', { requestType: 'InstallApplication', platform: 'macOS' }));
  expect(mac.request).toEqual({
    RequestType: 'InstallApplication',
    iTunesStoreID: 490179405,
    Options: { PurchaseMethod: 1 },
    ChangeManagementState: 'Managed',
    InstallAsManaged: true,
  });
  const phone = readCommand(
    buildCommand('c', { requestType: 'InstallApplication', platform: 'iOS', configuration: CONFIGURATION }),
  );
  expect(phone.request).toEqual({
    RequestType: 'InstallApplication',
    iTunesStoreID: 490179405,
    Options: { PurchaseMethod: 1 },
    ChangeManagementState: 'Managed',
    Configuration: CONFIGURATION,
  });
});

test('an absent configuration clears the one on the device', () => {
  const { request } = readCommand(
    buildCommand('c', { requestType: 'Settings', appConfiguration: undefined }),
  );
  expect(request['Settings']).toEqual([{ Item: 'ApplicationConfiguration', Identifier: 'com.okta.mobile' }]);
});

test('what is no command is refused', () => {
  expect(() => readCommand(Buffer.from('<plist><dict/></plist>'))).toThrow('mdm.message_unreadable');
});
