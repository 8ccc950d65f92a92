-- Where a device stands: who acts next, what cannot be reached, what has left (domain/trust-bucket.ts).
alter table devices
  add column return_asked_at timestamptz, -- an enrolled device asked to enroll again with another identity, and waits for an admin's word
  add column return_allowed_until timestamptz,
  add column return_allowed_by text;

alter table identity_certificates
  add column refused_code text; -- an enrollment with it was refused; it enrolls nothing any more

alter table device_trust drop constraint device_trust_bucket_check;
alter table device_trust add constraint device_trust_bucket_check
  check (bucket in ('trusted', 'in_progress', 'needs_user', 'needs_you', 'unreachable', 'left', 'out_of_scope'));

-- As before, and a device that has left is in no total.
create or replace function count_device_trust() returns trigger language plpgsql as $$
declare
  counted record;
begin
  for counted in
    select integration_id, name, sum(delta) as delta from (
      select new.integration_id, n.name, 1 as delta
        from (values ('total', new.bucket <> 'left'), ('delivered', new.delivered), ('certificatePresent', new.certificate_present),
                     ('oktaVerifyManaged', new.okta_verify_managed), ('registered', new.registered), ('managed', new.managed),
                     ('bucket:' || new.bucket, true)) as n(name, held)
       where tg_op <> 'DELETE' and new.integration_id is not null and n.held
      union all
      select old.integration_id, n.name, -1
        from (values ('total', old.bucket <> 'left'), ('delivered', old.delivered), ('certificatePresent', old.certificate_present),
                     ('oktaVerifyManaged', old.okta_verify_managed), ('registered', old.registered), ('managed', old.managed),
                     ('bucket:' || old.bucket, true)) as n(name, held)
       where tg_op <> 'INSERT' and old.integration_id is not null and n.held
    ) as changes group by integration_id, name having sum(delta) <> 0 order by integration_id, name
  loop
    insert into fleet_totals (integration_id, name, value) values (counted.integration_id, counted.name, counted.delta)
      on conflict (integration_id, name) do update set value = fleet_totals.value + excluded.value;
  end loop;
  return null;
end $$;
