// Channels of a Mac's users (Apple, `com.apple.mdm.per-user-connections`): who has opened one, and where to push.
import type { Sql } from '../base/database.ts';
import { deleteUserLists } from './inventory.ts';
import { OUTSTANDING } from './command-states.ts';

export interface UserChannel {
  readonly userId: string;
  readonly shortName: string | null;
  readonly topic: string;
  readonly pushToken: Buffer;
  readonly pushMagic: string;
}

export interface UserToken {
  readonly userId: string;
  readonly shortName?: string | undefined;
  readonly topic: string;
  readonly token: Buffer;
  readonly pushMagic: string;
}

/** A shared Mac has a few; one that names ever new users fills no table. */
const MAX_CHANNELS = 10;
/** Seconds since its last contact. */
const RECENTLY = 60;

/** A user's TokenUpdate. true: the first channel of this enrollment. Call it with the device's row locked. */
export async function recordUserToken(sql: Sql, deviceId: string, said: UserToken): Promise<boolean> {
  const before = await findUserChannel(sql, deviceId);
  await sql.query(
    `insert into user_channels (device_id, user_id, short_name, topic, push_token, push_magic)
       select $1, $2, $3, $4, $5, $6
        where (select count(*) from user_channels where device_id = $1 and user_id <> $2) < ${MAX_CHANNELS}
     on conflict (device_id, user_id) do update set short_name = coalesce(excluded.short_name, user_channels.short_name),
       topic = excluded.topic, push_token = excluded.push_token, push_magic = excluded.push_magic, contact_at = now()`,
    [deviceId, said.userId, said.shortName ?? null, said.topic, said.token, said.pushMagic],
  );
  return before === undefined;
}

/** The user whose channel counts: of several the first. */
export async function findUserChannel(sql: Sql, deviceId: string): Promise<UserChannel | undefined> {
  const [row] = await sql.query<UserChannel>(
    `select user_id, short_name, topic, push_token, push_magic
       from user_channels where device_id = $1 order by opened_at, user_id limit 1`,
    [deviceId],
  );
  return row;
}

/** false: this user has not said where to push yet. */
export async function recordUserContact(sql: Sql, deviceId: string, userId: string): Promise<boolean> {
  const rows = await sql.query(
    'update user_channels set contact_at = now() where device_id = $1 and user_id = $2 returning 1',
    [deviceId, userId],
  );
  return rows.length > 0;
}

/** Logged in and in contact a moment ago, so that a challenge does not grow old. By the database's clock. */
export async function isUserAwake(sql: Sql, deviceId: string, userId: string): Promise<boolean> {
  const [row] = await sql.query<{ yes: boolean }>(
    'select contact_at > now() - make_interval(secs => $3) as yes from user_channels where device_id = $1 and user_id = $2',
    [deviceId, userId, RECENTLY],
  );
  return row?.yes ?? false;
}

/** Apple delivers nothing under this token any more: what waited for this user is withdrawn, until they open a channel again. */
export async function closeUserChannel(sql: Sql, deviceId: string, token: Buffer): Promise<void> {
  await sql.query('select from devices where id = $1 for no key update', [deviceId]);
  const [closed] = await sql.query<{ userId: string }>(
    'delete from user_channels where device_id = $1 and push_token = $2 returning user_id',
    [deviceId, token],
  );
  if (closed === undefined) return;
  await deleteUserLists(sql, deviceId);
  await sql.query(
    `update commands set state = 'withdrawn', sealed_body = null
      where device_id = $1 and user_id = $2 and state in ${OUTSTANDING}`,
    [deviceId, closed.userId],
  );
}

/** The enrollment is over, and with it every channel. */
export async function endUserChannels(sql: Sql, deviceId: string): Promise<void> {
  await sql.query('delete from user_channels where device_id = $1', [deviceId]);
}
