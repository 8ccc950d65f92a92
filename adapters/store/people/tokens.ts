// API tokens: only SHA-256 of a token is stored. A token may no more than the person it came from, and ends with what made it.
import type { Sql } from '../base/database.ts';
import { ROLES, type Role } from '../../../domain/sign-in-roles.ts';
import { notifyAccessEnded } from './sessions.ts';

export interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdBy: string;
  readonly personId: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

const COLUMNS = `api_tokens.id, api_tokens.name, api_tokens.role, created_by, person_id,
  api_tokens.created_at, expires_at, revoked_at, last_used_at`;

export const listTokens = (sql: Sql): Promise<TokenRow[]> =>
  sql.query<TokenRow>(`select ${COLUMNS} from api_tokens order by created_at desc`);

export async function addToken(
  sql: Sql,
  token: {
    readonly name: string;
    readonly role: Role;
    readonly tokenHash: Buffer;
    readonly createdBy: string;
    readonly personId?: string | undefined;
    /** The token that makes it. */
    readonly parentId?: string | undefined;
    /** null: never. */
    readonly expiresAt: Date | null;
  },
): Promise<TokenRow | undefined> {
  const { name, role, tokenHash, createdBy, personId, parentId, expiresAt } = token;
  const [row] = await sql.query<TokenRow>(
    `insert into api_tokens (name, role, token_hash, created_by, person_id, parent_id, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (token_hash) do nothing returning ${COLUMNS}`,
    [name, role, tokenHash, createdBy, personId ?? null, parentId ?? null, expiresAt],
  );
  return row;
}

/** Of a token that may be used now, with the role that it has now: no more than that of the person it came from. */
export async function findToken(sql: Sql, tokenHash: Buffer): Promise<TokenRow | undefined> {
  const [row] = await sql.query<TokenRow & { personRole: Role | null }>(
    `select ${COLUMNS}, people.role as person_role from api_tokens left join people on people.id = person_id
      where token_hash = $1 and revoked_at is null and coalesce(expires_at > now(), true) and people.disabled_at is null`,
    [tokenHash],
  );
  if (!row) return undefined;
  if (row.lastUsedAt === null || row.lastUsedAt.getTime() < Date.now() - 60_000)
    await sql.query('update api_tokens set last_used_at = now() where id = $1', [row.id]);
  const { personRole, ...token } = row;
  return { ...token, role: lesser(token.role, personRole ?? token.role) };
}

const lesser = (one: Role, other: Role): Role => (ROLES.indexOf(one) <= ROLES.indexOf(other) ? one : other);

/** The token with every token that came from it. */
export async function revokeToken(sql: Sql, id: string): Promise<boolean> {
  const ended = await revoke(sql, 'id = $1', [id]);
  return ended.length > 0;
}

/** @param role of theirs from now on: what may no more than it stays; null: they have none */
export async function revokeTokensOf(sql: Sql, personId: string, role: Role | null): Promise<void> {
  await revoke(
    sql,
    'person_id = $1 and revoked_at is null and array_position($3, role) > coalesce(array_position($3, $2), 0)',
    [personId, role, ROLES],
  );
}

/** Tokens of this name with another value are revoked. */
export async function revokeOtherTokens(sql: Sql, name: string, ownHash: Buffer): Promise<void> {
  await revoke(sql, "name = $1 and created_by = 'system' and token_hash <> $2 and revoked_at is null", [
    name,
    ownHash,
  ]);
}

async function revoke(sql: Sql, which: string, values: readonly unknown[]): Promise<{ id: string }[]> {
  const ended = await sql.query<{ id: string }>(
    `with recursive ended as (
       select id from api_tokens where ${which}
       union select child.id from api_tokens as child join ended on child.parent_id = ended.id)
     update api_tokens set revoked_at = coalesce(revoked_at, now()) where id in (select id from ended) returning id`,
    values,
  );
  for (const { id } of ended) await notifyAccessEnded(sql, `token:${id}`);
  return ended;
}
