// The Apps and Books token of this installation.
import type { Sql } from '../base/database.ts';

export interface AppsAndBooksTokenRow {
  readonly secretId: string;
  readonly organization: string;
  readonly expiresAt: Date;
  readonly setAt: Date;
}

export async function findAppsAndBooksToken(sql: Sql): Promise<AppsAndBooksTokenRow | undefined> {
  const [row] = await sql.query<AppsAndBooksTokenRow>(
    'select secret_id as "secretId", organization, expires_at as "expiresAt", set_at as "setAt" from apps_and_books_tokens',
  );
  return row;
}

export async function saveAppsAndBooksToken(
  sql: Sql,
  token: Omit<AppsAndBooksTokenRow, 'setAt'>,
): Promise<void> {
  await sql.query(
    `insert into apps_and_books_tokens (secret_id, organization, expires_at) values ($1, $2, $3)
     on conflict (singleton) do update set secret_id = excluded.secret_id, organization = excluded.organization,
       expires_at = excluded.expires_at, set_at = now()`,
    [token.secretId, token.organization, token.expiresAt],
  );
  // What Apple said of the old token is not true of this one.
  await sql.query(`delete from connection_health where connection = 'apps_and_books'`);
}
