// A device as lists show it, and pages of them.
import type { DeviceFamily, EnrollmentStatus, Platform } from '../../../domain/device.ts';
import type { ChannelKind } from '../../../domain/device-channel.ts';
import type { RolloutPhase } from '../../../domain/rollout-action.ts';
import type { Obstacle, TrustBucket } from '../../../domain/trust-bucket.ts';
import type { Sql } from '../base/database.ts';
import type { FleetFilter } from './fleet-filter.ts';
import { planFleetPage, type FleetPage } from './fleet-list.ts';

export interface FleetRow {
  readonly id: string;
  readonly family: DeviceFamily;
  readonly platform: Platform;
  readonly name: string | null;
  readonly serialNumber: string | null;
  readonly udid: string;
  readonly model: string | null;
  readonly osVersion: string | null;
  readonly isSupervised: boolean | null;
  readonly user: string | null;
  readonly blueprint: { readonly id: string; readonly name: string } | null;
  readonly integrationId: string | null;
  readonly channelKind: ChannelKind;
  /** null: Odette's own MDM server. */
  readonly channelName: string | null;
  readonly enrollmentStatus: EnrollmentStatus;
  readonly enrolledAt: Date | null;
  readonly returnAskedAt: Date | null;
  readonly lastContactAt: Date | null;
  readonly bucket: TrustBucket;
  readonly delivered: boolean;
  /** Null: iPhones and iPads have none. */
  readonly certificatePresent: boolean | null;
  readonly oktaVerifyManaged: boolean;
  readonly registered: boolean;
  readonly managed: boolean;
  readonly phase: RolloutPhase;
  readonly waitsFor: string | null;
  readonly obstacle: Obstacle | null;
  readonly failureCode: string | null;
  readonly certificateNotAfter: Date | null;
  readonly verifiedAt: Date | null;
  readonly trustedAt: Date | null;
  /** Another device has it, too: a replaced logic board, or a cloned virtual machine. */
  readonly sharesSerialNumber: boolean;
}

const COLUMNS = `device.id, device.family, device.platform, device.name, device.serial_number, device.udid, device.model,
  device.os_version, device.is_supervised, device.user_name as "user",
  case when blueprint.id is not null then jsonb_build_object('id', blueprint.id, 'name', blueprint.name) end as blueprint,
  coalesce(channel.kind, 'built_in') as channel_kind, channel.name as channel_name,
  trust.integration_id, device.enrollment_status, device.enrolled_at,
  device.return_asked_at,
  device.last_contact_at, coalesce(trust.bucket, 'out_of_scope') as bucket,
  coalesce(trust.delivered, false) as delivered, case when device.platform = 'macOS' then coalesce(trust.certificate_present, false) end as certificate_present,
  coalesce(trust.okta_verify_managed, false) as okta_verify_managed, coalesce(trust.registered, false) as registered,
  coalesce(trust.managed, false) as managed, coalesce(trust.phase, 'waiting') as phase, trust.waits_for, trust.obstacle,
  trust.failure_code, trust.certificate_not_after, trust.verified_at,
  trust.trusted_at,
  exists (select from devices as other
           where lower(other.serial_number) = lower(device.serial_number) and other.id <> device.id) as shares_serial_number`;
const MORE = `left join device_trust as trust on trust.device_id = device.id
  left join blueprints as blueprint on blueprint.id = device.blueprint_id
  left join channels as channel on channel.id = device.channel_id`;

export async function listFleet(
  sql: Sql,
  filter: FleetFilter,
  page: FleetPage,
): Promise<(FleetRow & { readonly sortValue: string })[]> {
  const { text, values } = await planFleetPage(sql, filter, page);
  return sql.query(
    `with page as (${text})
     select ${COLUMNS}, page.key::text as sort_value from page join devices as device on device.id = page.device_id ${MORE}
      order by page.key ${page.order}, page.device_id ${page.order}`,
    values,
  );
}

export async function findFleetRow(sql: Sql, id: string): Promise<FleetRow | undefined> {
  const [row] = await sql.query<FleetRow>(
    `select ${COLUMNS} from devices as device ${MORE} where device.id = $1`,
    [id],
  );
  return row;
}

export interface SerialTwin {
  readonly id: string;
  readonly name: string | null;
  readonly udid: string;
  readonly bucket: TrustBucket;
  readonly lastContactAt: Date | null;
}

/** Other devices with the serial number of this one, the one with the newest contact first. */
export const findSerialTwins = (sql: Sql, deviceId: string): Promise<SerialTwin[]> =>
  sql.query<SerialTwin>(
    `select other.id, other.name, other.udid, coalesce(trust.bucket, 'out_of_scope') as bucket, other.last_contact_at
       from devices as device
       join devices as other on lower(other.serial_number) = lower(device.serial_number) and other.id <> device.id
       left join device_trust as trust on trust.device_id = other.id
      where device.id = $1 order by other.last_contact_at desc nulls last, other.id limit 20`,
    [deviceId],
  );
