// What is being changed on the library item, before it is saved.
import type { ResponseOf, Body } from '../client.ts';
import { jsonObjectOf } from '../../domain/json.ts';
import { certificateScopeOf, sentSettingsOf, type ItemSettings } from '../../domain/payload-set.ts';

export type Item = ResponseOf<'getLibraryItem'>;
export type Integration = ResponseOf<'getIntegration'>;
export type SaveBody = Body<'createLibraryItem'>;

export interface ItemDraft {
  readonly blueprintIds: readonly string[];
  readonly deviceTrustOn: boolean;
  /** True: the admin confirmed what Okta Device Trust overrides. */
  readonly isConfirmed: boolean;
  /** Yes to the dialog that names who would be locked out. */
  readonly policyIsLifted: boolean;
  readonly enrollmentOptions: string;
  readonly launchOptions: string;
  readonly removeAppOnRemoval: boolean;
  readonly appComesFromElsewhere: boolean;
  readonly certificateScope: string;
  /** The item's own managed app configuration for iPhone and iPad, as JSON; empty: none. */
  readonly appConfiguration: string;
  /** Further managed preferences of Okta Verify on macOS, as JSON. */
  readonly extraKeys: string;
}

export const CERTIFICATE_SCOPES = ['System', 'User'] as const;

export const ENROLLMENT_OPTIONS = [
  'SilentEnrollmentEnabled',
  'SilentEnrollmentDisabled',
  'Enabled',
  'Disabled',
] as const;
export const LAUNCH_OPTIONS = ['HideMainWindow', 'none'] as const;

const jsonOf = (value: object | null | undefined): string =>
  value && Object.keys(value).length > 0 ? JSON.stringify(value, null, 2) : '';

export function draftOf(item: Item | undefined): ItemDraft {
  const settings = (item?.settings ?? {}) as ItemSettings;
  const sent = sentSettingsOf(settings);
  return {
    blueprintIds: item?.blueprints.map(({ id }) => id) ?? [],
    deviceTrustOn: item?.deviceTrustOn ?? false,
    isConfirmed: item?.deviceTrustOn ?? false,
    policyIsLifted: false,
    enrollmentOptions: sent.enrollmentOptions,
    launchOptions: sent.launchOptions,
    removeAppOnRemoval: settings.removeAppOnRemoval ?? false,
    appComesFromElsewhere: settings.appComesFromElsewhere ?? false,
    certificateScope: certificateScopeOf(settings),
    appConfiguration: jsonOf(item?.appConfiguration),
    extraKeys: jsonOf(sent.extraKeys),
  };
}

/** Undefined: not a JSON object. Empty text is an empty object. */
export function readConfiguration(text: string): SaveBody['appConfiguration'] | undefined {
  return text.trim() === '' ? {} : (jsonObjectOf(text) as SaveBody['appConfiguration'] | undefined);
}

export function saveBodyOf(draft: ItemDraft, integrationId: string): SaveBody {
  const configuration = readConfiguration(draft.appConfiguration) ?? {};
  const extraKeys = readConfiguration(draft.extraKeys) ?? {};
  return {
    integrationId,
    installType: 'install_and_continuously_enforce',
    deviceTrustOn: draft.deviceTrustOn,
    appConfiguration: Object.keys(configuration).length === 0 ? null : configuration,
    settings: {
      enrollmentOptions: oneOf(ENROLLMENT_OPTIONS, draft.enrollmentOptions),
      launchOptions: oneOf(LAUNCH_OPTIONS, draft.launchOptions),
      removeAppOnRemoval: draft.removeAppOnRemoval,
      appComesFromElsewhere: draft.appComesFromElsewhere,
      certificateScope: oneOf(CERTIFICATE_SCOPES, draft.certificateScope),
      ...(Object.keys(extraKeys).length === 0 ? {} : { extraKeys }),
    },
    blueprintIds: [...draft.blueprintIds],
    confirmAppConfigurationOverride: draft.deviceTrustOn && draft.isConfirmed,
    confirmPolicyIsLifted: draft.policyIsLifted,
  };
}

const oneOf = <Value extends string>(values: readonly [Value, ...Value[]], text: string): Value =>
  values.find((value) => value === text) ?? values[0];

export const isSame = (one: ItemDraft, other: ItemDraft): boolean =>
  JSON.stringify({ ...one, policyIsLifted: false }) === JSON.stringify({ ...other, policyIsLifted: false });
