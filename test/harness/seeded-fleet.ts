// A small fleet in the tables: an integration, an item, blueprints and devices in every bucket, as if Odette had run for a while.
import { randomBytes } from 'node:crypto';
import type { Database } from '../../adapters/store/base/database.ts';
import { saveLibraryItem } from '../../adapters/store/library/library.ts';
import { addSetup } from '../../adapters/store/integration/setups.ts';
import { addToken } from '../../adapters/store/people/tokens.ts';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import { newSetup } from '../../domain/setup-wizard.ts';
import type { Sealer } from '../../domain/sealer.ts';
import { sha256 } from '../../api/admin/passwords.ts';

export interface SeededFleet {
  /** By the second part of an address: /api/devices/{id} → devices. */
  readonly ids: Readonly<Record<string, string>>;
  readonly deviceId: string;
  readonly viewerToken: string;
}

export async function seedFleet(database: Database, sealer: Sealer): Promise<SeededFleet> {
  const ids = Object.fromEntries(
    [
      'integrations',
      'blueprints',
      'library-items',
      'setups',
      'replays',
      'fleet-rollouts',
      'removals',
      'rotations',
      'channels',
      'notification-targets',
    ].map((name) => [name, globalThis.crypto.randomUUID()]),
  ) as Record<
    | 'integrations'
    | 'blueprints'
    | 'library-items'
    | 'setups'
    | 'replays'
    | 'fleet-rollouts'
    | 'removals'
    | 'rotations'
    | 'channels'
    | 'notification-targets',
    string
  >;
  const secret = async (
    kind:
      | 'okta_client_secret'
      | 'challenge_password'
      | 'ios_secret_key'
      | 'channel_api_key'
      | 'channel_webhook_key',
    address?: string,
  ) => {
    const given = {
      kind,
      value: randomBytes(12),
      by: 'person:ada',
      ...(address !== undefined && { address }),
    };
    return (await storeSecret(database, sealer, given)).id;
  };
  await database.query(
    `insert into integrations (id, name, okta_org_id, okta_host, credentials_kind, client_id, credentials_secret_id, granted_scopes)
     values ($1, 'acme', '00o1', 'acme.okta.com', 'api_service_integration', 'client', $2, '{okta.devices.read}')`,
    [ids.integrations, await secret('okta_client_secret', 'acme.okta.com')],
  );
  await database.query(
    `insert into integration_platforms (integration_id, platform, scep_url, challenge_url, challenge_username, provider_name, secret_id)
     values ($1, 'macOS', 'https://acme.okta.com/scep', 'https://acme.okta.com/challenge', 'user', null, $2),
            ($1, 'iOS', null, null, null, 'Odette', $3)`,
    [
      ids.integrations,
      await secret('challenge_password', 'acme.okta.com/challenge acme.okta.com/scep'),
      await secret('ios_secret_key'),
    ],
  );
  await database.query(
    `insert into connection_health (integration_id, connection, ok, failure_code, at)
     values ($1, 'okta', true, null, now()), ($1, 'challenge', false, 'okta.challenge_credentials_refused', now())`,
    [ids.integrations],
  );
  await database.query(`insert into blueprints (id, name) values ($1, 'Everybody')`, [ids.blueprints]);
  await database.query(
    `insert into channels (id, kind, name, url, api_key_secret_id, webhook_key_secret_id, blueprint_id)
     values ($1, 'nanomdm', 'NanoMDM', 'https://mdm.example.com', $2, $3, $4)`,
    [
      ids.channels,
      await secret('channel_api_key', 'mdm.example.com/'),
      await secret('channel_webhook_key'),
      ids.blueprints,
    ],
  );
  await database.query(
    `with added as (
       insert into channels (kind, name, url, api_key_secret_id) values ('fleet', 'Fleet', 'https://fleet.example.com', $1) returning id)
     insert into channel_readings (channel_id, read_at, server, findings)
     select id, now(), '{"version": "4.61.0", "tier": "free"}', $2::jsonb from added`,
    [
      await secret('channel_api_key', 'fleet.example.com/'),
      JSON.stringify([{ code: 'sso_extension', profile: 'Okta SSO', team: null }]),
    ],
  );
  await saveLibraryItem(database, {
    id: ids['library-items'],
    integrationId: ids.integrations,
    deviceTrustOn: true,
    appConfiguration: null,
    settings: {},
  });
  await database.query(
    'insert into library_item_blueprints (blueprint_id, library_item_id) values ($1, $2)',
    [ids.blueprints, ids['library-items']],
  );
  await addSetup(database, newSetup(ids.setups), 'person:ada');
  const devices = await addDevices(database, ids);
  await addEvidence(database, devices[0] ?? '', ids.integrations);
  await database.query(
    `insert into platform_removals (id, integration_id, integration_name, okta_host, platform, status, users_losing_trust, asked_by, starts_at, finished_at)
     values ($1, $2, 'acme', 'acme.okta.com', 'iOS', 'undone', 0, 'person:ada', now(), now())`,
    [ids.removals, ids.integrations],
  );
  await database.query(`insert into replays (id, started_by) values ($1, 'person:ada')`, [ids.replays]);
  await database.query(
    `insert into fleet_rollouts (id, kind, reason, pace, devices, canary, settle_minutes, started_by)
     values ($1, 'library_item', 'an admin saved the library item', 'waves', 1, 5, 45, 'person:ada')`,
    [ids['fleet-rollouts']],
  );
  await database.query(
    `insert into fleet_rollout_devices (fleet_rollout_id, device_id, place, state, wave, failed_before) values ($1, $2, 1, 'completed', 1, false)`,
    [ids['fleet-rollouts'], devices[0]],
  );
  await database.query(
    `insert into secret_rotations (id, integration_id, kind, status, started_by) values ($1, $2, 'ios_secret_key', 'prepared', 'person:ada')`,
    [ids.rotations, ids.integrations],
  );
  await database.query(
    `insert into notification_targets (id, name, kind, is_on, address, rules) values ($1, 'On call', 'webhook', false, 'hooks.example.com:443', $2)`,
    [ids['notification-targets'], { topics: ['installation'], minDevices: 1, tellsWhenDone: false }],
  );
  const viewerToken = randomBytes(32).toString('base64url');
  await addToken(database, {
    name: 'viewer',
    role: 'viewer',
    tokenHash: sha256(viewerToken),
    createdBy: 'test',
    expiresAt: null,
  });
  return { ids, deviceId: devices[0] ?? '', viewerToken };
}

const SEEDED = ['trusted', 'needs_user', 'in_progress', 'needs_you', 'out_of_scope', 'needs_you'] as const;

async function addDevices(
  database: Database,
  ids: { blueprints: string; integrations: string },
): Promise<string[]> {
  const made: string[] = [];
  for (const [place, bucket] of SEEDED.entries()) {
    const isMac = place % 2 === 0;
    const [device] = await database.query<{ id: string }>(
      `insert into devices (family, platform, udid, serial_number, name, model, os_version, user_name, blueprint_id, enrollment_status,
         enrollment_id, identity_fingerprint, enrolled_at, last_contact_at)
       values ($1, $2, $3, $4, $5, 'Mac14,2', '26.1', $6, $7, 'enrolled', gen_random_uuid(), $8, now(), now()) returning id`,
      [
        isMac ? 'Mac' : 'iPhone',
        isMac ? 'macOS' : 'iOS',
        `UDID-${place}`,
        `C02SEED${place}`,
        `Device ${place}`,
        `user${place}@acme.example`,
        ids.blueprints,
        randomBytes(32),
      ],
    );
    const id = device?.id ?? '';
    made.push(id);
    await database.query(
      `insert into device_trust (device_id, integration_id, bucket, delivered, certificate_present, okta_verify_managed, registered, managed,
         phase, waits_for, failure_code, certificate_not_after)
       values ($1, $2, $3, $4, case when $7 then $4::boolean end, $4, $4, $4, $6, 'Nothing.', $5, now() + interval '90 days')`,
      [
        id,
        bucket === 'out_of_scope' ? null : ids.integrations,
        bucket,
        bucket === 'trusted',
        bucket === 'needs_you' ? 'mdm.device_silent' : null,
        bucket === 'needs_you' ? 'failed' : 'delivered',
        isMac,
      ],
    );
    await database.query(
      `insert into rollout_runs (run_id, device_id, workflow_id, started_at, closed_at, outcome, failure_code)
       values ($1, $2, $3, now(), now(), $4, $5)`,
      [
        `run-${place}`,
        id,
        `rollout/${id}`,
        bucket === 'needs_you' ? 'failed' : 'completed',
        bucket === 'needs_you' ? 'mdm.device_silent' : null,
      ],
    );
  }
  return made;
}

async function addEvidence(database: Database, deviceId: string, integrationId: string): Promise<void> {
  await database.query(
    `insert into device_truths (device_id, truth, state, evidence, since) values ($1, 'delivered', 'held', 'All profiles are listed.', now())`,
    [deviceId],
  );
  await database.query(
    `insert into certificate_deliveries (id, device_id, integration_id, slot, payload_uuid, command_uuid, state, challenge_fetched_at,
       serial_number, issuer, not_before, not_after, proven_at)
     values ('d1', $1, $2, 'a', gen_random_uuid(), gen_random_uuid(), 'proven', now(), 'ab12', 'CN=Okta', now() - interval '100 days',
       now() + interval '90 days', now())`,
    [deviceId, integrationId],
  );
  await database.query(
    `insert into sent_profiles (device_id, kind, identifier, payload_uuid, revision) values ($1, 'settings', 'odette.x', gen_random_uuid(), 'r1')`,
    [deviceId],
  );
  await database.query(
    `insert into licenses (device_id, adam_id, state) values ($1, '490179405', 'associated')`,
    [deviceId],
  );
  await database.query(
    `insert into okta_devices (integration_id, okta_id, platform, status, registered, users, created_at, last_updated_at, observed_at, device_id, match)
     values ($2, 'guo1', 'MACOS', 'ACTIVE', true, '[{"id":"00u1","login":"user0@acme.example","managementStatus":"MANAGED"}]', now(), now(), now(), $1, 'serial_number')`,
    [deviceId, integrationId],
  );
  await database.query(
    `insert into device_timeline (device_id, kind, text) values ($1, 'enrolled', 'Enrolled.'), ($1, 'rollout_started', 'Rollout started.')`,
    [deviceId],
  );
  await database.query(
    `insert into reported_inventory (device_id, profiles, applications, installed_applications)
     values ($1, '[]', '[{"identifier":"com.okta.mobile","status":"Managed","hasConfiguration":false}]',
             '[{"identifier":"com.okta.mobile","shortVersion":"9.1","isInstalling":false,"isAppStore":true}]')`,
    [deviceId],
  );
}
