-- Replays of failed rollouts: which devices, why, how far they are, and where one was stopped.
create table replays (
  id uuid primary key default gen_random_uuid(),
  started_at timestamptz not null default now(),
  started_by text not null,
  reason text,
  failure_code text, -- the cause whose whole group was replayed
  stopped_at timestamptz,
  stopped_by text
);
create index replays_started on replays (started_at desc);

create table replay_devices (
  replay_id uuid not null references replays on delete cascade,
  device_id uuid not null references devices on delete cascade,
  outbox_id uuid not null,
  run_before text, -- the device's last run until then: every other one came of this replay
  withdrawn boolean not null default false, -- stopped before Temporal was told
  primary key (replay_id, device_id)
);
create index replay_devices_outbox on replay_devices (outbox_id);
