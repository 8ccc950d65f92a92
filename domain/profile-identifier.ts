// The identifiers of the profiles that Odette installs: stable for each integration and device, so that a new one replaces the old.

/** What a rollout installs at a revision; a certificate's profile comes with its challenge instead. */
export type WantedProfileKind = 'settings' | 'sso';
export type ProfileKind = WantedProfileKind | 'certificate.a' | 'certificate.b';
export type CertificateSlot = 'a' | 'b';
/** Apple's PayloadScope: System is the device's channel and the System keychain, User its user's channel and login keychain (Macs only). */
export type PayloadScope = 'System' | 'User';

const PREFIX = 'odette';
const KINDS: readonly ProfileKind[] = ['settings', 'sso', 'certificate.a', 'certificate.b'];

/** The profile with which a device enrolls; the same on all. */
export const ENROLLMENT_PROFILE = `${PREFIX}.enrollment`;

export const profileIdentifier = (integrationId: string, deviceId: string, kind: ProfileKind): string =>
  `${PREFIX}.${integrationId}.${deviceId}.${kind}`;

export interface OdetteProfile {
  readonly integrationId: string;
  readonly deviceId: string;
  readonly kind: ProfileKind;
}

/** Which of Odette's profiles an identifier names; undefined for any other profile. */
export function readProfileIdentifier(identifier: string): OdetteProfile | undefined {
  const kind = KINDS.find((each) => identifier.endsWith(`.${each}`));
  const [prefix, integrationId, deviceId] = identifier.split('.');
  if (kind === undefined || prefix !== PREFIX || integrationId === undefined || deviceId === undefined)
    return undefined;
  return { integrationId, deviceId, kind };
}

/** Whether Odette put the profile there, the enrollment profile included. */
export const isOfOdette = (identifier: string): boolean =>
  identifier === ENROLLMENT_PROFILE || readProfileIdentifier(identifier) !== undefined;

export const slotOf = (kind: ProfileKind): CertificateSlot | undefined =>
  kind === 'certificate.a' ? 'a' : kind === 'certificate.b' ? 'b' : undefined;

/** The OU by which the certificate of a delivery is known in CertificateList. */
export const organizationalUnitOf = (deliveryId: string): string => `odette-${deliveryId}`;

/** The delivery that a certificate's OUs name, if it is Odette's. */
export function deliveryIdOf(organizationalUnits: readonly string[]): string | undefined {
  return organizationalUnits.find((unit) => unit.startsWith('odette-'))?.slice('odette-'.length);
}
