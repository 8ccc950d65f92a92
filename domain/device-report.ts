// What a device reports about itself, decoded from its responses; stored as last reported.

export interface ReportedProfile {
  readonly identifier: string;
  readonly uuid: string;
  readonly displayName?: string;
  readonly payloads: readonly { readonly type: string; readonly identifier: string }[];
}

/** A certificate of CertificateList, read from its DER. Times are ISO 8601. */
export interface ReportedCertificate {
  readonly serialNumber: string; // lower-case hex, no leading zeros
  readonly commonName: string;
  readonly organizationalUnits: readonly string[];
  readonly issuer: string; // RFC 4514 string
  readonly notBefore: string;
  readonly notAfter: string;
  readonly isIdentity: boolean;
}

/** Status is Apple's word: Managed, Installing, Prompting, UserRejected, … */
export interface ReportedApplication {
  readonly identifier: string;
  readonly status: string;
  readonly hasConfiguration: boolean;
}

export interface ReportedInstalledApplication {
  readonly identifier: string;
  readonly shortVersion?: string;
  readonly isInstalling: boolean;
  /** false: not the App Store's (the downloadable package); undefined: the device did not say. */
  readonly isAppStore?: boolean;
}

/** OktaVerify as it stands in reports: https://apps.apple.com, adam id 490179405. */
export const OKTA_VERIFY = {
  bundleId: 'com.okta.mobile',
  adamId: '490179405',
  ssoExtension: 'com.okta.mobile.auth-service-extension',
  teamId: 'B7F62B65BN',
  macPath: '/Applications/Okta Verify.app',
} as const;
