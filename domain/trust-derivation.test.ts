import { describe, expect, test } from 'vitest';
import { CHANNEL_ABILITIES } from './device-channel.ts';
import { DEFAULT_INTEGRATION_SETTINGS } from './integration-settings.ts';
import { matchRecords, type MatchableDevice, type OktaRecord } from './okta-matching.ts';
import type { RolloutView } from './rollout-view.ts';
import { findingOf, type OktaFacts } from './okta-finding.ts';
import { deriveTruths, statesOf, type TrustFacts } from './trust-derivation.ts';

const view: RolloutView = {
  deviceId: 'd1',
  family: 'Mac',
  platform: 'macOS',
  can: CHANNEL_ABILITIES.built_in,
  enrollmentStatus: 'enrolled',
  enrollmentId: 'e1',
  appRefusals: 0,
  lastRefusedAtMs: null,
  desired: {
    integrationId: 'i1',
    settings: DEFAULT_INTEGRATION_SETTINGS,
    wantsCertificate: true,
    certificateScope: 'System',
    profiles: [{ kind: 'settings', identifier: 's', payloadUuid: 'u1', revision: 'r1' }],
    appConfigurationRevision: null,
    appComesFromElsewhere: false,
  },
  removal: { delayMinutes: 15, removesApp: false },
  reported: {
    profiles: [{ identifier: 's', uuid: 'u1', kind: 'settings', integrationId: 'i1', scope: 'System' }],
    certificates: ['c1'],
    appStatus: 'Managed',
    appIsForeign: false,
    appIsInstalled: false,
    appConfigurationRevision: null,
  },
  hasCertificate: true,
  hasUserChannel: false,
  hasOpenDelivery: true,
  configurationWasSent: false,
  holdsLicense: false,
  failureCode: null,
};
const okta: OktaFacts = {
  match: 'serial_number',
  registered: true,
  users: [{ login: 'ada@acme.com', managementStatus: 'MANAGED' }],
  status: 'ACTIVE',
  lastUpdatedAtMs: 0,
};
const factsOf = (changes: Partial<TrustFacts> & { userName?: string } = {}): TrustFacts => {
  const given = { view, okta, certificateUse: 'proven' as const, ...changes };
  const finding = findingOf({
    platform: given.view.platform,
    okta: given.okta,
    userName: changes.userName ?? null,
    countsAnyUser: false,
  });
  return { ...given, finding };
};
const states = (changes: Partial<TrustFacts> & { userName?: string }) =>
  statesOf(deriveTruths(factsOf(changes)));

describe('the five truths', () => {
  test('an old revision of a profile is not delivered', () => {
    const old = {
      ...view.reported,
      profiles: [{ identifier: 's', uuid: 'u0', kind: 'settings', integrationId: 'i1', scope: 'System' }],
    };
    const changed = { ...view, reported: old } as RolloutView;
    expect(states({ view: changed }).delivered).toBe('not_held');
  });

  test('a device that has said nothing yet is unknown, not failed', () => {
    const silent = { ...view.reported, profiles: null, certificates: null, appStatus: null };
    expect(states({ view: { ...view, reported: silent }, okta: null })).toMatchObject({
      delivered: 'unknown',
      certificatePresent: 'unknown',
      oktaVerifyManaged: 'unknown',
    });
  });

  test('MANAGED for another user than the known one does not count', () => {
    expect(states({ userName: 'grace@acme.com' }).managed).toBe('not_held');
    expect(states({ userName: 'ADA@acme.com' }).managed).toBe('held');
  });

  test('after a renewal MANAGED says that the new certificate is not yet known to be used', () => {
    const managed = deriveTruths(factsOf({ certificateUse: 'none' })).at(-1);
    expect(managed?.state).toBe('held');
    expect(managed?.evidence).toContain('Odette knows of no sign-in with the newest certificate');
  });

  test('where Okta Verify comes from elsewhere, a package that is there counts, and none does not', () => {
    const app = (appIsInstalled: boolean) => {
      const desired = { ...view.desired!, appComesFromElsewhere: true };
      const reported = { ...view.reported, appStatus: null, appIsForeign: appIsInstalled, appIsInstalled };
      return deriveTruths(factsOf({ view: { ...view, desired, reported } })).find(
        ({ truth }) => truth === 'oktaVerifyManaged',
      );
    };
    expect(app(true)).toMatchObject({
      state: 'held',
      evidence: expect.stringContaining('present (package)') as string,
    });
    expect(app(false)?.state).toBe('not_held');
  });

  test('the certificate does not apply to an iPhone and counts as held', () => {
    const phone = {
      ...view,
      platform: 'iOS',
      desired: { ...view.desired!, wantsCertificate: false },
    } as RolloutView;
    expect(states({ view: phone, userName: 'ada@acme.com' }).certificatePresent).toBe('not_applicable');
  });
});

describe("matching Okta's records", () => {
  const record = (changes: Partial<OktaRecord>): OktaRecord => ({
    oktaId: 'o1',
    platform: 'MACOS',
    serialNumber: 'C02A',
    udid: 'U1',
    model: 'Mac14,2',
    status: 'ACTIVE',
    logins: [],
    createdAtMs: 1,
    ...changes,
  });
  const mac: MatchableDevice = {
    deviceId: 'd1',
    platform: 'macOS',
    serialNumber: 'c02a',
    udid: 'u1',
    model: null,
    userName: null,
    configuredAtMs: null,
  };
  const phone: MatchableDevice = {
    deviceId: 'd2',
    platform: 'iOS',
    serialNumber: 'X',
    udid: 'U2',
    model: 'iPhone15,2',
    userName: 'ada@acme.com',
    configuredAtMs: 5,
  };
  const phoneRecord = record({
    platform: 'IOS',
    serialNumber: null,
    udid: null,
    model: 'iPhone15,2',
    logins: ['Ada@acme.com'],
  });

  test('of several records with one serial number the newest ACTIVE counts', () => {
    const records = [
      record({ oktaId: 'old', createdAtMs: 1 }),
      record({ oktaId: 'new', createdAtMs: 2 }),
      record({ oktaId: 'gone', createdAtMs: 3, status: 'DEACTIVATED' }),
    ];
    expect(matchRecords(records, [mac])).toEqual([{ oktaId: 'new', deviceId: 'd1', match: 'serial_number' }]);
  });

  test('a Mac that claims the serial number of another gets nothing of its record', () => {
    const claims = { ...mac, deviceId: 'd9', udid: 'U9' };
    const itsOwn = [{ oktaId: 'o1', deviceId: 'd1', match: 'serial_number' }];
    expect(matchRecords([record({})], [claims, mac])).toEqual(itsOwn);
    expect(matchRecords([record({ udid: null })], [claims, mac])).toEqual([]);
    expect(matchRecords([record({ udid: null })], [mac])).toEqual(itsOwn);
  });

  test('a Mac whose logic board was replaced gets nothing of the record with the old UDID', () => {
    expect(matchRecords([record({ udid: 'old-board' })], [mac])).toEqual([]);
  });

  test('an iPhone that registered again has likely the newest record, if that is younger than its configuration', () => {
    const old = { ...phoneRecord, oktaId: 'old', createdAtMs: 4 };
    const likely = [{ oktaId: 'new', deviceId: 'd2', match: 'likely' }];
    expect(matchRecords([old, { ...phoneRecord, oktaId: 'new', createdAtMs: 6 }], [phone])).toEqual(likely);
    const [before] = matchRecords([old, { ...phoneRecord, oktaId: 'new', createdAtMs: 5 }], [phone]);
    expect(before?.match).toBe('ambiguous');
    const unconfigured = { ...phone, configuredAtMs: null };
    const [never] = matchRecords([old, { ...phoneRecord, oktaId: 'new', createdAtMs: 6 }], [unconfigured]);
    expect(never?.match).toBe('ambiguous');
  });

  test('an iPhone is matched by user and model', () => {
    expect(matchRecords([phoneRecord], [phone])).toEqual([
      { oktaId: 'o1', deviceId: 'd2', match: 'user_and_model' },
    ]);
  });

  test('two alike cannot be told apart, be it two records or two devices', () => {
    const twoRecords = matchRecords([phoneRecord, { ...phoneRecord, oktaId: 'o2' }], [phone]);
    expect(twoRecords.map(({ match }) => match)).toEqual(['ambiguous']);
    const twoDevices = matchRecords([phoneRecord], [phone, { ...phone, deviceId: 'd3' }]);
    expect(twoDevices.map(({ match }) => match)).toEqual(['ambiguous', 'ambiguous']);
  });

  test('a device whose user is not known is not matched', () => {
    expect(matchRecords([phoneRecord], [{ ...phone, userName: null }])).toEqual([]);
  });
});
