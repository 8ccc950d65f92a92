// What a pretend Okta Verify and the pretend tenant say to each other at a FastPass sign-in. Okta's own protocol is not public.
import type { KeyObject } from 'node:crypto';
import { sign } from 'node:crypto';

/** Response of `GET /sandbox/fastpass`: sign the nonce with the key of the certificate that is shown. Good for one sign-in. */
export interface FastPassChallenge {
  readonly nonce: string;
  /** RFC 4514 names: Okta Verify shows the newest certificate that one of these issued. */
  readonly trustedIssuers: readonly string[];
}

/** Body of `POST /sandbox/fastpass` on the tenant (JSON). */
export interface FastPassSignIn {
  readonly nonce: string;
  /** User name in Okta. */
  readonly user: string;
  readonly device: {
    /** The id that this installation of Okta Verify got when it was registered; kept by it. */
    readonly oktaDeviceId?: string;
    readonly platform: 'MACOS' | 'IOS';
    readonly displayName: string;
    readonly model: string;
    readonly osVersion: string;
    /** Only Macs know and tell them. */
    readonly serialNumber?: string;
    readonly udid?: string;
  };
  /** macOS: the certificate (base64 DER) and the nonce signed with its key (base64, RSASSA-PKCS1-v1_5 with SHA-256). */
  readonly attestation?: { readonly certificate: string; readonly signature: string };
  /** iOS: what the managed app configuration or the SSO extension holds. */
  readonly managementHint?: string;
}

export type ManagementReason =
  | 'managed'
  | 'no_platform'
  | 'no_certificate'
  | 'signature_wrong'
  | 'foreign_certificate'
  | 'certificate_revoked'
  | 'certificate_expired'
  | 'certificate_of_another_device'
  | 'device_not_active'
  | 'no_management_hint'
  | 'management_hint_wrong';

/** The user is signed in and the device registered in any case; whether it counts as managed is another matter. */
export interface FastPassResult {
  readonly oktaDeviceId: string;
  readonly registered: true;
  readonly managementStatus: 'MANAGED' | 'NOT_MANAGED';
  /** For people who watch the sandbox; Okta tells nobody. */
  readonly reason: ManagementReason;
}

export const signNonce = (nonce: string, privateKey: KeyObject): string =>
  sign('sha256', Buffer.from(nonce, 'utf8'), privateKey).toString('base64');
