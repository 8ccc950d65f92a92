// Okta's records of devices as last seen, and which device of Odette each belongs to.
// Long, because a record, its matches and the traces in it are written by the same statements and change together.
import { matchRecords, type MatchableDevice, type OktaRecord } from '../../../domain/okta-matching.ts';
import type { OktaFacts, OktaUser, OktaMatch } from '../../../domain/okta-finding.ts';
import type { SignInTraces } from '../../../domain/certificate-use.ts';
import type { Sql } from '../base/database.ts';

/** A record as Okta told it. */
export interface SeenOktaDevice {
  readonly id: string;
  readonly platform: string;
  readonly serialNumber?: string;
  readonly udid?: string;
  readonly model?: string;
  readonly osVersion?: string;
  readonly displayName: string;
  readonly status: string;
  readonly registered: boolean;
  readonly users: readonly {
    readonly id: string;
    readonly login: string;
    readonly managementStatus: string;
  }[];
  readonly created: string;
  readonly lastUpdated: string;
}

const asTime = (text: string): Date => {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? new Date(0) : time;
};

const KEPT = `platform, serial_number, udid, model, os_version, display_name, status, registered, users, created_at, last_updated_at`;
const persistedOf = (table: string): string =>
  KEPT.split(', ')
    .map((column) => `${table}.${column}`)
    .join(', ');

/**
 * Returns the ids of the records that are new or differ from what was kept. The others are not touched, not even locked.
 * @param alsoUnchanged they were read by id: when is kept
 */
export async function upsertOktaDevices(
  sql: Sql,
  integrationId: string,
  devices: readonly SeenOktaDevice[],
  observedAt: Date,
  alsoUnchanged = false,
): Promise<string[]> {
  if (devices.length === 0) return [];
  const rows = devices.map((device) => ({
    okta_id: device.id,
    platform: device.platform,
    serial_number: device.serialNumber ?? null,
    udid: device.udid ?? null,
    model: device.model ?? null,
    os_version: device.osVersion ?? null,
    display_name: device.displayName,
    status: device.status,
    registered: device.registered,
    // In one order, so that the same users are no change.
    users: [...device.users].sort((one, other) => (one.id < other.id ? -1 : 1)),
    created_at: asTime(device.created),
    last_updated_at: asTime(device.lastUpdated),
  }));
  // The time up to which an unchanged record is known to have been as it is kept: that of the last list that was whole.
  const written = await sql.query<{ id: string }>(
    `with seen as materialized (
       select seen.*, known.okta_id is null or (${persistedOf('seen')}) is distinct from (${persistedOf('known')}) as differs,
              known.unlisted_at is not null as was_unlisted
         from jsonb_to_recordset($2::jsonb) as seen (okta_id text, platform text, serial_number text, udid text, model text, display_name text,
              status text, registered boolean, users jsonb, created_at timestamptz, last_updated_at timestamptz, os_version text)
         left join okta_devices as known on known.integration_id = $1 and known.okta_id = seen.okta_id),
     written as (
     insert into okta_devices (integration_id, okta_id, ${KEPT}, observed_at)
       select $1, okta_id, ${KEPT}, $3 from seen where differs or was_unlisted or $4
     on conflict (integration_id, okta_id) do update set platform = excluded.platform, serial_number = excluded.serial_number,
       udid = excluded.udid, model = excluded.model, display_name = excluded.display_name, status = excluded.status,
       registered = excluded.registered, users = excluded.users, created_at = excluded.created_at,
       last_updated_at = excluded.last_updated_at, os_version = excluded.os_version, observed_at = excluded.observed_at, unlisted_at = null,
       unmanaged_seen_at = case when exists (
           select from jsonb_array_elements(okta_devices.users) as before join jsonb_array_elements(excluded.users) as after
             on before ->> 'id' = after ->> 'id'
            where before ->> 'managementStatus' <> 'MANAGED' and after ->> 'managementStatus' = 'MANAGED')
         then case when okta_devices.unlisted_at is null
                then greatest(okta_devices.observed_at, (select whole_at from okta_reads where integration_id = $1)) else okta_devices.observed_at end
         else okta_devices.unmanaged_seen_at end,
       unexplained_at = case when excluded.last_updated_at > okta_devices.last_updated_at
           and (excluded.status, excluded.registered, excluded.display_name, excluded.os_version, excluded.users)
               is not distinct from
               (okta_devices.status, okta_devices.registered, okta_devices.display_name, okta_devices.os_version, okta_devices.users)
         then excluded.last_updated_at else okta_devices.unexplained_at end)
     select okta_id as id from seen where differs`,
    [integrationId, JSON.stringify(rows), observedAt, alsoUnchanged],
  );
  return written.map(({ id }) => id);
}

/** What the System Log says of first uses of certificates. Returns the devices that they are about. */
export async function saveBindings(
  sql: Sql,
  integrationId: string,
  bindings: readonly {
    readonly oktaId: string;
    readonly serialNumber: string | null;
    readonly at: string;
  }[],
): Promise<string[]> {
  if (bindings.length === 0) return [];
  const rows = await sql.query<{ deviceId: string | null }>(
    `update okta_devices as record set bound_at = seen.at, bound_serial_number = seen.serial_number
       from (select distinct on ("oktaId") "oktaId" as okta_id, at, "serialNumber" as serial_number
               from jsonb_to_recordset($2::jsonb) as event ("oktaId" text, at timestamptz, "serialNumber" text)
              order by "oktaId", at desc) as seen
      where record.integration_id = $1 and record.okta_id = seen.okta_id
        and (record.bound_at is null or record.bound_at < seen.at)
      returning record.device_id`,
    [integrationId, JSON.stringify(bindings)],
  );
  return rows.flatMap(({ deviceId }) => (deviceId === null ? [] : [deviceId]));
}

/** Devices that are shown as registered and have no such record, or the other way round: they were not derived again since. */
export async function findOutdatedDevices(sql: Sql, integrationId: string): Promise<string[]> {
  const rows = await sql.query<{ deviceId: string }>(
    `select trust.device_id from device_trust as trust
      where trust.integration_id = $1
        and trust.registered <> exists (
          select from okta_devices as record
           where record.device_id = trust.device_id and record.integration_id = $1 and record.registered and record.status in ('ACTIVE', 'UNSUSPENDED'))
      order by trust.device_id`,
    [integrationId],
  );
  return rows.map(({ deviceId }) => deviceId);
}

/** What a look-up begins with: the device's model, and the record that it has. */
export async function findLookUp(
  sql: Sql,
  integrationId: string,
  deviceId: string,
): Promise<{ readonly model: string | null; readonly knownIds: readonly string[] }> {
  const [row] = await sql.query<{ model: string | null; knownIds: string[] }>(
    `select model, array(select okta_id from okta_devices where integration_id = $1 and device_id = $2) as known_ids
       from devices where id = $2`,
    [integrationId, deviceId],
  );
  return row ?? { model: null, knownIds: [] };
}

/** Keeps a page of a list. Returns the devices of which something changed; a page on which nothing changed costs no write. */
export async function saveListed(
  sql: Sql,
  integrationId: string,
  devices: readonly SeenOktaDevice[],
  observedAt: Date,
): Promise<string[]> {
  const changed = new Set(await upsertOktaDevices(sql, integrationId, devices, observedAt));
  const { candidates, moved } = await matchAnew(sql, integrationId, devices, []);
  const news = [...devices.filter(({ id }) => changed.has(id)), ...moved];
  return candidates.filter((device) => news.some((record) => isAbout(record, device))).map(idOf);
}

/**
 * Keeps what Okta said of records when they were asked for by id, forgets those that are gone, and matches them and the devices `also`
 * anew. Returns the devices of which something may have changed.
 */
export async function saveConfirmed(
  sql: Sql,
  integrationId: string,
  confirmed: { readonly present: readonly SeenOktaDevice[]; readonly gone: readonly string[] },
  observedAt: Date,
  also: readonly string[] = [],
): Promise<string[]> {
  const gone =
    confirmed.gone.length === 0
      ? []
      : await sql.query<Traces & { readonly deviceId: string | null }>(
          `delete from okta_devices where integration_id = $1 and okta_id = any ($2)
           returning okta_id as id, platform, serial_number, users, device_id`,
          [integrationId, confirmed.gone],
        );
  await upsertOktaDevices(sql, integrationId, confirmed.present, observedAt, true);
  const owners = gone.flatMap(({ deviceId }) => (deviceId === null ? [] : [deviceId]));
  const named = [...also, ...owners];
  const touched = await rematch(sql, integrationId, [...confirmed.present, ...gone], named);
  return [...new Set([...named, ...touched])];
}

/** By what a record tells whose it could be. */
type Traces = Pick<SeenOktaDevice, 'id' | 'platform' | 'users'> & { readonly serialNumber?: string | null };

const MATCHABLE = `device.id as device_id, device.platform, device.serial_number, device.udid, device.model, device.user_name,
  (select extract(epoch from acknowledged_at) * 1000 from sent_profiles
    where device_id = device.id and kind = 'app_configuration' and acknowledged_at >= device.enrolled_at)::float8 as configured_at_ms`;

/** Devices of this integration's scope that the given records could be about. */
async function findCandidates(
  sql: Sql,
  integrationId: string,
  serialNumbers: readonly string[],
  logins: readonly string[],
): Promise<MatchableDevice[]> {
  return sql.query<MatchableDevice>(
    // Each by its index, and its scope looked up for it alone (`offset 0`): joined, each page read the whole fleet.
    `with named as materialized (
       select ${MATCHABLE} from devices as device where lower(device.serial_number) = any ($2::text[]) and device.platform = 'macOS'
       union all
       select ${MATCHABLE} from devices as device where lower(device.user_name) = any ($3::text[]) and device.platform = 'iOS')
     select named.* from named cross join lateral (
       select from device_scope as scope
        where scope.device_id = named.device_id and scope.integration_id = $1 and scope.is_switched_on offset 0) as one`,
    [integrationId, serialNumbers, logins],
  );
}

/** Devices that have one of these records, or are named. */
async function findOwners(
  sql: Sql,
  integrationId: string,
  oktaIds: readonly string[],
  also: readonly string[],
): Promise<Pick<MatchableDevice, 'deviceId' | 'serialNumber' | 'userName'>[]> {
  return sql.query(
    `select id as device_id, serial_number, user_name from devices
      where id = any (array(select device_id from okta_devices where integration_id = $1 and okta_id = any ($2)) || $3::uuid[])`,
    [integrationId, oktaIds, also],
  );
}

/** With whose it is so far. */
interface KnownRecord extends OktaRecord {
  readonly deviceId: string | null;
  readonly match: OktaMatch | null;
}

async function findRecords(
  sql: Sql,
  integrationId: string,
  devices: readonly MatchableDevice[],
): Promise<KnownRecord[]> {
  return sql.query<KnownRecord>(
    // No join: planned from statistics of a table that was empty, it compared each wanted value with each record.
    `select okta_id, device_id, match, platform, serial_number, udid, model, status,
            coalesce((select array_agg(each ->> 'login') from jsonb_array_elements(users) as each), '{}') as logins,
            (extract(epoch from created_at) * 1000)::float8 as created_at_ms
       from okta_devices
      where integration_id = $1
        and (lower(serial_number) = any ($2::text[]) or device_id = any ($3::uuid[]) or (platform = 'IOS' and okta_logins(users) && $4::text[]))`,
    [
      integrationId,
      devices.flatMap(({ serialNumber }) => (serialNumber === null ? [] : [serialNumber.toLowerCase()])),
      devices.map(({ deviceId }) => deviceId),
      devices.flatMap(({ userName }) => (userName === null ? [] : [userName.toLowerCase()])),
    ],
  );
}

/** A record that belongs to another device now, or to none, or is told by other means. */
interface Moved extends Traces {
  readonly deviceId: string | null;
  readonly previousId: string | null;
}

const idOf = ({ deviceId }: MatchableDevice): string => deviceId;

/** Whether the record is the device's, was, or could be. */
function isAbout(record: Traces | Moved, device: MatchableDevice): boolean {
  if ('previousId' in record && [record.previousId, record.deviceId].includes(device.deviceId)) return true;
  const { platform, serialNumber, users } = record;
  if (platform.toLowerCase() !== device.platform.toLowerCase()) return false;
  return device.platform === 'macOS'
    ? serialNumber?.toLowerCase() === device.serialNumber?.toLowerCase()
    : users.some(({ login }) => login.toLowerCase() === device.userName?.toLowerCase());
}

/**
 * Matches anew whatever the given records could be about, and the devices `also`. Returns the devices that have a record now or had
 * one: what is shown of them may have changed.
 */
export async function rematch(
  sql: Sql,
  integrationId: string,
  seen: readonly Traces[],
  also: readonly string[] = [],
): Promise<string[]> {
  return (await matchAnew(sql, integrationId, seen, also)).candidates.map(idOf);
}

async function matchAnew(
  sql: Sql,
  integrationId: string,
  seen: readonly Traces[],
  also: readonly string[],
): Promise<{ readonly candidates: readonly MatchableDevice[]; readonly moved: readonly Moved[] }> {
  const owners = await findOwners(
    sql,
    integrationId,
    seen.map(({ id }) => id),
    also,
  );
  const serialNumbers = [...seen, ...owners].flatMap(({ serialNumber }) =>
    serialNumber === undefined || serialNumber === null ? [] : [serialNumber.toLowerCase()],
  );
  const logins = [
    ...seen.flatMap(({ users }) => users.map(({ login }) => login.toLowerCase())),
    ...owners.flatMap(({ userName }) => (userName === null ? [] : [userName.toLowerCase()])),
  ];
  const candidates = await findCandidates(sql, integrationId, serialNumbers, logins);
  if (candidates.length === 0) return { candidates, moved: [] };
  const records = await findRecords(sql, integrationId, candidates);
  const matches = new Map(matchRecords(records, candidates).map((each) => [each.oktaId, each]));
  // A record that cannot be told apart belongs to nobody: findOktaFacts finds it by user and model.
  const assigned = records.flatMap(({ oktaId, ...known }) => {
    const matched = matches.get(oktaId);
    const deviceId = matched === undefined || matched.match === 'ambiguous' ? null : matched.deviceId;
    const match = matched?.match ?? null;
    return deviceId === known.deviceId && match === known.match
      ? []
      : [{ oktaId, deviceId, match, previousId: known.deviceId }];
  });
  if (assigned.length === 0) return { candidates, moved: [] };
  const moved = await sql.query<Moved>(
    `update okta_devices as record set device_id = assigned.device_id::uuid, match = assigned.match
       from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as assigned (okta_id, device_id, match, previous_id)
      where record.integration_id = $1 and record.okta_id = assigned.okta_id
     returning record.okta_id as id, record.platform, record.serial_number, record.users, record.device_id, assigned.previous_id`,
    [
      integrationId,
      assigned.map(({ oktaId }) => oktaId),
      assigned.map(({ deviceId }) => deviceId),
      assigned.map(({ match }) => match),
      assigned.map(({ previousId }) => previousId),
    ],
  );
  return { candidates, moved };
}

export type OktaFactsJson = {
  readonly match: OktaMatch;
  readonly registered: boolean;
  readonly status: string;
  readonly users: readonly OktaUser[];
  readonly lastUpdatedAtMs: number;
} & Omit<SignInTraces, 'isManaged'>;

const milliseconds = (column: string): string => `(extract(epoch from record.${column}) * 1000)::float8`;

/** SQL, of the `device` for the integration of its `item`: its own record as JSON, or one of several that cannot be told apart. */
export const OKTA_FACTS = `(
  select jsonb_build_object('match', record.match, 'registered', record.registered, 'status', record.status, 'users', record.users,
           'lastUpdatedAtMs', ${milliseconds('last_updated_at')}, 'createdAtMs', ${milliseconds('created_at')},
           'unmanagedSeenAtMs', ${milliseconds('unmanaged_seen_at')}, 'unexplainedAtMs', ${milliseconds('unexplained_at')},
           'boundAtMs', ${milliseconds('bound_at')}, 'boundSerialNumber', record.bound_serial_number)
    from (select * from okta_devices where device_id = device.id
          union all
          select * from okta_devices as ambiguous
           where device.platform = 'iOS' and ambiguous.platform = 'IOS' and okta_logins(ambiguous.users) && array[lower(device.user_name)]
             and ambiguous.match = 'ambiguous' and lower(ambiguous.model) = lower(device.model)) as record
   where record.integration_id = item.integration_id
   order by record.device_id nulls last limit 1)`;

export function oktaFactsOf(json: OktaFactsJson | null): SeenOktaFacts | null {
  if (json === null) return null;
  const { match, registered, status, users, lastUpdatedAtMs, ...traces } = json;
  const isManaged = users.some(({ managementStatus }) => managementStatus === 'MANAGED');
  return { match, registered, status, users, lastUpdatedAtMs, traces: { ...traces, isManaged } };
}

/** What Okta says of a device: its own record, or that there are several which cannot be told apart. */
export async function findOktaFacts(
  sql: Sql,
  deviceId: string,
  integrationId: string,
): Promise<SeenOktaFacts | null> {
  const [row] = await sql.query<{ facts: OktaFactsJson | null }>(
    `select ${OKTA_FACTS} as facts from devices as device cross join (select $2::uuid as integration_id) as item where device.id = $1`,
    [deviceId, integrationId],
  );
  return oktaFactsOf(row?.facts ?? null);
}

export interface SeenOktaFacts extends OktaFacts {
  readonly traces: SignInTraces;
}
