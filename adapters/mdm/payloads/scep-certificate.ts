// The payload that makes a Mac get its certificate from Okta's authority (`com.apple.security.scep`; Okta, "Configure Okta as
// a CA with dynamic SCEP challenge for macOS"). It holds a challenge: a secret that is used up once.
import { organizationalUnitOf } from '../../../domain/profile-identifier.ts';
import type { Payload } from './profile.ts';

export interface ScepCertificate {
  readonly scepUrl: string;
  /** Fetched for this delivery only. */
  readonly challenge: string;
  readonly serialNumber: string;
  readonly udid: string;
  /** Odette recognizes the certificate by it in CertificateList. */
  readonly deliveryId: string;
}

/**
 * Apple's defaults for key size, usage, extractability and access do not fit: Okta Verify must be able to sign with the key,
 * and nobody to take it away. No CAFingerprint, because Okta renews its authorities by itself.
 */
export const scepCertificate = (delivery: ScepCertificate): Payload => ({
  type: 'com.apple.security.scep',
  name: 'scep',
  displayName: 'Okta device certificate',
  content: {
    PayloadContent: {
      URL: delivery.scepUrl,
      Subject: [
        [['CN', `${delivery.serialNumber} managementAttestation ${delivery.udid}`]],
        [['OU', organizationalUnitOf(delivery.deliveryId)]],
      ],
      Challenge: delivery.challenge,
      'Key Type': 'RSA',
      'Key Usage': DIGITAL_SIGNATURE,
      Keysize: 2048,
      KeyIsExtractable: false,
      AllowAllAppsAccess: true,
    },
  },
});

const DIGITAL_SIGNATURE = 1;
