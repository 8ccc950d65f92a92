// What a device refuses about a profile's form: keys and values by Apple's payload tables, one entry a payload type it knows.
// Stricter than Apple in one point: a key that the table does not name is refused, so that a typo never passes for a setting.
import type { PlistDict, PlistValue } from '../../adapters/mdm/plist.ts';
import { isDict } from '../../adapters/mdm/plist.ts';
import { DEVICE_FAMILIES, type DeviceFamily } from '../../domain/device.ts';
import type { ErrorLink } from './refusal.ts';
import { link } from './refusal.ts';

type Kind = 'string' | 'integer' | 'boolean' | 'array' | 'dictionary' | 'data' | 'any';
interface KeyRule {
  readonly kind: Kind;
  readonly isRequired?: boolean;
  readonly values?: readonly (string | number)[];
  /** Keys of a dictionary, or of each dictionary of an array. */
  readonly keys?: Readonly<Record<string, KeyRule>>;
}
type Keys = Readonly<Record<string, KeyRule>>;
interface PayloadRule {
  readonly families: readonly DeviceFamily[];
  /** Absent: managed preferences, any key. */
  readonly keys?: Keys;
}

const required = (kind: Kind, more: Partial<KeyRule> = {}): KeyRule => ({ kind, isRequired: true, ...more });
const optional = (kind: Kind, more: Partial<KeyRule> = {}): KeyRule => ({ kind, ...more });

const COMMON: Keys = {
  PayloadType: required('string'),
  PayloadIdentifier: required('string'),
  PayloadUUID: required('string'),
  PayloadVersion: required('integer', { values: [1] }),
  PayloadDisplayName: optional('string'),
  PayloadDescription: optional('string'),
  PayloadOrganization: optional('string'),
};

const TOP_LEVEL: Keys = {
  ...COMMON,
  PayloadType: required('string', { values: ['Configuration'] }),
  PayloadContent: required('array'),
  PayloadScope: optional('string', { values: ['System', 'User'] }),
  PayloadRemovalDisallowed: optional('boolean'),
  PayloadExpirationDate: optional('any'),
  RemovalDate: optional('any'),
  DurationUntilRemoval: optional('any'),
  ConsentText: optional('dictionary'),
  TargetDeviceType: optional('integer'),
};

const CERTIFICATE: Keys = {
  PayloadContent: required('data'),
  PayloadCertificateFileName: optional('string'),
};
const EVERY = DEVICE_FAMILIES;
const MAC: readonly DeviceFamily[] = ['Mac'];

const PAYLOADS: Readonly<Record<string, PayloadRule>> = {
  'com.apple.security.root': { families: EVERY, keys: CERTIFICATE },
  'com.apple.security.pkcs1': { families: EVERY, keys: CERTIFICATE },
  'com.apple.security.pem': { families: EVERY, keys: CERTIFICATE },
  'com.apple.security.scep': {
    families: EVERY,
    keys: {
      PayloadContent: required('dictionary', {
        keys: {
          URL: required('string'),
          Name: optional('string'),
          Subject: optional('array'),
          Challenge: optional('string'),
          Keysize: optional('integer', { values: [1024, 2048, 4096] }),
          'Key Type': optional('string', { values: ['RSA'] }),
          'Key Usage': optional('integer', { values: [0, 1, 4, 5] }),
          CAFingerprint: optional('data'),
          Retries: optional('integer'),
          RetryDelay: optional('integer'),
          SubjectAltName: optional('dictionary'),
          KeyIsExtractable: optional('boolean'),
          AllowAllAppsAccess: optional('boolean'),
        },
      }),
    },
  },
  'com.apple.mdm': {
    families: EVERY,
    keys: {
      IdentityCertificateUUID: required('string'),
      Topic: required('string'),
      ServerURL: required('string'),
      CheckInURL: optional('string'),
      SignMessage: optional('boolean'),
      AccessRights: required('integer'),
      UseDevelopmentAPNS: optional('boolean'),
      CheckOutWhenRemoved: optional('boolean'),
      ServerCapabilities: optional('array'),
      EnrollmentMode: optional('string'),
      AssignedManagedAppleID: optional('string'),
      RequiredAppIDForMDM: optional('integer'),
      ServerURLPinningCertificateUUIDs: optional('array'),
      CheckInURLPinningCertificateUUIDs: optional('array'),
      PinningRevocationCheckRequired: optional('boolean'),
    },
  },
  'com.apple.extensiblesso': {
    families: EVERY,
    keys: {
      ExtensionIdentifier: required('string'),
      TeamIdentifier: optional('string'),
      Type: required('string', { values: ['Credential', 'Redirect'] }),
      Realm: optional('string'),
      Hosts: optional('array'),
      URLs: optional('array'),
      ExtensionData: optional('dictionary'),
      ScreenLockedBehavior: optional('string', { values: ['Cancel', 'DoNotHandle'] }),
      DeniedBundleIdentifiers: optional('array'),
      RegistrationToken: optional('string'),
      PlatformSSO: optional('dictionary'),
    },
  },
  'com.apple.loginitems.managed': {
    families: MAC,
    keys: {
      'AutoLaunchedApplicationDictionary-managed': required('array', {
        keys: { Path: required('string'), Hide: optional('boolean') },
      }),
    },
  },
  'com.apple.servicemanagement': {
    families: MAC,
    keys: {
      Rules: required('array', {
        keys: {
          RuleType: required('string', {
            values: ['BundleIdentifier', 'BundleIdentifierPrefix', 'Label', 'LabelPrefix', 'TeamIdentifier'],
          }),
          RuleValue: required('string'),
          Comment: optional('string'),
          TeamIdentifier: optional('string'),
        },
      }),
    },
  },
  'com.okta.mobile': { families: MAC },
  'com.okta.mobile.auth-service-extension': { families: MAC },
};

const kindOf = (value: PlistValue): Kind => {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number' || typeof value === 'bigint') return 'integer';
  if (value instanceof Uint8Array) return 'data';
  if (Array.isArray(value)) return 'array';
  return value instanceof Date ? 'any' : 'dictionary';
};

function refusalOfKeys(
  dictionary: PlistDict,
  keys: Keys,
  domain: string,
  base: number,
): ErrorLink | undefined {
  for (const [key, rule] of Object.entries(keys)) {
    if (rule.isRequired && dictionary[key] === undefined)
      return link(domain, base + 2, `The required field “${key}” is missing.`);
  }
  for (const [key, value] of Object.entries(dictionary)) {
    const rule = keys[key];
    if (value === undefined) continue;
    if (!rule) return link(domain, base + 4, `The field “${key}” is not supported.`);
    if (rule.kind !== 'any' && kindOf(value) !== rule.kind)
      return link(domain, base + 3, `The field “${key}” has the wrong type.`);
    if (rule.values && !rule.values.includes(value as string | number))
      return link(domain, base + 4, `The field “${key}” has a value that is not supported.`);
    if (!rule.keys) continue;
    for (const inner of Array.isArray(value) ? (value as readonly PlistValue[]) : [value]) {
      if (!isDict(inner)) return link(domain, base + 3, `The field “${key}” has the wrong type.`);
      const refusal = refusalOfKeys(inner, rule.keys, domain, base);
      if (refusal) return refusal;
    }
  }
  return undefined;
}

/** Why the profile itself cannot be installed (MCProfileErrorDomain), or nothing. */
export function refusalOfProfile(profile: PlistDict): ErrorLink | undefined {
  const refusal = refusalOfKeys(profile, TOP_LEVEL, 'MCProfileErrorDomain', 1000);
  // 1010 is "unsupported field value" in this domain, where payloads say 2004.
  if (refusal) return refusal.ErrorCode === 1004 ? { ...refusal, ErrorCode: 1010 } : refusal;
  const payloads = profile['PayloadContent'] as PlistDict[];
  const isUnique = (key: string): boolean =>
    new Set(payloads.map((one) => one[key])).size === payloads.length;
  if (!isUnique('PayloadUUID')) return link('MCProfileErrorDomain', 1007, 'Payload UUIDs are not unique.');
  if (!isUnique('PayloadIdentifier'))
    return link('MCProfileErrorDomain', 1008, 'Payload identifiers are not unique.');
  return undefined;
}

/** Why this payload cannot be installed on a device of the family (MCPayloadErrorDomain), or nothing. */
export function refusalOfPayload(payload: PlistDict, family: DeviceFamily): ErrorLink | undefined {
  const type = payload['PayloadType'];
  const rule = typeof type === 'string' ? PAYLOADS[type] : undefined;
  if (!rule?.families.includes(family))
    return link('MCPayloadErrorDomain', 2004, `Payloads of type “${String(type)}” are not supported.`);
  const given = rule.keys
    ? payload
    : Object.fromEntries(Object.entries(payload).filter(([key]) => key in COMMON));
  const refusal = refusalOfKeys(given, { ...COMMON, ...rule.keys }, 'MCPayloadErrorDomain', 2000);
  if (refusal || type !== 'com.apple.extensiblesso') return refusal;
  if (payload['Type'] === 'Credential' && !(payload['Hosts'] as unknown[] | undefined)?.length)
    return link('MCPayloadErrorDomain', 2002, 'The required field “Hosts” is missing.');
  if (family === 'Mac' && payload['TeamIdentifier'] === undefined)
    return link('MCPayloadErrorDomain', 2002, 'The required field “TeamIdentifier” is missing.');
  return undefined;
}
