// People who may sign in.
import type { Role } from '../../../domain/sign-in-roles.ts';
import type { Sql } from '../base/database.ts';

export interface PersonRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly isLocal: boolean;
  readonly createdAt: Date;
  readonly disabledAt: Date | null;
  readonly hasSecondFactor: boolean;
}

const COLUMNS = `id, name, role, is_local, created_at, disabled_at,
  exists (select from second_factors where person_id = people.id and confirmed_at is not null) as has_second_factor`;

export const listPeople = (sql: Sql): Promise<PersonRow[]> =>
  sql.query<PersonRow>(`select ${COLUMNS} from people order by name`);

/** Undefined when the name is taken. */
export async function addPerson(
  sql: Sql,
  person: { readonly name: string; readonly role: Role; readonly passwordHash: string },
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
    `select ${COLUMNS}, password_hash from people
      where name = $1 and is_local and disabled_at is null and password_hash is not null`,
    [name],
  );
  return row;
}

/** Known by issuer and subject; a name is only a name, and the provider's people may choose it. */
export interface ProviderIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly name: string;
}

export async function findProviderPerson(
  sql: Sql,
  { issuer, subject }: Pick<ProviderIdentity, 'issuer' | 'subject'>,
): Promise<PersonRow | undefined> {
  const [row] = await sql.query<PersonRow>(
    `select ${COLUMNS} from people where issuer = $1 and subject = $2`,
    [issuer, subject],
  );
  return row;
}

/**
 * Who signs in through the provider, with the role of now. The name of the first time stays, for it stands in the audit trail; one
 * that somebody else has is not taken over, but told apart.
 */
export async function saveProviderPerson(sql: Sql, person: ProviderIdentity, role: Role): Promise<PersonRow> {
  const { issuer, subject, name } = person;
  const names = [name, `${name} (${new URL(issuer).host})`, `${name} (${subject} at ${issuer})`];
  const [row] = await sql.query<PersonRow>(
    `insert into people (name, role, is_local, issuer, subject)
       select free.name, $2, false, $3, $4 from unnest($1::text[]) with ordinality as free (name, place)
        where not exists (select from people where people.name = free.name and (people.issuer, people.subject) is distinct from ($3, $4))
        order by free.place limit 1
     on conflict (issuer, subject) do update set role = excluded.role returning ${COLUMNS}`,
    [names, role, issuer, subject],
  );
  if (!row) throw new Error('a person was neither added nor changed');
  return row;
}

export interface PersonChange {
  readonly role?: Role | undefined;
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
