// What Okta Verify's app configuration on an iPhone or iPad should hold, with the secret opened: for the moment of use only.
import { orgUrlOf } from '../../../domain/payload-set.ts';
import type { Sealer } from '../../../domain/sealer.ts';
import type { Sql } from '../base/database.ts';
import { desiredStateOf, type DeviceState } from '../rollout/rollout-state.ts';
import { openSecret } from '../base/secrets.ts';

export interface ExpectedAppConfiguration {
  readonly revision: string;
  readonly orgUrl: string;
  readonly managementHint: string;
  /** The key in it. */
  readonly iosKey: { readonly secretId: string; readonly version: number };
}

/** undefined: the device gets none. @throws CataloguedError `secrets.*` */
export async function expectedAppConfiguration(
  sql: Sql,
  sealer: Sealer,
  state: DeviceState,
  purpose: string,
): Promise<ExpectedAppConfiguration | undefined> {
  const revision = desiredStateOf(state)?.appConfigurationRevision ?? null;
  const { oktaHost, customDomain, secretId, integrationId } = state;
  if (revision === null || oktaHost === null || secretId === null || integrationId === null) return undefined;
  const { value, version } = await openSecret(sql, sealer, secretId, {
    actor: 'system',
    purpose,
    kind: 'ios_secret_key',
    owner: { integrationId },
  });
  return {
    revision,
    orgUrl: orgUrlOf({ oktaHost, customDomain }),
    managementHint: value.toString('utf8'),
    iosKey: { secretId, version },
  };
}
