// People who may sign in.
import type { Sql } from './database.ts';

export type PersonRole = 'viewer' | 'operator' | 'admin';

export interface PersonRow {
  readonly id: string;
  readonly name: string;
  readonly role: PersonRole;
  readonly isLocal: boolean;
  readonly createdAt: Date;
  readonly disabledAt: Date | null;
}

const COLUMNS =
  'id, name, role, is_local as "isLocal", created_at as "createdAt", disabled_at as "disabledAt"';

export const listPeople = (sql: Sql): Promise<PersonRow[]> =>
  sql.query<PersonRow>(`select ${COLUMNS} from people order by name`);

/** Undefined when the name is taken. */
export async function addPerson(
  sql: Sql,
  person: { readonly name: string; readonly role: PersonRole; readonly passwordHash: string },
): Promise<PersonRow | undefined> {
  const [row] = await sql.query<PersonRow>(
    `insert into people (name, role, password_hash, is_local) values ($1, $2, $3, true) on conflict (name) do nothing returning ${COLUMNS}`,
    [person.name, person.role, person.passwordHash],
  );
  return row;
}

export async function findPerson(sql: Sql, id: string): Promise<PersonRow | undefined> {
  const [row] = await sql.query<PersonRow>(`select ${COLUMNS} from people where id = $1`, [id]);
  return row;
}

/** A local person who is not disabled, with the hash of the password. */
export async function findSignIn(
  sql: Sql,
  name: string,
): Promise<(PersonRow & { readonly passwordHash: string }) | undefined> {
  const [row] = await sql.query<PersonRow & { passwordHash: string }>(
    `select ${COLUMNS}, password_hash as "passwordHash" from people
      where name = $1 and is_local and disabled_at is null and password_hash is not null`,
    [name],
  );
  return row;
}

export interface PersonChange {
  readonly role?: PersonRole | undefined;
  readonly passwordHash?: string | undefined;
  readonly disabled?: boolean | undefined;
}

export async function changePerson(
  sql: Sql,
  id: string,
  change: PersonChange,
): Promise<PersonRow | undefined> {
  const [row] = await sql.query<PersonRow>(
    `update people set role = coalesce($2, role), password_hash = coalesce($3, password_hash),
       disabled_at = case when $4::boolean is null then disabled_at when $4 then coalesce(disabled_at, now()) end
      where id = $1 returning ${COLUMNS}`,
    [id, change.role ?? null, change.passwordHash ?? null, change.disabled ?? null],
  );
  return row;
}

/** Locks who can administer, so that two changes at once cannot leave nobody. */
export async function countLocalAdmins(sql: Sql): Promise<number> {
  const rows = await sql.query(
    `select id from people where role = 'admin' and is_local and disabled_at is null order by id for update`,
  );
  return rows.length;
}
