// Where Odette stopped by itself and waits for a person: re-issues after many falls, a change whose canary failed.
import type { Database } from '../../adapters/store/base/database.ts';

/** @returns the id of the change, whose canary is the device */
export async function haltFleet(
  database: Database,
  integrationId: string,
  deviceId: string,
): Promise<string> {
  await database.query(
    `insert into automatic_reissues (integration_id, platform, halted_at, reason, fallen, managed_before)
     values ($1, 'iOS', now(), 'many_fell', 12, 30)
     on conflict (integration_id, platform) do update
       set halted_at = excluded.halted_at, reason = excluded.reason, fallen = excluded.fallen, managed_before = excluded.managed_before`,
    [integrationId],
  );
  const [change] = await database.query<{ id: string }>(
    `insert into fleet_rollouts (kind, reason, status, pace, devices, canary, settle_minutes, wave, halt, started_by)
     values ('library_item', 'an admin saved the library item', 'halted', 'waves', 30, 5, 45, 1,
             '{"reason": "canary_failed", "devices": 1, "of": 5}', 'person:ada') returning id`,
  );
  const id = change?.id ?? '';
  await database.query(
    `insert into fleet_rollout_devices (fleet_rollout_id, device_id, place, state, wave, failed_before, failure_code)
     values ($1, $2, 1, 'failed', 1, false, 'mdm.profile_refused')`,
    [id, deviceId],
  );
  return id;
}
