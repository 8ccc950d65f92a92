import { describe, expect, test } from 'vitest';
import { classify, classOf, deviceWords, DEVICE_ERRORS, REJECTION_REASONS } from './device-error-classes.ts';

const chain = (...causes: [code: number, domain: string, description?: string][]) =>
  causes.map(([code, domain, description = '']) => ({ code, domain, description }));
const WRAPPED = chain([4001, 'MCInstallationErrorDomain', 'The profile could not be installed.']);

describe('what an error of a device means', () => {
  test.each([
    ['InstallApplication', chain([506, 'ASDErrorDomain', 'Duplicate request']), 'on_its_way'],
    ['InstallApplication', chain([12025, 'MCMDMErrorDomain']), 'on_its_way'],
    ['InstallApplication', chain([12024, 'MCMDMErrorDomain'], [-1001, 'NSURLErrorDomain']), 'passes'],
    ['InstallApplication', chain([12023, 'MCMDMErrorDomain']), 'passes'],
    ['InstallApplication', chain([12026, 'MCMDMErrorDomain']), 'needs_license'],
    ['InstallApplication', chain([12064, 'MCMDMErrorDomain']), 'needs_license'],
    ['InstallApplication', chain([9610, 'ASDServerErrorDomain', 'Unhandled exception']), 'needs_license'],
    ['InstallApplication', chain([1, 'Other', 'License not found']), 'needs_license'],
    ['InstallApplication', chain([12040, 'MCMDMErrorDomain']), 'needs_license'],
    ['InstallApplication', chain([12063, 'MCMDMErrorDomain']), 'needs_user'],
    ['InstallApplication', chain([12345, 'MCMDMErrorDomain']), 'unknown'],
    ['InstallApplication', [], 'unknown'],
    ['InstallProfile', [...WRAPPED, ...chain([22013, 'MCSCEPErrorDomain'])], 'needs_challenge'],
    ['InstallProfile', chain([15002, 'MDM-SCEP', 'Unable to obtain certificate']), 'needs_challenge'],
    ['InstallProfile', chain([15002, 'SPErrorDomain', 'from SCEP server']), 'needs_challenge'],
    ['InstallProfile', chain([15002, 'SomethingElse']), 'unknown'],
    ['InstallProfile', chain([4009, 'MCInstallationErrorDomain']), 'passes'],
    ['InstallProfile', chain([-603, 'NSOSStatusErrorDomain']), 'passes'],
    ['InstallProfile', chain([-909, 'NSOSStatusErrorDomain']), 'passes'],
    ['InstallProfile', chain([-319, 'ConfigProfilePluginDomain']), 'passes'],
    ['InstallProfile', WRAPPED, 'unknown'],
    ['InstallProfile', [...WRAPPED, ...chain([1003, 'MCProfileErrorDomain'])], 'permanent'],
    ['InstallProfile', [...WRAPPED, ...chain([34001, 'MCSSOErrorDomain'])], 'permanent'],
    ['RemoveProfile', chain([89, 'MDMClientError', "Profile with identifier 'x' not found."]), 'on_its_way'],
    ['RemoveProfile', chain([12075, 'MCMDMErrorDomain']), 'on_its_way'],
    ['RemoveProfile', chain([4024, 'MCInstallationErrorDomain']), 'on_its_way'],
    ['RemoveProfile', chain([12013, 'MCMDMErrorDomain']), 'permanent'],
    ['DeviceInformation', chain([12021, 'MCMDMErrorDomain']), 'permanent'],
    ['DeviceInformation', chain([12026, 'MCMDMErrorDomain']), 'unknown'],
  ] as const)('%s %j: %s', (requestType, causes, expected) => {
    const { class: found, failure } = classify(requestType, causes);
    expect(found).toBe(expected);
    expect(classOf(failure)).toBe(expected);
  });

  test('a profile that is not there to be removed is what was wanted; a host that is claimed is named', () => {
    expect(classify('RemoveProfile', chain([89, 'MDMClientError'])).failure).toBe('mdm.profile_absent');
    expect(classify('InstallProfile', chain([34001, 'MCSSOErrorDomain'])).failure).toBe(
      'mdm.sso_host_claimed',
    );
  });

  test('the reason of a rejected installation counts where the chain says nothing', () => {
    expect(classify('InstallApplication', [], 'AppAlreadyInstalled').failure).toBe(
      'mdm.app_already_installed',
    );
    expect(classify('InstallApplication', [], 'CouldNotVerifyAppID').class).toBe('passes');
    expect(classify('InstallApplication', [], 'Other').class).toBe('unknown');
    expect(classify('InstallApplication', [], 'constructor').class).toBe('unknown');
    expect(classify('InstallApplication', chain([506, 'ASDErrorDomain']), 'NotSupported').class).toBe(
      'on_its_way',
    );
  });

  test('every row names its source, and every failure has one class', () => {
    const classes = new Map<string, string>();
    for (const row of [...DEVICE_ERRORS, ...Object.values(REJECTION_REASONS)]) {
      expect(classes.get(row.failure) ?? row.class).toBe(row.class);
      classes.set(row.failure, row.class);
    }
    expect(DEVICE_ERRORS.filter(({ source }) => source.length < 10)).toEqual([]);
  });
});

test('the deepest words of a device are its last ones that say something', () => {
  expect(
    deviceWords([...WRAPPED, ...chain([15002, 'MDM-SCEP', 'SCEP server returned an invalid response'])]),
  ).toBe('SCEP server returned an invalid response (MDM-SCEP 15002)');
  expect(deviceWords([...WRAPPED, ...chain([22013, 'MCSCEPErrorDomain'])])).toBe(
    'The profile could not be installed. (MCInstallation 4001)',
  );
  expect(deviceWords(chain([506, 'ASDErrorDomain']))).toBe('ASD 506');
  expect(deviceWords([])).toBeUndefined();
});
