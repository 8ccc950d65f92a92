// The delivery of a certificate: its challenge is fetched, put into a profile and queued in one activity.
// Long, because each way in which an attempt can end (sent, sent before, asleep, in turn, refused) is told by the one activity.
import { buildCommand } from '../adapters/mdm/command.ts';
import { certificateProfile } from '../adapters/mdm/payloads/payload-set.ts';
import { isNoTurn, OktaBudget, Turns } from '../adapters/okta/budget.ts';
import { fetchChallenge } from '../adapters/okta/challenge.ts';
import { signAttached } from '../adapters/pki/cms.ts';
import { commandUuid, deliveryId, payloadUuid } from '../adapters/store/devices/command-uuid.ts';
import { findCommands, sealedCommandContext, type CommandRow } from '../adapters/store/devices/commands.ts';
import {
  lockQueue,
  queueCommands,
  queueDelivery,
  type NewCommand,
  type Queued,
} from '../adapters/store/devices/queue-commands.ts';
import {
  findSentDelivery,
  insertDelivery,
  type NewDelivery,
  type SentDelivery,
} from '../adapters/store/rollout/deliveries.ts';
import { isRenewal } from '../adapters/store/rollout/renewal-history.ts';
import { findChannelDevice } from '../adapters/store/devices/devices.ts';
import { findUserChannel, isUserAwake, type UserChannel } from '../adapters/store/devices/user-channels.ts';
import type { Database } from '../adapters/store/base/database.ts';
import {
  endpointStore,
  SeenEndpoints,
  waitForEndpoint,
} from '../adapters/store/integration/okta-endpoints.ts';
import {
  desiredStateOf,
  readDeviceState,
  type DeviceState,
} from '../adapters/store/rollout/rollout-state.ts';
import { openSecret } from '../adapters/store/base/secrets.ts';
import { certificateIdentifier, certificateListStep, CERTIFICATE_LISTS } from '../domain/certificate-plan.ts';
import { CataloguedError, type FailureCode } from '../domain/failures.ts';
import { CHALLENGE_ENDPOINT, closesEndpoint, type Lane } from '../domain/okta-budget.ts';
import { CHALLENGE_LIFE_MS } from '../domain/patience.ts';
import type { CertificateSlot, PayloadScope } from '../domain/profile-identifier.ts';
import { macPlatformAddress } from '../domain/secret-address.ts';
import { recordingHealth } from './connection-health.ts';
import { channelOf } from './channel-of.ts';
import type { ActivityDependencies } from './dependencies.ts';
import {
  inOrderOfResponses,
  progressOf,
  waiting,
  type CommandOwner,
  type CommandProgress,
} from './command-progress.ts';
import { wakeFor } from './wake-device.ts';

export interface DeliverInput extends CommandOwner {
  readonly deviceId: string;
  readonly integrationId: string;
  readonly enrollmentId: string;
  readonly slot: CertificateSlot;
  readonly scope: PayloadScope;
  /** Why it is asked for. */
  readonly reason: string;
  /** The n-th delivery of this workflow (over all its runs). */
  readonly number: number;
  /** No turn at Okta is waited for: whoever finds none fails, and asks again at leisure. */
  readonly isInPassing?: boolean;
}

export type DeliverOutcome =
  /** Nothing was fetched, for a challenge would grow old: the device sleeps, or its enrollment is over. */
  | { readonly kind: 'asleep' }
  /** Okta refuses, or does not answer: the workflow waits, and is woken when the challenge URL answers again. */
  | { readonly kind: 'waits'; readonly failureCode: FailureCode }
  | {
      readonly kind: 'sent';
      readonly deliveryId: string;
      readonly commandUuid: string;
      /** The device is asked for these behind it; none: they are asked for when it was acknowledged. */
      readonly lists: readonly string[];
      /** Of all of them, in the order of the responses. */
      readonly progress: readonly CommandProgress[];
    };

const STEP = 'certificate.install';
/** For a turn. */
const IN_PASSING_MS = 250;
/** So close to its end a certificate goes before those of new devices. */
const LOCKOUT_MS = 7 * 24 * 60 * 60 * 1000;

export function certificateDelivery(deps: ActivityDependencies) {
  const { database } = deps;
  const ofTenants = new Map<string, TenantAccess>();
  const fetchFor = async (input: DeliverInput, lane: Lane, secret: ChallengeSecret) => {
    const known = ofTenants.get(input.integrationId) ?? { turns: new Turns(), seen: new SeenEndpoints() };
    ofTenants.set(input.integrationId, known);
    return fetchInTurn(deps, known, input, lane, secret);
  };

  return {
    /**
     * Fetches a challenge, builds, signs, seals and queues its profile, all in here: the challenge never leaves. Called again it
     * returns what it sent. An attempt that loses the race drops its own challenge.
     */
    async deliverCertificate(input: DeliverInput): Promise<DeliverOutcome> {
      const id = deliveryId(input.workflowId, input.firstRunId, input.number);
      const known = await findSentDelivery(database, id, input.deviceId);
      if (known) return sentBefore(database, input, known);
      const user = input.scope === 'User' ? await findUserChannel(database, input.deviceId) : undefined;
      if (!(await isListening(deps, input, user))) return { kind: 'asleep' };

      const state = await readDeviceState(database, input.deviceId);
      if (!state || !isWanted(state, input) || state.secretId === null)
        throw new CataloguedError('request.changed_meanwhile');
      const { scepUrl, challengeUrl, challengeUsername } = state;
      if (scepUrl === null || challengeUrl === null || challengeUsername === null)
        throw new CataloguedError('okta.challenge_url_gone');
      const secret = { id: state.secretId, scepUrl, challengeUrl, username: challengeUsername };
      const fetched = await fetchFor(input, laneOf(state, Date.now()), secret);
      if (fetched.kind === 'waits') return fetched;
      const { challenge } = fetched;

      const uuid = commandUuid({ ...input, step: STEP, revision: id, attempt: 1 });
      const identifier = certificateIdentifier(input.integrationId, input.deviceId, input.slot);
      const profileUuid = payloadUuid(identifier, id);
      const sealedBody = await sealedInstall(deps, uuid, {
        integrationId: input.integrationId,
        deviceId: input.deviceId,
        slot: input.slot,
        scope: input.scope,
        uuid: profileUuid,
        deliveryId: id,
        scepUrl,
        challenge,
        serialNumber: state.serialNumber ?? state.id,
        udid: state.udid,
      });

      const delivery = { ...input, id, payloadUuid: profileUuid, commandUuid: uuid, fetchedAt: new Date() };
      const queued = await queueOnce(database, input, delivery, sealedBody, user);
      if (queued === undefined) return sentBefore(database, input, { id, commandUuid: uuid });
      const { rows, isOnTheLine } = queued;
      await wakeFor(deps, input.deviceId, waiting(rows, isOnTheLine));
      return sentOf({ id, commandUuid: uuid }, rows);
    },
  };
}

/** undefined: another attempt was sooner. */
async function queueOnce(
  database: Database,
  input: DeliverInput,
  delivery: NewDelivery,
  sealedBody: Buffer,
  user: UserChannel | undefined,
): Promise<Queued | undefined> {
  const { deviceId, enrollmentId, workflowId } = input;
  const install: NewCommand = {
    uuid: delivery.commandUuid,
    deviceId,
    enrollmentId,
    workflowId,
    userId: user?.userId,
    step: STEP,
    requestType: 'InstallProfile',
    sealedBody,
    handsOverOnce: true,
    lifeMs: CHALLENGE_LIFE_MS,
  };
  const target = { deviceId, enrollmentId };
  const commands = [install, ...listsBehind(input, delivery.id)];
  // A renewal is announced, too.
  const atOnce = isRenewal(delivery.reason)
    ? undefined
    : await queueDelivery(database, target, commands, delivery);
  if (atOnce !== undefined) return atOnce;
  return database.inTransaction(async (sql) => {
    // In the order of the one statement, or two attempts would wait for each other.
    await lockQueue(sql, deviceId);
    return (await insertDelivery(sql, delivery)) ? queueCommands(sql, target, commands) : undefined;
  });
}

/** Still: the workflow decided by what was true before this activity. */
function isWanted(state: DeviceState, { integrationId, scope }: DeliverInput): boolean {
  const desired = desiredStateOf(state);
  return (
    desired?.integrationId === integrationId && desired.wantsCertificate && desired.certificateScope === scope
  );
}

/** The device takes a command within moments; for a login keychain its user is logged in, too. */
async function isListening(
  deps: ActivityDependencies,
  { deviceId, enrollmentId, scope }: DeliverInput,
  user: UserChannel | undefined,
): Promise<boolean> {
  const { database } = deps;
  if (scope === 'System') {
    const device = await findChannelDevice(database, deviceId);
    return device !== undefined && channelOf(deps, device).isAwake(device, enrollmentId);
  }
  return user !== undefined && (await isUserAwake(database, deviceId, user.userId));
}

/** The signed profile inside its command. Nothing of it stays in the clear. */
async function sealedInstall(
  deps: ActivityDependencies,
  uuid: string,
  content: Parameters<typeof certificateProfile>[0],
): Promise<Buffer> {
  const profile = certificateProfile(content);
  const payload = signAttached(profile.xml, await deps.profileSigner());
  const body = buildCommand(uuid, { requestType: 'InstallProfile', payload });
  const sealed = Buffer.from(deps.sealer.seal(body, sealedCommandContext(uuid)));
  for (const holder of [profile.xml, payload, body]) holder.fill(0);
  return sealed;
}

/** What this process knows of the places at one tenant. */
interface TenantAccess {
  readonly turns: Turns;
  readonly seen: SeenEndpoints;
}

interface ChallengeSecret {
  /** Of the challenge URL's password. */
  readonly id: string;
  readonly scepUrl: string;
  readonly challengeUrl: string;
  readonly username: string;
}

/** Whoever finds no turn, or a refusal, is woken later: `okta_waiters`. */
async function fetchInTurn(
  { database, sealer, allowedPrivateHosts }: ActivityDependencies,
  { turns, seen }: TenantAccess,
  { deviceId, integrationId, isInPassing }: DeliverInput,
  lane: Lane,
  { id, scepUrl, challengeUrl: url, username }: ChallengeSecret,
): Promise<
  { readonly kind: 'fetched'; readonly challenge: string } | Extract<DeliverOutcome, { kind: 'waits' }>
> {
  const { value, version } = await openSecret(database, sealer, id, {
    actor: 'system',
    purpose: 'challenge fetched',
    kind: 'challenge_password',
    owner: { integrationId },
    address: macPlatformAddress({ challengeUrl: url, scepUrl }),
  });
  const budget = new OktaBudget(endpointStore(database, integrationId, id, seen), `${id}/${version}/${url}`, {
    turns,
    ...(isInPassing === true && { maxTurnMs: IN_PASSING_MS }),
  });
  try {
    const challenge = await recordingHealth(database, integrationId, 'challenge', () =>
      budget.within(CHALLENGE_ENDPOINT, lane, () =>
        fetchChallenge({ url, username, password: value.toString('utf8'), allowedPrivateHosts }),
      ),
    );
    return { kind: 'fetched', challenge };
  } catch (error) {
    if (!(error instanceof CataloguedError && closesEndpoint(error.code))) throw error;
    if (isInPassing === true && isNoTurn(error)) throw error;
    await waitForEndpoint(database, { deviceId, integrationId, endpoint: CHALLENGE_ENDPOINT, lane });
    return { kind: 'waits', failureCode: error.code };
  }
}

async function sentBefore(
  database: Database,
  input: DeliverInput,
  sent: SentDelivery,
): Promise<DeliverOutcome> {
  const lists = listsBehind(input, sent.id).map(({ uuid }) => uuid);
  const rows = await findCommands(database, [sent.commandUuid, ...lists]);
  if (!rows.some(({ uuid }) => uuid === sent.commandUuid)) throw new CataloguedError('store.unavailable');
  return sentOf(sent, rows);
}

const sentOf = ({ id, commandUuid: install }: SentDelivery, rows: readonly CommandRow[]): DeliverOutcome => ({
  kind: 'sent',
  deliveryId: id,
  commandUuid: install,
  lists: rows.map(({ uuid }) => uuid).filter((uuid) => uuid !== install),
  progress: inOrderOfResponses(rows).map(progressOf),
});

/**
 * The questions that prove a certificate, right behind it: one conversation less. A user's channel is not asked, for both channels prove
 * what is in a login keychain.
 */
const listsBehind = (
  { deviceId, enrollmentId, scope, workflowId, firstRunId }: DeliverInput,
  revision: string,
): NewCommand[] =>
  scope === 'User'
    ? []
    : CERTIFICATE_LISTS.System.map((requestType) => {
        const step = certificateListStep(requestType);
        const uuid = commandUuid({ workflowId, firstRunId, step, revision, attempt: 1 });
        const body = buildCommand(uuid, { requestType });
        return { uuid, deviceId, enrollmentId, workflowId, step, requestType, body };
      });

/** A device whose certificate ends soon, or has ended, loses access first. */
function laneOf(state: DeviceState, nowMs: number): Lane {
  const proven = state.deliveries.find((delivery) => delivery.state === 'proven');
  if (proven === undefined) return 'enrollment';
  const { notAfter } = proven;
  if (notAfter === null) return 'lockout';
  return Date.parse(notAfter) - nowMs < LOCKOUT_MS ? 'lockout' : 'routine';
}
