-- Devices, their enrollment, the command queue, what devices report, deliveries of certificates, licenses.

create table devices (
  id uuid primary key default gen_random_uuid(),
  family text not null check (family in ('Mac', 'iPhone', 'iPad')),
  platform text not null check (platform in ('macOS', 'iOS')),
  udid text not null unique,
  serial_number text,
  name text,
  model text, -- ProductName, e.g. Mac14,2
  os_version text,
  is_supervised boolean,
  user_name text, -- Okta login, known from the enrollment code
  blueprint_id uuid references blueprints,
  -- The MDM relation. Enrolled at the first TokenUpdate, not at Authenticate.
  enrollment_status text not null check (enrollment_status in ('authenticated', 'enrolled', 'checked_out', 'unreachable')),
  enrollment_id uuid not null, -- new at each Authenticate
  topic text,
  push_token bytea,
  push_magic text,
  identity_fingerprint bytea not null unique, -- SHA-256 of the pinned identity certificate
  enrolled_at timestamptz,
  last_contact_at timestamptz,
  -- While a request of the device waits for its next command, no push is needed.
  long_poll_until timestamptz,
  created_at timestamptz not null default now()
);
create index devices_blueprint on devices (blueprint_id);
create index devices_serial on devices (serial_number);

-- Identities issued by Odette's own authority for enrollment; one certificate, not one request.
create table identity_certificates (
  id uuid primary key default gen_random_uuid(),
  serial_number text unique, -- of the certificate, once issued
  enrollment_code_id uuid references enrollment_codes on delete set null,
  for_device_id uuid references devices on delete cascade, -- a renewal of this device's identity
  challenge_hash bytea not null unique,
  challenge_expires_at timestamptz not null,
  transaction_id text,
  public_key_hash bytea,
  certificate bytea,
  issued_at timestamptz,
  created_at timestamptz not null default now()
);
create index identity_certificates_fingerprint on identity_certificates (sha256(certificate)) where certificate is not null;

create table commands (
  uuid uuid primary key,
  device_id uuid not null references devices on delete cascade,
  enrollment_id uuid not null,
  workflow_id text not null, -- who is told of the response
  step text not null, -- one outstanding command per (device, step)
  request_type text not null,
  body bytea, -- the plist, or null when sealed
  sealed_body bytea, -- a command with a secret
  hands_over_once boolean not null default false, -- a challenge is offered at most once
  expires_at timestamptz, -- a challenge grows old
  state text not null default 'queued' check (state in ('queued', 'handed_over', 'not_now', 'responded', 'withdrawn')),
  status text, -- Acknowledged | Error | CommandFormatError
  failure jsonb, -- {code, errorChain} for Error
  position bigint generated always as identity,
  queued_at timestamptz not null default now(),
  handed_over_at timestamptz,
  hand_overs integer not null default 0,
  not_now_at timestamptz, -- the first NotNow
  responded_at timestamptz
);
create unique index commands_one_outstanding on commands (device_id, step) where state in ('queued', 'handed_over', 'not_now');
create index commands_outstanding on commands (device_id, position) where state in ('queued', 'handed_over', 'not_now');

-- What a response looked like when it could not be used: kept and acknowledged.
create table unparsed_responses (
  id uuid primary key default gen_random_uuid(),
  device_id uuid references devices on delete cascade,
  at timestamptz not null default now(),
  reason text not null,
  body bytea not null
);

-- What the device said last. Replaced as a whole by each ProfileList, CertificateList, ManagedApplicationList.
create table reported_inventory (
  device_id uuid primary key references devices on delete cascade,
  profiles jsonb, -- [{identifier, uuid, displayName}]
  profiles_at timestamptz,
  certificates jsonb, -- [{serialNumber, commonName, organizationalUnits, issuer, notBefore, notAfter, isIdentity}]
  certificates_at timestamptz,
  applications jsonb, -- ManagedApplicationList: [{identifier, status, hasConfiguration}]
  applications_at timestamptz,
  installed_applications jsonb, -- [{identifier, shortVersion, isFromAppStore?}]
  installed_applications_at timestamptz,
  app_configuration_revision text, -- of the configuration read back and found equal; never the configuration itself
  app_configuration_at timestamptz
);

-- Which revision of a profile was last sent under its identifier: ProfileList shows payload_uuid.
create table sent_profiles (
  device_id uuid not null references devices on delete cascade,
  kind text not null, -- settings | sso | app_configuration (identifier: the app's)
  identifier text not null,
  payload_uuid uuid not null,
  revision text not null,
  sent_at timestamptz not null default now(),
  primary key (device_id, kind)
);

-- One delivery of a certificate profile: one challenge, one slot, one OU.
create table certificate_deliveries (
  id text primary key, -- the OU is odette-<id>
  device_id uuid not null references devices on delete cascade,
  integration_id uuid not null references integrations on delete cascade,
  slot text not null check (slot in ('a', 'b')),
  payload_uuid uuid not null,
  command_uuid uuid not null,
  state text not null check (state in ('sent', 'proven', 'failed', 'superseded', 'removed')),
  challenge_fetched_at timestamptz not null,
  serial_number text,
  issuer text,
  not_before timestamptz,
  not_after timestamptz,
  proven_at timestamptz,
  removed_at timestamptz,
  created_at timestamptz not null default now()
);
create index certificate_deliveries_device on certificate_deliveries (device_id, created_at desc);
create index certificate_deliveries_due on certificate_deliveries (not_after) where state = 'proven';

create table licenses (
  device_id uuid not null references devices on delete cascade,
  adam_id text not null,
  state text not null check (state in ('associating', 'associated', 'failed')),
  event_id text,
  failure_code text,
  changed_at timestamptz not null default now(),
  primary key (device_id, adam_id)
);
