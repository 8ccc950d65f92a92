-- The schema of Odette's first release. Later changes are files of their own beside it.

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
  kind text not null, -- okta_client_secret | okta_private_key | challenge_password | ios_secret_key | push_key | apps_and_books_token | authority_key | profile_signing_key | instance_key | one_time_code_key | channel_api_key | channel_webhook_key | webhook_access | slack_url | smtp_password
  version integer not null default 1,
  key_id text not null,
  sealed bytea not null,
  set_by text not null,
  set_at timestamptz not null default now(),
  last_used_at timestamptz,
  -- What it was entered for: a secret never follows a changed address, so one that is sent to an address must have one.
  address text,
  -- The setup it was entered in; the integration's own rows name it once that is complete. Null: not entered in a setup.
  setup_id uuid,
  constraint secrets_address check (
    address is not null or kind not in ('okta_client_secret', 'okta_private_key', 'challenge_password', 'apps_and_books_token', 'channel_api_key', 'webhook_access', 'slack_url', 'smtp_password')
  )
);

create table people (
  id uuid primary key default gen_random_uuid(),
  name text not null unique,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  password_hash text,
  is_local boolean not null default false,
  created_at timestamptz not null default now(),
  disabled_at timestamptz,
  -- People of the identity provider: known by its issuer and their subject there, never by a name.
  issuer text,
  subject text,
  constraint people_subject unique (issuer, subject),
  constraint people_come_from_one_place check (is_local = (issuer is null) and (issuer is null) = (subject is null))
);

-- The second factor of a local person: one-time codes of an authenticator app (RFC 6238).
create table second_factors (
  person_id uuid primary key references people on delete cascade,
  secret_id uuid not null references secrets,
  created_at timestamptz not null default now(),
  confirmed_at timestamptz, -- null: not on yet, the app has shown no right code
  last_step bigint not null default 0, -- time step of the last accepted code: each is accepted once
  -- Codes tried since then by whoever knew the password; the first right one sets it to 0.
  attempts integer not null default 0,
  attempts_since timestamptz not null default now()
);

create table recovery_codes (
  person_id uuid not null references second_factors on delete cascade,
  code_hash bytea not null,
  used_at timestamptz,
  primary key (person_id, code_hash)
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
  person_id uuid references people on delete cascade, -- whom it came from in the end: it may no more than they, and ends with them
  parent_id uuid references api_tokens on delete cascade, -- the token that made it, with which it ends
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

create table audit_entries (
  id uuid primary key default gen_random_uuid(),
  at timestamptz not null default clock_timestamp(), -- what one transaction did stands in the order in which it was done
  actor text not null, -- person:NAME | token:NAME | device:ID | system
  action text not null, -- e.g. setup.answered, secret.used, rollout.replayed
  subject text, -- e.g. integration:ID
  detail jsonb not null default '{}'
);
create index audit_entries_at on audit_entries (at desc, id);
-- Most entries by far: counted where a list folds them.
create index audit_entries_secret_uses on audit_entries (at) where action = 'secret.used';

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

-- Who gave an answer, written before it is sent: what a workflow is told of that counts for nothing.
create table setup_answers (
  setup_id uuid not null,
  answer_id text not null, -- of the update that carries the answer
  actor text not null,
  sent_at timestamptz not null default now(),
  primary key (setup_id, answer_id)
);

create table integrations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  okta_org_id text not null,
  okta_host text not null, -- host[:port] of the tenant, no scheme
  custom_domain text,
  channel text not null default 'built_in' check (channel in ('built_in', 'nanomdm', 'fleet', 'observe_only')), -- domain/setup-wizard.ts
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
  platforms text[] not null default '{macOS,iOS}',
  max_uses integer not null,
  uses integer not null default 0,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  created_by text not null,
  person_id uuid references people on delete set null, -- whom it came from: it ends when they are disabled
  created_at timestamptz not null default now()
);

create table library_items (
  id uuid primary key default gen_random_uuid(),
  integration_id uuid not null references integrations on delete cascade,
  install_type text not null default 'install_and_continuously_enforce',
  device_trust_on boolean not null default false,
  -- The item's own managed app configuration (iPhone and iPad); Okta Device Trust overrides it while it is on.
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
  access_rights text not null check (access_rights in ('trust_only', 'full')), -- of whoever enrolls with this topic: never changed
  not_after timestamptz not null,
  set_at timestamptz not null default now(),
  refused_at timestamptz -- APNs refused it: no pushes until it is replaced
);

-- Its key waits here for the certificate; a public signing service encrypts its response to the recipient.
create table push_certificate_requests (
  id uuid primary key default gen_random_uuid(),
  csr_pem text not null,
  public_key_hash bytea not null, -- SHA-256 of the SubjectPublicKeyInfo
  key_secret_id uuid not null references secrets,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  recipient_pem text,
  recipient_key_secret_id uuid references secrets
);

create table apps_and_books_tokens (
  singleton boolean primary key default true check (singleton),
  secret_id uuid not null references secrets,
  organization text not null,
  location text not null, -- Apple's name of the location whose licenses these are
  expires_at timestamptz not null,
  set_at timestamptz not null default now()
);

-- Devices, their enrollment, the command queue, what devices report, deliveries of certificates, licenses.

-- Ways to devices beside Odette's own MDM server (domain/device-channel.ts).
create table channels (
  id uuid primary key default gen_random_uuid(),
  kind text not null check (kind in ('nanomdm', 'fleet')),
  name text not null unique,
  url text not null, -- base of its API
  api_key_secret_id uuid not null references secrets,
  webhook_key_secret_id uuid references secrets, -- with which it signs its webhooks; null: it sends none, and is asked
  blueprint_id uuid references blueprints, -- where devices go that come by it
  last_webhook_at timestamptz, -- noted once a minute
  created_at timestamptz not null default now(),
  check ((kind = 'nanomdm') = (webhook_key_secret_id is not null))
);

-- Labels of the other server's devices that Odette takes, and the blueprint of each.
create table channel_labels (
  channel_id uuid not null references channels on delete cascade,
  label text not null,
  blueprint_id uuid not null references blueprints,
  primary key (channel_id, label)
);

-- A channel that tells nothing by itself is asked which devices it has.
create table channel_readings (
  channel_id uuid primary key references channels on delete cascade,
  next_at timestamptz not null default now(), -- when its devices are read next; while they are read: when another process may
  paused_until timestamptz, -- it did not answer: nothing of it is asked before then; null: it answered
  read_at timestamptz, -- when its devices were last read whole
  failures int not null default 0, -- in a row
  problem text, -- code of the last failure; null: it answered
  server jsonb, -- version and tier, as it says itself
  findings jsonb not null default '[]', -- what of it works against Odette (domain/channel-findings.ts)
  profiles_digest text -- of the list of profiles that were last looked into
);

create table devices (
  id uuid primary key default gen_random_uuid(),
  family text not null check (family in ('Mac', 'iPhone', 'iPad', 'Other')), -- Other: Odette manages none of it
  platform text not null check (platform in ('macOS', 'iOS')),
  udid text not null unique,
  serial_number text,
  name text,
  model text, -- ProductName, e.g. Mac14,2
  os_version text,
  is_supervised boolean,
  user_name text, -- Okta login, known from the enrollment code
  blueprint_id uuid references blueprints,
  channel_id uuid references channels, -- null: Odette's own MDM server
  -- The MDM relation. Enrolled at the first TokenUpdate, not at Authenticate.
  enrollment_status text not null check (enrollment_status in ('authenticated', 'enrolled', 'checked_out', 'unreachable')),
  enrollment_id uuid not null, -- new at each Authenticate
  topic text,
  push_token bytea,
  push_magic text,
  push_problem text check (push_problem in ('no_push_token', 'other_topic')), -- why it cannot be woken with what it sent
  identity_fingerprint bytea unique, -- SHA-256 of the pinned identity certificate; null: another MDM server proves it
  enrolled_at timestamptz,
  last_contact_at timestamptz,
  -- While a request of the device waits for its next command, no push is needed.
  long_poll_until timestamptz,
  created_at timestamptz not null default now(),
  return_asked_at timestamptz, -- an enrolled device asked to enroll again with another identity, and waits for an admin's word
  return_allowed_until timestamptz,
  return_allowed_by text
);
create index devices_blueprint on devices (blueprint_id);
create index devices_serial on devices (lower(serial_number));
create index devices_user on devices (lower(user_name)) where user_name is not null;
-- Whether enrolled devices still use a push certificate is asked with every status: one look-up for each topic.
create index devices_by_topic on devices (topic, enrollment_status);
create index devices_channel on devices (channel_id) where channel_id is not null;

-- What webhooks of a device's channel said last, by that server's clock: they come twice, late and in any order.
create table channel_devices (
  device_id uuid primary key references devices on delete cascade,
  authenticated_at timestamptz, -- of the Authenticate with which this enrollment began; null: it was adopted
  relation_at timestamptz not null, -- of the newest Authenticate, TokenUpdate or CheckOut
  is_token_known boolean not null default false, -- a TokenUpdate came since that Authenticate
  lists_at jsonb not null default '{}', -- request type: of the newest response that was taken
  enrolled_mark text -- as the other server calls this enrollment, where it does; another one is another enrollment
);

-- Devices whose channel is asked what became of their commands.
create table channel_questions (
  device_id uuid primary key references devices on delete cascade,
  next_at timestamptz not null -- when it is asked next; while it is asked: when another process may
);
create index channel_questions_due on channel_questions (next_at);

-- Devices that were enrolled in another MDM server before Odette heard of it: asked who they are, and known once they answer.
create table channel_adoptions (
  channel_id uuid not null references channels on delete cascade,
  udid text not null,
  command_uuid uuid not null,
  asked_at timestamptz not null default now(),
  primary key (channel_id, udid)
);

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
  created_at timestamptz not null default now(),
  used_at timestamptz, -- an identity enrolls one device
  refused_code text -- an enrollment with it was refused; it enrolls nothing any more
);
create index identity_certificates_not_issued on identity_certificates (enrollment_code_id) where certificate is null and used_at is null;
create index identity_certificates_fingerprint on identity_certificates (sha256(certificate)) where certificate is not null;

-- What a supervised Mac escrows, so that it can authorize what only an administrator may; given back to that Mac alone.
create table bootstrap_tokens (
  device_id uuid primary key references devices on delete cascade,
  sealed bytea not null,
  escrowed_at timestamptz not null default now()
);

-- A user of a Mac who has opened a channel of their own: commands for it wait until that user is logged in.
create table user_channels (
  device_id uuid not null references devices on delete cascade,
  user_id text not null, -- GeneratedUID
  short_name text,
  topic text not null,
  push_token bytea not null,
  push_magic text not null,
  opened_at timestamptz not null default now(), -- of several the first one counts
  contact_at timestamptz not null default now(),
  primary key (device_id, user_id)
);

create table commands (
  uuid uuid primary key,
  device_id uuid not null references devices on delete cascade,
  enrollment_id uuid not null,
  workflow_id text not null, -- who is told of the response
  run_id text, -- the run that wants the response: after a reset another one; null: a certificate's delivery, which has a number
  user_id text, -- null: for the device's own channel
  step text not null, -- one outstanding command per (device, step)
  request_type text not null,
  body bytea, -- the plist, or null when sealed
  sealed_body bytea, -- a command with a secret
  -- The iOS secret key that it carries: who it is handed over to has read the key.
  ios_key_secret_id uuid,
  ios_key_version integer,
  hands_over_once boolean not null default false, -- a challenge is offered at most once
  expires_at timestamptz, -- a challenge grows old
  state text not null default 'queued' check (state in ('queued', 'handed_over', 'not_now', 'responded', 'withdrawn')),
  status text, -- Acknowledged | Error | CommandFormatError
  failure jsonb, -- {code, errorChain} for Error
  position bigint generated always as identity,
  queued_at timestamptz not null default now(),
  handed_over_at timestamptz,
  offered_at timestamptz, -- of another MDM server's queue: its turn has come, as far as was heard
  hand_overs integer not null default 0,
  not_now_at timestamptz, -- the first NotNow
  responded_at timestamptz,
  is_told boolean not null default false -- its run was told of the response
);
create index commands_untold on commands (device_id) where state = 'responded' and not is_told;
-- A command that another MDM server lost, or whose response was lost, is sent again under another UUID: it is still the same command.
create table command_aliases (
  alias uuid primary key,
  command_uuid uuid not null references commands on delete cascade,
  created_at timestamptz not null default now()
);
create index command_aliases_command on command_aliases (command_uuid);
create unique index commands_one_outstanding on commands (device_id, step) where state in ('queued', 'handed_over', 'not_now');
create index commands_outstanding on commands (device_id, position) where state in ('queued', 'handed_over', 'not_now');
create index commands_offered on commands (offered_at) where state = 'handed_over' and offered_at is not null;

-- Which devices were handed a command that carries the iOS secret key, and with it the key. Kept when the device is deleted: the key is
-- still where it was.
create table ios_key_readers (
  id uuid primary key default gen_random_uuid(),
  secret_id uuid not null references secrets on delete cascade,
  version integer not null, -- of the secret: another key
  device_id uuid references devices on delete set null,
  udid text not null,
  serial_number text,
  name text,
  first_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  unique (secret_id, version, udid)
);
create index ios_key_readers_device on ios_key_readers (device_id);

-- What a response looked like when it could not be used: kept and acknowledged.
create table unparsed_responses (
  id uuid primary key default gen_random_uuid(),
  device_id uuid references devices on delete cascade,
  at timestamptz not null default now(),
  reason text not null,
  body bytea not null
);
-- Only the last unusable responses of a device are kept.
create index unparsed_responses_device on unparsed_responses (device_id, at desc);

-- What the device said last. Replaced as a whole by each ProfileList, CertificateList, ManagedApplicationList.
create table reported_inventory (
  device_id uuid primary key references devices on delete cascade,
  profiles jsonb, -- [{identifier, uuid, displayName}]
  profiles_at timestamptz,
  certificates jsonb, -- [{serialNumber, commonName, organizationalUnits, issuer, notBefore, notAfter, isIdentity}]
  certificates_at timestamptz,
  -- The same of its user's channel.
  user_profiles jsonb,
  user_profiles_at timestamptz,
  user_certificates jsonb,
  user_certificates_at timestamptz,
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
  acknowledged_at timestamptz, -- by this enrollment, for the first time
  primary key (device_id, kind)
);

-- One delivery of a certificate profile: one challenge, one slot, one OU.
create table certificate_deliveries (
  id text primary key, -- the OU is odette-<id>
  device_id uuid not null references devices on delete cascade,
  integration_id uuid not null, -- of an integration that may be removed: what was delivered for it stays told
  slot text not null check (slot in ('a', 'b')),
  scope text not null default 'System' check (scope in ('System', 'User')), -- Apple's PayloadScope
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
  created_at timestamptz not null default now(),
  reason text, -- of the request: wanted | window | unused | asked for
  -- Whether a sign-in has used it (domain/certificate-use.ts): what was once known stays known.
  use text not null default 'none' check (use in ('none', 'probable', 'proven')),
  use_evidence text,
  use_seen_at timestamptz
);
create index certificate_deliveries_device on certificate_deliveries (device_id, created_at desc);
-- Renewals are listed along an index, by the end of the certificate.
create index certificate_deliveries_due on certificate_deliveries (not_after, device_id) where state = 'proven';
-- What Okta may revoke on day 91: few, where people sign in.
create index certificate_deliveries_unused on certificate_deliveries (not_after, device_id) where state = 'proven' and use <> 'proven';
-- One certificate on two devices, after a migration or a clone.
create index certificate_deliveries_serial on certificate_deliveries (serial_number) where serial_number is not null;
-- Renewals as they were asked for, the newest first; first certificates are not among them.
create index certificate_deliveries_renewals on certificate_deliveries (created_at desc, id desc) where reason <> 'wanted';
create index certificate_deliveries_life on certificate_deliveries ((not_after - not_before)) where state = 'proven';

create table licenses (
  device_id uuid not null references devices on delete cascade,
  adam_id text not null,
  -- A license that was given back is on its way until Apple has taken it.
  state text not null check (state in ('associating', 'associated', 'failed', 'returning')),
  event_id text,
  failure_code text,
  changed_at timestamptz not null default now(),
  primary key (device_id, adam_id)
);

-- Trust (five truths), rollouts' outcomes, Okta's device records, kept totals, the outbox to Temporal.

create table device_truths (
  device_id uuid not null references devices on delete cascade,
  truth text not null check (truth in ('delivered', 'certificatePresent', 'oktaVerifyManaged', 'registered', 'managed')),
  state text not null check (state in ('held', 'not_held', 'not_applicable', 'unknown')),
  evidence text not null,
  since timestamptz not null, -- when the state last changed
  primary key (device_id, truth)
);

-- Certificates that went: an alarm counts those of the last day.
create index device_truths_certificate_gone on device_truths (since) where truth = 'certificatePresent' and state = 'not_held';

-- One row per device: what lists filter by and totals are kept from.
create table device_trust (
  device_id uuid primary key references devices on delete cascade,
  integration_id uuid references integrations on delete set null, -- null: not in scope of a switched-on item
  bucket text not null default 'in_progress' -- domain/trust-bucket.ts
    check (bucket in ('trusted', 'in_progress', 'needs_user', 'needs_you', 'unreachable', 'left', 'out_of_scope')),
  delivered boolean not null default false,
  certificate_present boolean default false, -- null: does not apply (iPhone, iPad)
  okta_verify_managed boolean not null default false,
  registered boolean not null default false,
  managed boolean not null default false,
  phase text not null default 'waiting', -- domain/rollout-plan.ts RolloutPhase
  waits_for text, -- one sentence: what the device waits for and who acts next
  obstacle text, -- domain/trust-bucket.ts: what stands in the way beside phase and failure
  failure_code text,
  certificate_not_after timestamptz,
  app_refusals integer not null default 0, -- the user refused Okta Verify so often since it was last managed
  app_refused_at timestamptz,
  verified_at timestamptz, -- desired state last verified on the device
  check_asked_at timestamptz, -- asked for its lists by the daily check
  trusted_at timestamptz,
  changed_at timestamptz not null default now(),
  -- How a device's payloads would go, by the item that it had last: one that leaves its item is treated as that item said.
  removal_terms jsonb
);
-- When a device's present turn of a check began: once in each period, at a moment of its own, so that a fleet which was rolled out in an hour is
-- checked over the whole day. A device is due when it was not seen to be well since.
create function check_turn(device uuid, period interval, at timestamptz) returns timestamptz language sql immutable as $$
  select to_timestamp(floor((extract(epoch from at)::float8 - own) / every) * every + own)
    from (select extract(epoch from period)::float8 as every,
                 (hashtext(device::text)::float8 + 2147483648) / 4294967296 * extract(epoch from period)::float8 as own) as turn
$$;
create index device_trust_failure on device_trust (failure_code, device_id) where failure_code is not null;
create index device_trust_bucket on device_trust (bucket, device_id);
create index device_trust_verified on device_trust (integration_id, verified_at);

-- Each total is the sum of its parts: devices that change at once add to different ones, or a fleet would wait for one row.
create table fleet_totals (
  integration_id uuid not null,
  name text not null, -- total | delivered | certificatePresent | certificateApplies | oktaVerifyManaged | registered | managed | bucket:<bucket>
  part smallint not null default 0,
  value bigint not null default 0,
  primary key (integration_id, name, part)
) with (fillfactor = 50);

-- A device that has left is in no total.
create function count_device_trust() returns trigger language plpgsql as $$
begin
  insert into fleet_totals (integration_id, name, part, value)
    select integration_id, name, pg_backend_pid() % 32, sum(delta) from (
      select new.integration_id, n.name, 1 as delta
        from (values ('total', new.bucket <> 'left'), ('delivered', new.delivered), ('certificatePresent', new.certificate_present),
                     ('certificateApplies', new.bucket <> 'left' and new.certificate_present is not null),
                     ('oktaVerifyManaged', new.okta_verify_managed), ('registered', new.registered), ('managed', new.managed),
                     ('bucket:' || new.bucket, true)) as n(name, held)
       where tg_op <> 'DELETE' and new.integration_id is not null and n.held
      union all
      select old.integration_id, n.name, -1
        from (values ('total', old.bucket <> 'left'), ('delivered', old.delivered), ('certificatePresent', old.certificate_present),
                     ('certificateApplies', old.bucket <> 'left' and old.certificate_present is not null),
                     ('oktaVerifyManaged', old.okta_verify_managed), ('registered', old.registered), ('managed', old.managed),
                     ('bucket:' || old.bucket, true)) as n(name, held)
       where tg_op <> 'INSERT' and old.integration_id is not null and n.held
    ) as changes group by integration_id, name having sum(delta) <> 0
     order by integration_id, name -- two processes of one part lock its rows in the same order
    on conflict (integration_id, name, part) do update set value = fleet_totals.value + excluded.value;
  return null;
end $$;
-- Deferred: the row of a total is locked last and shortly.
create constraint trigger device_trust_counted after insert or delete on device_trust
  deferrable initially deferred for each row execute function count_device_trust();
create constraint trigger device_trust_recounted after update on device_trust
  deferrable initially deferred for each row
  when ((old.integration_id, old.bucket, old.delivered, old.certificate_present, old.okta_verify_managed, old.registered, old.managed)
        is distinct from
        (new.integration_id, new.bucket, new.delivered, new.certificate_present, new.okta_verify_managed, new.registered, new.managed))
  execute function count_device_trust();

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
-- Renewals that people asked for and that have not begun.
create index device_timeline_renewals on device_timeline (at desc, id desc) where kind = 'renewal_requested';
-- What is swept by age: appended in order of time, so that a few pages of index find it among many millions of rows.
create index device_timeline_age on device_timeline using brin (at);

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
create index rollout_runs_started on rollout_runs (started_at desc, run_id);

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
  observed_at timestamptz not null, -- when it last differed from what was kept, or was read by id
  unlisted_at timestamptz, -- a whole list lacked it then, and it was not read by id yet
  os_version text,
  device_id uuid references devices on delete set null,
  match text, -- serial_number | user_and_model | likely | ambiguous
  -- Traces of sign-ins (domain/certificate-use.ts).
  unmanaged_seen_at timestamptz, -- NOT_MANAGED was last seen then, before the same user was MANAGED
  unexplained_at timestamptz, -- last_updated_at of a change that nothing here explains
  bound_at timestamptz, -- the System Log's last pki.cert.bind
  bound_serial_number text,
  primary key (integration_id, okta_id)
);
-- Okta's records and the devices they may be about find each other by an index, whichever way: by serial number, by login.
create function okta_logins(users jsonb) returns text[] language sql immutable parallel safe
  return (select coalesce(array_agg(lower(each ->> 'login')), '{}') from jsonb_array_elements(users) as each);
create index okta_devices_serial on okta_devices (integration_id, lower(serial_number));
create index okta_devices_logins on okta_devices using gin (okta_logins(users)) where platform = 'IOS';
-- Records that belong to no device of Odette, by user.
create index okta_devices_foreign on okta_devices using gin (okta_logins(users)) where device_id is null;
create index okta_devices_device on okta_devices (device_id);
-- Observed devices are listed by name.
create index okta_devices_observed on okta_devices (integration_id, lower(display_name), okta_id) where device_id is null;

-- What each endpoint of an integration's tenant may be asked for now: one state for all processes.
create table okta_endpoints (
  integration_id uuid not null references integrations on delete cascade,
  endpoint text not null, -- oauth2 | challenge | api/v1/devices | …
  state jsonb not null, -- domain/okta-budget.ts EndpointState
  closed_until timestamptz, -- of its `closed`; null: open
  opened_at timestamptz not null default now(), -- when it last opened
  primary key (integration_id, endpoint)
);

-- The access token that all processes use.
create table okta_tokens (
  integration_id uuid primary key references integrations on delete cascade,
  version text not null, -- of the credentials it was given for
  sealed bytea not null,
  value_hash bytea not null,
  expires_at timestamptz not null
);

-- Devices that wait for an endpoint of Okta; woken when it answers again.
create table okta_waiters (
  device_id uuid primary key references devices on delete cascade,
  integration_id uuid not null references integrations on delete cascade,
  endpoint text not null,
  lane smallint not null, -- place in domain/okta-budget.ts LANES
  since timestamptz not null default now()
);
create index okta_waiters_turn on okta_waiters (integration_id, endpoint, lane, since);

-- Devices that Okta stopped counting as managed, and whether Odette asked for a new certificate by itself.
create table trust_falls (
  id bigint generated always as identity primary key,
  integration_id uuid not null references integrations on delete cascade,
  device_id uuid not null references devices on delete cascade,
  platform text not null check (platform in ('macOS', 'iOS')),
  at timestamptz not null,
  -- none: there is nothing to re-issue. held: it waits for a person. released: a person said so.
  outcome text not null check (outcome in ('reissued', 'none', 'held', 'released'))
);
create index trust_falls_at on trust_falls (integration_id, platform, at);
create index trust_falls_device on trust_falls (device_id);

-- Whether Odette re-issues certificates by itself (domain/automatic-reissue.ts).
create table automatic_reissues (
  integration_id uuid not null references integrations on delete cascade,
  platform text not null check (platform in ('macOS', 'iOS')),
  halted_at timestamptz, -- null: it goes on
  reason text, -- domain/automatic-reissue.ts HaltReason
  fallen integer not null default 0,
  managed_before integer not null default 0,
  resumed_at timestamptz, -- falls before count for nothing any more
  resumed_by text,
  primary key (integration_id, platform)
);

-- How far Okta was read: the last whole sweep, and the System Log where it may be read.
create table okta_reads (
  integration_id uuid primary key references integrations on delete cascade,
  swept_at timestamptz, -- when the last sweep that reached its end began
  whole_at timestamptz, -- when the last of them began that listed all records
  changed_since timestamptz, -- of the sweep under way: it lists what changed later; null: all
  derives_all boolean not null default false, -- the next sweep derives every device anew: a setting changed
  failing_since timestamptz, -- the first failure since
  failure_code text, -- of the last one
  log_read_until timestamptz,
  looks_at timestamptz -- when the workflow wakes that asks about single devices (okta_looks); null: it does not run
);

-- Devices about which Okta is asked soon, and a few times more.
create table okta_looks (
  device_id uuid primary key references devices on delete cascade,
  integration_id uuid not null references integrations on delete cascade,
  began_at timestamptz not null,
  seconds double precision[] not null, -- when, after began_at
  due_at timestamptz not null,
  is_wish boolean not null -- a person waits for it
);
create index okta_looks_due on okta_looks (integration_id, due_at);

-- What the sweep under way has listed, a row a page: no record is written only to say that it was seen.
create table okta_sweep_pages (
  integration_id uuid not null references integrations on delete cascade,
  listed_at timestamptz not null,
  okta_ids text[] not null
);
create index okta_sweep_pages_integration on okta_sweep_pages (integration_id);

-- Devices of which Okta's word changed, until their trust is derived from it: a worker may end in between.
create table okta_changes (
  device_id uuid primary key references devices on delete cascade,
  integration_id uuid not null references integrations on delete cascade
);
create index okta_changes_integration on okta_changes (integration_id);

-- The newest check of the tenant: the daily one, a person's, or the setup's.
create table integration_checks (
  integration_id uuid primary key references integrations on delete cascade,
  checked_at timestamptz not null,
  prerequisites jsonb not null, -- domain/setup-wizard.ts PrerequisiteCheck[]; empty: the tenant itself could not be read
  custom_domain text, -- as Okta names it
  stray_domains text[] not null default '{}', -- custom domains on devices that do not lead to the tenant
  failure_code text, -- why the tenant itself could not be read
  authority jsonb, -- domain/integration-check.ts AuthorityCertificate[], as seen last; null: never
  authority_changed_at timestamptz,
  authority_change jsonb -- domain/integration-check.ts AuthorityChange
);

-- Users, and those with a managed device, as the last whole sweep of a day left them.
create table readiness_days (
  integration_id uuid not null references integrations on delete cascade,
  day date not null, -- UTC
  users integer not null,
  ready integer not null,
  primary key (integration_id, day)
);

-- How many devices of an integration were trusted on a day: as its last whole sweep of the day left them.
create table trusted_days (
  integration_id uuid not null references integrations on delete cascade,
  day date not null, -- UTC
  devices integer not null, -- in scope
  trusted integer not null,
  primary key (integration_id, day)
);

-- What Temporal must be told. Written in the transaction of the change; delivered by the relay at least once, in order for each key.
create table outbox (
  id uuid primary key default gen_random_uuid(), -- the event id by which workflows drop duplicates
  ordering_key text not null, -- the device, or the setup
  position bigint generated always as identity,
  lane smallint not null, -- domain/lanes.ts: the lower goes first
  message jsonb not null, -- domain/outbox-message.ts
  created_at timestamptz not null default now(),
  claimed_until timestamptz,
  attempts integer not null default 0,
  delivered_at timestamptz,
  outcome text -- delivered | started | gone
);
create index outbox_waiting on outbox (ordering_key, position) where delivered_at is null;
create index outbox_lanes on outbox (lane, position) where delivered_at is null;
create index outbox_delivered on outbox (delivered_at) where delivered_at is not null;

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

-- Removals of a platform or an integration (domain/platform-removal.ts). They outlive what they remove.
create table platform_removals (
  id uuid primary key,
  integration_id uuid not null,
  integration_name text not null,
  okta_host text not null,
  platform text check (platform in ('macOS', 'iOS')), -- null: the whole integration
  status text not null check (status in ('waiting', 'removing', 'stopped', 'finished', 'undone')),
  reason text,
  users_losing_trust integer not null, -- as it was when it was asked for
  readiness_as_of timestamptz,
  asked_by text not null,
  asked_at timestamptz not null default now(),
  starts_at timestamptz not null,
  is_at_once boolean not null default false,
  accepted_failures integer not null default 0,
  portion_at timestamptz,
  changed_by text,
  changed_at timestamptz,
  finished_at timestamptz
);
create unique index platform_removals_one on platform_removals (integration_id) where status in ('waiting', 'removing', 'stopped');

-- Devices that a removal has taken out of scope.
create table platform_removal_devices (
  removal_id uuid not null references platform_removals on delete cascade,
  device_id uuid not null references devices on delete cascade,
  taken_at timestamptz not null default now(),
  primary key (device_id, removal_id)
);
create index platform_removal_devices_removal on platform_removal_devices (removal_id);

-- What "in scope" is made of, once: everything that asks whether a device is to have an item's payloads asks here.
create view device_scope as
  select device.id as device_id, device.platform, device.blueprint_id,
         item.id as library_item_id, -- null: its blueprint has no item
         item.integration_id,
         coalesce(item.device_trust_on, false) as is_switched_on,
         platform.platform is not null as is_configured, -- the integration has this platform
         device.enrollment_status in ('enrolled', 'unreachable') as is_enrolled, -- as in devices/enrolled.ts
         leaving.device_id is not null as is_leaving, -- a removal has taken it
         item.device_trust_on is true and platform.platform is not null and leaving.device_id is null
           and device.enrollment_status in ('enrolled', 'unreachable') and device.family <> 'Other' as is_in_scope
    from devices as device
    left join library_item_blueprints as assigned on assigned.blueprint_id = device.blueprint_id
    left join library_items as item on item.id = assigned.library_item_id
    left join integration_platforms as platform on platform.integration_id = item.integration_id and platform.platform = device.platform
    left join (select taken.device_id, removal.integration_id
                 from platform_removal_devices as taken join platform_removals as removal on removal.id = taken.removal_id
                where removal.status in ('removing', 'stopped')) as leaving
      on leaving.device_id = device.id and leaving.integration_id = item.integration_id;

-- The device list over a large fleet: one narrow row a device, with everything that lists sort and filter by, kept by triggers.
-- Filters are of two tables and orders too: without it a page would join and sort the fleet.

-- What lists filter by in few values. A page of a filter is merged from the segments that fit it, each read in its order.
create table fleet_segments (
  id smallint generated always as identity primary key,
  family text not null,
  bucket text not null,
  phase text not null,
  obstacle text not null, -- empty: none
  channel text not null, -- id of a channel; built_in: Odette's own MDM server
  unique (family, bucket, phase, obstacle, channel)
);

create table fleet_list (
  device_id uuid primary key references devices on delete cascade,
  segment smallint not null references fleet_segments,
  blueprint_id uuid,
  integration_id uuid,
  failure_code text,
  delivered boolean not null,
  certificate_present boolean,
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
         coalesce(trust.obstacle, '') as obstacle, coalesce(device.channel_id::text, 'built_in') as channel, device.blueprint_id, trust.integration_id, trust.failure_code, coalesce(trust.delivered, false) as delivered,
         case when trust.device_id is null then false else trust.certificate_present end as certificate_present,
         coalesce(trust.okta_verify_managed, false) as okta_verify_managed,
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
  select id into place from fleet_segments
   where family = seen.family and bucket = seen.bucket and phase = seen.phase and obstacle = seen.obstacle and channel = seen.channel;
  if not found then
    insert into fleet_segments (family, bucket, phase, obstacle, channel)
      values (seen.family, seen.bucket, seen.phase, seen.obstacle, seen.channel) on conflict do nothing;
    select id into strict place from fleet_segments
     where family = seen.family and bucket = seen.bucket and phase = seen.phase and obstacle = seen.obstacle and channel = seen.channel;
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
  when ((old.name, old.serial_number, old.user_name, old.family, old.blueprint_id, old.channel_id, date_trunc('minute', old.last_contact_at, 'UTC'))
        is distinct from
        (new.name, new.serial_number, new.user_name, new.family, new.blueprint_id, new.channel_id, date_trunc('minute', new.last_contact_at, 'UTC')))
  execute function list_changed_device();
create constraint trigger device_trust_listed after insert or delete on device_trust
  deferrable initially deferred for each row execute function list_changed_trust();
create constraint trigger device_trust_relisted after update on device_trust
  deferrable initially deferred for each row
  when ((old.bucket, old.phase, old.obstacle, old.integration_id, old.failure_code, old.certificate_not_after, old.delivered, old.certificate_present,
         old.okta_verify_managed, old.registered, old.managed)
        is distinct from
        (new.bucket, new.phase, new.obstacle, new.integration_id, new.failure_code, new.certificate_not_after, new.delivered, new.certificate_present,
         new.okta_verify_managed, new.registered, new.managed))
  execute function list_changed_trust();

-- Each order for itself, within a segment, within a segment of a blueprint, and within a cause of failure (few rows).
-- What a search or an expiry finds is sorted by any order: its index carries all of them, so that no row of the list is visited for it.
create index fleet_list_name on fleet_list (name_key, device_id)
  include (segment, serial_key, user_key, contact_at, certificate_not_after, changed_at);
create index fleet_list_serial on fleet_list (serial_key, device_id)
  include (segment, name_key, user_key, contact_at, certificate_not_after, changed_at);
create index fleet_list_user on fleet_list (user_key, device_id)
  include (segment, name_key, serial_key, contact_at, certificate_not_after, changed_at);
create index fleet_list_contact on fleet_list (contact_at, device_id);
create index fleet_list_expiry on fleet_list (certificate_not_after, device_id)
  include (segment, name_key, serial_key, user_key, contact_at, changed_at);
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
-- What failed, by cause: counted from the index alone.
create index fleet_list_causes on fleet_list (failure_code, segment, changed_at) where failure_code is not null;

-- How many devices a blueprint has: the sum of its parts, as in fleet_totals. One row would let devices that enroll at once wait for each other.
create table blueprint_devices (
  blueprint_id uuid not null references blueprints on delete cascade,
  part smallint not null,
  devices integer not null,
  primary key (blueprint_id, part)
) with (fillfactor = 50);

create function devices_in_blueprint(blueprint uuid) returns integer language sql stable
  return (select coalesce(sum(devices), 0)::integer from blueprint_devices where blueprint_id = blueprint);

create function count_blueprint_devices() returns trigger language plpgsql as $$
begin
  insert into blueprint_devices as counted (blueprint_id, part, devices)
    select id, pg_backend_pid() % 128, delta
      from (select new.blueprint_id as id, 1 as delta where tg_op <> 'DELETE'
            union all
            select old.blueprint_id, -1 where tg_op <> 'INSERT') as changes
     where id is not null order by id -- two processes of one part lock its rows in the same order
    on conflict (blueprint_id, part) do update set devices = counted.devices + excluded.devices;
  return null;
end $$;
-- By row, for a statement's trigger with the changed rows would cost every contact of a device. Deferred: the count is locked last and shortly.
create constraint trigger devices_counted after insert or delete on devices
  deferrable initially deferred for each row execute function count_blueprint_devices();
create constraint trigger devices_recounted after update on devices
  deferrable initially deferred for each row when (old.blueprint_id is distinct from new.blueprint_id)
  execute function count_blueprint_devices();

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

-- Changes by people that reach many devices in waves (domain/fleet-waves.ts); the workflow rollOutFleet advances them.
create table fleet_rollouts (
  id uuid primary key default gen_random_uuid(),
  integration_id uuid references integrations on delete set null,
  kind text not null, -- domain/fleet-waves.ts FLEET_CHANGES
  subject text, -- e.g. library_item:ID
  reason text not null, -- with which each device's rollout is started
  status text not null default 'running' check (status in ('running', 'paused', 'halted', 'completed', 'aborted')),
  pace text not null check (pace in ('waves', 'full')),
  devices integer not null,
  canary integer not null, -- devices of the first wave
  canary_blueprint text, -- from which they are taken first, by its name then
  settle_minutes integer not null,
  wave integer not null default 0,
  wave_begun_at timestamptz,
  halt jsonb, -- domain/fleet-waves.ts FleetHalt
  judged_from timestamptz not null default now(), -- what happened before was judged by a person
  started_at timestamptz not null default now(),
  started_by text not null,
  steered_at timestamptz,
  steered_by text,
  steering_reason text,
  ended_at timestamptz
);
create index fleet_rollouts_started on fleet_rollouts (started_at desc);

create table fleet_rollout_devices (
  fleet_rollout_id uuid not null references fleet_rollouts on delete cascade,
  device_id uuid not null references devices on delete cascade,
  place integer not null, -- its turn
  state text not null default 'waiting' check (state in ('waiting', 'begun', 'completed', 'failed', 'left', 'overtaken')),
  wave integer,
  failed_before boolean not null, -- it says nothing of the change when it fails again
  failure_code text,
  outbox_id uuid,
  run_before text, -- the device's last run until then
  run_before_is_open boolean,
  begun_at timestamptz,
  settled_at timestamptz,
  primary key (fleet_rollout_id, device_id)
);
create index fleet_rollout_devices_turn on fleet_rollout_devices (fleet_rollout_id, state, place);
-- A device that is held back gets the change by nothing else: the sweeps ask for each device.
create index fleet_rollout_devices_held on fleet_rollout_devices (device_id) where state in ('waiting', 'left');

-- Rotations of an integration's secrets (domain/secret-rotation.ts); the workflow rotateSecret advances them.
create table secret_rotations (
  id uuid primary key default gen_random_uuid(),
  integration_id uuid not null references integrations on delete cascade,
  kind text not null check (kind in ('client_secret', 'private_key', 'challenge_password', 'ios_secret_key')),
  status text not null
    check (status in ('prepared', 'trying', 'switching', 'pushing', 'proving', 'finished', 'refused', 'abandoned')),
  new_secret_id uuid references secrets on delete set null,
  old_secret_id uuid, -- its row goes when it is destroyed
  public_jwk jsonb, -- of a new key, for Okta
  failure_code text, -- of the last try
  drained_at timestamptz, -- requests with the old value have ended by then
  fleet_rollout_id uuid references fleet_rollouts on delete set null,
  started_at timestamptz not null default now(),
  started_by text not null,
  committed_at timestamptz,
  committed_by text,
  old_destroyed_at timestamptz,
  proven_at timestamptz,
  proven_by text, -- the device whose user signed in
  ended_at timestamptz
);
create unique index secret_rotations_open on secret_rotations (integration_id, kind) where ended_at is null;
create index secret_rotations_started on secret_rotations (integration_id, started_at desc);

-- Ids of `patched()` in the code of every version that ran here: an older version must not take workflows that hold a newer one.
create table workflow_patches (
  id text primary key,
  first_at timestamptz not null default now()
);

-- Notifications: where people are told what needs them, what was announced there, and what waits to be delivered.
create table notification_targets (
  id uuid primary key default gen_random_uuid(),
  name text not null unique,
  kind text not null check (kind in ('webhook', 'slack', 'email')),
  is_on boolean not null default true,
  -- host:port. A webhook's whole URL is in the secret: its path may be a password.
  address text not null,
  settings jsonb not null default '{}', -- of email: domain/notification-target.ts
  rules jsonb not null,
  secret_id uuid references secrets, -- null: an SMTP server that asks for no password
  created_at timestamptz not null default now()
);
-- What needs people now, and since when Odette sees it.
create table needs_you (
  key text primary key,
  need jsonb not null, -- domain/notification-plan.ts
  first_seen_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now()
);
create table notification_announcements (
  target_id uuid not null references notification_targets on delete cascade,
  key text not null,
  need jsonb not null, -- as it was announced
  primary key (target_id, key)
);
create table notifications (
  id uuid primary key default gen_random_uuid(), -- by which the receiver drops what comes twice
  target_id uuid not null references notification_targets on delete cascade,
  message jsonb not null, -- domain/notification-message.ts
  created_at timestamptz not null default now(),
  next_attempt_at timestamptz not null default now(),
  claimed_until timestamptz,
  attempts integer not null default 0,
  ended_at timestamptz,
  outcome text check (outcome in ('delivered', 'given_up')),
  failure_code text, -- of the last attempt
  failure_detail text
);
create index notifications_waiting on notifications (target_id, created_at) where ended_at is null;
create index notifications_of_target on notifications (target_id, created_at desc);
