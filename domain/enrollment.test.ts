import { describe, expect, test } from 'vitest';
import { type EnrollmentIdentity, type KnownDevice, admit } from './enrollment.ts';

const identity = (changes: Partial<EnrollmentIdentity> = {}): EnrollmentIdentity => ({
  fingerprint: 'bb',
  issuedAt: new Date('2026-06-02'),
  codeForUdid: undefined,
  renewsDevice: undefined,
  isUsed: false,
  isForPlatform: true,
  ...changes,
});
const device = (changes: Partial<KnownDevice> = {}): KnownDevice => ({
  id: 'device-1',
  fingerprint: 'aa',
  identityIssuedAt: new Date('2026-06-01'),
  enrollment: 'enrolled',
  mayReturn: false,
  hasKnownSerial: true,
  ...changes,
});
const takeoverRefused = { admitted: false, code: 'enrollment.takeover_refused' };
const identityRefused = { admitted: false, code: 'mdm.identity_refused' };

describe('admission at Authenticate', () => {
  test('an unknown device is new', () => {
    expect(admit('U1', identity(), undefined, undefined)).toEqual({ admitted: true, as: 'new' });
  });

  test('the pinned identity may authenticate again', () => {
    expect(admit('U1', identity({ fingerprint: 'aa' }), device(), 'device-1')).toEqual({
      admitted: true,
      as: 'again',
    });
  });

  test('another identity does not take an enrolled device over, whatever blueprint its code belongs to', () => {
    expect(admit('U1', identity(), device(), undefined)).toEqual(takeoverRefused);
  });

  test('a device whose earlier enrollment is gone, or whose return was allowed, comes back with any fresh code', () => {
    expect(admit('U1', identity(), device({ mayReturn: true }), undefined)).toEqual({
      admitted: true,
      as: 'return',
    });
  });

  test('a device that names another serial number does not come back in its place', () => {
    const other = device({ mayReturn: true, hasKnownSerial: false });
    expect(admit('U1', identity(), other, undefined)).toEqual(takeoverRefused);
  });

  test('a fresh code made for the device takes it over', () => {
    expect(admit('U1', identity({ codeForUdid: 'U1' }), device(), undefined)).toEqual({
      admitted: true,
      as: 'takeover',
    });
  });

  test('an older identity of a code for the device is not fresh', () => {
    const older = identity({ codeForUdid: 'U1', issuedAt: new Date('2026-05-01') });
    expect(admit('U1', older, device(), undefined)).toEqual(takeoverRefused);
  });

  test('a code made for one device enrolls no other', () => {
    expect(admit('U1', identity({ codeForUdid: 'U2' }), undefined, undefined)).toEqual(identityRefused);
  });

  test('an identity belongs to one device', () => {
    expect(admit('U2', identity(), undefined, 'device-1')).toEqual(identityRefused);
    expect(admit('U2', identity(), device({ id: 'device-2' }), 'device-1')).toEqual(identityRefused);
  });

  test('a renewed identity is admitted for its own device only', () => {
    expect(admit('U1', identity({ renewsDevice: 'device-1' }), device(), undefined)).toEqual({
      admitted: true,
      as: 'renewal',
    });
    expect(admit('U1', identity({ renewsDevice: 'device-2' }), device(), undefined)).toEqual(identityRefused);
    expect(admit('U3', identity({ renewsDevice: 'device-1' }), undefined, undefined)).toEqual(
      identityRefused,
    );
  });

  test('a spent identity speaks for the device that it is pinned to, and enrolls nothing', () => {
    const spent = identity({ fingerprint: 'aa', isUsed: true });
    expect(admit('U1', spent, device(), 'device-1')).toEqual({ admitted: true, as: 'again' });
    expect(admit('U1', spent, undefined, undefined)).toEqual(identityRefused);
    expect(admit('U1', spent, device({ fingerprint: 'cc', enrollment: 'unfinished' }), undefined)).toEqual(
      identityRefused,
    );
  });

  test.each(['over', 'unfinished'] as const)(
    'a device whose enrollment is %s is enrolled with a new identity',
    (enrollment) => {
      expect(admit('U1', identity(), device({ enrollment }), undefined)).toEqual({
        admitted: true,
        as: 'new',
      });
    },
  );

  test('an enrollment that was not finished may begin again with its own identity', () => {
    const own = identity({ fingerprint: 'aa', isUsed: true });
    expect(admit('U1', own, device({ enrollment: 'unfinished' }), 'device-1')).toEqual({
      admitted: true,
      as: 'again',
    });
  });

  test('a device that left does not come back with an identity that it had', () => {
    const left = device({ enrollment: 'over' });
    expect(admit('U1', identity({ fingerprint: 'aa', isUsed: true }), left, 'device-1')).toEqual(
      identityRefused,
    );
    expect(admit('U1', identity({ renewsDevice: 'device-1' }), left, undefined)).toEqual(identityRefused);
  });
});

test('a code that names other platforms lets in neither a new device nor one that returns', () => {
  const foreign = identity({ isForPlatform: false });
  const refused = { admitted: false, code: 'enrollment.platform_refused' };
  expect(admit('UDID-1', foreign, undefined, undefined)).toEqual(refused);
  expect(admit('UDID-1', foreign, device({ mayReturn: true }), undefined)).toEqual(refused);
});
