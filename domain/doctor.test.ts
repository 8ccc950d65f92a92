// Every documented cause, with facts that speak for it and, beside it, facts that do not.
import { describe, expect, test } from 'vitest';
import { diagnose, type DoctorCertificate, type DoctorFacts } from './doctor.ts';
import { DOCTOR_CAUSES, type DoctorCause } from './doctor-causes.ts';
import { DEFAULT_INTEGRATION_SETTINGS } from './integration-settings.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);

const certificate: DoctorCertificate = {
  notBeforeMs: NOW - 10 * DAY,
  notAfterMs: NOW + 355 * DAY,
  provenAtMs: NOW - 10 * DAY,
  serialNumber: 'ab',
  issuer: 'CN=Organization Intermediate,O=Okta',
  use: 'proven',
};
/** A Mac that is as it should be. */
const healthy: DoctorFacts = {
  deviceId: 'd1',
  platform: 'macOS',
  nowMs: NOW,
  settings: DEFAULT_INTEGRATION_SETTINGS,
  isPlatformConfigured: true,
  truths: {
    delivered: 'held',
    certificatePresent: 'held',
    oktaVerifyManaged: 'held',
    registered: 'held',
    managed: 'held',
  },
  failureCode: null,
  isInProgress: false,
  finding: { kind: 'managed', evidence: 'Okta says MANAGED.' },
  record: { lastUpdatedAtMs: NOW - 9 * DAY },
  wasRegistered: true,
  certificate,
  listedNames: ['Organization Intermediate'],
  ownCertificates: 1,
  failedDeliveriesToday: 0,
  wasAcceptedNotThere: false,
  sharedWith: [],
  foreignProfiles: [],
  foreignCertificates: [],
  appIsForeign: false,
  configuredAtMs: null,
  connectionFailures: [],
  waitingCommand: null,
};
const notManaged = { finding: { kind: 'not_managed', evidence: 'Okta says NOT_MANAGED.' } } as const;
const of = (kind: DoctorFacts['finding']['kind']) => ({ finding: { kind, evidence: `Okta: ${kind}` } });
const causes = (changes: Partial<DoctorFacts>): DoctorCause[] =>
  diagnose({ ...healthy, ...changes }).map(({ cause }) => cause);

const leftCertificate = { name: 'Left', issuer: 'CN=Okta', vendor: null, notAfterMs: NOW + DAY };
const withoutCertificate = { ...healthy.truths, certificatePresent: 'not_held' } as const;
const profile = (name: string, ...payloadTypes: string[]) => ({ name, vendor: null, payloadTypes });

/** The rows of the field reports, and what the issue names beside them. */
const CASES: readonly [row: string, Partial<DoctorFacts>, DoctorCause][] = [
  ['an Okta certificate of an MDM before', { foreignCertificates: [leftCertificate] }, 'foreign_certificate'],
  [
    'an Okta certificate of an MDM before, and none of Odette',
    { foreignCertificates: [leftCertificate], truths: withoutCertificate },
    'foreign_certificate_needed',
  ],
  [
    'settings of Okta Verify from another tool',
    { foreignProfiles: [profile('Okta Verify', 'com.okta.mobile')] },
    'foreign_settings',
  ],
  [
    '1 not renewed: late',
    { certificate: { ...certificate, notAfterMs: NOW + 20 * DAY, notBeforeMs: NOW - 345 * DAY } },
    'certificate_late',
  ],
  [
    '1 not renewed: expired',
    { certificate: { ...certificate, notAfterMs: NOW - DAY } },
    'certificate_expired',
  ],
  ['2 dozens of certificates', { ownCertificates: 3 }, 'too_many_certificates'],
  ['3 burned challenges', { failedDeliveriesToday: 3 }, 'deliveries_fail'],
  ['4 acknowledged, and not there', { wasAcceptedNotThere: true }, 'accepted_not_there'],
  [
    '5 credentials',
    { connectionFailures: ['okta.challenge_credentials_refused'] },
    'challenge_password_wrong',
  ],
  ['5 a vague 403', { connectionFailures: ['okta.challenge_denied'] }, 'challenge_denied'],
  [
    '6 alphabet and encodings',
    { connectionFailures: ['okta.challenge_unexpected_page'] },
    'challenge_page_unreadable',
  ],
  ['7 not managed though all is there', { ...notManaged, record: null }, 'needs_sign_in'],
  [
    '8 unused for 60 days',
    { certificate: { ...certificate, use: 'none', provenAtMs: NOW - 60 * DAY } },
    'certificate_unused',
  ],
  ['9 deleted in Okta', of('no_record'), 'deleted_in_okta'],
  ['10 one certificate on two devices', { sharedWith: ['Old Mac'] }, 'shared_certificate'],
  [
    '11 an older certificate wins',
    { ...notManaged, record: { lastUpdatedAtMs: NOW - 9 * DAY } },
    'older_certificate',
  ],
  ['12 not trusted', { ...notManaged, listedNames: [] }, 'issuer_not_listed'],
  [
    '13 challenge password reset',
    { failureCode: 'okta.challenge_credentials_refused' },
    'challenge_password_wrong',
  ],
  [
    '13 secret key reset',
    { ...notManaged, platform: 'iOS', configuredAtMs: NOW - 20 * DAY },
    'secret_key_reset',
  ],
  ['14 FastPass during setup', { isInProgress: true }, 'being_set_up'],
  [
    '15 a SCEP profile of somebody else',
    { foreignProfiles: [profile('Old MDM', 'com.apple.security.scep')] },
    'foreign_scep_profile',
  ],
  ['16 device management not configured', { isPlatformConfigured: false }, 'platform_not_configured'],
  ['16 reactivated, and not in step', of('deactivated'), 'deactivated'],
  ['17 429', { connectionFailures: ['okta.rate_limited'] }, 'okta_limits_requests'],
  [
    '18 waiting, and sent once',
    { waitingCommand: { requestType: 'InstallProfile', sinceMs: NOW - DAY } },
    'command_waits',
  ],
  ['suspended', of('suspended'), 'suspended'],
  ['another user', of('managed_for_other'), 'managed_for_other_user'],
  ['records alike', of('records_alike'), 'records_alike'],
  ['user unknown', of('user_unknown'), 'user_unknown'],
  ['wrong host', { truths: { ...healthy.truths, delivered: 'not_held' } }, 'settings_outdated'],
  ['host claimed by another extension', { failureCode: 'mdm.sso_host_claimed' }, 'host_claimed'],
  [
    'another extension is there',
    { foreignProfiles: [profile('SSO', 'com.apple.extensiblesso')] },
    'host_claimed',
  ],
  [
    "Okta Verify is the package's",
    { appIsForeign: true, truths: { ...healthy.truths, oktaVerifyManaged: 'not_held' } },
    'app_from_elsewhere',
  ],
];

describe('the doctor', () => {
  test('finds nothing on a device that is as it should be', () => {
    expect(diagnose(healthy)).toEqual([]);
  });

  test.each(CASES)('row %s', (_row, changes, expected) => {
    const found = diagnose({ ...healthy, ...changes }).find(({ cause }) => cause === expected);
    expect(found?.evidence).toMatch(/\S.*\.$|^Okta: /);
  });

  test('has a case for each of its causes', () => {
    expect([...new Set(CASES.map(([, , expected]) => expected))].sort()).toEqual(
      (Object.keys(DOCTOR_CAUSES) as DoctorCause[]).sort(),
    );
  });

  test.each<[string, Partial<DoctorFacts>, DoctorCause]>([
    ['two certificates during a renewal', { ownCertificates: 2 }, 'too_many_certificates'],
    ['a device that Okta never knew', { ...of('no_record'), wasRegistered: false }, 'deleted_in_okta'],
    [
      'NOT_MANAGED before any sign-in',
      { ...notManaged, record: { lastUpdatedAtMs: NOW - 11 * DAY } },
      'older_certificate',
    ],
    [
      'a certificate that is probably used, on day 59',
      { certificate: { ...certificate, use: 'probable', provenAtMs: NOW - 59 * DAY } },
      'certificate_unused',
    ],
    ['a package that the item allows', { appIsForeign: true }, 'app_from_elsewhere'],
    [
      'a command of this minute',
      { waitingCommand: { requestType: 'ProfileList', sinceMs: NOW - 1000 } },
      'command_waits',
    ],
    ['a Mac, whatever its key', { ...notManaged, configuredAtMs: NOW - 20 * DAY }, 'secret_key_reset'],
  ])('does not suspect it for %s', (_what, changes, cause) => {
    expect(causes(changes)).not.toContain(cause);
  });

  test('offers no new certificate against what an Okta admin did', () => {
    const found = diagnose({ ...healthy, ...of('suspended'), sharedWith: ['Old Mac'] });
    expect(found.map(({ cause, action }) => [cause, action])).toEqual([
      ['suspended', null],
      ['shared_certificate', null],
    ]);
    expect(diagnose({ ...healthy, sharedWith: ['Old Mac'] })[0]?.action).toBe('renew');
  });
});

test('who claims the host is named, with its profile, where the device lists it', () => {
  const evidenceOf = (foreignProfiles: DoctorFacts['foreignProfiles']) =>
    diagnose({ ...healthy, failureCode: 'mdm.sso_host_claimed', foreignProfiles }).find(
      ({ cause }) => cause === 'host_claimed',
    )?.evidence;
  const other = { ...profile('Okta SSO', 'com.apple.extensiblesso'), vendor: 'Jamf Pro' };
  expect(evidenceOf([other])).toContain('"Okta SSO" of Jamf Pro with com.apple.extensiblesso.');
  expect(evidenceOf([profile('Wi-Fi', 'com.apple.wifi.managed')])).toContain('no other profile');
});

test('a leftover certificate is named with its issuer and end', () => {
  const issuer = 'CN=Organization Intermediate,O=Okta';
  const left = { name: 'C02X Okta', issuer, vendor: 'Fleet', notAfterMs: NOW + DAY };
  const found = diagnose({ ...healthy, foreignCertificates: [left] });
  expect(found.map(({ evidence }) => evidence)).toEqual([
    'The device lists "C02X Okta" (issued by CN=Organization Intermediate,O=Okta, requested by Fleet, expires on 2026-06-02).',
  ]);
});

test('what brought the only valid Okta certificate is not said to go before that of Odette is there', () => {
  const left = {
    foreignProfiles: [profile('Okta', 'com.apple.security.scep', 'com.okta.mobile')],
    foreignCertificates: [leftCertificate],
  };
  expect(causes({ ...left, truths: withoutCertificate })).toEqual([
    'foreign_certificate_needed',
    'foreign_settings',
  ]);
  expect(causes(left)).toEqual(['foreign_scep_profile', 'foreign_certificate', 'foreign_settings']);
  // One that has expired protects nobody.
  const expired = { ...left, foreignCertificates: [{ ...leftCertificate, notAfterMs: NOW }] };
  expect(causes({ ...expired, truths: withoutCertificate })).toContain('foreign_certificate');
  // Okta tells an iPhone by its secret key.
  expect(causes({ ...left, platform: 'iOS', truths: withoutCertificate })).not.toContain(
    'foreign_certificate_needed',
  );
});
