// Tells the workflows of all devices that a saved change touches, in the change's transaction: INSERT … SELECT into the outbox.
import type { Sql } from '../base/database.ts';
import { MAX_AT_ONCE } from '../../../domain/fleet-waves.ts';
import { LANES } from '../../../domain/lanes.ts';
import { OUTBOX_CHANNEL } from '../base/outbox.ts';
import { affectedSql, type WhichDevices } from './affected-devices.ts';
import { recordRenewalRequests } from './renewal-history.ts';

/** Of a statement that has the devices in `affected`: a few are somebody's wish. */
export const LANE_OF_WISH = `case when (select count(*) from affected) <= ${MAX_AT_ONCE} then ${LANES.person} else ${LANES.late} end`;

/** One `rollOutDevice` row for each device. A fleet rollout that held one back is overtaken. Returns how many. */
export async function rollOutDevices(
  sql: Sql,
  which: WhichDevices | readonly WhichDevices[],
  reason: string,
  asksUserAgain = false,
): Promise<number> {
  const values: unknown[] = [reason, asksUserAgain];
  const affected = affectedSql('map' in which ? which : [which], values);
  const [row] = await sql.query<{ devices: number }>(
    `with affected as materialized (${affected}),
     overtaken as (
       update fleet_rollout_devices set state = 'overtaken'
        where device_id in (select id from affected) and state in ('waiting', 'left') returning 1),
     put as (
       insert into outbox (ordering_key, lane, message)
       select id::text, ${LANE_OF_WISH}, jsonb_strip_nulls(jsonb_build_object('kind', 'rollOutDevice', 'deviceId', id, 'reason', $1::text,
                'asksUserAgain', nullif($2::boolean, false))) from affected
       returning 1),
     told as (select pg_notify('${OUTBOX_CHANNEL}', '') where exists (select from put))
     select (select count(*) from put) as devices, (select count(*) from told) as told, (select count(*) from overtaken) as overtaken`,
    values,
  );
  return row?.devices ?? 0;
}

/**
 * Tells keepCertificate of each Mac in scope to renew now. Returns how many.
 * @param by person:NAME | token:NAME | system
 */
export async function requestRenewals(
  sql: Sql,
  deviceIds: readonly string[],
  reason: string,
  by: string,
): Promise<number> {
  const which = `scope.device_id = any($1) and scope.platform = 'macOS'`;
  await recordRenewalRequests(sql, which, deviceIds, { by, reason });
  return signalCertificateWorkflows(sql, which, deviceIds, 'renewNow', { reason });
}

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
