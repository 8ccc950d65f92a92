// Licenses of Okta Verify, one a device: what was asked of Apps and Books, and what came of it.
import type { FailureCode } from '../../../domain/failures.ts';
import type { Sql } from '../base/database.ts';
import { ENROLLED } from '../devices/enrolled.ts';

export interface License {
  /** `returning`: given back, and Apple is still working on it. */
  readonly state: 'associating' | 'associated' | 'failed' | 'returning';
  readonly eventId: string | null;
  readonly failureCode: FailureCode | null;
}

export async function findLicense(
  sql: Sql,
  deviceId: string,
  adamId: string,
): Promise<(License & { readonly changedAt: Date }) | undefined> {
  const [row] = await sql.query<License & { readonly changedAt: Date }>(
    `select state, event_id, failure_code, changed_at from licenses where device_id = $1 and adam_id = $2`,
    [deviceId, adamId],
  );
  return row;
}

export async function recordLicense(
  sql: Sql,
  deviceId: string,
  adamId: string,
  license: License,
): Promise<void> {
  await sql.query(
    `insert into licenses (device_id, adam_id, state, event_id, failure_code) values ($1, $2, $3, $4, $5)
     on conflict (device_id, adam_id) do update set state = excluded.state, event_id = excluded.event_id,
       failure_code = excluded.failure_code, changed_at = now()`,
    [deviceId, adamId, license.state, license.eventId, license.failureCode],
  );
}

/** The device holds it no more. */
export async function deleteLicense(sql: Sql, deviceId: string, adamId: string): Promise<void> {
  await sql.query('delete from licenses where device_id = $1 and adam_id = $2', [deviceId, adamId]);
}

/** Whether another device says that it has this serial number: Apple knows one license for both. */
export async function isSerialNumberShared(
  sql: Sql,
  deviceId: string,
  serialNumber: string,
): Promise<boolean> {
  const rows = await sql.query(
    `select from devices
      where lower(serial_number) = lower($2) and id <> $1 and ${ENROLLED} limit 1`,
    [deviceId, serialNumber],
  );
  return rows.length > 0;
}
