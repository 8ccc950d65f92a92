// Which revision was last sent to a device, by kind: a profile, or Okta Verify's app configuration.
import type { WantedProfileKind } from '../../../domain/profile-identifier.ts';
import type { Sql } from '../base/database.ts';

export interface SentProfile {
  readonly kind: WantedProfileKind | 'app_configuration';
  readonly identifier: string;
  readonly payloadUuid: string;
  readonly revision: string;
}

/** One of each kind. */
export async function recordSentProfiles(
  sql: Sql,
  deviceId: string,
  sent: readonly SentProfile[],
): Promise<void> {
  if (sent.length === 0) return;
  await sql.query(
    `insert into sent_profiles (device_id, kind, identifier, payload_uuid, revision)
     select $1, kind, identifier, payload_uuid, revision
       from unnest($2::text[], $3::text[], $4::uuid[], $5::text[]) as sent (kind, identifier, payload_uuid, revision)
     on conflict (device_id, kind) do update set identifier = excluded.identifier, payload_uuid = excluded.payload_uuid,
       revision = excluded.revision, sent_at = now()`,
    [
      deviceId,
      sent.map(({ kind }) => kind),
      sent.map(({ identifier }) => identifier),
      sent.map(({ payloadUuid }) => payloadUuid),
      sent.map(({ revision }) => revision),
    ],
  );
}

/** The device has the configuration with which Okta Verify registers; what it acknowledges later in this enrollment is no other. */
export const recordConfigurationAcknowledged = async (sql: Sql, deviceId: string): Promise<void> =>
  void (await sql.query(
    `update sent_profiles set acknowledged_at = now() from devices
      where sent_profiles.device_id = $1 and kind = 'app_configuration' and devices.id = $1
        and (acknowledged_at is null or acknowledged_at < devices.enrolled_at)`,
    [deviceId],
  ));

/** It was taken back: the device has nothing of that kind from Odette any more. */
export async function deleteSentProfile(
  sql: Sql,
  deviceId: string,
  kind: SentProfile['kind'],
): Promise<void> {
  await sql.query('delete from sent_profiles where device_id = $1 and kind = $2', [deviceId, kind]);
}
