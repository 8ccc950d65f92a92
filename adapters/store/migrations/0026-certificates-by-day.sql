-- Current certificates by the days on which they begin and end: a calendar of renewals must not count a fleet.
create table certificate_days (
  integration_id uuid not null references integrations on delete cascade,
  begins date not null,
  ends date not null,
  certificates int not null,
  primary key (integration_id, begins, ends)
);

create function certificate_day(moment timestamptz) returns date language sql immutable
  return (moment at time zone 'UTC')::date;

create function count_certificate_days() returns trigger language plpgsql as $$
begin
  -- The newer day first: whoever renews adds to today and takes from a day before, so that two never wait for each other.
  if tg_op <> 'DELETE' and new.state = 'proven' and new.not_before is not null and new.not_after is not null then
    insert into certificate_days as days values (new.integration_id, certificate_day(new.not_before), certificate_day(new.not_after), 1)
      on conflict (integration_id, begins, ends) do update set certificates = days.certificates + 1;
  end if;
  if tg_op <> 'INSERT' and old.state = 'proven' and old.not_before is not null and old.not_after is not null then
    update certificate_days set certificates = certificates - 1
     where integration_id = old.integration_id and begins = certificate_day(old.not_before) and ends = certificate_day(old.not_after);
  end if;
  return null;
end $$;

-- Deferred: the row of a day, which a whole fleet may share, is locked last and shortly.
create constraint trigger certificate_counted after insert or delete on certificate_deliveries
  deferrable initially deferred for each row execute function count_certificate_days();
create constraint trigger certificate_recounted after update on certificate_deliveries
  deferrable initially deferred for each row
  when ((old.state, old.integration_id, old.not_before, old.not_after) is distinct from (new.state, new.integration_id, new.not_before, new.not_after))
  execute function count_certificate_days();

insert into certificate_days
  select integration_id, certificate_day(not_before), certificate_day(not_after), count(*) from certificate_deliveries
   where state = 'proven' and not_before is not null and not_after is not null group by 1, 2, 3;
