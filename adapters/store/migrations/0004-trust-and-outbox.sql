-- Trust (five truths), rollouts' outcomes, Okta's device records, kept totals, the outbox to Temporal.

create table device_truths (
  device_id uuid not null references devices on delete cascade,
  truth text not null check (truth in ('delivered', 'certificatePresent', 'oktaVerifyManaged', 'registered', 'managed')),
  state text not null check (state in ('held', 'not_held', 'not_applicable', 'unknown')),
  evidence text not null,
  at timestamptz not null, -- when the evidence was seen
  since timestamptz not null, -- when the state last changed
  primary key (device_id, truth)
);

-- One row per device: what lists filter by and totals are kept from.
create table device_trust (
  device_id uuid primary key references devices on delete cascade,
  integration_id uuid references integrations on delete set null, -- null: not in scope of a switched-on item
  bucket text not null default 'in_progress' check (bucket in ('trusted', 'waiting_for_sign_in', 'in_progress', 'failed', 'out_of_scope')),
  delivered boolean not null default false,
  certificate_present boolean not null default false,
  okta_verify_managed boolean not null default false,
  registered boolean not null default false,
  managed boolean not null default false,
  phase text not null default 'waiting', -- domain/rollout-plan.ts RolloutPhase
  waits_for text, -- one sentence: what the device waits for and who acts next
  failure_code text,
  certificate_not_after timestamptz,
  app_refusals integer not null default 0, -- the user refused Okta Verify so often since it was last managed
  app_refused_at timestamptz,
  verified_at timestamptz, -- desired state last verified on the device
  trusted_at timestamptz,
  changed_at timestamptz not null default now()
);
create index device_trust_bucket on device_trust (bucket, device_id);
create index device_trust_verified on device_trust (integration_id, verified_at);

create table fleet_totals (
  integration_id uuid not null,
  name text not null, -- total | delivered | certificatePresent | oktaVerifyManaged | registered | managed | bucket:<bucket>
  value bigint not null default 0,
  primary key (integration_id, name)
);

create function count_device_trust() returns trigger language plpgsql as $$
declare
  counted record;
begin
  for counted in
    select integration_id, name, sum(delta) as delta from (
      select new.integration_id, n.name, 1 as delta
        from (values ('total', true), ('delivered', new.delivered), ('certificatePresent', new.certificate_present),
                     ('oktaVerifyManaged', new.okta_verify_managed), ('registered', new.registered), ('managed', new.managed),
                     ('bucket:' || new.bucket, true)) as n(name, held)
       where tg_op <> 'DELETE' and new.integration_id is not null and n.held
      union all
      select old.integration_id, n.name, -1
        from (values ('total', true), ('delivered', old.delivered), ('certificatePresent', old.certificate_present),
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
create trigger device_trust_counted after insert or update or delete on device_trust for each row execute function count_device_trust();

-- What happened to a device, in product words: the timeline.
create table device_timeline (
  id bigint generated always as identity primary key,
  device_id uuid not null references devices on delete cascade,
  at timestamptz not null default now(),
  kind text not null, -- e.g. enrolled, rollout_started, profile_delivered, certificate_proven, rollout_failed
  text text not null,
  detail jsonb not null default '{}'
);
create index device_timeline_device on device_timeline (device_id, id desc);

create table rollout_runs (
  run_id text primary key,
  device_id uuid not null references devices on delete cascade,
  workflow_id text not null,
  started_at timestamptz not null,
  closed_at timestamptz,
  outcome text check (outcome in ('completed', 'failed')),
  failure_code text
);
create index rollout_runs_device on rollout_runs (device_id, started_at desc);

create table okta_devices (
  integration_id uuid not null references integrations on delete cascade,
  okta_id text not null,
  platform text not null,
  serial_number text,
  udid text,
  model text,
  display_name text,
  status text not null,
  registered boolean not null,
  users jsonb not null, -- [{id, login, managementStatus}]
  created_at timestamptz not null,
  last_updated_at timestamptz not null,
  observed_at timestamptz not null,
  device_id uuid references devices on delete set null,
  match text, -- serial_number | user_and_model | ambiguous
  primary key (integration_id, okta_id)
);
create index okta_devices_serial on okta_devices (integration_id, serial_number);
create index okta_devices_device on okta_devices (device_id);

-- What Temporal must be told. Written in the transaction of the change; delivered by the relay at least once, in order for each key.
create table outbox (
  id uuid primary key default gen_random_uuid(), -- the event id by which workflows drop duplicates
  ordering_key text not null, -- the device, or the setup
  position bigint generated always as identity,
  message jsonb not null, -- domain/outbox-message.ts
  created_at timestamptz not null default now(),
  claimed_until timestamptz,
  attempts integer not null default 0,
  delivered_at timestamptz,
  outcome text -- delivered | started | gone
);
create index outbox_waiting on outbox (ordering_key, position) where delivered_at is null;
create index outbox_oldest on outbox (position) where delivered_at is null;
create index outbox_delivered on outbox (delivered_at) where delivered_at is not null;
