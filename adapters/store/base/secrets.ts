// Sealed secrets, known everywhere by their handle (id). Storing and using one leaves an audit row in the same transaction.
import { CataloguedError } from '../../../domain/failures.ts';
import type { Sealer } from '../../../domain/sealer.ts';
import type { Sql } from './database.ts';

export type SecretKind =
  | 'okta_client_secret'
  | 'okta_private_key'
  | 'challenge_password'
  | 'ios_secret_key'
  | 'push_key'
  | 'apps_and_books_token'
  | 'authority_key'
  | 'profile_signing_key'
  | 'instance_key'
  | 'one_time_code_key'
  | 'channel_api_key'
  | 'channel_webhook_key'
  | 'webhook_access'
  | 'slack_url'
  | 'smtp_password';

export interface NewSecret {
  readonly kind: SecretKind;
  readonly value: string | Uint8Array;
  /** Who set it, as shown later: "set on DATE by NAME". */
  readonly by: string;
  /** The address it was entered for (domain/secret-address.ts); the table requires one of what is sent to an address. */
  readonly address?: string;
  /** The setup it is entered in; of what belongs to an integration. */
  readonly setupId?: string;
  /** The handle of a secret that gets a new version. */
  readonly id?: string;
}

const contextOf = (id: string): string => `secret:${id}`;

export async function storeSecret(
  sql: Sql,
  sealer: Sealer,
  secret: NewSecret,
): Promise<{ id: string; version: number }> {
  const id = secret.id ?? globalThis.crypto.randomUUID();
  const sealed = sealer.seal(Buffer.from(secret.value), contextOf(id));
  const [stored] = await sql.query<{ id: string; version: number }>(
    `with stored as (
       insert into secrets (id, kind, key_id, sealed, set_by, address, setup_id) values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (id) do update set version = secrets.version + 1, key_id = excluded.key_id, sealed = excluded.sealed,
         set_by = excluded.set_by, address = excluded.address, set_at = now()
       returning id, version),
     noted as (
       insert into audit_entries (actor, action, subject, detail)
       select $5, 'secret.set', 'secret:' || id, jsonb_build_object('kind', $2::text, 'version', version) from stored)
     select id, version from stored`,
    [
      id,
      secret.kind,
      sealer.currentKeyId,
      Buffer.from(sealed),
      secret.by,
      secret.address ?? null,
      secret.setupId ?? null,
    ],
  );
  if (!stored) throw new CataloguedError('store.unavailable');
  return stored;
}

/** Whose secret it is, as the tables have it: an integration's, an open setup's (what it amends included), a person's, a
 * rotation's (the new value), a notification target's, or the installation's. */
export type SecretOwner =
  | { readonly integrationId: string }
  | { readonly setupId: string }
  | { readonly personId: string }
  | { readonly rotationId: string }
  | { readonly notificationTargetId: string }
  | { readonly installation: true };

/** Who opens a secret and for what, for the audit trail; and what it must be: a handle alone opens nothing. */
export interface SecretUse {
  readonly actor: string;
  readonly purpose: string;
  readonly kind: SecretKind;
  readonly owner: SecretOwner;
  /** Where it is about to be sent. */
  readonly address?: string;
}

const OWNED = `kind = $5 and case
    when $6::uuid is not null then secrets.id in (select secret_id from named where owner = $6)
    when $7::uuid is not null then exists (
      select from setups where id = $7 and status = 'open'
         and (secrets.setup_id = $7 or secrets.id in (select secret_id from named where owner = integration_id)))
    when $8::uuid is not null then exists (select from second_factors where person_id = $8 and secret_id = secrets.id)
    when $9::uuid is not null then exists (
      select from secret_rotations where id = $9 and ended_at is null and new_secret_id = secrets.id)
    when $10::uuid is not null then exists (select from notification_targets where id = $10 and secret_id = secrets.id)
    else setup_id is null and kind in ('push_key', 'apps_and_books_token', 'authority_key', 'profile_signing_key', 'instance_key', 'channel_api_key', 'channel_webhook_key')
  end`;

/**
 * @throws CataloguedError `secrets.not_found`, `secrets.other_owner`, `secrets.other_address`, `secrets.key_missing`, `secrets.tampered`
 */
export async function openSecret(
  sql: Sql,
  sealer: Sealer,
  id: string,
  use: SecretUse,
): Promise<{ value: Buffer; version: number }> {
  // A secret that a whole fleet uses would make everybody wait for its row: the time of last use is noted once a minute.
  const [row] = await sql.query<{
    sealed: Buffer;
    version: number;
    isAddressed: boolean;
    isOwned: boolean;
  }>(
    `with named as (
       select id as owner, credentials_secret_id as secret_id from integrations where credentials_secret_id = $1
       union all select integration_id, secret_id from integration_platforms where secret_id = $1),
     found as (
       select id, kind, sealed, version, address is not distinct from $4 as is_addressed, ${OWNED} as is_owned from secrets where id = $1),
     noted as (
       insert into audit_entries (actor, action, subject, detail)
       select $2, case when is_addressed and is_owned then 'secret.used' else 'secret.refused' end, 'secret:' || id, jsonb_build_object('kind', kind, 'version', version, 'purpose', $3::text)
              || case when is_addressed then '{}' else jsonb_build_object('refusedAddress', $4::text) end
              || case when is_owned then '{}' else jsonb_build_object('refusedOwner', coalesce('integration:' || $6, 'setup:' || $7, 'person:' || $8, 'rotation:' || $9, 'notification_target:' || $10, 'installation'), 'refusedKind', $5::text) end
         from found),
     touched as (
       update secrets set last_used_at = now() from found
        where secrets.id = found.id and is_addressed and is_owned and coalesce(last_used_at < now() - interval '1 minute', true))
     select sealed, version, is_addressed, is_owned from found`,
    [
      id,
      use.actor,
      use.purpose,
      use.address ?? null,
      use.kind,
      'integrationId' in use.owner ? use.owner.integrationId : null,
      'setupId' in use.owner ? use.owner.setupId : null,
      'personId' in use.owner ? use.owner.personId : null,
      'rotationId' in use.owner ? use.owner.rotationId : null,
      'notificationTargetId' in use.owner ? use.owner.notificationTargetId : null,
    ],
  );
  if (!row) throw new CataloguedError('secrets.not_found');
  if (!row.isAddressed) throw new CataloguedError('secrets.other_address');
  if (!row.isOwned) throw new CataloguedError('secrets.other_owner');
  return { value: Buffer.from(sealer.open(row.sealed, contextOf(id))), version: row.version };
}

/** What may be shown of a secret. */
export interface SecretFacts {
  readonly id: string;
  readonly kind: SecretKind;
  readonly version: number;
  readonly setBy: string;
  readonly setAt: Date;
  readonly lastUsedAt: Date | null;
  readonly address: string | null;
}

export async function listSecretFacts(sql: Sql, ids: readonly string[]): Promise<Map<string, SecretFacts>> {
  const rows = await sql.query<SecretFacts>(
    `select id, kind, version, set_by, set_at, last_used_at, address from secrets where id = any($1)`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Only for a secret that nothing names: a response that was refused, a setup that was given up. */
export async function dropSecret(sql: Sql, id: string): Promise<void> {
  await sql.query('delete from secrets where id = $1', [id]);
}

/**
 * What an admin typed and nothing names any more: replaced answers, setups that were given up. A week's grace covers whoever
 * read a handle just before it was replaced. Returns how many went.
 */
export async function pruneSecrets(sql: Sql): Promise<number> {
  const rows = await sql.query(
    `delete from secrets where id in (
       select secret.id from secrets as secret
        where secret.kind in ('okta_client_secret', 'okta_private_key', 'challenge_password', 'ios_secret_key')
          and secret.set_at < now() - interval '7 days'
          and not exists (select from integrations where credentials_secret_id = secret.id)
          and not exists (select from integration_platforms where secret_id = secret.id)
          and not exists (select from secret_rotations where new_secret_id = secret.id and ended_at is null)
          and not exists (select from setups where status = 'open' and strpos(state::text, secret.id::text) > 0)
        limit 1000) returning 1`,
  );
  return rows.length;
}
