// The setup wizard as data: its steps in their order, what each answer holds, what each check can say.
import type { Platform } from './device.ts';
import type { FailureCode } from './failures.ts';

/** In the order of the wizard. The iOS and macOS steps appear only if that platform was chosen. */
export const SETUP_STEPS = [
  'get_started',
  'okta_domain',
  'install_api_integration',
  'credentials',
  'connect',
  'device_integrations',
  'platforms',
  'macos',
  'ios',
  'complete',
] as const;
export type SetupStep = (typeof SETUP_STEPS)[number];

/** The seeds' way (client ID and secret), or an API Services app of the tenant's own (a key pair that Odette makes). */
export const CREDENTIALS_KINDS = ['api_service_integration', 'api_services_app'] as const;
export type CredentialsKind = (typeof CREDENTIALS_KINDS)[number];

export const OKTA_SCOPES = ['okta.devices.manage', 'okta.devices.read', 'okta.authenticators.read'] as const;

/** Secrets are sealed at the API's edge: an answer holds handles (ids of sealed secrets), never values. */
export type SetupAnswer =
  | { readonly step: 'get_started' }
  | { readonly step: 'okta_domain'; readonly domain: string }
  | {
      readonly step: 'install_api_integration';
      readonly credentialsKind: CredentialsKind;
      /** Of an API Services app: the public half to paste into Okta, and the handle of the private half. */
      readonly publicJwk?: Readonly<Record<string, string>>;
      readonly secretId?: string;
    }
  | { readonly step: 'credentials'; readonly clientId: string; readonly secretId: string }
  | { readonly step: 'connect'; readonly confirmed: readonly PrerequisiteId[] }
  | { readonly step: 'device_integrations' }
  | { readonly step: 'platforms'; readonly platforms: readonly Platform[] }
  | {
      readonly step: 'macos';
      readonly scepUrl: string;
      readonly challengeUrl: string;
      readonly username: string;
      readonly secretId: string;
    }
  | { readonly step: 'ios'; readonly secretId: string; readonly providerName: string }
  | { readonly step: 'complete' }
  /** Goes back (or forward to an answered step) without losing input. */
  | { readonly step: 'go_to'; readonly target: SetupStep };

export const PREREQUISITES = [
  'token',
  'scopes',
  'identity_engine',
  'okta_verify_active',
  'fastpass_active',
  'okta_verify_licences',
  'adaptive_mfa',
] as const;
export type PrerequisiteId = (typeof PREREQUISITES)[number];

export interface PrerequisiteCheck {
  readonly id: PrerequisiteId;
  readonly result: 'passed' | 'failed' | 'not_checked';
  /** Ticked by the admin where it could not be checked. */
  readonly confirmed: boolean;
  readonly failureCode?: FailureCode;
  readonly detail: string;
}

export interface Tenant {
  readonly orgId: string;
  readonly host: string;
  readonly customDomain?: string;
  readonly pipeline: 'idx' | 'v1';
}

export interface SetupState {
  readonly setupId: string;
  readonly status: 'open' | 'complete' | 'abandoned';
  readonly step: SetupStep;
  /** True while a check of an answer runs. */
  readonly checking: boolean;
  readonly answers: Readonly<Partial<Record<SetupStep, SetupAnswer>>>;
  readonly tenant?: Tenant;
  readonly prerequisites: readonly PrerequisiteCheck[];
  readonly integrationId?: string;
}
