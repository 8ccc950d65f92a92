// Which devices have read an integration's iOS secret key, and which of them are out of Odette's hands since.
import type { Sql } from '../base/database.ts';

/** Why a reader is doubtful: deleted here, checked out, not reachable, or no longer in scope. */
type ReaderDoubt = 'deleted' | 'left' | 'unreachable' | 'out_of_scope';

export interface IosKeyReader {
  readonly id: string;
  readonly deviceId: string | null;
  readonly udid: string;
  readonly serialNumber: string | null;
  readonly name: string | null;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly doubt: ReaderDoubt | null;
}

/** Of the key of now: with another version, or another secret, nobody has read it yet. */
const READERS = `select reader.id, reader.device_id, reader.udid, coalesce(device.serial_number, reader.serial_number) as serial_number,
    coalesce(device.name, reader.name) as name, reader.first_at, reader.last_at,
    case when device.id is null then 'deleted' when device.enrollment_status = 'checked_out' then 'left'
         when device.enrollment_status = 'unreachable' or trust.bucket = 'unreachable' then 'unreachable'
         when scope.is_in_scope is not true or scope.integration_id <> platform.integration_id then 'out_of_scope' end as doubt
  from integration_platforms as platform
  join secrets as secret on secret.id = platform.secret_id
  join ios_key_readers as reader on reader.secret_id = secret.id and reader.version = secret.version
  left join devices as device on device.id = reader.device_id
  left join device_trust as trust on trust.device_id = device.id
  left join device_scope as scope on scope.device_id = device.id
 where platform.integration_id = $1 and platform.platform = 'iOS'`;

export async function listIosKeyReaders(
  sql: Sql,
  integrationId: string,
  page: { readonly isDoubtful: boolean; readonly after: string | undefined; readonly limit: number },
): Promise<IosKeyReader[]> {
  return sql.query<IosKeyReader>(
    `select * from (${READERS}) as readers
      where (not $2 or doubt is not null) and ($3::uuid is null or id > $3) order by id limit $4`,
    [integrationId, page.isDoubtful, page.after ?? null, page.limit],
  );
}

export async function countIosKeyReaders(
  sql: Sql,
  integrationId: string,
): Promise<{ readonly readers: number; readonly doubtful: number }> {
  const [counts] = await sql.query<{ readers: number; doubtful: number }>(
    `select count(*)::integer as readers, count(doubt)::integer as doubtful from (${READERS}) as readers`,
    [integrationId],
  );
  return counts ?? { readers: 0, doubtful: 0 };
}

/** When the device was last handed the key of now of an integration; undefined: never. */
export async function findKeyRead(
  sql: Sql,
  deviceId: string,
): Promise<{ readonly integrationId: string; readonly at: Date } | undefined> {
  const [read] = await sql.query<{ integrationId: string; at: Date }>(
    `select platform.integration_id, reader.last_at as at
       from ios_key_readers as reader
       join secrets as secret on secret.id = reader.secret_id and secret.version = reader.version
       join integration_platforms as platform on platform.secret_id = secret.id
      where reader.device_id = $1 order by reader.last_at desc limit 1`,
    [deviceId],
  );
  return read;
}
