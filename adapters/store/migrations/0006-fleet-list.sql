-- The device list over a large fleet: one narrow row a device, with everything that lists sort and filter by, kept by triggers.
-- Filters are of two tables and orders too: without it a page would join and sort the fleet.

-- What lists filter by in few values. A page of a filter is merged from the segments that fit it, each read in its order.
create table fleet_segments (
  id smallint generated always as identity primary key,
  family text not null,
  bucket text not null,
  phase text not null,
  unique (family, bucket, phase)
);

create table fleet_list (
  device_id uuid primary key references devices on delete cascade,
  segment smallint not null references fleet_segments,
  blueprint_id uuid,
  integration_id uuid,
  failure_code text,
  delivered boolean not null,
  certificate_present boolean not null,
  okta_verify_managed boolean not null,
  registered boolean not null,
  managed boolean not null,
  -- Orders. Text in lower case and by bytes, so that one index serves order and search; short, so that every name fits an index.
  name_key text collate "C" not null,
  serial_key text collate "C" not null,
  user_key text collate "C" not null,
  contact_at timestamptz not null, -- to the minute: a conversation of a device is many contacts
  certificate_not_after timestamptz not null,
  changed_at timestamptz not null -- when something that lists show last changed
) with (fillfactor = 90);

create view fleet_source as
  select device.id as device_id, device.family, coalesce(trust.bucket, 'out_of_scope') as bucket, coalesce(trust.phase, 'waiting') as phase,
         device.blueprint_id, trust.integration_id, trust.failure_code, coalesce(trust.delivered, false) as delivered,
         coalesce(trust.certificate_present, false) as certificate_present, coalesce(trust.okta_verify_managed, false) as okta_verify_managed,
         coalesce(trust.registered, false) as registered, coalesce(trust.managed, false) as managed,
         left(lower(coalesce(device.name, '')), 100) as name_key, left(lower(coalesce(device.serial_number, '')), 100) as serial_key,
         left(lower(coalesce(device.user_name, '')), 100) as user_key,
         coalesce(date_trunc('minute', device.last_contact_at), '-infinity') as contact_at,
         coalesce(trust.certificate_not_after, 'infinity') as certificate_not_after,
         coalesce(trust.changed_at, device.created_at) as changed_at
    from devices as device left join device_trust as trust on trust.device_id = device.id;

create function refresh_fleet_list(wanted uuid) returns void language plpgsql as $$
declare
  seen fleet_source%rowtype;
  place smallint;
begin
  -- First the lock, then the look: of two changes at once the second must see what the first has written.
  perform from fleet_list where device_id = wanted for update;
  select * into seen from fleet_source where device_id = wanted;
  if not found then return; end if;
  select id into place from fleet_segments where family = seen.family and bucket = seen.bucket and phase = seen.phase;
  if not found then
    insert into fleet_segments (family, bucket, phase) values (seen.family, seen.bucket, seen.phase) on conflict do nothing;
    select id into strict place from fleet_segments where family = seen.family and bucket = seen.bucket and phase = seen.phase;
  end if;
  insert into fleet_list as list values (
    seen.device_id, place, seen.blueprint_id, seen.integration_id, seen.failure_code, seen.delivered, seen.certificate_present,
    seen.okta_verify_managed, seen.registered, seen.managed, seen.name_key, seen.serial_key, seen.user_key, seen.contact_at,
    seen.certificate_not_after, seen.changed_at)
  on conflict (device_id) do update set
    segment = excluded.segment, blueprint_id = excluded.blueprint_id, integration_id = excluded.integration_id,
    failure_code = excluded.failure_code, delivered = excluded.delivered, certificate_present = excluded.certificate_present,
    okta_verify_managed = excluded.okta_verify_managed, registered = excluded.registered, managed = excluded.managed,
    name_key = excluded.name_key, serial_key = excluded.serial_key, user_key = excluded.user_key, contact_at = excluded.contact_at,
    certificate_not_after = excluded.certificate_not_after,
    changed_at = case when (list.segment, list.blueprint_id, list.integration_id, list.failure_code, list.delivered, list.certificate_present,
                            list.okta_verify_managed, list.registered, list.managed, list.name_key, list.serial_key, list.user_key,
                            list.certificate_not_after)
                           is distinct from
                           (excluded.segment, excluded.blueprint_id, excluded.integration_id, excluded.failure_code, excluded.delivered,
                            excluded.certificate_present, excluded.okta_verify_managed, excluded.registered, excluded.managed,
                            excluded.name_key, excluded.serial_key, excluded.user_key, excluded.certificate_not_after)
                      then now() else list.changed_at end -- a contact is no change
  where (list.segment, list.blueprint_id, list.integration_id, list.failure_code, list.delivered, list.certificate_present,
         list.okta_verify_managed, list.registered, list.managed, list.name_key, list.serial_key, list.user_key, list.contact_at,
         list.certificate_not_after)
        is distinct from
        (excluded.segment, excluded.blueprint_id, excluded.integration_id, excluded.failure_code, excluded.delivered,
         excluded.certificate_present, excluded.okta_verify_managed, excluded.registered, excluded.managed, excluded.name_key,
         excluded.serial_key, excluded.user_key, excluded.contact_at, excluded.certificate_not_after);
end $$;

create function list_changed_device() returns trigger language plpgsql as $$
begin
  perform refresh_fleet_list(new.id);
  return null;
end $$;
create function list_changed_trust() returns trigger language plpgsql as $$
begin
  perform refresh_fleet_list(case when tg_op = 'DELETE' then old.device_id else new.device_id end);
  return null;
end $$;

-- Deferred: the row of the list is locked last and shortly, so that it never stands between two transactions that lock both tables.
create constraint trigger devices_listed after insert on devices
  deferrable initially deferred for each row execute function list_changed_device();
create constraint trigger devices_relisted after update on devices
  deferrable initially deferred for each row
  when ((old.name, old.serial_number, old.user_name, old.family, old.blueprint_id, date_trunc('minute', old.last_contact_at, 'UTC'))
        is distinct from
        (new.name, new.serial_number, new.user_name, new.family, new.blueprint_id, date_trunc('minute', new.last_contact_at, 'UTC')))
  execute function list_changed_device();
create constraint trigger device_trust_listed after insert or delete on device_trust
  deferrable initially deferred for each row execute function list_changed_trust();
create constraint trigger device_trust_relisted after update on device_trust
  deferrable initially deferred for each row
  when ((old.bucket, old.phase, old.integration_id, old.failure_code, old.certificate_not_after, old.delivered, old.certificate_present,
         old.okta_verify_managed, old.registered, old.managed)
        is distinct from
        (new.bucket, new.phase, new.integration_id, new.failure_code, new.certificate_not_after, new.delivered, new.certificate_present,
         new.okta_verify_managed, new.registered, new.managed))
  execute function list_changed_trust();

insert into fleet_segments (family, bucket, phase) select distinct family, bucket, phase from fleet_source;
insert into fleet_list
  select seen.device_id, segment.id, seen.blueprint_id, seen.integration_id, seen.failure_code, seen.delivered, seen.certificate_present,
         seen.okta_verify_managed, seen.registered, seen.managed, seen.name_key, seen.serial_key, seen.user_key, seen.contact_at,
         seen.certificate_not_after, seen.changed_at
    from fleet_source as seen
    join fleet_segments as segment on (segment.family, segment.bucket, segment.phase) = (seen.family, seen.bucket, seen.phase);

-- Each order for itself, within a segment, within a segment of a blueprint, and within a cause of failure (few rows).
create index fleet_list_name on fleet_list (name_key, device_id);
create index fleet_list_serial on fleet_list (serial_key, device_id);
create index fleet_list_user on fleet_list (user_key, device_id);
create index fleet_list_contact on fleet_list (contact_at, device_id);
create index fleet_list_expiry on fleet_list (certificate_not_after, device_id);
create index fleet_list_change on fleet_list (changed_at, device_id);
create index fleet_list_segment_name on fleet_list (segment, name_key, device_id);
create index fleet_list_segment_serial on fleet_list (segment, serial_key, device_id);
create index fleet_list_segment_user on fleet_list (segment, user_key, device_id);
create index fleet_list_segment_contact on fleet_list (segment, contact_at, device_id);
create index fleet_list_segment_expiry on fleet_list (segment, certificate_not_after, device_id);
create index fleet_list_segment_change on fleet_list (segment, changed_at, device_id);
create index fleet_list_blueprint_name on fleet_list (blueprint_id, segment, name_key, device_id) where blueprint_id is not null;
create index fleet_list_blueprint_serial on fleet_list (blueprint_id, segment, serial_key, device_id) where blueprint_id is not null;
create index fleet_list_blueprint_user on fleet_list (blueprint_id, segment, user_key, device_id) where blueprint_id is not null;
create index fleet_list_blueprint_contact on fleet_list (blueprint_id, segment, contact_at, device_id) where blueprint_id is not null;
create index fleet_list_blueprint_expiry on fleet_list (blueprint_id, segment, certificate_not_after, device_id) where blueprint_id is not null;
create index fleet_list_blueprint_change on fleet_list (blueprint_id, segment, changed_at, device_id) where blueprint_id is not null;
create index fleet_list_failure_name on fleet_list (failure_code, name_key, device_id) where failure_code is not null;
create index fleet_list_failure_serial on fleet_list (failure_code, serial_key, device_id) where failure_code is not null;
create index fleet_list_failure_user on fleet_list (failure_code, user_key, device_id) where failure_code is not null;
create index fleet_list_failure_contact on fleet_list (failure_code, contact_at, device_id) where failure_code is not null;
create index fleet_list_failure_expiry on fleet_list (failure_code, certificate_not_after, device_id) where failure_code is not null;
create index fleet_list_failure_change on fleet_list (failure_code, changed_at, device_id) where failure_code is not null;

-- Nobody sorts by these tables any more; a contact of a device or a look at its trust then changes no index.
drop index devices_by_name, devices_by_serial, devices_by_user, devices_by_contact, devices_name_start, devices_serial_start, devices_user_start;
drop index device_trust_by_expiry, device_trust_by_change, device_trust_phase;

-- How many devices a blueprint has, kept.
alter table blueprints add column devices integer not null default 0;
update blueprints set devices = (select count(*) from devices where blueprint_id = blueprints.id);
create function count_blueprint_devices() returns trigger language plpgsql as $$
declare
  counted record;
begin
  -- A trigger's tables are there only for what it hears of.
  if tg_op = 'INSERT' then
    for counted in select blueprint_id as id, count(*)::int as delta from new_devices where blueprint_id is not null group by 1 order by 1 loop
      update blueprints set devices = devices + counted.delta where id = counted.id;
    end loop;
  elsif tg_op = 'DELETE' then
    for counted in select blueprint_id as id, count(*)::int as delta from old_devices where blueprint_id is not null group by 1 order by 1 loop
      update blueprints set devices = devices - counted.delta where id = counted.id;
    end loop;
  else
    for counted in
      select moved.id, sum(moved.delta)::int as delta from (
        select arrived.blueprint_id as id, 1 as delta from new_devices as arrived join old_devices as left_behind using (id)
         where arrived.blueprint_id is distinct from left_behind.blueprint_id
        union all
        select left_behind.blueprint_id, -1 from new_devices as arrived join old_devices as left_behind using (id)
         where arrived.blueprint_id is distinct from left_behind.blueprint_id) as moved
       where moved.id is not null group by moved.id having sum(moved.delta) <> 0 order by moved.id
    loop
      update blueprints set devices = devices + counted.delta where id = counted.id;
    end loop;
  end if;
  return null;
end $$;
create trigger devices_counted_in after insert on devices referencing new table as new_devices
  for each statement execute function count_blueprint_devices();
create trigger devices_counted_out after delete on devices referencing old table as old_devices
  for each statement execute function count_blueprint_devices();
create trigger devices_counted_moved after update on devices referencing old table as old_devices new table as new_devices
  for each statement execute function count_blueprint_devices();
