// Every command that Odette sends fits Apple's schema on each platform it is sent to.
import { describe, expect, test } from 'vitest';
import { hasAppleSchema, problemsOfCommand } from '../../test/apple-schema/apple-schema.ts';
import type { Platform } from '../../domain/device.ts';
import { buildCommand, readCommand, type CommandSpec } from './command.ts';

const CONFIGURATION = { 'OktaVerify.OrgUrl': 'https://acme.okta.com', managementHint: 'hint' };

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

describe.skipIf(!hasAppleSchema)("Apple's schema", () => {
  const cases = SENT.flatMap(([platform, spec]) =>
    (platform === 'both' ? (['macOS', 'iOS'] as const) : [platform]).map((each) => [each, spec] as const),
  );

  test.each(cases)('%s: %j', (platform, spec) => {
    const { request, commandUuid } = readCommand(buildCommand('c-1', spec));
    expect(commandUuid).toBe('c-1');
    expect(problemsOfCommand(request, platform)).toEqual([]);
  });

  test('finds what is wrong', () => {
    const install = { RequestType: 'InstallApplication' };
    expect(problemsOfCommand({ RequestType: 'InstallProfile' }, 'iOS')).toEqual(['Payload: missing']);
    expect(problemsOfCommand({ RequestType: 'InstallProfile', Payload: 'text' }, 'iOS')).toHaveLength(1);
    expect(problemsOfCommand({ ...install, ItunesStoreId: 1 }, 'iOS')).toEqual([
      'ItunesStoreId: unknown key',
    ]);
    expect(problemsOfCommand({ ...install, ManagementFlags: 2 }, 'iOS')).toHaveLength(1);
    expect(problemsOfCommand({ ...install, InstallAsManaged: true }, 'iOS')).toEqual([
      'InstallAsManaged: not for iOS',
    ]);
    expect(problemsOfCommand({ RequestType: 'InstallApp' }, 'iOS')).toHaveLength(1);
    const hostName = { Item: 'HostName', HostName: 'x' };
    expect(problemsOfCommand({ RequestType: 'Settings', Settings: [hostName] }, 'iOS')).toHaveLength(1);
    expect(problemsOfCommand({ RequestType: 'Settings', Settings: [hostName] }, 'macOS')).toEqual([]);
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
