// When a certificate workflow last did something that the tables show.
import type { Sql } from '../base/database.ts';
import { OUTSTANDING } from '../devices/command-states.ts';

export interface RenewalProgress {
  readonly deviceId: string;
  /** Of the newest certificate that was seen on the device. */
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly provenAt: Date;
  /** A command of the certificate workflow that the device still has to answer, a delivery, an event of the timeline. */
  readonly actedAt: Date | null;
}

export const findRenewalProgress = (sql: Sql, deviceIds: readonly string[]): Promise<RenewalProgress[]> =>
  sql.query<RenewalProgress>(
    `select proven.device_id, proven.not_before, proven.not_after, proven.proven_at,
            greatest(
              (select max(created_at) from certificate_deliveries as delivery where delivery.device_id = proven.device_id),
              (select now() from commands where commands.device_id = proven.device_id and state in ${OUTSTANDING}
                  and commands.workflow_id = 'certificate/' || proven.device_id limit 1),
              (select max(at) from device_timeline as entry where entry.device_id = proven.device_id and entry.kind like 'certificate\\_%')) as acted_at
       from (select distinct on (device_id) device_id, not_before, not_after, proven_at from certificate_deliveries
              where device_id = any($1) and state = 'proven' order by device_id, proven_at desc) as proven`,
    [deviceIds],
  );
