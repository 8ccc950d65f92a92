// Removals of a platform or an integration: who asked, how far each is, and the end of what it removes.
import type { Platform } from '../../../domain/device.ts';
import type { OutboxMessage } from '../../../domain/outbox-message.ts';
import type { RemovalStatus } from '../../../domain/platform-removal.ts';
import type { Sql } from '../base/database.ts';

export interface PlatformRemovalRow {
  readonly id: string;
  /** Of an integration that may be gone. */
  readonly integrationId: string;
  readonly integrationName: string;
  readonly oktaHost: string;
  /** null: the whole integration. */
  readonly platform: Platform | null;
  readonly status: RemovalStatus;
  readonly reason: string | null;
  /** Who would be locked out, as it was when it was asked for. */
  readonly usersLosingTrust: number;
  readonly readinessAsOf: Date | null;
  readonly askedBy: string;
  readonly askedAt: Date;
  readonly startsAt: Date;
  readonly isAtOnce: boolean;
  readonly acceptedFailures: number;
  readonly portionAt: Date | null;
  readonly changedBy: string | null;
  readonly changedAt: Date | null;
  readonly finishedAt: Date | null;
}

const COLUMNS = `id, integration_id, integration_name, okta_host, platform, status, reason,
  users_losing_trust, readiness_as_of, asked_by, asked_at,
  starts_at, is_at_once, accepted_failures, portion_at,
  changed_by, changed_at, finished_at`;

export async function findPlatformRemoval(sql: Sql, id: string): Promise<PlatformRemovalRow | undefined> {
  const [row] = await sql.query<PlatformRemovalRow>(
    `select ${COLUMNS} from platform_removals where id = $1`,
    [id],
  );
  return row;
}

/** Held until the transaction ends: a step and a person's word never cross. */
export async function lockPlatformRemoval(sql: Sql, id: string): Promise<PlatformRemovalRow | undefined> {
  const [row] = await sql.query<PlatformRemovalRow>(
    `select ${COLUMNS} from platform_removals where id = $1 for update`,
    [id],
  );
  return row;
}

/** The newest first. */
export const listPlatformRemovals = (
  sql: Sql,
  integrationId: string | undefined,
): Promise<PlatformRemovalRow[]> =>
  sql.query<PlatformRemovalRow>(
    `select ${COLUMNS} from platform_removals where $1::uuid is null or integration_id = $1 order by asked_at desc limit 100`,
    [integrationId ?? null],
  );

/** Starts its workflow, or has it look. */
export const removalMessage = ({
  id,
  integrationId,
  platform,
  oktaHost,
}: Pick<PlatformRemovalRow, 'id' | 'integrationId' | 'platform' | 'oktaHost'>): OutboxMessage => ({
  kind: 'removePlatform',
  removalId: id,
  integrationId,
  label: platform === null ? oktaHost : `${platform} from ${oktaHost}`,
});

export type NewPlatformRemoval = Pick<
  PlatformRemovalRow,
  | 'id'
  | 'integrationId'
  | 'integrationName'
  | 'oktaHost'
  | 'platform'
  | 'usersLosingTrust'
  | 'readinessAsOf'
  | 'askedBy'
> & { readonly delayMinutes: number; readonly reason: string | null };

/** false: one of this integration is under way. */
export async function addPlatformRemoval(sql: Sql, removal: NewPlatformRemoval): Promise<boolean> {
  const rows = await sql.query(
    `insert into platform_removals (id, integration_id, integration_name, okta_host, platform, status, reason, users_losing_trust, readiness_as_of,
                                    asked_by, starts_at)
     values ($1, $2, $3, $4, $5, 'waiting', $6, $7, $8, $9, now() + make_interval(secs => $10::float8 * 60))
     on conflict (integration_id) where status in ('waiting', 'removing', 'stopped') do nothing returning 1`,
    [
      removal.id,
      removal.integrationId,
      removal.integrationName,
      removal.oktaHost,
      removal.platform,
      removal.reason,
      removal.usersLosingTrust,
      removal.readinessAsOf,
      removal.askedBy,
      removal.delayMinutes,
    ],
  );
  return rows.length > 0;
}

export async function setRemovalStatus(
  sql: Sql,
  id: string,
  change: {
    readonly status: RemovalStatus;
    readonly actor: string | null;
    readonly isAtOnce?: boolean;
    readonly accepted?: number;
  },
): Promise<void> {
  await sql.query(
    `update platform_removals set status = $2, changed_by = $3, changed_at = now(), is_at_once = coalesce($4, is_at_once),
       accepted_failures = coalesce($5, accepted_failures),
       finished_at = case when $2 in ('finished', 'undone') then now() end where id = $1`,
    [id, change.status, change.actor, change.isAtOnce ?? null, change.accepted ?? null],
  );
}

export interface RemovalCounts {
  readonly left: number;
  readonly taken: number;
  readonly done: number;
  readonly failed: number;
  readonly silent: number;
  readonly pending: number;
  /** Devices are taken wave by wave; 0: none was. */
  readonly wave: number;
  readonly waveBegun: number;
  readonly waveEnded: number;
}

const NOTHING_TAKEN: RemovalCounts = {
  left: 0,
  taken: 0,
  done: 0,
  failed: 0,
  silent: 0,
  pending: 0,
  wave: 0,
  waveBegun: 0,
  waveEnded: 0,
};

const CONCERNED = `scope.integration_id = $2 and ($3::text is null or scope.platform = $3) and scope.is_in_scope`;

export async function countRemoval(
  sql: Sql,
  { id, integrationId, platform }: Pick<PlatformRemovalRow, 'id' | 'integrationId' | 'platform'>,
): Promise<RemovalCounts> {
  const [row] = await sql.query<RemovalCounts>(
    `with taken as (
       select taken.taken_at, max(taken.taken_at) over () as wave_at,
              case when trust.device_id is null or trust.phase = 'out_of_scope' or trust.bucket = 'left' then 'done'
                   when trust.failure_code is not null then 'failed'
                   when trust.bucket = 'unreachable' or coalesce(device.last_contact_at, '-infinity') < taken.taken_at then 'silent'
                   else 'pending' end as state
         from platform_removal_devices as taken join devices as device on device.id = taken.device_id
         left join device_trust as trust on trust.device_id = taken.device_id
        where taken.removal_id = $1)
     select (select count(*) from device_scope as scope where ${CONCERNED})::int as left, count(*)::int as taken,
            count(*) filter (where state = 'done')::int as done, count(*) filter (where state = 'failed')::int as failed,
            count(*) filter (where state = 'silent')::int as silent, count(*) filter (where state = 'pending')::int as pending,
            count(distinct taken_at)::int as wave, count(*) filter (where taken_at = wave_at)::int as wave_begun,
            count(*) filter (where taken_at = wave_at and state <> 'pending')::int as wave_ended
       from taken`,
    [id, integrationId, platform],
  );
  return row ?? NOTHING_TAKEN;
}

/**
 * Takes the next devices out of scope, those that called last first, and says how their payloads go: at once, for the removal's own delay is over.
 * Returns their ids.
 */
export async function takePortion(
  sql: Sql,
  { id, integrationId, platform }: Pick<PlatformRemovalRow, 'id' | 'integrationId' | 'platform'>,
  devices: number,
): Promise<string[]> {
  const rows = await sql.query<{ deviceId: string }>(
    `with chosen as (
       select scope.device_id from device_scope as scope join devices as device on device.id = scope.device_id
        where ${CONCERNED} order by device.last_contact_at desc nulls last, device.id limit $4),
     terms as (
       update device_trust set removal_terms = jsonb_build_object('delayMinutes', 0, 'removesApp',
                coalesce((item.settings ->> 'removeAppOnRemoval')::boolean, false)
                and not (scope.platform = 'macOS' and coalesce((item.settings ->> 'appComesFromElsewhere')::boolean, false)))
         from chosen join device_scope as scope using (device_id) join library_items as item on item.id = scope.library_item_id
        where device_trust.device_id = chosen.device_id returning 1),
     noted as (update platform_removals set portion_at = now(), status = 'removing' where id = $1 returning 1)
     insert into platform_removal_devices (removal_id, device_id) select $1, device_id from chosen returning device_id`,
    [id, integrationId, platform, devices],
  );
  return rows.map(({ deviceId }) => deviceId);
}

/** Devices that are in scope again. */
export async function giveBack(sql: Sql, id: string): Promise<string[]> {
  const rows = await sql.query<{ deviceId: string }>(
    `with back as (delete from platform_removal_devices where removal_id = $1 returning device_id),
     terms as (update device_trust set removal_terms = null from back where device_trust.device_id = back.device_id returning 1)
     select device_id from back`,
    [id],
  );
  return rows.map(({ deviceId }) => deviceId);
}

/** The platform, or the integration with everything that belongs to it alone; its secrets are destroyed, those of open rotations too. */
export async function deleteRemoved(
  sql: Sql,
  { integrationId, platform }: Pick<PlatformRemovalRow, 'integrationId' | 'platform'>,
): Promise<void> {
  const secrets = await sql.query<{ id: string }>(
    `with given_up as (
       update secret_rotations set status = 'abandoned', ended_at = now()
        where integration_id = $1 and ended_at is null and ($2::text is null or kind = $3) returning new_secret_id, old_secret_id)
     select secret_id as id from integration_platforms where integration_id = $1 and ($2::text is null or platform = $2)
     union select credentials_secret_id from integrations where id = $1 and $2::text is null
     union select new_secret_id from given_up union select old_secret_id from given_up`,
    [integrationId, platform, platform === 'macOS' ? 'challenge_password' : 'ios_secret_key'],
  );
  if (platform === null) {
    // A setup that is to change it has nothing to change any more.
    await sql.query(
      `update setups set status = 'abandoned', finished_at = now(), state = state || '{"status": "abandoned", "checking": false}'
        where integration_id = $1 and status = 'open'`,
      [integrationId],
    );
    await sql.query('delete from integrations where id = $1', [integrationId]);
  } else {
    await sql.query('delete from integration_platforms where integration_id = $1 and platform = $2', [
      integrationId,
      platform,
    ]);
    if (platform === 'macOS')
      await sql.query(
        `delete from connection_health where integration_id = $1 and connection in ('scep', 'challenge')`,
        [integrationId],
      );
    await sql.query('delete from automatic_reissues where integration_id = $1 and platform = $2', [
      integrationId,
      platform,
    ]);
    await sql.query('update integrations set changed_at = now() where id = $1', [integrationId]);
  }
  await sql.query('delete from secrets where id = any($1)', [secrets.map(({ id }) => id)]);
}

export interface UsersLosing {
  readonly total: number;
  /** In alphabetical order, a hundred at most. */
  readonly logins: readonly string[];
}

/** Users whom Okta counts as managed only through devices that the removal takes out of scope. */
export async function listUsersOfPlatform(
  sql: Sql,
  integrationId: string,
  platform: Platform | null,
): Promise<UsersLosing> {
  const rows = await sql.query<{ login: string; total: number }>(
    `with managed as (
       select person.value ->> 'login' as login,
              scope.integration_id = $1 and ($2::text is null or scope.platform = $2) as leaves
         from okta_devices as record
        cross join lateral jsonb_array_elements(record.users) as person(value)
         left join device_scope as scope on scope.device_id = record.device_id
        where record.integration_id = $1 and person.value ->> 'managementStatus' = 'MANAGED' and record.status in ('ACTIVE', 'UNSUSPENDED'))
     select login, (count(*) over ())::int as total from managed
      where login <> '' group by login having bool_and(coalesce(leaves, false)) order by login limit 100`,
    [integrationId, platform],
  );
  return { total: rows[0]?.total ?? 0, logins: rows.map(({ login }) => login) };
}
