// Carries out a command and responds in Apple's shape (schema: mdm/commands/*.yaml).
import type { PlistDict, PlistValue } from '../../adapters/mdm/plist.ts';
import { buildPlist, isDict } from '../../adapters/mdm/plist.ts';
import { configurationOf, findApp, installApplication, isManaged, removeApplication } from './apps.ts';
import { reportInstalledApps, reportManagedApps } from './apps.ts';
import type { DeviceContext } from './device-context.ts';
import { count } from './device-context.ts';
import type { Break, DeviceState, InstalledProfile } from './device-state.ts';
import type { PayloadScope } from '../../domain/profile-identifier.ts';
import { isMdmProfile, renewIdentity } from './enrollment.ts';
import { certificateOf } from './keychain.ts';
import {
  contentOf,
  installProfile,
  payloadsIn,
  readSignedProfile,
  removeProfile,
  textOf,
} from './profiles.ts';
import { Refusal, link, mdmRefused } from './refusal.ts';

/** Status with the keys of the response. */
export interface CommandResponse {
  readonly status: 'Acknowledged' | 'Error' | 'CommandFormatError' | 'NotNow';
  readonly keys: PlistDict;
}

/** iOS never responds NotNow to these (Apple, "Handling NotNow status responses"). */
const NEVER_NOT_NOW_ON_IOS = ['DeviceInformation', 'ProfileList', 'InstalledApplicationList'];

/** `scope` User: over the channel of a Mac's user. */
export async function carryOut(
  context: DeviceContext,
  command: PlistDict,
  scope: PayloadScope = 'System',
): Promise<CommandResponse> {
  const { knobs } = context.state;
  const requestType = textOf(command, 'RequestType');
  if (knobs.commandMs > 0) await new Promise((resolve) => setTimeout(resolve, knobs.commandMs));
  if (scope === 'User' && isLocked(context.state, requestType)) return { status: 'NotNow', keys: {} };
  if (isNotNow(context.state, requestType)) return { status: 'NotNow', keys: {} };
  const ordered = knobs.breaks.find((one) => one.times > 0 && concerns(one, requestType, command));
  if (ordered) {
    ordered.times -= 1;
    return { status: ordered.status, keys: refusalKeys(ordered) };
  }
  try {
    const keys = await resultOf(context, requestType, command, scope);
    count(context, `carriedOut.${requestType}`);
    return { status: 'Acknowledged', keys };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: 'Error', keys: { ErrorChain: error.chain.map((one) => ({ ...one })), ...error.reply } };
  }
}

function concerns({ requestType, profile }: Break, asked: string, command: PlistDict): boolean {
  if (requestType !== asked) return false;
  if (profile === undefined) return true;
  const payload = command['Payload'];
  const identifier =
    payload instanceof Uint8Array
      ? textOf(readSignedProfile(payload).dict, 'PayloadIdentifier')
      : textOf(command, 'Identifier');
  return identifier.includes(profile);
}

const refusalKeys = ({ errorChain, rejectionReason }: Break): PlistDict => ({
  ...(errorChain.length > 0 && { ErrorChain: errorChain.map((one) => ({ ...one })) }),
  ...(rejectionReason !== undefined && { RejectionReason: rejectionReason }),
});

/** A locked login keychain takes no profile and gives none back (Apple, "Handling NotNow status responses"). */
const isLocked = ({ knobs }: DeviceState, requestType: string): boolean =>
  knobs.userSession === 'locked' && (requestType === 'InstallProfile' || requestType === 'RemoveProfile');

function isNotNow(state: DeviceState, requestType: string): boolean {
  const { notNow } = state.knobs;
  if (!notNow || notNow.times <= 0) return false;
  if (state.family !== 'Mac' && NEVER_NOT_NOW_ON_IOS.includes(requestType)) return false;
  if (notNow.requestTypes && !notNow.requestTypes.includes(requestType)) return false;
  notNow.times -= 1;
  return true;
}

async function resultOf(
  context: DeviceContext,
  requestType: string,
  command: PlistDict,
  scope: PayloadScope,
): Promise<PlistDict> {
  const { state } = context;
  switch (requestType) {
    case 'DeviceInformation':
      return { QueryResponses: deviceInformation(state, textsOf(command['Queries'])) };
    case 'InstallProfile': {
      const payload = command['Payload'];
      if (!(payload instanceof Uint8Array)) throw mdmRefused(12021, 'The command has no payload.');
      const signed = readSignedProfile(payload);
      if (isMdmProfile(signed)) await renewIdentity(context, signed);
      else await installProfile(context, signed, true, scope);
      return {};
    }
    case 'RemoveProfile':
      removeProfile(context, textOf(command, 'Identifier'), scope);
      return {};
    case 'ProfileList': {
      const listed = state.profiles
        .filter((profile) => (profile.scope ?? 'System') === scope)
        .filter((profile) => profile.isManaged || command['ManagedOnly'] !== true);
      return { ProfileList: listed.map((profile) => describe(state, profile)) };
    }
    case 'CertificateList':
      return { CertificateList: certificates(state, command['ManagedOnly'] === true, scope) };
    case 'InstallApplication':
      return installApplication(context, command);
    case 'RemoveApplication':
      removeApplication(context, textOf(command, 'Identifier'));
      return {};
    case 'ManagedApplicationList':
      return { ManagedApplicationList: reportManagedApps(state, textsOf(command['Identifiers'])) };
    case 'InstalledApplicationList':
      return { InstalledApplicationList: reportInstalledApps(state, command) };
    case 'ManagedApplicationConfiguration':
      return { ApplicationConfigurations: configurations(state, textsOf(command['Identifiers']) ?? []) };
    case 'Settings':
      return { Settings: settings(state, command['Settings']) };
    default:
      throw mdmRefused(12021, `“${requestType}” is not a valid request type.`);
  }
}

const textsOf = (value: PlistValue | undefined): string[] | undefined =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : undefined;

function deviceInformation(state: DeviceState, queries: readonly string[] | undefined): PlistDict {
  const { hardware } = state;
  const known: Record<string, PlistValue> = {
    UDID: hardware.udid,
    DeviceName: hardware.deviceName,
    OSVersion: hardware.osVersion,
    BuildVersion: hardware.buildVersion,
    ModelName: hardware.modelName,
    Model: hardware.productName,
    ProductName: hardware.productName,
    SerialNumber: hardware.serialNumber,
    IsSupervised: state.isSupervised,
    DeviceCapacity: 228.3,
    AvailableDeviceCapacity: 101.5,
    ...(state.family === 'Mac'
      ? { IsAppleSilicon: true, HostName: `${hardware.deviceName}.local`, LocalHostName: hardware.deviceName }
      : { BatteryLevel: 0.83, IsCloudBackupEnabled: false }),
  };
  return Object.fromEntries(Object.entries(known).filter(([key]) => !queries || queries.includes(key)));
}

const COPIED = ['PayloadVersion', 'PayloadDisplayName', 'PayloadDescription', 'PayloadOrganization'] as const;
const copied = (dict: PlistDict): PlistDict =>
  Object.fromEntries(COPIED.filter((key) => dict[key] !== undefined).map((key) => [key, dict[key]]));

/** One entry of ProfileList. Values of payloads are never told. */
function describe(state: DeviceState, profile: InstalledProfile): PlistDict {
  const content = contentOf(profile);
  const major = Number.parseInt(state.hardware.osVersion);
  const namesPayloadUuids = major >= (state.family === 'Mac' ? 14 : 17);
  return {
    HasRemovalPasscode: false,
    IsEncrypted: false,
    ...(state.family !== 'Mac' && { IsManaged: profile.isManaged }),
    ...copied(content),
    PayloadIdentifier: profile.identifier,
    PayloadUUID: profile.uuid,
    PayloadRemovalDisallowed: content['PayloadRemovalDisallowed'] === true,
    SignerCertificates: profile.signers.map((der) => Buffer.from(der, 'base64')),
    PayloadContent: payloadsIn(content).map((payload) => ({
      ...copied(payload),
      PayloadType: textOf(payload, 'PayloadType'),
      PayloadIdentifier: textOf(payload, 'PayloadIdentifier'),
      ...(namesPayloadUuids && { PayloadUUID: textOf(payload, 'PayloadUUID') }),
    })),
  };
}

function certificates(state: DeviceState, isManagedOnly: boolean, scope: PayloadScope): PlistDict[] {
  const managed = new Set(state.profiles.filter((profile) => profile.isManaged).map((one) => one.identifier));
  return state.keychain
    .filter((item) => (item.scope ?? 'System') === scope)
    .filter((item) => !isManagedOnly || managed.has(item.profile))
    .map((item) => ({
      CommonName: certificateOf(item).commonName,
      Data: Buffer.from(item.certificate, 'base64'),
      IsIdentity: item.privateKey !== undefined,
    }));
}

/** Only managed apps are listed; one without configuration is listed without it. */
function configurations(state: DeviceState, identifiers: readonly string[]): PlistDict[] {
  return identifiers.flatMap((identifier) => {
    const app = findApp(state, identifier);
    if (!app || !isManaged(app)) return [];
    const configuration = configurationOf(app);
    return [{ Identifier: identifier, ...(configuration && { Configuration: configuration }) }];
  });
}

/** One result an item. Without Configuration the app's configuration is taken away. */
function settings(state: DeviceState, items: PlistValue | undefined): PlistDict[] {
  const given = Array.isArray(items) ? items.filter(isDict) : [];
  return given.map((item) => {
    const identifier = textOf(item, 'Identifier');
    if (item['Item'] !== 'ApplicationConfiguration')
      return failed(identifier, 12021, `The setting “${textOf(item, 'Item')}” is not supported.`);
    const app = findApp(state, identifier);
    if (!app || !isManaged(app)) return failed(identifier, 12029, `The app “${identifier}” is not managed.`);
    const configuration = item['Configuration'];
    if (isDict(configuration)) app.configuration = buildPlist(configuration).toString('base64');
    else delete app.configuration;
    return { Item: 'ApplicationConfiguration', Identifier: identifier, Status: 'Acknowledged' };
  });
}

const failed = (identifier: string, code: number, text: string): PlistDict => ({
  Identifier: identifier,
  Status: 'Error',
  ErrorChain: [{ ...link('MCMDMErrorDomain', code, text) }],
});
