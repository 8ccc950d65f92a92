// Numbers of an integration that an admin may change, with their defaults.

export interface IntegrationSettings {
  /** A rollout that the device does not answer closes as failed after this many hours. */
  readonly patienceHours: number;
  /** Minutes until a removal starts; it can be undone until then. */
  readonly removalDelayMinutes: number;
  /** Looked up in Okta this many seconds after a device was delivered, until it is managed. */
  readonly trustLookupSeconds: readonly number[];
  /** How often the sweeps run, in minutes. */
  readonly trustSweepMinutes: number;
  readonly enforcementSweepMinutes: number;
  readonly expirySweepMinutes: number;
  /** A device is verified again after this many hours. */
  readonly verifyAfterHours: number;
  /** The renewal window, as fractions of a certificate's life before its end: from 1/3 to 1/6. */
  readonly renewalWindowStart: number;
  readonly renewalWindowEnd: number;
  /** Days without proof of a sign-in: warn twice, then issue a new certificate (Okta revokes on day 91). */
  readonly unusedWarnDays: number;
  readonly unusedWarnAgainDays: number;
  readonly unusedReissueDays: number;
  /** Certificates that Odette re-issues by itself within an hour, for devices of one platform that Okta stopped counting as managed. */
  readonly reissuesPerHour: number;
  /** A device counts as managed for whatever user Okta names; otherwise only for the one that is named in Odette. */
  readonly countsAnyUser: boolean;
  /** Custom domains that users sign in at beside the one that Okta names: hosts, for the SSO extension. */
  readonly furtherDomains: readonly string[];
}

/** Of an integration whose id is not known; of one that is known: {@link integrationSettingsOf}. */
export const DEFAULT_INTEGRATION_SETTINGS: IntegrationSettings = {
  patienceHours: 14 * 24,
  removalDelayMinutes: 15,
  trustLookupSeconds: [60, 300, 900],
  trustSweepMinutes: 15,
  enforcementSweepMinutes: 60,
  expirySweepMinutes: 6 * 60,
  verifyAfterHours: 24,
  renewalWindowStart: 1 / 3,
  renewalWindowEnd: 1 / 6,
  unusedWarnDays: 60,
  unusedWarnAgainDays: 80,
  unusedReissueDays: 85,
  reissuesPerHour: 50,
  countsAnyUser: false,
  furtherDomains: [],
};

/** @param changed what an admin has changed, as the tables keep it */
export const integrationSettingsOf = (changed: Partial<IntegrationSettings>): IntegrationSettings => ({
  ...DEFAULT_INTEGRATION_SETTINGS,
  ...changed,
});
