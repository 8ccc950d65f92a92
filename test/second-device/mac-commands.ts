// How a Mac answers the commands that only read or change its state (Apple, mdm/commands).
import { X509Certificate } from 'node:crypto';
import type { PlistValue } from 'plist';
import { type Dict, dictsIn, type MacState, textIn } from './mac-state.ts';

const OKTA_VERIFY = { storeId: 490179405, bundleId: 'com.okta.mobile', name: 'Okta Verify' };

/** An entry of the ErrorChain. */
export class Refused extends Error {
  readonly domain: string;
  readonly code: number;
  constructor(domain: string, code: number, text: string) {
    super(text);
    this.domain = domain;
    this.code = code;
  }

  link(): Dict {
    return {
      ErrorCode: this.code,
      ErrorDomain: this.domain,
      LocalizedDescription: this.message,
      USEnglishDescription: this.message,
    };
  }
}

/** Whether the App Store has a license of the app for this Mac. */
export type HasLicense = (serialNumber: string) => Promise<boolean>;

/** @returns the keys that a response adds to Status and CommandUUID. @throws Refused */
export async function perform(state: MacState, command: Dict, hasLicense: HasLicense): Promise<Dict> {
  switch (command['RequestType']) {
    case 'DeviceInformation':
      return { QueryResponses: deviceInformation(state, textsIn(command['Queries'])) };
    case 'ProfileList':
      return { ProfileList: state.profiles.map(described) };
    case 'CertificateList':
      return {
        CertificateList: state.keychain.map(({ certificate }) => {
          const { raw, subject } = new X509Certificate(certificate);
          const commonName = /^CN=(.*)$/m.exec(subject)?.[1] ?? '';
          return { CommonName: commonName, Data: new Uint8Array(raw), IsIdentity: true };
        }),
      };
    case 'RemoveProfile': {
      const identifier = textIn(command, 'Identifier');
      if (!state.remove(identifier))
        throw new Refused('MDMClientError', 89, `Profile with identifier '${identifier}' not found.`);
      return {};
    }
    case 'InstallApplication':
      return installApplication(state, command, hasLicense);
    case 'ManagedApplicationList': {
      const asked = textsIn(command['Identifiers']);
      const known = [...state.apps].filter(([id]) => asked === undefined || asked.includes(id));
      return {
        ManagedApplicationList: Object.fromEntries(
          known.map(([id, status]) => [id, { Status: status, ManagementFlags: 0, HasConfiguration: false }]),
        ),
      };
    }
    case 'InstalledApplicationList': {
      const asked = textsIn(command['Identifiers']);
      const known = [...state.apps].filter(
        ([id, status]) => status === 'Managed' && (asked === undefined || asked.includes(id)),
      );
      return { InstalledApplicationList: known.map(([id]) => installed(id)) };
    }
    default:
      throw new Refused('MCMDMErrorDomain', 12021, 'The request type is not valid.');
  }
}

const textsIn = (value: PlistValue | undefined): string[] | undefined =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : undefined;

function deviceInformation({ hardware }: MacState, queries: string[] | undefined): Dict {
  const known: Dict = {
    UDID: hardware.udid,
    DeviceName: hardware.name,
    OSVersion: hardware.osVersion,
    BuildVersion: hardware.buildVersion,
    ModelName: hardware.modelName,
    Model: hardware.model,
    ProductName: hardware.model,
    SerialNumber: hardware.serialNumber,
    IsSupervised: true,
    IsAppleSilicon: true,
  };
  return Object.fromEntries(Object.entries(known).filter(([key]) => queries?.includes(key)));
}

/** Names and identifiers; never what is in a payload. */
function described(profile: Dict): Dict {
  const told = ['PayloadIdentifier', 'PayloadUUID', 'PayloadVersion', 'PayloadDisplayName', 'PayloadType'];
  const only = (dict: Dict, but = ''): Dict =>
    Object.fromEntries(Object.entries(dict).filter(([key]) => told.includes(key) && key !== but));
  return {
    ...only(profile, 'PayloadType'),
    HasRemovalPasscode: false,
    IsEncrypted: false,
    PayloadRemovalDisallowed: profile['PayloadRemovalDisallowed'] === true,
    PayloadContent: dictsIn(profile['PayloadContent']).map((payload) => only(payload)),
  };
}

/** macOS acknowledges first and downloads then. */
async function installApplication(state: MacState, command: Dict, hasLicense: HasLicense): Promise<Dict> {
  if (command['iTunesStoreID'] !== OKTA_VERIFY.storeId)
    throw new Refused('MCMDMErrorDomain', 12024, 'The app is not known.');
  if (!(await hasLicense(state.hardware.serialNumber)))
    throw new Refused('ASDServerErrorDomain', 9610, 'License not found');
  const isManaged = command['InstallAsManaged'] === true && command['ChangeManagementState'] === 'Managed';
  if (isManaged) {
    state.apps.set(OKTA_VERIFY.bundleId, 'Installing');
    setTimeout(() => state.apps.set(OKTA_VERIFY.bundleId, 'Managed'), DOWNLOAD_MS);
  }
  return {};
}

const DOWNLOAD_MS = 300;

const installed = (identifier: string): Dict => ({
  Identifier: identifier,
  Name: OKTA_VERIFY.name,
  ShortVersion: '9.45.0',
  Version: '9.45.0.1',
  BundleSize: 61_000_000,
  Installing: false,
  ExternalVersionIdentifier: 868_412_035,
});
