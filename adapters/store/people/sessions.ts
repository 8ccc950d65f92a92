// Sessions and API tokens: only SHA-256 of what a caller shows is stored.
import type { Sql } from '../base/database.ts';
import type { Role } from '../../../domain/sign-in-roles.ts';
import { IS_SECOND_FACTOR_REQUIRED } from './second-factors.ts';

/** NOTIFY channel: whose access ended or became less, as `session:HASH`, `token:ID` or `person:ID`; open event streams end with it. */
export const ACCESS_CHANNEL = 'odette_access';

/** Told when the transaction commits. */
export async function notifyAccessEnded(sql: Sql, whose: string): Promise<void> {
  await sql.query('select pg_notify($1, $2)', [ACCESS_CHANNEL, whose]);
}

/**
 * A session ends after 12 hours without use, and after 7 days at the latest. One that the identity provider vouched for ends after 12
 * hours in any case: whoever is gone there is gone here by then.
 */
const IDLE = `interval '12 hours'`;
const MAX_AGE = `case when is_local then interval '7 days' else interval '12 hours' end`;

export interface SessionRow {
  readonly personId: string;
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: Date;
  /** A local person without a second factor, where one is required. */
  readonly mustSetUpSecondFactor: boolean;
}

export async function openSession(sql: Sql, idHash: Buffer, personId: string): Promise<void> {
  await sql.query(`insert into sessions (id_hash, person_id, expires_at) values ($1, $2, now() + ${IDLE})`, [
    idHash,
    personId,
  ]);
}

export async function findSession(sql: Sql, idHash: Buffer): Promise<SessionRow | undefined> {
  const [row] = await sql.query<SessionRow & { seenLongAgo: boolean }>(
    `select person_id, name, role, expires_at, last_seen_at < now() - interval '1 minute' as seen_long_ago,
         is_local and ${IS_SECOND_FACTOR_REQUIRED}
           and not exists (select from second_factors where second_factors.person_id = people.id and confirmed_at is not null) as must_set_up_second_factor
       from sessions join people on people.id = person_id
      where id_hash = $1 and expires_at > now() and disabled_at is null`,
    [idHash],
  );
  if (row?.seenLongAgo)
    await sql.query(
      `update sessions set last_seen_at = now(), expires_at = least(now() + ${IDLE}, sessions.created_at + ${MAX_AGE})
         from people where id_hash = $1 and people.id = person_id`,
      [idHash],
    );
  return row;
}

export async function endSession(sql: Sql, idHash: Buffer): Promise<void> {
  await sql.query('delete from sessions where id_hash = $1 or expires_at < now()', [idHash]);
  await notifyAccessEnded(sql, `session:${idHash.toString('hex')}`);
}

/** @param except the session that stays */
export async function endSessionsOf(sql: Sql, personId: string, except?: Buffer): Promise<void> {
  const ended = await sql.query<{ hash: string }>(
    `delete from sessions where person_id = $1 and ($2::bytea is null or id_hash <> $2) returning encode(id_hash, 'hex') as hash`,
    [personId, except ?? null],
  );
  for (const { hash } of ended) await notifyAccessEnded(sql, `session:${hash}`);
}
