// Bootstrap tokens of Macs, sealed: escrowed by SetBootstrapToken, given back by GetBootstrapToken.
import type { Sealer } from '../../../domain/sealer.ts';
import type { Sql } from '../base/database.ts';

const contextOf = (deviceId: string): string => `bootstrap_token:${deviceId}`;

export async function storeBootstrapToken(
  sql: Sql,
  sealer: Sealer,
  deviceId: string,
  token: Uint8Array,
): Promise<void> {
  await sql.query(
    `insert into bootstrap_tokens (device_id, sealed) values ($1, $2)
     on conflict (device_id) do update set sealed = excluded.sealed, escrowed_at = now()`,
    [deviceId, Buffer.from(sealer.seal(token, contextOf(deviceId)))],
  );
}

/** undefined: the device escrowed none. */
export async function openBootstrapToken(
  sql: Sql,
  sealer: Sealer,
  deviceId: string,
): Promise<Buffer | undefined> {
  const [row] = await sql.query<{ sealed: Buffer }>(
    'select sealed from bootstrap_tokens where device_id = $1',
    [deviceId],
  );
  return row && Buffer.from(sealer.open(row.sealed, contextOf(deviceId)));
}

/** Whether there was one. */
export async function deleteBootstrapToken(sql: Sql, deviceId: string): Promise<boolean> {
  const rows = await sql.query('delete from bootstrap_tokens where device_id = $1 returning 1', [deviceId]);
  return rows.length > 0;
}
