// What a report says about its command and its device, decided before anything is written.
import { type CommandResponse, CONTENT_KEYS, readResponse } from '../../adapters/mdm/response.ts';
import type { Report } from '../../adapters/mdm/device-message.ts';
import { classify, type DeviceErrorChain } from '../../domain/device-error-classes.ts';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import type { FinalStatus } from '../../adapters/store/devices/command-exchange.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { recordDeviceDetails } from '../../adapters/store/devices/devices.ts';
import {
  recordAppConfiguration,
  replaceApplications,
  replaceCertificates,
  replaceInstalledApplications,
  replaceProfiles,
} from '../../adapters/store/devices/inventory.ts';
import { isUuid } from '../../domain/uuid.ts';
import type { RespondedCommand, FindCommand } from './given-commands.ts';

/**
 * Compares the configuration that a device has with the one it should have: the revision that it equals, or undefined.
 * The configuration holds a secret: it is compared in memory and kept nowhere.
 */
export type CompareConfiguration = (
  deviceId: string,
  configurations: readonly { readonly identifier: string; readonly configuration: PlistDict }[],
) => Promise<string | undefined>;

export interface ReadReport {
  readonly command: RespondedCommand;
  readonly final: FinalStatus;
  readonly response: CommandResponse;
  readonly configurationRevision: string | undefined;
  /** Why the response cannot be used, though the device acknowledged. */
  readonly problem: string | undefined;
}

/** undefined: Idle, or no command of ours. */
export async function readReport(
  findCommand: FindCommand,
  compareConfiguration: CompareConfiguration,
  report: Report,
): Promise<ReadReport | undefined> {
  const uuid = report.commandUuid;
  if (report.status === 'Idle' || uuid === undefined || !isUuid(uuid)) return undefined;
  // A list of some thousand certificates takes seconds to read: only from whom it was asked, and once.
  const command = await findCommand(uuid, report.udid);
  if (!command) return undefined;
  const isRepeated = command.state === 'responded';
  const problem = problemOf(command.requestType, report);
  const response: CommandResponse =
    isRepeated || problem !== undefined ? { kind: 'none' } : await readResponse(command.requestType, report);
  const configurationRevision =
    response.kind === 'applicationConfiguration'
      ? await compareConfiguration(command.deviceId, response.configurations)
      : undefined;
  return {
    command,
    final: finalStatus(command.requestType, report, response, problem),
    response,
    configurationRevision,
    problem,
  };
}

/** An acknowledged list without its list must not be taken for an empty one. */
function problemOf(requestType: string, report: Report): string | undefined {
  const key = CONTENT_KEYS[requestType];
  if (report.status !== 'Acknowledged' || key === undefined) return undefined;
  return typeof report.dict[key] === 'object' ? undefined : `${requestType} without ${key}`;
}

function finalStatus(
  requestType: string,
  report: Report,
  response: CommandResponse,
  problem: string | undefined,
): FinalStatus {
  const rejectionReason = response.kind === 'installApplication' ? response.rejectionReason : undefined;
  const failed = (errorChain: DeviceErrorChain) => ({
    code: classify(requestType, errorChain, rejectionReason).failure,
    errorChain,
  });
  if (problem !== undefined)
    return { status: 'Acknowledged', failure: { code: 'mdm.message_unreadable', errorChain: [] } };
  // Settings is acknowledged as a whole even when its one item failed.
  if (response.kind === 'settings' && response.failed)
    return { status: 'Error', failure: failed(response.failed) };
  switch (report.status) {
    case 'Error':
      return { status: 'Error', failure: failed(report.errorChain) };
    case 'CommandFormatError':
      // The device cannot read the command: it would not read it tomorrow.
      return {
        status: 'CommandFormatError',
        failure: { code: 'mdm.command_refused', errorChain: report.errorChain },
      };
    default:
      return { status: 'Acknowledged' };
  }
}

export async function applyToInventory(sql: Sql, deviceId: string, read: ReadReport): Promise<void> {
  const { response } = read;
  const scope = read.command.userId === null ? 'System' : 'User';
  switch (response.kind) {
    case 'profiles':
      return replaceProfiles(sql, deviceId, response.profiles, scope);
    case 'certificates':
      return replaceCertificates(sql, deviceId, response.certificates, scope);
    case 'applications':
      return replaceApplications(sql, deviceId, response.applications);
    case 'installedApplications':
      return replaceInstalledApplications(sql, deviceId, response.applications);
    case 'deviceInformation':
      return recordDeviceDetails(sql, deviceId, response);
    case 'applicationConfiguration':
      return recordAppConfiguration(sql, deviceId, read.configurationRevision ?? null);
    case 'installApplication':
    case 'settings':
    case 'none':
      return undefined;
  }
}

/** What of a message may be kept: nothing, if it may carry a secret (the app's configuration, what a device escrows). */
export const redactedForStorage = (body: Buffer): Buffer =>
  CARRIES_SECRET.some((mark) => body.includes(mark) || body.includes(mark, 0, 'utf16le'))
    ? Buffer.alloc(0)
    : body;

const CARRIES_SECRET = ['ApplicationConfiguration', 'BootstrapToken', 'UnlockToken'];
