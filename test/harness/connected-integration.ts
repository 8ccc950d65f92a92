// An integration that is set up on both platforms, with a blueprint and the Okta Verify item on it, written into the tables.
import { randomBytes } from 'node:crypto';
import type { KeyRing } from '../../adapters/secrets/key-ring.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import type { IntegrationSettings } from '../../domain/integration-settings.ts';
import { macPlatformAddress } from '../../domain/secret-address.ts';

/** @param host of SCEP and challenge URLs */
export async function connectIntegration(
  database: Database,
  sealer: KeyRing,
  host: string,
  settings: Partial<IntegrationSettings>,
) {
  const secret = (kind: 'okta_client_secret' | 'challenge_password' | 'ios_secret_key', address?: string) =>
    storeSecret(database, sealer, {
      kind,
      value: `${kind}-${randomBytes(8).toString('hex')}`,
      by: 'test',
      ...(address !== undefined && { address }),
    });
  const credentials = await secret('okta_client_secret', 'acme.okta.com');
  const [scepUrl, challengeUrl] = [`https://${host}/scep`, `https://${host}/challenge`];
  const [integration] = await database.query<{ id: string }>(
    `insert into integrations (name, okta_org_id, okta_host, credentials_kind, client_id, credentials_secret_id, granted_scopes, settings)
     values ('acme', gen_random_uuid()::text, 'acme.okta.com', 'api_service_integration', 'c', $1, '{}', $2) returning id`,
    [credentials.id, settings],
  );
  const integrationId = integration?.id ?? '';
  const mac = await secret('challenge_password', macPlatformAddress({ scepUrl, challengeUrl }));
  const phone = await secret('ios_secret_key');
  await database.query(
    `insert into integration_platforms (integration_id, platform, scep_url, challenge_url, challenge_username, secret_id)
     values ($1, 'macOS', $2, $3, 'user', $4), ($1, 'iOS', null, null, null, $5)`,
    [integrationId, scepUrl, challengeUrl, mac.id, phone.id],
  );
  const [blueprint] = await database.query<{ id: string }>(
    `insert into blueprints (name) values ('Test') returning id`,
  );
  const [item] = await database.query<{ id: string }>(
    `insert into library_items (integration_id, device_trust_on) values ($1, true) returning id`,
    [integrationId],
  );
  await database.query(
    'insert into library_item_blueprints (blueprint_id, library_item_id) values ($1, $2)',
    [blueprint?.id, item?.id],
  );
  return {
    integrationId,
    blueprintId: blueprint?.id ?? '',
    itemId: item?.id ?? '',
    phoneSecretId: phone.id,
    switchTrust: (on: boolean) =>
      database.query('update library_items set device_trust_on = $2 where id = $1', [item?.id, on]),
    rotatePhoneKey: () =>
      storeSecret(database, sealer, { kind: 'ios_secret_key', value: 'rotated', by: 'test', id: phone.id }),
  };
}
