// Whether a sign-in has used the newest certificate of a Mac: Okta revokes on day 91 what none used, and no API says which one was.
// What counts as proof and why: docs/decisions/0012-when-a-certificate-counts-as-used.md. Times are milliseconds since the epoch.

/** none: nothing speaks for it. probable: its record changed since, and nothing that Okta shows explains it. */
export const CERTIFICATE_USES = ['none', 'probable', 'proven'] as const;
export type CertificateUse = (typeof CERTIFICATE_USES)[number];

/** What was seen of Okta's record of the device, as far as it speaks of sign-ins. */
export interface SignInTraces {
  readonly createdAtMs: number;
  readonly isManaged: boolean;
  /** A user turned from NOT_MANAGED to MANAGED: when NOT_MANAGED was last seen. */
  readonly unmanagedSeenAtMs: number | null;
  /** `lastUpdated` of the last change with the same status, name, OS version and users. */
  readonly unexplainedAtMs: number | null;
  /** The System Log's last `pki.cert.bind` of the device. `serialNumber`: of the certificate, where the event names one. */
  readonly boundAtMs: number | null;
  readonly boundSerialNumber: string | null;
}

export interface UseEvidence {
  readonly use: CertificateUse;
  readonly evidence: string;
}

const CLOCKS_APART_MS = 5 * 60_000;

/** @param certificate the newest that the device lists; `provenAtMs`: when it was first seen there */
export function useOf(
  certificate: { readonly provenAtMs: number; readonly serialNumber: string | null },
  traces: SignInTraces | null,
): UseEvidence {
  const { provenAtMs } = certificate;
  const isLater = (timeMs: number | null): boolean => timeMs !== null && timeMs > provenAtMs;
  if (traces === null) return { use: 'none', evidence: 'Okta has no record of the device.' };
  const { boundSerialNumber } = traces;
  const isNamed =
    boundSerialNumber !== null && certificate.serialNumber !== null
      ? sameSerialNumber(boundSerialNumber, certificate.serialNumber)
      : undefined;
  if (isNamed === true || (isNamed === undefined && isLater(traces.boundAtMs)))
    return { use: 'proven', evidence: "Okta's System Log shows a pki.cert.bind event." };
  if (!traces.isManaged)
    return { use: 'none', evidence: 'Okta has not said MANAGED since the certificate was issued.' };
  if (isLater(traces.createdAtMs))
    return {
      use: 'proven',
      evidence: 'The device registered after the certificate was issued, and is MANAGED.',
    };
  if (isLater(traces.unmanagedSeenAtMs))
    return {
      use: 'proven',
      evidence: 'After the certificate was issued, Okta said NOT_MANAGED, then MANAGED.',
    };
  // A sign-in with the certificate before, by a clock of Okta's that is a little ahead, is none with this one.
  if (traces.unexplainedAtMs !== null && traces.unexplainedAtMs > provenAtMs + CLOCKS_APART_MS)
    return {
      use: 'probable',
      evidence: "Okta's record changed after the certificate was issued, as it does at a sign-in.",
    };
  return { use: 'none', evidence: 'Okta has said MANAGED since before the certificate was issued.' };
}

const RANK: Readonly<Record<CertificateUse, number>> = { none: 0, probable: 1, proven: 2 };

/** What was once known of a certificate stays known. */
export const isMoreCertain = (one: CertificateUse, other: CertificateUse): boolean => RANK[one] > RANK[other];

const sameSerialNumber = (one: string, other: string): boolean => plainHex(one) === plainHex(other);
const plainHex = (text: string): string => text.toLowerCase().replaceAll(':', '').replace(/^0+/, '');
