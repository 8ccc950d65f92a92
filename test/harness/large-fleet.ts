// A fleet of any size in the tables, by SQL: as a real one would be, names, serial numbers and dates go with families, users, blueprints
// and states. Lists that are only fast while nothing goes with anything would not show it on random rows.
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import { seedFleet } from './seeded-fleet.ts';
import type { Sealer } from '../../domain/sealer.ts';

export interface LargeFleet {
  /** By size: the first holds a sixth of the fleet. */
  readonly blueprints: readonly string[];
  readonly integrationId: string;
}

const BLUEPRINTS = 200;
/** One of the commonest and one of the rarest causes, by share of the failed. */
export const CAUSES = [
  'mdm.device_silent',
  'mdm.profile_refused',
  'scep.enrollment_failed',
  'apps_and_books.no_license_left',
];

export async function addLargeFleet(
  database: Database,
  sealer: Sealer,
  devices: number,
): Promise<LargeFleet> {
  const { ids } = await seedFleet(database, sealer);
  const integrationId = ids['integrations'] ?? '';
  await database.query(
    `insert into blueprints (name) select 'city' || lpad(place::text, 3, '0') from generate_series(1, $1::int) as place`,
    [BLUEPRINTS],
  );
  // Triggers row by row are for the product; a large fleet is filled in as a whole.
  await database.inTransaction(async (sql) => {
    await sql.query('select setseed(0.42)');
    await sql.query('set local session_replication_role = replica');
    await withoutIndexes(sql, 'devices', () => sql.query(DEVICES, [devices, BLUEPRINTS]));
    await withoutIndexes(sql, 'device_trust', () => sql.query(TRUST, [integrationId, CAUSES]));
    await withoutIndexes(sql, 'certificate_deliveries', () => sql.query(DELIVERIES, [integrationId]));
    await sql.query(
      `insert into certificate_days
         select integration_id, certificate_day(not_before), certificate_day(not_after), count(*) from certificate_deliveries
          where id like 'large%' group by 1, 2, 3
       on conflict (integration_id, begins, ends) do update set certificates = certificate_days.certificates + excluded.certificates`,
    );
    await sql.query('analyze devices, device_trust');
    await withoutIndexes(sql, 'fleet_list', () => sql.query(LIST));
    await sql.query('delete from fleet_totals');
    await sql.query(TOTALS);
    await sql.query('delete from blueprint_devices');
    await sql.query(
      `insert into blueprint_devices
         select blueprint_id, 0, count(*) from devices where blueprint_id is not null group by blueprint_id`,
    );
  });
  const filled = [
    'devices',
    'device_trust',
    'certificate_deliveries',
    'fleet_list',
    'fleet_segments',
    'blueprints',
    'blueprint_devices',
  ];
  for (const table of filled) await database.query(`vacuum analyze ${table}`);
  const rows = await database.query<{ id: string }>(
    'select id from blueprints order by devices_in_blueprint(id) desc, id',
  );
  return { blueprints: rows.map(({ id }) => id), integrationId };
}

const DEVICES = `
  with drawn as (
    select place, random() as family, random() as hand, power(random(), 3) as blueprint, random() as first, random() as contact
      from generate_series(1, $1::int) as place),
  named as (
    select place, hand, contact, case when family < 0.6 then 'Mac' when family < 0.88 then 'iPhone' else 'iPad' end as family,
           'city' || lpad((1 + floor(blueprint * $2::int))::text, 3, '0') as city,
           (array['ada', 'bjarne', 'chen', 'dana', 'edsger', 'frances', 'grace', 'hedy', 'ivan', 'joan', 'ken', 'lynn', 'margaret', 'niklaus',
                  'olga', 'peter', 'radia', 'sophie', 'tim', 'ursula', 'vint', 'whitfield', 'xiao', 'yukihiro', 'zoe'])[1 + floor(first * 25)::int] as first
      from drawn)
  insert into devices (family, platform, udid, serial_number, name, model, os_version, is_supervised, user_name, blueprint_id, channel_id,
                       enrollment_status, enrollment_id, identity_fingerprint, enrolled_at, last_contact_at)
  select family, case when family = 'Mac' then 'macOS' else 'iOS' end, 'LARGE-' || place,
         case family when 'Mac' then 'C02' when 'iPhone' then 'F4G' else 'DMP' end || upper(substr(md5(place::text), 1, 9)),
         case family when 'Mac' then first || '-mac-' || lpad(place::text, 7, '0') when 'iPhone' then 'iPhone of ' || first || ' ' || place
                     else city || '-ipad-' || lpad(place::text, 7, '0') end,
         case family when 'Mac' then 'Mac15,3' when 'iPhone' then 'iPhone17,1' else 'iPad16,3' end, '26.1', hand < 0.9,
         first || '.' || substr(md5('u' || place), 1, 6) || '@acme.example', blueprint.id, channel.id, 'enrolled', gen_random_uuid(),
         sha256(convert_to('large ' || place, 'UTF8')), now() - interval '1 year', now() - interval '3 days' * contact
    from named join blueprints as blueprint on blueprint.name = named.city
    left join channels as channel on channel.kind = case when hand < 0.2 then 'nanomdm' when hand < 0.21 then 'fleet' end`;

// Ninety of a hundred are trusted; those that failed are long silent, and only Macs have a certificate.
const TRUST = `
  with drawn as (
    select id, family, random() as state, random() as step, random() as cause, random() as due, random() as change
      from devices where udid like 'LARGE-%'),
  placed as (
    select id, family, step, cause, due, change,
           case when state < 0.9 then 'trusted' when state < 0.94 then 'needs_user' when state < 0.965 then 'in_progress'
                when state < 0.98 then 'needs_you' else 'out_of_scope' end as bucket from drawn)
  insert into device_trust (device_id, integration_id, bucket, delivered, certificate_present, okta_verify_managed, registered, managed, phase,
                            waits_for, failure_code, certificate_not_after, verified_at, trusted_at, changed_at)
  select id, case when bucket <> 'out_of_scope' then $1::uuid end, bucket, bucket in ('trusted', 'needs_user'),
         case when family = 'Mac' then bucket in ('trusted', 'needs_user') end, bucket in ('trusted', 'needs_user'),
         bucket = 'trusted' or (bucket = 'needs_user' and step < 0.3), bucket = 'trusted',
         case bucket when 'trusted' then 'delivered' when 'needs_user' then 'delivered' when 'needs_you' then 'failed'
                     when 'out_of_scope' then 'out_of_scope'
                     else (array['asking_device', 'certificate', 'profiles', 'waiting_for_license', 'app'])[1 + floor(step * 5)::int] end,
         case when bucket <> 'trusted' then 'What it waits for, in one sentence.' end,
         case when bucket = 'needs_you' then ($2::text[])[1 + floor(power(cause, 4) * 4)::int] end,
         case when family = 'Mac' and bucket in ('trusted', 'needs_user') then now() + interval '365 days' * due end,
         now() - interval '1 day' * change, case when bucket = 'trusted' then now() - interval '200 days' * change end,
         case when bucket = 'trusted' then now() - interval '200 days' * change else now() - interval '1 day' * change end
    from placed`;

// Each certificate lives a year; it was proven when it came.
const DELIVERIES = `
  insert into certificate_deliveries (id, device_id, integration_id, slot, payload_uuid, command_uuid, state, challenge_fetched_at, serial_number,
                                      issuer, not_before, not_after, proven_at, created_at)
  select 'large' || device_id, device_id, $1, 'a', gen_random_uuid(), gen_random_uuid(), 'proven', begun, md5(device_id::text), 'CN=Okta', begun,
         certificate_not_after, begun, begun
    from device_trust cross join lateral (select certificate_not_after - interval '365 days' as begun) as life
   where certificate_not_after is not null and integration_id = $1`;

const TOTALS = `
  insert into fleet_totals (integration_id, name, value)
  select integration_id, n.name, count(*) from device_trust as trust
   cross join lateral (values ('total', true), ('delivered', delivered), ('certificatePresent', certificate_present),
                              ('certificateApplies', certificate_present is not null),
                              ('oktaVerifyManaged', okta_verify_managed), ('registered', registered), ('managed', managed),
                              ('bucket:' || bucket, true)) as n (name, held)
   where integration_id is not null and n.held group by 1, 2`;

const LIST = `
  with known as (
    insert into fleet_segments (family, bucket, phase, obstacle, channel)
    select distinct family, bucket, phase, obstacle, channel from fleet_source
    on conflict do nothing returning id, family, bucket, phase, obstacle, channel),
  segments as (select * from known union select id, family, bucket, phase, obstacle, channel from fleet_segments)
  insert into fleet_list
  select seen.device_id, segments.id, blueprint_id, integration_id, failure_code, delivered, certificate_present, okta_verify_managed,
         registered, managed, name_key, serial_key, user_key, contact_at, certificate_not_after, changed_at
    from fleet_source as seen join segments using (family, bucket, phase, obstacle, channel)
   where seen.device_id not in (select device_id from fleet_list)`;

/** They are made after the rows, in order: many times faster than row by row. Those that stand for a constraint stay. */
async function withoutIndexes(sql: Sql, table: string, fill: () => Promise<unknown>): Promise<void> {
  const indexes = await sql.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes
      where tablename = $1 and not exists (select from pg_constraint where conname = indexname)`,
    [table],
  );
  for (const { name } of indexes) await sql.query(`drop index ${name}`);
  await fill();
  for (const { definition } of indexes) await sql.query(definition);
}
