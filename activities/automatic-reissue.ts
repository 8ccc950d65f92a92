// Re-issues a certificate when Okta stops counting its device, and halts where too many fall together: then a person decides.
import { appendAudit } from '../adapters/store/base/audit.ts';
import type { Sql } from '../adapters/store/base/database.ts';
import { appendEvent } from '../adapters/store/base/events.ts';
import { appendTimeline } from '../adapters/store/devices/device-timeline.ts';
import {
  countFalls,
  haltReissues,
  insertFall,
  lockReissues,
  type Fall,
} from '../adapters/store/rollout/automatic-reissues.ts';
import { requestRenewals } from '../adapters/store/rollout/enqueue-rollouts.ts';
import { haltOf } from '../domain/automatic-reissue.ts';

const HELD_TEXT =
  'Odette did not request a new certificate: it halted automatic re-issues after many devices lost "managed" in Okta, and waits for an operator to resume them.';

/** Re-issues the certificate of a device that fell, or holds it back. Call it in the transaction in which the fall is written. */
export async function onFall(sql: Sql, fall: Fall): Promise<void> {
  const isHalted = (await lockReissues(sql, fall)) !== null || (await halt(sql, fall));
  const outcome = !fall.canReissue ? 'none' : isHalted ? 'held' : 'reissued';
  await insertFall(sql, fall, outcome);
  if (outcome === 'reissued')
    await requestRenewals(sql, [fall.deviceId], 'Okta no longer counts the device as managed', 'system');
  if (outcome === 'held')
    await appendTimeline(sql, fall.deviceId, { kind: 'reissue_held', text: HELD_TEXT }, fall.now);
}

/** true: this fall was one too many. */
async function halt(sql: Sql, fall: Fall): Promise<boolean> {
  const falls = await countFalls(sql, fall);
  const halt = haltOf(falls, fall.limitPerHour);
  if (halt === null) return false;
  await haltReissues(sql, fall, halt);
  const subject = `integration:${fall.integrationId}`;
  const detail = { platform: fall.platform, ...halt };
  await appendAudit(sql, { actor: 'system', action: 'reissue.halted', subject, detail });
  await appendEvent(sql, { kind: 'integration.changed', subject });
  return true;
}
