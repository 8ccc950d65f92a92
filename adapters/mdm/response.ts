// Decodes what a device responds to each command.
import type {
  ReportedApplication,
  ReportedCertificate,
  ReportedInstalledApplication,
  ReportedProfile,
} from '../../domain/device-report.ts';
import type { DeviceErrorChain } from '../../domain/device-error-classes.ts';
import { readCertificate } from '../pki/certificate.ts';
import { dataOf, dictOf, dictsOf, flagOf, lineOf, numberOf, textOf } from './dict-fields.ts';
import { definedProps, readErrorChain, type Report } from './device-message.ts';
import { isDict, type PlistDict } from './plist.ts';

interface DeviceInformation {
  readonly name?: string;
  readonly osVersion?: string;
  readonly buildVersion?: string;
  readonly productName?: string;
  readonly modelName?: string;
  readonly serialNumber?: string;
  readonly isSupervised?: boolean;
}

export type CommandResponse =
  | { readonly kind: 'profiles'; readonly profiles: readonly ReportedProfile[] }
  | { readonly kind: 'certificates'; readonly certificates: readonly ReportedCertificate[] }
  | { readonly kind: 'applications'; readonly applications: readonly ReportedApplication[] }
  | {
      readonly kind: 'installedApplications';
      readonly applications: readonly ReportedInstalledApplication[];
    }
  | ({ readonly kind: 'deviceInformation' } & DeviceInformation)
  /** May hold a secret: compared, never stored. */
  | {
      readonly kind: 'applicationConfiguration';
      readonly configurations: readonly { readonly identifier: string; readonly configuration: PlistDict }[];
    }
  | { readonly kind: 'installApplication'; readonly state?: string; readonly rejectionReason?: string }
  /** The command is acknowledged even when its one setting failed. */
  | { readonly kind: 'settings'; readonly failed: DeviceErrorChain | undefined }
  /** Nothing but the status. */
  | { readonly kind: 'none' };

/** Where the content of a response stands, by the command that asks for it. */
export const CONTENT_KEYS: Readonly<Record<string, string>> = {
  ProfileList: 'ProfileList',
  CertificateList: 'CertificateList',
  ManagedApplicationList: 'ManagedApplicationList',
  InstalledApplicationList: 'InstalledApplicationList',
  DeviceInformation: 'QueryResponses',
  ManagedApplicationConfiguration: 'ApplicationConfigurations',
};

/** Never throws: what a device leaves out or spells wrongly is left out of the response. */
export async function readResponse(requestType: string, report: Report): Promise<CommandResponse> {
  // An installation that was refused says why beside its error.
  const isRead = report.status === 'Acknowledged' || requestType === 'InstallApplication';
  if (!isRead) return { kind: 'none' };
  const { dict } = report;
  switch (requestType) {
    case 'ProfileList':
      return { kind: 'profiles', profiles: dictsOf(dict, 'ProfileList').flatMap(readProfile) };
    case 'CertificateList':
      return {
        kind: 'certificates',
        certificates: await inSlices(dictsOf(dict, 'CertificateList'), readListedCertificate),
      };
    case 'ManagedApplicationList':
      return { kind: 'applications', applications: readApplications(dict) };
    case 'InstalledApplicationList':
      return {
        kind: 'installedApplications',
        applications: dictsOf(dict, 'InstalledApplicationList').flatMap(readInstalledApplication),
      };
    case 'DeviceInformation':
      return {
        kind: 'deviceInformation',
        ...readDeviceInformation(dictOf(dict, 'QueryResponses') ?? {}),
      };
    case 'ManagedApplicationConfiguration':
      return {
        kind: 'applicationConfiguration',
        configurations: dictsOf(dict, 'ApplicationConfigurations').flatMap((item) => {
          const identifier = textOf(item, 'Identifier');
          const configuration = dictOf(item, 'Configuration') ?? {};
          return identifier === undefined ? [] : [{ identifier, configuration }];
        }),
      };
    case 'InstallApplication':
      return {
        kind: 'installApplication',
        ...definedProps('state', textOf(dict, 'State')),
        ...definedProps('rejectionReason', textOf(dict, 'RejectionReason')),
      };
    case 'Settings': {
      // A list of results in Apple's prose, one dictionary in its schema.
      const results = [...dictsOf(dict, 'Settings'), dictOf(dict, 'Settings') ?? {}];
      const failed = results.find((item) => (textOf(item, 'Status') ?? 'Acknowledged') !== 'Acknowledged');
      return { kind: 'settings', failed: failed && readErrorChain(failed) };
    }
    default:
      return { kind: 'none' };
  }
}

/** A certificate takes a fraction of a millisecond to read, a list has hundreds: others get their turn between. */
async function inSlices<Item, Read>(items: readonly Item[], read: (item: Item) => Read[]): Promise<Read[]> {
  const all: Read[] = [];
  let began = performance.now();
  for (const item of items) {
    if (performance.now() - began > SLICE_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      began = performance.now();
    }
    all.push(...read(item));
  }
  return all;
}

const SLICE_MS = 10;
/** Certificates have one or two kB; ASN.1 of many small pieces takes a millisecond for each kB. */
const MAX_CERTIFICATE_BYTES = 16 * 1024;

function readProfile(item: PlistDict): ReportedProfile[] {
  const identifier = textOf(item, 'PayloadIdentifier');
  const uuid = textOf(item, 'PayloadUUID');
  if (identifier === undefined || uuid === undefined) return [];
  const payloads = dictsOf(item, 'PayloadContent').map((payload) => ({
    type: textOf(payload, 'PayloadType') ?? '',
    identifier: textOf(payload, 'PayloadIdentifier') ?? '',
  }));
  return [{ identifier, uuid, ...definedProps('displayName', textOf(item, 'PayloadDisplayName')), payloads }];
}

function readListedCertificate(item: PlistDict): ReportedCertificate[] {
  const der = dataOf(item, 'Data');
  if (der === undefined || der.length > MAX_CERTIFICATE_BYTES) return [];
  try {
    const certificate = readCertificate(der);
    return [
      {
        serialNumber: certificate.serialNumber,
        commonName: certificate.commonName,
        organizationalUnits: certificate.organizationalUnits,
        issuer: certificate.issuer,
        notBefore: certificate.notBefore.toISOString(),
        notAfter: certificate.notAfter.toISOString(),
        isIdentity: flagOf(item, 'IsIdentity') ?? false,
      },
    ];
  } catch {
    return []; // one odd certificate in a keychain must not hide the others
  }
}

/** A dictionary by bundle id, not a list. */
const readApplications = (dict: PlistDict): ReportedApplication[] =>
  Object.entries(dictOf(dict, 'ManagedApplicationList') ?? {}).flatMap(([identifier, item]) =>
    isDict(item)
      ? [
          {
            identifier,
            status: textOf(item, 'Status') ?? 'Unknown',
            hasConfiguration: flagOf(item, 'HasConfiguration') ?? false,
          },
        ]
      : [],
  );

function readInstalledApplication(item: PlistDict): ReportedInstalledApplication[] {
  const identifier = textOf(item, 'Identifier');
  if (identifier === undefined) return [];
  return [
    {
      identifier,
      ...definedProps('shortVersion', textOf(item, 'ShortVersion')),
      isInstalling: flagOf(item, 'Installing') ?? false,
      ...definedProps('isAppStore', cameFromAppStore(item)),
    },
  ];
}

/**
 * iPhones and iPads say it. A Mac does not, but gives an App Store version identifier for the store's apps only; while an
 * app is being installed nothing can be told.
 */
function cameFromAppStore(item: PlistDict): boolean | undefined {
  const said = flagOf(item, 'AppStoreVendable');
  if (said !== undefined) return said;
  if ((numberOf(item, 'ExternalVersionIdentifier') ?? 0) > 0) return true;
  return flagOf(item, 'Installing') === true ? undefined : false;
}

const readDeviceInformation = (responses: PlistDict): DeviceInformation => ({
  ...definedProps('name', lineOf(responses, 'DeviceName')),
  ...definedProps('osVersion', lineOf(responses, 'OSVersion')),
  ...definedProps('buildVersion', lineOf(responses, 'BuildVersion')),
  ...definedProps('productName', lineOf(responses, 'ProductName') ?? lineOf(responses, 'Model')),
  ...definedProps('modelName', lineOf(responses, 'ModelName')),
  ...definedProps('serialNumber', lineOf(responses, 'SerialNumber')),
  ...definedProps('isSupervised', flagOf(responses, 'IsSupervised')),
});
