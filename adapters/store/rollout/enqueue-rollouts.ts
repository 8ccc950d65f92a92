// Tells the workflows of all devices that a saved change touches, in the change's transaction: INSERT … SELECT into the outbox.
import type { Sql } from '../base/database.ts';
import { LANES, MAX_PERSONAL_DEVICES } from '../../../domain/lanes.ts';
import { OUTBOX_CHANNEL } from '../base/outbox.ts';

/** Of a statement that has the devices in `affected`: a few are somebody's wish. */
export const LANE_OF_WISH = `case when (select count(*) from affected) <= ${MAX_PERSONAL_DEVICES} then ${LANES.person} else ${LANES.late} end`;

/** Of several given, all must fit. */
export interface WhichDevices {
  readonly integrationId?: string | undefined;
  readonly platform?: string | undefined;
  readonly libraryItemId?: string | undefined;
  readonly blueprintIds?: readonly string[] | undefined;
  readonly deviceIds?: readonly string[] | undefined;
}

/**
 * One `rollOutDevice` row for each enrolled device of the blueprints that have an item (integration, library item), or of the
 * blueprints and devices named. Not for a device whose platform is not configured, unless it has payloads that may have to go. `asksUserAgain`: a person wants another try. Returns how many.
 */
export async function rollOutDevices(
  sql: Sql,
  which: WhichDevices,
  reason: string,
  asksUserAgain = false,
): Promise<number> {
  const [row] = await sql.query<{ devices: number }>(
    `with affected as (
       select scope.device_id as id from device_scope as scope
        where scope.is_enrolled
          and ($1::uuid is null or (scope.integration_id = $1 and scope.is_switched_on))
          and ($2::text is null or scope.platform = $2)
          and ($3::uuid is null or scope.library_item_id = $3)
          and ($4::uuid[] is null or scope.blueprint_id = any($4))
          and ($5::uuid[] is null or scope.device_id = any($5))
          and (scope.is_configured or not scope.is_switched_on
               or exists (select from device_trust as trust where trust.device_id = scope.device_id and trust.integration_id is not null))),
     put as (
       insert into outbox (ordering_key, lane, message)
       select id::text, ${LANE_OF_WISH}, jsonb_strip_nulls(jsonb_build_object('kind', 'rollOutDevice', 'deviceId', id, 'reason', $6::text,
                'asksUserAgain', nullif($7::boolean, false))) from affected
       returning 1),
     told as (select pg_notify('${OUTBOX_CHANNEL}', '') where exists (select from put))
     select (select count(*) from put) as devices, (select count(*) from told) as told`,
    [
      which.integrationId ?? null,
      which.platform ?? null,
      which.libraryItemId ?? null,
      which.blueprintIds ?? null,
      which.deviceIds ?? null,
      reason,
      asksUserAgain,
    ],
  );
  return row?.devices ?? 0;
}

/** Tells keepCertificate of each Mac in scope to renew now. Returns how many. */
export const requestRenewals = (sql: Sql, deviceIds: readonly string[], reason: string): Promise<number> =>
  signalCertificateWorkflows(
    sql,
    `scope.device_id = any($1) and scope.platform = 'macOS'`,
    deviceIds,
    'renewNow',
    {
      reason,
    },
  );

/** Each certificate workflow of this integration plans its renewal again. Returns how many. */
export const replanRenewals = (sql: Sql, integrationId: string): Promise<number> =>
  signalCertificateWorkflows(
    sql,
    `scope.integration_id = $1 and exists (
       select from certificate_deliveries as delivery where delivery.device_id = scope.device_id and delivery.state = 'proven')`,
    integrationId,
    'certificateWanted',
    { integrationId },
  );

/** @param which a condition over `scope`, with one parameter */
async function signalCertificateWorkflows(
  sql: Sql,
  which: string,
  parameter: unknown,
  signal: 'renewNow' | 'certificateWanted',
  body: Readonly<Record<string, string>>,
): Promise<number> {
  const [row] = await sql.query<{ devices: number }>(
    `with affected as (
       select scope.device_id as id from device_scope as scope where ${which} and scope.is_in_scope),
     put as (
       insert into outbox (ordering_key, lane, message)
       select id::text, ${LANE_OF_WISH}, jsonb_build_object('kind', 'keepCertificate', 'deviceId', id, 'signal', $2::text, 'body', $3::jsonb)
         from affected
       returning 1),
     told as (select pg_notify('${OUTBOX_CHANNEL}', '') where exists (select from put))
     select (select count(*) from put) as devices, (select count(*) from told) as told`,
    [parameter, signal, body],
  );
  return row?.devices ?? 0;
}
