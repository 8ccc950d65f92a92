// The commands of daily checks: queued for a page of devices at once, and looked at when a device has answered.
import type { Sql } from '../base/database.ts';
import { COMMANDS_CHANNEL } from './commands.ts';
import { ENROLLED } from './enrolled.ts';
import { OUTSTANDING } from './command-states.ts';

export interface CheckCommand {
  readonly uuid: string;
  readonly deviceId: string;
  readonly workflowId: string;
  readonly step: string;
  readonly requestType: string;
  readonly body: Buffer;
}

/**
 * Queues them and remembers that the devices were asked. A question that a device still has to answer stays the same one. Call it inside a
 * transaction. Returns the devices that have something to answer.
 */
export async function queueChecks(sql: Sql, commands: readonly CheckCommand[], now: Date): Promise<string[]> {
  // The device's row is the lock that every change of its queue takes; in one order for all who take several.
  const devices = await sql.query<{ id: string }>(
    `select id from devices where id = any($1) and ${ENROLLED} order by id for no key update`,
    [[...new Set(commands.map(({ deviceId }) => deviceId))]],
  );
  const ids = devices.map(({ id }) => id);
  await sql.query(`update device_trust set check_asked_at = $2 where device_id = any($1)`, [ids, now]);
  await sql.query(
    `with queued as (
       insert into commands (uuid, device_id, enrollment_id, workflow_id, step, request_type, body, state)
       select made.uuid, device.id, device.enrollment_id, made.workflow_id, made.step, made.request_type, made.body, 'queued'
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[])
                as made (uuid, device_id, workflow_id, step, request_type, body)
         join devices as device on device.id = made.device_id and device.id = any($7)
       on conflict do nothing returning device_id)
     select count(pg_notify('${COMMANDS_CHANNEL}', device_id::text)) from (select distinct device_id from queued) as told`,
    [
      commands.map(({ uuid }) => uuid),
      commands.map(({ deviceId }) => deviceId),
      commands.map(({ workflowId }) => workflowId),
      commands.map(({ step }) => step),
      commands.map(({ requestType }) => requestType),
      commands.map(({ body }) => body),
      ids,
    ],
  );
  return ids;
}

/** How the last check stands: what the device still has to answer, and what it did not acknowledge. */
export async function readCheck(
  sql: Sql,
  deviceId: string,
  workflowId: string,
): Promise<{ readonly open: number; readonly refused: number }> {
  const [row] = await sql.query<{ open: number; refused: number }>(
    `select count(*) filter (where state in ${OUTSTANDING})::int as open,
            count(*) filter (where state = 'responded' and status <> 'Acknowledged')::int as refused
       from commands where device_id = $1 and workflow_id = $2
        and queued_at >= coalesce((select check_asked_at from device_trust where device_id = $1), '-infinity')`,
    [deviceId, workflowId],
  );
  return row ?? { open: 0, refused: 0 };
}
