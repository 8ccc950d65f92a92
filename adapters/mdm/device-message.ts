// Reads what a device sends to its one URL: check-in messages and command reports, told apart by the message itself
// (Apple, "Check-in" and "Commands and queries"; schema in mdm/checkin/*.yaml), never by Content-Type.
import type { DeviceErrorChain } from '../../domain/device-error-classes.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { recordedLine, recordedText } from '../../domain/recorded-text.ts';
import { MAX_LINE_LENGTH, dataOf, dictsOf, flagOf, lineOf, numberOf, textOf } from './dict-fields.ts';
import { parsePlistDict, type PlistDict } from './plist.ts';

interface Sender {
  /** UDID, or EnrollmentID of a user enrollment. */
  readonly udid: string;
  /** Set when the message comes from a user's channel. */
  readonly userId?: string;
  /** The whole message, for what is not decoded here. It may hold secrets: never logged. */
  readonly dict: PlistDict;
}

export interface Authenticate extends Sender {
  readonly type: 'Authenticate';
  readonly topic: string;
  readonly serialNumber?: string;
  readonly productName?: string;
  readonly model?: string;
  readonly modelName?: string;
  readonly deviceName?: string;
  readonly osVersion?: string;
  readonly buildVersion?: string;
}

export interface TokenUpdate extends Sender {
  readonly type: 'TokenUpdate';
  readonly topic: string;
  /** Empty: the device has none. */
  readonly token: Buffer;
  /** Empty: the device has none. */
  readonly pushMagic: string;
  readonly awaitingConfiguration: boolean;
  /** Of a user's channel: the account's name. */
  readonly userShortName?: string;
  /** iOS only; keep the old one when a later message lacks it. */
  readonly unlockToken?: Buffer;
}

export interface CheckOut extends Sender {
  readonly type: 'CheckOut';
}

export interface SetBootstrapToken extends Sender {
  readonly type: 'SetBootstrapToken';
  /** Absent or empty on the wire: the kept one is to be deleted. */
  readonly bootstrapToken?: Buffer;
}

interface DeclarativeManagement extends Sender {
  readonly type: 'DeclarativeManagement';
  readonly endpoint: string;
  readonly data?: Buffer;
}

/** Known messages without fields that Odette reads. */
export interface OtherMessage extends Sender {
  readonly type: 'GetBootstrapToken' | 'UserAuthenticate' | 'GetToken';
}

export type ReportStatus = 'Idle' | 'Acknowledged' | 'Error' | 'CommandFormatError' | 'NotNow';

/** The device asks for its next command and, unless it is idle, reports on the last one. */
export interface Report extends Sender {
  readonly type: 'Report';
  readonly status: ReportStatus;
  readonly commandUuid?: string;
  readonly errorChain: DeviceErrorChain;
}

export type DeviceMessage =
  Authenticate | TokenUpdate | CheckOut | SetBootstrapToken | DeclarativeManagement | OtherMessage | Report;

const STATUSES: readonly string[] = ['Idle', 'Acknowledged', 'Error', 'CommandFormatError', 'NotNow'];

/** @throws CataloguedError `mdm.message_unreadable` when it is no message that the protocol knows */
export function readDeviceMessage(body: Uint8Array): DeviceMessage {
  const dict = parsePlistDict(body);
  const sender: Sender = {
    udid: short(textOf(dict, 'UDID') ?? textOf(dict, 'EnrollmentID')),
    ...definedProps('userId', textOf(dict, 'UserID') ?? textOf(dict, 'EnrollmentUserID')),
    dict,
  };
  const type = textOf(dict, 'MessageType');
  return type === undefined ? readReport(sender) : readCheckIn(type, sender);
}

function readReport(sender: Sender): Report {
  const status = needed(textOf(sender.dict, 'Status'));
  if (!STATUSES.includes(status)) throw unreadable();
  const commandUuid = textOf(sender.dict, 'CommandUUID');
  if (status !== 'Idle' && commandUuid === undefined) throw unreadable();
  return {
    type: 'Report',
    ...sender,
    status: status as ReportStatus,
    ...definedProps('commandUuid', commandUuid),
    errorChain: readErrorChain(sender.dict),
  };
}

function readCheckIn(type: string, sender: Sender): DeviceMessage {
  const { dict } = sender;
  switch (type) {
    case 'Authenticate':
      return {
        type,
        ...sender,
        topic: short(textOf(dict, 'Topic')),
        ...definedProps('serialNumber', lineOf(dict, 'SerialNumber')),
        ...definedProps('productName', lineOf(dict, 'ProductName')),
        ...definedProps('model', lineOf(dict, 'Model')),
        ...definedProps('modelName', lineOf(dict, 'ModelName')),
        ...definedProps('deviceName', lineOf(dict, 'DeviceName')),
        ...definedProps('osVersion', lineOf(dict, 'OSVersion')),
        ...definedProps('buildVersion', lineOf(dict, 'BuildVersion')),
      };
    case 'TokenUpdate':
      return {
        type,
        ...sender,
        topic: short(textOf(dict, 'Topic')),
        token: short(dataOf(dict, 'Token')),
        pushMagic: dict['PushMagic'] === '' ? '' : short(textOf(dict, 'PushMagic')),
        ...definedProps('userShortName', lineOf(dict, 'UserShortName')),
        awaitingConfiguration: flagOf(dict, 'AwaitingConfiguration') ?? false,
        ...definedProps('unlockToken', dataOf(dict, 'UnlockToken')),
      };
    case 'CheckOut':
      return { type, ...sender };
    case 'SetBootstrapToken': {
      const token = dataOf(dict, 'BootstrapToken');
      return { type, ...sender, ...definedProps('bootstrapToken', token?.length === 0 ? undefined : token) };
    }
    case 'DeclarativeManagement':
      return {
        type,
        ...sender,
        endpoint: needed(textOf(dict, 'Endpoint')),
        ...definedProps('data', dataOf(dict, 'Data')),
      };
    case 'GetBootstrapToken':
    case 'UserAuthenticate':
    case 'GetToken':
      return { type, ...sender };
    default:
      throw unreadable();
  }
}

/** What is stored of a chain: the outermost causes, and the deepest, which says most. Lengths in UTF-16 units. */
const MAX_CAUSES = 8;
const MAX_DESCRIPTION = 500;
const MAX_DOMAIN = 100;

/** Reads `ErrorChain` of a report or of one item of a Settings response, bounded: it is stored and shown. */
export function readErrorChain(dict: PlistDict): DeviceErrorChain {
  const causes = dictsOf(dict, 'ErrorChain');
  const kept =
    causes.length <= MAX_CAUSES ? causes : [...causes.slice(0, MAX_CAUSES - 1), ...causes.slice(-1)];
  return kept.map((cause) => ({
    code: numberOf(cause, 'ErrorCode') ?? 0,
    domain: recordedLine((textOf(cause, 'ErrorDomain') ?? '').slice(0, MAX_DOMAIN)),
    description: recordedText(
      (textOf(cause, 'USEnglishDescription') ?? textOf(cause, 'LocalizedDescription') ?? '').slice(
        0,
        MAX_DESCRIPTION,
      ),
    ),
  }));
}

const unreadable = (): CataloguedError => new CataloguedError('mdm.message_unreadable');

function needed<Value>(value: Value | undefined): Value {
  if (value === undefined) throw unreadable();
  return value;
}

/** What may not be changed: it names somebody, or goes to Apple as it is. */
function short<Value extends string | Buffer>(value: Value | undefined): Value {
  if (value === undefined || value.length > MAX_LINE_LENGTH) throw unreadable();
  if (typeof value === 'string' && recordedLine(value) !== value) throw unreadable();
  return value;
}

/** A property only when there is a value: absent and undefined are not the same in these types. */
export const definedProps = <Key extends string, Value>(key: Key, value: Value | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value };
