-- Setups (the wizard), integrations, library items, blueprints, enrollment codes, push certificate, license token.

create table setups (
  id uuid primary key default gen_random_uuid(),
  integration_id uuid,
  step text not null,
  status text not null check (status in ('open', 'complete', 'abandoned')),
  -- What the admin sees and what a resumed wizard starts from: answers by step, secrets as handles, results of checks.
  state jsonb not null,
  started_by text not null,
  started_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  finished_at timestamptz
);

create table integrations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  okta_org_id text not null,
  okta_host text not null, -- host[:port] of the tenant, no scheme
  custom_domain text,
  credentials_kind text not null check (credentials_kind in ('api_service_integration', 'api_services_app')),
  client_id text not null,
  credentials_secret_id uuid not null references secrets,
  granted_scopes text[] not null,
  -- Numbers that an admin may change; defaults in domain/integration-settings.ts.
  settings jsonb not null default '{}',
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  unique (okta_org_id)
);

create table integration_platforms (
  integration_id uuid not null references integrations on delete cascade,
  platform text not null check (platform in ('macOS', 'iOS')),
  scep_url text,
  challenge_url text,
  challenge_username text,
  provider_name text,
  secret_id uuid not null references secrets, -- challenge password (macOS) or secret key (iOS)
  changed_at timestamptz not null default now(),
  primary key (integration_id, platform)
);

-- Last use and health of each connection of an integration, shown in its settings.
create table connection_health (
  integration_id uuid not null references integrations on delete cascade,
  connection text not null, -- okta | challenge | scep | apps_and_books
  ok boolean not null,
  failure_code text,
  at timestamptz not null,
  primary key (integration_id, connection)
);

create table blueprints (
  id uuid primary key default gen_random_uuid(),
  name text not null unique,
  created_at timestamptz not null default now()
);

create table enrollment_codes (
  id uuid primary key default gen_random_uuid(),
  blueprint_id uuid not null references blueprints on delete cascade,
  code_hash bytea not null unique,
  user_name text, -- Okta login of the device's user, where known
  for_udid text, -- a takeover code names its device
  max_uses integer not null,
  uses integer not null default 0,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  created_by text not null,
  created_at timestamptz not null default now()
);

create table library_items (
  id uuid primary key default gen_random_uuid(),
  integration_id uuid not null references integrations on delete cascade,
  install_type text not null default 'install_and_continuously_enforce',
  device_trust_on boolean not null default false,
  -- The item's own managed app configuration (iPhone and iPad); gives way while Okta Device Trust is on.
  app_configuration jsonb,
  settings jsonb not null default '{}', -- enrollmentOptions, launchOptions, extraKeys, removeAppOnRemoval
  version integer not null default 1,
  changed_at timestamptz not null default now()
);

create table library_item_blueprints (
  blueprint_id uuid primary key references blueprints on delete cascade, -- at most one Okta Verify item a blueprint
  library_item_id uuid not null references library_items on delete cascade
);

create table push_certificates (
  topic text primary key,
  certificate_pem text not null,
  key_secret_id uuid not null references secrets,
  not_after timestamptz not null,
  set_at timestamptz not null default now(),
  refused_at timestamptz -- APNs refused it: no pushes until it is replaced
);

create table apps_and_books_tokens (
  singleton boolean primary key default true check (singleton),
  secret_id uuid not null references secrets,
  organization text not null,
  expires_at timestamptz not null,
  set_at timestamptz not null default now()
);
