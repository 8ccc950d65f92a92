// Builds the commands that Odette sends (Apple, mdm/commands/*.yaml), one spec each, and reads them from the other side.
import { CataloguedError } from '../../domain/failures.ts';
import type { Platform } from '../../domain/device.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import { dictOf, textOf } from './dict-fields.ts';
import { buildPlist, parsePlistDict, type PlistDict } from './plist.ts';

export type CommandSpec =
  /** Without queries: those that Odette shows and needs. */
  | { readonly requestType: 'DeviceInformation'; readonly queries?: readonly string[] }
  /** A profile, signed or not. */
  | { readonly requestType: 'InstallProfile'; readonly payload: Uint8Array }
  /** The identifier of the whole profile. */
  | { readonly requestType: 'RemoveProfile'; readonly identifier: string }
  | { readonly requestType: 'ProfileList' }
  | { readonly requestType: 'CertificateList' }
  /** Okta Verify from the App Store, by device license. A configuration goes along on iOS only. */
  | {
      readonly requestType: 'InstallApplication';
      readonly platform: Platform;
      readonly configuration?: PlistDict;
    }
  /** Okta Verify goes, and with it its user's FastPass on this device: only where the admin asked for it. */
  | { readonly requestType: 'RemoveApplication' }
  /** Sets Okta Verify's managed app configuration; `undefined` takes it away. */
  | { readonly requestType: 'Settings'; readonly appConfiguration: PlistDict | undefined }
  | { readonly requestType: 'ManagedApplicationConfiguration' }
  | { readonly requestType: 'ManagedApplicationList' }
  | { readonly requestType: 'InstalledApplicationList' };

const QUERIES = [
  'UDID',
  'DeviceName',
  'OSVersion',
  'BuildVersion',
  'ProductName',
  'ModelName',
  'SerialNumber',
  'IsSupervised',
];
const OKTA_VERIFY_ONLY: readonly string[] = [OKTA_VERIFY.bundleId];

/** The plist that a device gets when it asks for its next command. */
export function buildCommand(commandUuid: string, spec: CommandSpec): Buffer {
  return buildPlist({
    CommandUUID: commandUuid,
    Command: { RequestType: spec.requestType, ...requestOf(spec) },
  });
}

function requestOf(spec: CommandSpec): PlistDict {
  switch (spec.requestType) {
    case 'DeviceInformation':
      return { Queries: spec.queries ?? QUERIES };
    case 'InstallProfile':
      return { Payload: spec.payload };
    case 'RemoveProfile':
      return { Identifier: spec.identifier };
    // Everything on the device, not only what is managed: a manually installed profile or certificate explains failures.
    case 'ProfileList':
    case 'CertificateList':
      return {};
    case 'InstallApplication':
      return {
        iTunesStoreID: Number(OKTA_VERIFY.adamId),
        Options: { PurchaseMethod: 1 },
        ChangeManagementState: 'Managed',
        InstallAsManaged: spec.platform === 'macOS' ? true : undefined,
        Configuration: spec.configuration,
      };
    case 'RemoveApplication':
      return { Identifier: OKTA_VERIFY.bundleId };
    case 'Settings':
      return {
        Settings: [
          {
            Item: 'ApplicationConfiguration',
            Identifier: OKTA_VERIFY.bundleId,
            Configuration: spec.appConfiguration,
          },
        ],
      };
    case 'ManagedApplicationConfiguration':
    case 'ManagedApplicationList':
      return { Identifiers: OKTA_VERIFY_ONLY };
    case 'InstalledApplicationList':
      return { Identifiers: OKTA_VERIFY_ONLY, ManagedAppsOnly: false };
  }
}

/** The same command under another UUID. */
export const renamedCommand = (plist: Uint8Array, commandUuid: string): Buffer =>
  buildPlist({ CommandUUID: commandUuid, Command: readCommand(plist).request });

/**
 * A command as a device reads it: `request` is the dictionary under `Command`, with its RequestType.
 * @throws CataloguedError `mdm.message_unreadable`
 */
export function readCommand(body: Uint8Array): {
  commandUuid: string;
  requestType: string;
  request: PlistDict;
} {
  const dict = parsePlistDict(body);
  const commandUuid = textOf(dict, 'CommandUUID');
  const request = dictOf(dict, 'Command');
  const requestType = request && textOf(request, 'RequestType');
  if (commandUuid === undefined || request === undefined || requestType === undefined) {
    throw new CataloguedError('mdm.message_unreadable');
  }
  return { commandUuid, requestType, request };
}
