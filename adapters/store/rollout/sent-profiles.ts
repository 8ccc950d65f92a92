// Which revision was last sent to a device, by kind: a profile, or Okta Verify's app configuration.
import type { WantedProfileKind } from '../../../domain/profile-identifier.ts';
import type { Sql } from '../base/database.ts';

export interface SentProfile {
  readonly kind: WantedProfileKind | 'app_configuration';
  readonly identifier: string;
  readonly payloadUuid: string;
  readonly revision: string;
}

/** The statement that keeps what was sent to the device of the CTE `device`, if that has a row: arrays, one entry for each kind. */
export const recordingSentProfiles = (of: {
  readonly kinds: string;
  readonly identifiers: string;
  readonly payloadUuids: string;
  readonly revisions: string;
}): string => `insert into sent_profiles (device_id, kind, identifier, payload_uuid, revision)
  select device.id, kind, identifier, payload_uuid, revision
    from device cross join unnest(${of.kinds}::text[], ${of.identifiers}::text[], ${of.payloadUuids}::uuid[], ${of.revisions}::text[])
         as sent (kind, identifier, payload_uuid, revision)
  on conflict (device_id, kind) do update set identifier = excluded.identifier, payload_uuid = excluded.payload_uuid,
    revision = excluded.revision, sent_at = now()`;

/** The statement that keeps it: the device $1 has the configuration with which Okta Verify registers; what it acknowledges later is no other. */
export const acknowledgingConfiguration = (
  condition: string,
): string => `update sent_profiles set acknowledged_at = now() from devices
  where sent_profiles.device_id = $1 and kind = 'app_configuration' and devices.id = $1
    and (acknowledged_at is null or acknowledged_at < devices.enrolled_at) and ${condition}`;

export const recordConfigurationAcknowledged = async (sql: Sql, deviceId: string): Promise<void> =>
  void (await sql.query(acknowledgingConfiguration('true'), [deviceId]));

/** It was taken back: the device has nothing of that kind from Odette any more. */
export async function deleteSentProfile(
  sql: Sql,
  deviceId: string,
  kind: SentProfile['kind'],
): Promise<void> {
  await sql.query('delete from sent_profiles where device_id = $1 and kind = $2', [deviceId, kind]);
}
