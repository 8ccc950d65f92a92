// How far Odette re-issues certificates by itself when Okta stops counting devices as managed, and when it stops and waits for a person.
import type { Platform } from './device.ts';
import type { OktaFinding } from './okta-finding.ts';

/** Falls within so many minutes belong together. */
export const TOGETHER_MINUTES = 15;
/** So few are everyday life, whatever part of a small fleet they are. */
const MIN_TOGETHER = 5;
/** This part of the managed devices of a platform does not fall by chance. */
const MAX_SHARE = 0.1;
/** A user who signs in once a day meets a reset secret key within so many hours. */
export const SIGN_IN_HOURS = 24;
/** This part of the iPhones whose users signed in does not fall by chance, however slowly they come. */
const MAX_SIGN_IN_SHARE = 0.5;

/** Devices of one platform of an integration, the one that fell just now included. */
export interface Falls {
  /** Within the last TOGETHER_MINUTES. */
  readonly together: number;
  /** Counted as managed before these fell. */
  readonly managedBefore: number;
  /** Certificates that Odette re-issued by itself within the last hour. */
  readonly reissuedInHour: number;
  /** iPhones and iPads whose record in Okta changed within SIGN_IN_HOURS, as a sign-in changes it; those of them that fell. 0 of Macs. */
  readonly signedIn: number;
  readonly fellSignedIn: number;
}

export const HALT_REASONS = ['many_fell', 'sign_ins_fell', 'limit_reached'] as const;
export type HaltReason = (typeof HALT_REASONS)[number];

/** null: it goes on. */
export function haltOf(falls: Falls, limitPerHour: number): Omit<Halt, 'platform'> | null {
  const { together, managedBefore, reissuedInHour, signedIn, fellSignedIn } = falls;
  const halt = { fallen: together, managedBefore };
  if (together >= MIN_TOGETHER && together >= managedBefore * MAX_SHARE)
    return { reason: 'many_fell', ...halt };
  // A reset key takes "managed" from a device at its next sign-in, not from all at once.
  if (fellSignedIn >= MIN_TOGETHER && fellSignedIn >= signedIn * MAX_SIGN_IN_SHARE)
    return { reason: 'sign_ins_fell', fallen: fellSignedIn, managedBefore: signedIn };
  return reissuedInHour >= limitPerHour ? { reason: 'limit_reached', ...halt } : null;
}

/** Okta stopped counting the device, and no Okta admin's act on the device itself explains it. */
export const isFall = ({ kind }: OktaFinding): boolean => kind === 'not_managed' || kind === 'no_record';

export interface Halt {
  readonly platform: Platform;
  readonly reason: HaltReason;
  /** When it stopped: so many fell, of so many that were managed. */
  readonly fallen: number;
  readonly managedBefore: number;
}

const DEVICES = { macOS: 'Macs', iOS: 'iPhones and iPads' } as const satisfies Record<Platform, string>;

/** One sentence of what happened, one question that most likely explains it. */
export function haltText({ platform, reason, fallen, managedBefore }: Halt): string {
  const share = Math.round((100 * fallen) / Math.max(1, managedBefore));
  const happened = {
    many_fell: `${share} % of the ${DEVICES[platform]} (${fallen} of ${managedBefore}) lost "managed" in Okta within ${TOGETHER_MINUTES} minutes.`,
    sign_ins_fell: `${fallen} of the ${managedBefore} ${DEVICES[platform]} whose record in Okta changed within ${SIGN_IN_HOURS} hours lost "managed".`,
    limit_reached: `More ${DEVICES[platform]} than usual lost "managed" in Okta within an hour.`,
  } as const satisfies Record<HaltReason, string>;
  return `${happened[reason]} ${likelyCauses(platform)[0]}`;
}

/** The likeliest first. */
export const likelyCauses = (platform: Platform): readonly [string, ...string[]] =>
  platform === 'iOS'
    ? [
        'Was the secret key reset in Okta?',
        'Was the iOS platform deleted in Okta > Device integrations?',
        'Were devices deleted in Okta, by an automation for example?',
        'Did another MDM server replace the managed app configuration of Okta Verify?',
      ]
    : [
        'Were certificates revoked in Okta?',
        'Was the macOS platform deleted in Okta > Device integrations, or its certificate authority changed?',
        'Were devices deleted in Okta, by an automation for example?',
        'Did another MDM server or a tool remove certificates or profiles from the Macs?',
      ];
