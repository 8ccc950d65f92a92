// When a certificate is renewed: a window before its end, the device's own place in it, and what an unused one needs.
// Times are milliseconds since the epoch; "now" is always given.
import type { CertificateUse } from './certificate-use.ts';
import type { IntegrationSettings } from './integration-settings.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A run of the certificate's workflow with more events continues as new before its next sleep. */
export const MAX_HISTORY_LENGTH = 45;

export interface CertificateLife {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** When it was first seen on the device. */
  readonly provenAtMs: number;
}

/** The numbers that decide about renewals. */
export const RENEWAL_SETTINGS = [
  'renewalWindowStart',
  'renewalWindowEnd',
  'unusedWarnDays',
  'unusedWarnAgainDays',
  'unusedReissueDays',
] as const satisfies readonly (keyof IntegrationSettings)[];

export type RenewalSettings = Pick<IntegrationSettings, (typeof RENEWAL_SETTINGS)[number]>;

/** A number in [0, 1) that is the same for a device always: spreads renewals that were issued together (FNV-1a). */
export function placeOf(deviceId: string): number {
  let hash = 0x811c9dc5;
  for (const character of deviceId) {
    hash ^= character.charCodeAt(0);
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  // One more round of mixing: the last characters of an id alone must not decide.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  return ((hash ^ (hash >>> 13)) >>> 0) / 0x1_0000_0000;
}

/** The window, as times. A life of a year renews between 120 and 60 days before its end. */
function renewalWindow(life: CertificateLife, settings: RenewalSettings) {
  const length = life.notAfterMs - life.notBeforeMs;
  return {
    opensMs: life.notAfterMs - length * settings.renewalWindowStart,
    closesMs: life.notAfterMs - length * settings.renewalWindowEnd,
  };
}

export function renewalTime(life: CertificateLife, settings: RenewalSettings, deviceId: string): number {
  const { opensMs, closesMs } = renewalWindow(life, settings);
  return Math.round(opensMs + (closesMs - opensMs) * placeOf(deviceId));
}

export interface Renewal {
  readonly opensMs: number;
  readonly closesMs: number;
  /** The device's own place in the window: Odette renews from here on, as soon as the device is awake. */
  readonly fromMs: number;
  readonly urgency: Urgency;
}

/** All that is said of a certificate's renewal. */
export const renewalOf = (
  life: CertificateLife,
  settings: RenewalSettings,
  deviceId: string,
  nowMs: number,
): Renewal => ({
  ...renewalWindow(life, settings),
  fromMs: renewalTime(life, settings, deviceId),
  urgency: urgencyOf(life, settings, deviceId, nowMs),
});

/** How urgent a renewal is: after the window it is late, and devices are pushed more often. */
export type Urgency = 'none' | 'due' | 'late' | 'expired';

export function urgencyOf(
  life: CertificateLife,
  settings: RenewalSettings,
  deviceId: string,
  nowMs: number,
): Urgency {
  if (nowMs >= life.notAfterMs) return 'expired';
  if (nowMs >= renewalWindow(life, settings).closesMs) return 'late';
  return nowMs >= renewalTime(life, settings, deviceId) ? 'due' : 'none';
}

export type RenewalDecision =
  | { readonly kind: 'renew'; readonly reason: 'window' | 'unused'; readonly urgency: Urgency }
  /** `warning`: the first or the second of this certificate. */
  | { readonly kind: 'warn'; readonly warning: 1 | 2; readonly untilMs: number }
  | { readonly kind: 'sleep'; readonly untilMs: number };

/** What is known of a certificate's use. */
export interface KnownUse {
  readonly use: CertificateUse;
  /** It was issued because its predecessor was not proven used. */
  readonly isReissue: boolean;
}

/**
 * What to do with a certificate that is on the device. Okta revokes on day 91 what no sign-in used: one that is not proven used is
 * warned of twice, then issued again. One that was probably used is issued again once only: its successor, if probably used as well,
 * rests until its own renewal (docs/decisions/0012).
 */
export function decideRenewal(
  life: CertificateLife,
  settings: RenewalSettings,
  deviceId: string,
  { use, isReissue }: KnownUse,
  nowMs: number,
): RenewalDecision {
  const dueMs = renewalTime(life, settings, deviceId);
  if (nowMs >= dueMs)
    return { kind: 'renew', reason: 'window', urgency: urgencyOf(life, settings, deviceId, nowMs) };
  if (use === 'proven' || (use === 'probable' && isReissue)) return { kind: 'sleep', untilMs: dueMs };
  const onDay = (day: number): number => life.provenAtMs + day * DAY_MS;
  const warnMs = onDay(settings.unusedWarnDays);
  const warnAgainMs = onDay(settings.unusedWarnAgainDays);
  const reissueMs = onDay(settings.unusedReissueDays);
  if (nowMs >= reissueMs) return { kind: 'renew', reason: 'unused', urgency: 'due' };
  if (nowMs >= warnAgainMs) return { kind: 'warn', warning: 2, untilMs: Math.min(dueMs, reissueMs) };
  if (nowMs >= warnMs) return { kind: 'warn', warning: 1, untilMs: Math.min(dueMs, warnAgainMs, reissueMs) };
  return { kind: 'sleep', untilMs: Math.min(dueMs, warnMs, warnAgainMs, reissueMs) };
}
