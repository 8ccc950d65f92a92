// Everything a pretend Okta tenant keeps on disk.
import { randomBytes } from 'node:crypto';
import type { TenantKnobs } from './knobs.ts';
import { DEFAULT_KNOBS } from './knobs.ts';
import type { SystemLogEvent } from './log-events.ts';

/** A key with its certificate, both PEM. */
export interface StoredKey {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface AuthorityState {
  readonly root: StoredKey;
  /** The last one issues; certificates of the earlier ones stay good. */
  intermediates: StoredKey[];
  registration: StoredKey;
}

interface ApiServiceIntegration {
  readonly kind: 'api_service_integration';
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** At most two, so that one can be replaced without a gap. */
  secrets: { readonly id: string; readonly value: string }[];
}

export interface ApiServicesApp {
  readonly kind: 'api_services_app';
  readonly clientId: string;
  readonly name: string;
  scopes: readonly string[];
  /** Standard roles by their names, custom ones by their ids. What no role allows the API refuses, whatever the scopes. */
  roles: readonly string[];
  publicJwks: readonly Record<string, unknown>[];
  /** "Require Demonstrating Proof of Possession (DPoP) header in token requests": on for new apps. */
  dpop: boolean;
  applicationType: 'service' | 'web';
}

export type Client = ApiServiceIntegration | ApiServicesApp;

/** Security > Administrators > Roles > Create new role. */
export interface CustomRole {
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly RolePermission[];
}

export const ROLE_PERMISSIONS = [
  'okta.devices.read',
  'okta.devices.manage',
  'okta.authenticators.read',
  'okta.logs.read',
  'okta.users.read',
] as const;
export type RolePermission = (typeof ROLE_PERMISSIONS)[number];

export interface MacPlatform {
  readonly id: string;
  readonly platform: 'macOS';
  readonly username: string;
  password: string;
}

export interface IosPlatform {
  readonly id: string;
  readonly platform: 'iOS';
  secretKey: string;
  readonly providerName: string;
  readonly enrollmentLink: string;
}

interface Challenge {
  readonly platformId: string;
  readonly issuedAt: number; // milliseconds since 1970, by the sandbox's clock
  isRedeemed: boolean;
}

export interface IssuedCertificate {
  readonly serialNumber: string; // lower-case hex
  readonly fingerprint: string; // SHA-256 of the DER, hex
  readonly subject: string; // RFC 4514
  readonly platformId: string;
  readonly issuedAt: number;
  readonly notAfter: number;
  revoked?: 'unused' | 'device_deleted';
  /** Id of the device at whose FastPass sign-in it was first used. */
  boundTo?: string;
  lastUsedAt?: number;
}

export interface User {
  readonly id: string;
  readonly login: string;
  readonly created: string;
}

export interface DeviceRecord {
  readonly id: string;
  readonly created: string;
  lastUpdated: string;
  status: 'ACTIVE' | 'DEACTIVATED' | 'SUSPENDED' | 'UNSUSPENDED';
  profile: {
    displayName: string;
    platform: 'MACOS' | 'IOS';
    registered: boolean;
    managed: boolean;
    model: string;
    osVersion: string;
    manufacturer: string;
    secureHardwarePresent: boolean;
    diskEncryptionType: string;
    serialNumber?: string;
    udid?: string;
  };
  users: {
    readonly userId: string;
    managementStatus: 'MANAGED' | 'NOT_MANAGED';
    readonly created: string;
  }[];
  /** What search still says of it, until `searchSeesAt`; null: search does not know it yet. */
  searchSaw?: DeviceRecord | null;
  searchSeesAt?: number;
}

export interface TenantState {
  readonly orgId: string;
  /** Signs access tokens, so that they outlive a restart. */
  readonly tokenKey: string;
  readonly authority: AuthorityState;
  knobs: TenantKnobs;
  clients: Client[];
  customRoles?: CustomRole[];
  platforms: (MacPlatform | IosPlatform)[];
  /** The newest last: what a search for secrets that went astray has to know. */
  accessTokens?: string[];
  challenges: Record<string, Challenge>;
  certificates: IssuedCertificate[];
  users: User[];
  devices: DeviceRecord[];
  counts: Record<string, number>;
  /** The oldest first. */
  log?: SystemLogEvent[];
}

/** An id in Okta's manner: 20 characters, three of them telling the kind (`00o` organization, `0oa` app, `guo` device). */
export const oktaId = (kind: '00o' | '0oa' | 'guo' | '00u' | 'pfm' | 'ocs' | 'aut' | 'cr0'): string =>
  kind + randomBytes(26).toString('base64').replace(/[+/=]/g, '').slice(0, 17).padEnd(17, '5');

export const newTenantState = (authority: AuthorityState): TenantState => ({
  orgId: oktaId('00o'),
  tokenKey: randomBytes(32).toString('base64url'),
  authority,
  knobs: structuredClone(DEFAULT_KNOBS),
  clients: [],
  platforms: [],
  challenges: {},
  certificates: [],
  users: [],
  devices: [],
  counts: {},
});
