-- Instance settings, sealed secrets, people, audit trail, stored events.

create table instance_settings (
  name text primary key,
  value jsonb not null,
  set_at timestamptz not null default now()
);

-- Proves that the key ring opens what was sealed here.
create table key_canary (
  singleton boolean primary key default true check (singleton),
  sealed bytea not null
);

-- A secret is known by its handle (id) everywhere; its value is only ever here, sealed. A new value is a new version.
create table secrets (
  id uuid primary key default gen_random_uuid(),
  kind text not null, -- okta_client_secret | okta_private_key | challenge_password | ios_secret_key | push_key | apps_and_books_token | authority_key | profile_signing_key
  version integer not null default 1,
  key_id text not null,
  sealed bytea not null,
  set_by text not null,
  set_at timestamptz not null default now(),
  last_used_at timestamptz
);

create table people (
  id uuid primary key default gen_random_uuid(),
  name text not null unique,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  password_hash text,
  is_local boolean not null default false,
  created_at timestamptz not null default now(),
  disabled_at timestamptz
);

create table sessions (
  id_hash bytea primary key,
  person_id uuid not null references people on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  last_seen_at timestamptz not null default now()
);

create table api_tokens (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  token_hash bytea not null unique,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

create table audit_entries (
  id uuid primary key default gen_random_uuid(),
  at timestamptz not null default now(),
  actor text not null, -- person:NAME | token:NAME | device:ID | system
  action text not null, -- e.g. setup.answered, secret.used, rollout.replayed
  subject text, -- e.g. integration:ID
  detail jsonb not null default '{}'
);
create index audit_entries_at on audit_entries (at desc, id);

-- Stored so that a reconnecting page catches up (Last-Event-ID). Read only rows of transactions that every snapshot sees:
-- a cursor over ids alone would skip rows that commit late.
create table events (
  id bigint generated always as identity primary key,
  transaction xid8 not null default pg_current_xact_id(),
  at timestamptz not null default now(),
  kind text not null, -- e.g. device.trust_changed, setup.step_changed
  subject text not null,
  data jsonb not null default '{}'
);
create index events_cursor on events (transaction, id);

-- An Idempotency-Key is bound to its caller and its body.
create table idempotency_keys (
  caller text not null,
  key text not null,
  fingerprint bytea not null,
  status integer,
  body jsonb,
  created_at timestamptz not null default now(),
  primary key (caller, key)
);
