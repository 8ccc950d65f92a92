// Sessions and API tokens: only SHA-256 of what a caller shows is stored.
import type { Sql } from '../base/database.ts';
import { ROLES, type Role } from '../../../domain/sign-in-roles.ts';

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
}

export async function openSession(sql: Sql, idHash: Buffer, personId: string): Promise<Date> {
  const [row] = await sql.query<{ expiresAt: Date }>(
    `insert into sessions (id_hash, person_id, expires_at) values ($1, $2, now() + ${IDLE}) returning expires_at as "expiresAt"`,
    [idHash, personId],
  );
  return row?.expiresAt ?? new Date(0);
}

export async function findSession(sql: Sql, idHash: Buffer): Promise<SessionRow | undefined> {
  const [row] = await sql.query<SessionRow & { seenLongAgo: boolean }>(
    `select person_id as "personId", name, role, expires_at as "expiresAt", last_seen_at < now() - interval '1 minute' as "seenLongAgo"
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
}

/** @param except the session that stays */
export async function endSessionsOf(sql: Sql, personId: string, except?: Buffer): Promise<void> {
  await sql.query('delete from sessions where person_id = $1 and ($2::bytea is null or id_hash <> $2)', [
    personId,
    except ?? null,
  ]);
}

export interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

const COLUMNS = `id, name, role, created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt",
  revoked_at as "revokedAt", last_used_at as "lastUsedAt"`;

export const listTokens = (sql: Sql): Promise<TokenRow[]> =>
  sql.query<TokenRow>(`select ${COLUMNS} from api_tokens order by created_at desc`);

export async function addToken(
  sql: Sql,
  token: {
    readonly name: string;
    readonly role: Role;
    readonly tokenHash: Buffer;
    readonly createdBy: string;
    readonly expiresInDays?: number | undefined;
  },
): Promise<TokenRow | undefined> {
  const [row] = await sql.query<TokenRow>(
    `insert into api_tokens (name, role, token_hash, created_by, expires_at)
     values ($1, $2, $3, $4, now() + make_interval(days => $5)) on conflict (token_hash) do nothing returning ${COLUMNS}`,
    [token.name, token.role, token.tokenHash, token.createdBy, token.expiresInDays ?? null],
  );
  return row;
}

export async function findToken(sql: Sql, tokenHash: Buffer): Promise<TokenRow | undefined> {
  const [row] = await sql.query<TokenRow>(
    `select ${COLUMNS} from api_tokens
      where token_hash = $1 and revoked_at is null and coalesce(expires_at > now(), true)`,
    [tokenHash],
  );
  if (row && (row.lastUsedAt === null || row.lastUsedAt.getTime() < Date.now() - 60_000))
    await sql.query('update api_tokens set last_used_at = now() where id = $1', [row.id]);
  return row;
}

export async function revokeToken(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql.query(
    'update api_tokens set revoked_at = coalesce(revoked_at, now()) where id = $1 returning 1',
    [id],
  );
  return rows.length > 0;
}

/**
 * @param actor as the audit trail names who made them
 * @param role of theirs from now on: what may no more than it stays; null: they have none
 */
export async function revokeTokensMadeBy(sql: Sql, actor: string, role: Role | null): Promise<void> {
  await sql.query(
    `update api_tokens set revoked_at = now() where created_by = $1 and revoked_at is null
        and array_position($3, role) > coalesce(array_position($3, $2), 0)`,
    [actor, role, ROLES],
  );
}

/** Tokens of this name with another value are revoked. */
export async function revokeOtherTokens(sql: Sql, name: string, keptHash: Buffer): Promise<void> {
  await sql.query(
    'update api_tokens set revoked_at = now() where name = $1 and token_hash <> $2 and revoked_at is null',
    [name, keptHash],
  );
}
