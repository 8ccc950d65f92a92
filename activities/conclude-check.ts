// What comes of a daily check: the device is as it should be, or a rollout puts it right. Judged where its responses are recorded.
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import type { Sql } from '../adapters/store/base/database.ts';
import { readCheck } from '../adapters/store/devices/device-checks.ts';
import { findPinnedIdentity } from '../adapters/store/devices/identity-certificates.ts';
import { readDeviceState, rolloutViewOf } from '../adapters/store/rollout/rollout-state.ts';
import { checkOwner, isAsItShouldBe } from '../domain/device-check.ts';
import { planIdentity } from '../domain/identity-plan.ts';
import { emptyMemory } from '../domain/rollout-action.ts';
import { refreshTrust } from './refresh-trust.ts';

/**
 * The device has responded to a command of its check. When it was the last one: it is as it should be, or a rollout puts it right. In the
 * transaction that records the response.
 */
export async function concludeCheck(sql: Sql, deviceId: string, now = new Date()): Promise<void> {
  const { open, refused } = await readCheck(sql, deviceId, checkOwner(deviceId));
  if (open > 0) return;
  if (refused === 0 && (await isWell(sql, deviceId, now))) {
    await refreshTrust(sql, deviceId, { now, phase: 'delivered', failureCode: null, isVerified: true });
    return;
  }
  const reason = 'its daily check found a difference';
  await appendOutboxMessage(
    sql,
    deviceId,
    { kind: 'rollOutDevice', deviceId, reason, ifNoneRuns: true },
    'late',
  );
}

/** Everything is there, and its identity has time. */
async function isWell(sql: Sql, deviceId: string, now: Date): Promise<boolean> {
  const state = await readDeviceState(sql, deviceId);
  if (state === undefined) return false;
  const view = rolloutViewOf(state, now.getTime());
  if (view.desired === null || !isAsItShouldBe(view, now.getTime())) return false;
  const identity = await findPinnedIdentity(sql, deviceId);
  if (identity === undefined) return true;
  const owner = { deviceId, settings: view.desired.settings };
  return planIdentity(identity, owner, emptyMemory(view.enrollmentId), now.getTime()) === 'not_due';
}
