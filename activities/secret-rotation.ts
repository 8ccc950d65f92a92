// One step of a rotation: tries the new value with Okta, switches to it, destroys the old one, and watches what devices and Okta make of it.
import { appendAudit } from '../adapters/store/base/audit.ts';
import type { Database, Sql } from '../adapters/store/base/database.ts';
import { appendEvent } from '../adapters/store/base/events.ts';
import { findIntegration, listPlatforms, recordHealth } from '../adapters/store/integration/integrations.ts';
import { reopenEndpoints } from '../adapters/store/integration/okta-endpoints.ts';
import {
  destroyOldSecret,
  findFirstSignIn,
  findRefusedDevices,
  findRotation,
  isDrained,
  lockRotation,
  recordProof,
  setRotationFleet,
  setRotationStatus,
  switchSecret,
  type RotationRow,
} from '../adapters/store/integration/secret-rotations.ts';
import { rollOutDevices } from '../adapters/store/rollout/enqueue-rollouts.ts';
import { startFleetChange } from '../adapters/store/rollout/fleet-rollout-start.ts';
import { findFleetRollout } from '../adapters/store/rollout/fleet-rollouts.ts';
import { CataloguedError, FAILURES, type FailureCode } from '../domain/failures.ts';
import { CHALLENGE_ENDPOINT } from '../domain/okta-budget.ts';
import { statusText, type RotationStatus } from '../domain/secret-rotation.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { tryChallenge, tryCredentials } from './setup-checks.ts';

export interface RotationStep {
  readonly status: RotationStatus;
  readonly integrationId: string;
  readonly text: string;
  /** null: nothing is left to do. */
  readonly waitSeconds: number | null;
}

type Dependencies = Pick<ActivityDependencies, 'database' | 'sealer' | 'allowedPrivateHosts'>;

const DAY_SECONDS = 24 * 60 * 60;
/** A value that nobody set in Okta for so long is not kept. */
const MAX_PREPARED_MS = 30 * DAY_SECONDS * 1000;
/** A key with which nobody signed in for so long is not waited for; nobody needs it. */
const MAX_PROVING_MS = 90 * DAY_SECONDS * 1000;
const LOOK_SECONDS = 30;

export function secretRotationActivities(deps: Dependencies) {
  const { database } = deps;
  return {
    /**
     * Safe to repeat: each call decides from the tables. null: there is no such rotation.
     * @throws CataloguedError what passes by itself: the try is repeated
     */
    async advanceRotation(input: {
      readonly rotationId: string;
      readonly nowMs: number;
    }): Promise<RotationStep | null> {
      const rotation = await findRotation(database, input.rotationId);
      if (rotation === undefined) return null;
      // Okta is asked outside the transaction.
      const refusal = rotation.status === 'trying' ? await tried(deps, rotation) : null;
      return database.inTransaction(async (sql) => {
        const locked = await lockRotation(sql, rotation.id);
        if (locked === undefined) return null;
        if (locked.status !== rotation.status) return stepOf(locked, 0);
        const waitSeconds = await advance(sql, locked, refusal, input.nowMs);
        const after = (await findRotation(sql, rotation.id)) ?? locked;
        if (after.status !== locked.status) await recordStatus(sql, after);
        return stepOf(after, waitSeconds);
      });
    },
  };
}

const stepOf = ({ status, kind, integrationId }: RotationRow, waitSeconds: number): RotationStep => ({
  status,
  integrationId,
  text: statusText(status, kind),
  waitSeconds: status === 'finished' || status === 'refused' || status === 'abandoned' ? null : waitSeconds,
});

async function recordStatus(
  sql: Sql,
  { id, kind, status, integrationId, failureCode }: RotationRow,
): Promise<void> {
  const subject = `integration:${integrationId}`;
  const detail = { rotation: id, kind, status, ...(failureCode !== null && { failureCode }) };
  await appendAudit(sql, { actor: 'system', action: 'secret.rotation_advanced', subject, detail });
  await appendEvent(sql, { kind: 'integration.changed', subject });
}

/** @param refusal what Okta said of the new value; null: it takes it */
async function advance(
  sql: Sql,
  rotation: RotationRow,
  refusal: FailureCode | null,
  nowMs: number,
): Promise<number> {
  const { id, kind, status } = rotation;
  switch (status) {
    case 'prepared':
      if (nowMs - rotation.startedAt.getTime() > MAX_PREPARED_MS)
        await setRotationStatus(sql, id, 'abandoned');
      return DAY_SECONDS;
    case 'trying':
      if (refusal === null) await commit(sql, rotation);
      // The public key may be missing in Okta only: it stays prepared, and is confirmed again.
      else
        await setRotationStatus(sql, id, kind === 'private_key' ? 'prepared' : 'refused', {
          failureCode: refusal,
        });
      return refusal === null ? 0 : DAY_SECONDS;
    case 'switching':
      if (!(await isDrained(sql, id))) return 1;
      await destroyOldSecret(sql, rotation);
      await setRotationStatus(sql, id, kind === 'ios_secret_key' ? 'pushing' : 'finished');
      return 0;
    case 'pushing':
      if (!(await haveAllEnded(sql, rotation))) return LOOK_SECONDS;
      // Without a device there is nobody to sign in.
      await setRotationStatus(sql, id, rotation.fleetRolloutId === null ? 'finished' : 'proving');
      return 0;
    case 'proving':
      return prove(sql, rotation, nowMs);
    default:
      return DAY_SECONDS;
  }
}

/** From here on the new value is in use; what waited for Okta wakes, and devices whose payloads change begin. */
async function commit(sql: Sql, rotation: RotationRow): Promise<void> {
  const { id, integrationId, kind } = rotation;
  await switchSecret(sql, rotation);
  await setRotationStatus(sql, id, 'switching', { failureCode: null });
  if (kind === 'challenge_password') {
    await recordHealth(sql, integrationId, 'challenge', undefined);
    await reopenEndpoints(sql, integrationId, CHALLENGE_ENDPOINT);
    await restartRefused(sql, integrationId);
  } else if (kind !== 'ios_secret_key') {
    await recordHealth(sql, integrationId, 'okta', undefined);
    await reopenEndpoints(sql, integrationId, 'all');
  } else {
    const { fleetRolloutId } = await startFleetChange(sql, {
      kind: 'ios_secret_key',
      integrationId,
      subject: `secret_rotation:${id}`,
      reason: 'the iOS secret key was rotated',
      by: rotation.committedBy ?? rotation.startedBy,
      which: [{ integrationId, platform: 'iOS' }],
      pace: 'full',
      isTracked: true,
    });
    await setRotationFleet(sql, id, fleetRolloutId);
  }
}

/** Rollouts that failed because Okta took the old password no longer begin again; certificates that wait are woken by the relay. */
async function restartRefused(sql: Sql, integrationId: string): Promise<void> {
  const deviceIds = await findRefusedDevices(sql, integrationId);
  if (deviceIds.length > 0) await rollOutDevices(sql, { deviceIds }, 'the challenge password was rotated');
}

/** Devices that are away are listed by the fleet rollout, which goes on for them. */
async function haveAllEnded(sql: Sql, { fleetRolloutId }: RotationRow): Promise<boolean> {
  const fleet = fleetRolloutId === null ? undefined : await findFleetRollout(sql, fleetRolloutId);
  return fleet === undefined || fleet.endedAt !== null;
}

async function prove(sql: Sql, rotation: RotationRow, nowMs: number): Promise<number> {
  const device = await findFirstSignIn(sql, rotation);
  const isOver = nowMs - (rotation.committedAt?.getTime() ?? nowMs) > MAX_PROVING_MS;
  if (device !== undefined) await recordProof(sql, rotation.id, device);
  if (device !== undefined || isOver) await setRotationStatus(sql, rotation.id, 'finished');
  return 5 * LOOK_SECONDS;
}

/** null: Okta takes the new value, or nothing in Okta can test it. */
async function tried(deps: Dependencies, rotation: RotationRow): Promise<FailureCode | null> {
  const { kind } = rotation;
  if (kind === 'ios_secret_key') return null;
  try {
    await (kind === 'challenge_password' ? tryPassword(deps, rotation) : tryToken(deps, rotation));
    return null;
  } catch (error) {
    if (!(error instanceof CataloguedError) || FAILURES[error.code].isRetried) throw error;
    return error.code;
  }
}

async function tryToken(deps: Dependencies, rotation: RotationRow): Promise<void> {
  const integration = await findIntegration(deps.database, rotation.integrationId);
  if (!integration) throw new CataloguedError('request.not_found');
  await tryCredentials(deps, {
    owner: { rotationId: rotation.id },
    purpose: `rotation:${rotation.id}`,
    host: integration.oktaHost,
    kind: integration.credentialsKind,
    clientId: integration.clientId,
    secretId: rotation.newSecretId ?? '',
  });
}

async function tryPassword(deps: Dependencies, rotation: RotationRow): Promise<void> {
  const mac = await macPlatform(deps.database, rotation.integrationId);
  await tryChallenge(deps, {
    owner: { rotationId: rotation.id },
    purpose: `rotation:${rotation.id}`,
    scepUrl: mac.scepUrl ?? '',
    challengeUrl: mac.challengeUrl ?? '',
    username: mac.challengeUsername ?? '',
    secretId: rotation.newSecretId ?? '',
  });
}

async function macPlatform(database: Database, integrationId: string) {
  const mac = (await listPlatforms(database, integrationId)).find(({ platform }) => platform === 'macOS');
  if (!mac) throw new CataloguedError('request.not_found');
  return mac;
}
