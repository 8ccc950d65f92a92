// The Apps and Books token of this installation.
import { randomUUID } from 'node:crypto';
import type { Sql } from '../base/database.ts';
import { saveInstanceSettingOnce } from '../base/instance-settings.ts';

export interface AppsAndBooksTokenRow {
  readonly secretId: string;
  readonly organization: string;
  /** Apple's name of the location whose licenses these are. */
  readonly location: string;
  readonly expiresAt: Date;
  readonly setAt: Date;
  /** Of the secret. */
  readonly version: number;
}

export async function findAppsAndBooksToken(sql: Sql): Promise<AppsAndBooksTokenRow | undefined> {
  const [row] = await sql.query<AppsAndBooksTokenRow>(
    `select secret_id, organization, location, expires_at, set_at, (select version from secrets where id = secret_id) as version
       from apps_and_books_tokens`,
  );
  return row;
}

export async function saveAppsAndBooksToken(
  sql: Sql,
  token: Omit<AppsAndBooksTokenRow, 'setAt' | 'version'>,
): Promise<void> {
  await sql.query(
    `insert into apps_and_books_tokens (secret_id, organization, location, expires_at) values ($1, $2, $3, $4)
     on conflict (singleton) do update set secret_id = excluded.secret_id, organization = excluded.organization, location = excluded.location,
       expires_at = excluded.expires_at, set_at = now()`,
    [token.secretId, token.organization, token.location, token.expiresAt],
  );
  // What Apple said of the old token is not true of this one.
  await sql.query(`delete from connection_health where connection = 'apps_and_books'`);
}

/** The name under which this installation claims a location with Apple; made once. */
export async function appsAndBooksClientId(sql: Sql): Promise<string> {
  const { id } = await saveInstanceSettingOnce(sql, 'apps_and_books_client', { id: randomUUID() });
  return id;
}
