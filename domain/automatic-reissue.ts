// How far Odette re-issues certificates by itself when Okta stops counting devices as managed, and when it stops and waits for a person.
import type { Platform } from './device.ts';
import type { OktaFinding } from './okta-finding.ts';

/** Falls within so many minutes belong together. */
export const TOGETHER_MINUTES = 15;
/** So few are everyday life, whatever part of a small fleet they are. */
const MIN_TOGETHER = 5;
/** This part of the managed devices of a platform does not fall by chance. */
const MAX_SHARE = 0.1;

/** Devices of one platform of an integration, the one that fell just now included. */
export interface Falls {
  /** Within the last TOGETHER_MINUTES. */
  readonly together: number;
  /** Counted as managed before these fell. */
  readonly managedBefore: number;
  /** Certificates that Odette re-issued by itself within the last hour. */
  readonly reissuedInHour: number;
}

export const HALT_REASONS = ['many_fell', 'limit_reached'] as const;
export type HaltReason = (typeof HALT_REASONS)[number];

/** null: it goes on. */
export function haltReason(falls: Falls, limitPerHour: number): HaltReason | null {
  if (falls.together >= MIN_TOGETHER && falls.together >= falls.managedBefore * MAX_SHARE) return 'many_fell';
  return falls.reissuedInHour >= limitPerHour ? 'limit_reached' : null;
}

/** Okta stopped counting the device, and no Okta admin's act on the device itself explains it. */
export const isFall = ({ kind }: OktaFinding): boolean => kind === 'not_managed' || kind === 'no_record';

export interface Halt {
  readonly platform: Platform;
  readonly reason: HaltReason;
  /** When it stopped: so many fell together, of so many that were managed. */
  readonly fallen: number;
  readonly managedBefore: number;
}

const DEVICES = { macOS: 'Macs', iOS: 'iPhones and iPads' } as const satisfies Record<Platform, string>;

/** One sentence of what happened, one question that most likely explains it. */
export function haltText({ platform, reason, fallen, managedBefore }: Halt): string {
  const share = Math.round((100 * fallen) / Math.max(1, managedBefore));
  const happened =
    reason === 'many_fell'
      ? `${share} % of the ${DEVICES[platform]} (${fallen} of ${managedBefore}) lost "managed" in Okta within ${TOGETHER_MINUTES} minutes.`
      : `More ${DEVICES[platform]} than usual lost "managed" in Okta within an hour.`;
  return `${happened} ${likelyCauses(platform)[0]}`;
}

/** The likeliest first. */
export const likelyCauses = (platform: Platform): readonly [string, ...string[]] =>
  platform === 'iOS'
    ? [
        'Was the secret key reset in Okta?',
        'Was the iOS platform deleted in Okta > Device integrations?',
        'Were devices deleted in Okta, by an automation for example?',
        'Did another MDM replace the managed app configuration of Okta Verify?',
      ]
    : [
        'Were certificates revoked in Okta?',
        'Was the macOS platform deleted in Okta > Device integrations, or its certificate authority changed?',
        'Were devices deleted in Okta, by an automation for example?',
        'Did another MDM or a tool remove certificates or profiles from the Macs?',
      ];
