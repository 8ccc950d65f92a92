// The channel of a Mac's local user: where to push is kept, and commands for it are handed over while that user is logged in.
// Directory users, who would have to be authenticated, are declined (Apple, "User Authenticate").
import type { DeviceMessage, Report, TokenUpdate } from '../../adapters/mdm/device-message.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import { appendTimeline } from '../../adapters/store/devices/device-timeline.ts';
import { type DeviceRow, findDeviceForUpdate } from '../../adapters/store/devices/devices.ts';
import type { HandedOver } from '../../adapters/store/devices/next-command.ts';
import { recordUserContact, recordUserToken } from '../../adapters/store/devices/user-channels.ts';
import { desiredStateOf, readDeviceState } from '../../adapters/store/rollout/rollout-state.ts';
import { CataloguedError } from '../../domain/failures.ts';
import type { GivenCommands } from './given-commands.ts';
import { pushProblemOf } from './push-problem.ts';
import { recordReport } from './record-report.ts';
import { readReport, type CompareConfiguration } from './response-reading.ts';
import type { Signer } from './signer.ts';

const GONE = 410;

export interface UserResponse {
  /** HTTP. */
  readonly status: number;
  readonly command?: HandedOver | undefined;
}

interface Dependencies {
  readonly database: Database;
  readonly given: GivenCommands;
  readonly compareConfiguration: CompareConfiguration;
}

/**
 * No request of a user waits for its next command, and the device's own that does is left alone.
 * @throws CataloguedError `mdm.signature_refused`, `mdm.not_enrolled`
 */
export async function respondToUser(
  dependencies: Dependencies,
  message: DeviceMessage & { readonly userId: string },
  body: Buffer,
  signer: Signer,
): Promise<UserResponse> {
  const { database } = dependencies;
  if (message.type === 'Report') return exchangeWithUser(dependencies, message, body, signer);
  return database.inTransaction(async (sql) => {
    const device = await deviceOf(sql, message, signer);
    if (message.type === 'UserAuthenticate') return { status: GONE };
    if (message.type === 'TokenUpdate') await openChannel(sql, device, message);
    return { status: 200 };
  });
}

/** The pinned device, locked. Its own contact is not recorded: a user's channel says nothing of the device's. */
async function deviceOf(sql: Sql, { udid }: DeviceMessage, signer: Signer): Promise<DeviceRow> {
  const device = await findDeviceForUpdate(sql, udid);
  if (!device?.identityFingerprint?.equals(signer.certificate.fingerprint))
    throw new CataloguedError('mdm.signature_refused', { facts: { reason: 'another identity' } });
  if (device.enrollmentStatus === 'checked_out') throw new CataloguedError('mdm.not_enrolled');
  return device;
}

/** A certificate that belongs into this user's keychain can be delivered from now on. */
async function openChannel(
  sql: Sql,
  device: DeviceRow,
  message: TokenUpdate & { readonly userId: string },
): Promise<void> {
  if (device.family !== 'Mac' || (await pushProblemOf(sql, message)) !== null) return;
  const { userId, userShortName: shortName, topic, token, pushMagic } = message;
  if (!(await recordUserToken(sql, device.id, { userId, shortName, topic, token, pushMagic }))) return;
  await appendTimeline(sql, device.id, {
    kind: 'user_channel_opened',
    text: `The Mac opened the channel of its user${shortName === undefined ? '' : ` ${shortName}`}.`,
  });
  const state = await readDeviceState(sql, device.id);
  if (state && desiredStateOf(state)?.certificateScope === 'User')
    await appendOutboxMessage(sql, device.id, {
      kind: 'rollOutDevice',
      deviceId: device.id,
      reason: 'a user of the Mac has logged in',
    });
}

async function exchangeWithUser(
  { database, given, compareConfiguration }: Dependencies,
  report: Report & { readonly userId: string },
  body: Buffer,
  signer: Signer,
): Promise<UserResponse> {
  const read = await readReport(given.find, compareConfiguration, report);
  return database.inTransaction(async (sql) => {
    const device = await deviceOf(sql, report, signer);
    const { userId } = report;
    // Of a user who has not said where to push nothing was asked.
    if (device.enrollmentStatus === 'authenticated' || !(await recordUserContact(sql, device.id, userId)))
      return { status: 200 };
    const { next } = await recordReport(sql, device.id, report, read, body, { takesNext: true });
    if (next) given.note({ udid: report.udid, deviceId: device.id, userId }, next);
    return { status: 200, command: next };
  });
}
