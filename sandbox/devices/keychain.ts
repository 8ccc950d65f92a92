// The device's keychain: which certificates there are, and which of them somebody can sign with.
import { createPrivateKey } from 'node:crypto';
import type { Certificate } from '../../adapters/pki/certificate.ts';
import { readCertificate } from '../../adapters/pki/certificate.ts';
import type { KeyAndCertificate } from '../../adapters/pki/certificate-authority.ts';
import type { DeviceState, KeychainItem } from './device-state.ts';

const identities = new Map<string, KeyAndCertificate>();

export const certificateOf = (item: KeychainItem): Certificate =>
  identities.get(item.id)?.certificate ?? readCertificate(Buffer.from(item.certificate, 'base64'));

/** The item as something to sign with. Kept: a device signs every message with the same one. */
export function identityOf(item: KeychainItem): KeyAndCertificate {
  const known = identities.get(item.id);
  if (known) return known;
  if (item.privateKey === undefined) throw new Error(`keychain item ${item.id} has no private key`);
  const identity = {
    certificate: readCertificate(Buffer.from(item.certificate, 'base64')),
    privateKey: createPrivateKey(item.privateKey),
  };
  identities.set(item.id, identity);
  return identity;
}

export function removeItemsOf(state: DeviceState, isGone: (item: KeychainItem) => boolean): void {
  for (const item of state.keychain) if (isGone(item)) identities.delete(item.id);
  state.keychain = state.keychain.filter((item) => !isGone(item));
}

const MOMENTS_KEPT = 100;

/** Keeps what the keychain holds now, so that one can look for a moment without a certificate. */
export function recordMoment(state: DeviceState, now: Date): void {
  const held = state.keychain.filter((item) => item.privateKey !== undefined).map(certificateOf);
  const moment = { at: now.toISOString(), identities: held.map(({ serialNumber }) => serialNumber) };
  state.keychainHistory = [...(state.keychainHistory ?? []), moment].slice(-MOMENTS_KEPT);
}

/**
 * What Okta Verify would sign with (Okta, "Which certificate does Okta Verify use?"): private key usable by apps, one of the
 * issuers that the tenant names, valid now; one in the login keychain before one in System, of several the most recently issued.
 */
export function usableFor(
  state: DeviceState,
  issuers: readonly string[],
  now: Date,
): KeychainItem | undefined {
  const read = state.keychain
    .filter((item) => item.privateKey !== undefined && item.isUsableByAll)
    .map((item) => ({ item, certificate: certificateOf(item) }))
    .filter(({ certificate }) => issuers.includes(certificate.issuer))
    .filter(({ certificate }) => certificate.notBefore <= now && now < certificate.notAfter);
  const isOfUser = ({ item }: (typeof read)[number]) => Number(item.scope === 'User');
  read.sort(
    (one, other) =>
      isOfUser(other) - isOfUser(one) ||
      other.certificate.notBefore.getTime() - one.certificate.notBefore.getTime(),
  );
  return read[0]?.item;
}
