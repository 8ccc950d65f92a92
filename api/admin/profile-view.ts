// The profiles a device should have, built as they are sent but with every secret masked: no challenge is fetched to show one.
import type { DesiredState } from '../../domain/rollout-view.ts';
import { appConfiguration } from '../../adapters/mdm/payloads/app-configuration.ts';
import { certificateProfile, settingsProfile, ssoProfile } from '../../adapters/mdm/payloads/payload-set.ts';
import type { Profile } from '../../adapters/mdm/payloads/profile.ts';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { findReported, listDeliveries } from '../../adapters/store/devices/device-evidence.ts';
import {
  desiredStateOf,
  readDeviceState,
  reportedProfilesOf,
  settingsOf,
} from '../../adapters/store/rollout/rollout-state.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import { orgUrlOf, sentSettingsOf, ssoHostsOf } from '../../domain/payload-set.ts';
import type { WantedProfileKind } from '../../domain/profile-identifier.ts';

const MASK = '••••••••';

interface ShownProfile {
  readonly kind: string;
  readonly identifier: string | null;
  readonly displayName: string;
  readonly revision: string | null;
  readonly onDevice: boolean;
  readonly xml: string;
}

/** Empty for a device that is in no scope. */
export async function showProfiles(sql: Sql, deviceId: string): Promise<ShownProfile[]> {
  const state = await readDeviceState(sql, deviceId);
  const desired = state && desiredStateOf(state);
  if (!state || !desired || state.oktaHost === null) return [];
  const reported = await findReported(sql, deviceId);
  const listed = reportedProfilesOf(state) ?? [];
  const isListed = (uuid: string) => listed.some((each) => each.uuid === uuid);
  const host = { oktaHost: state.oktaHost, customDomain: state.customDomain };
  const hosts = ssoHostsOf({ ...host, furtherDomains: settingsOf(state).furtherDomains });
  const { integrationId } = desired;

  const profileOf = (kind: WantedProfileKind, uuid: string): Profile => {
    const target = { integrationId, deviceId, uuid };
    switch (kind) {
      case 'settings':
        return settingsProfile({
          ...target,
          orgUrl: orgUrlOf(host),
          ...sentSettingsOf(state.itemSettings ?? {}),
        });
      case 'sso':
        return state.platform === 'macOS'
          ? ssoProfile({ ...target, hosts, platform: 'macOS' })
          : ssoProfile({ ...target, hosts, platform: 'iOS', managementHint: MASK });
    }
  };
  const shown: ShownProfile[] = desired.profiles.map(({ kind, identifier, revision, payloadUuid }) => {
    const profile = profileOf(kind, payloadUuid);
    const xml = profile.xml.toString();
    return {
      kind,
      identifier,
      displayName: profile.displayName,
      revision,
      onDevice: isListed(payloadUuid),
      xml,
    };
  });

  if (desired.wantsCertificate) {
    const current = await currentDelivery(sql, deviceId);
    const uuid = current?.payloadUuid ?? '00000000-0000-4000-8000-000000000000';
    const profile = certificateProfile({
      integrationId,
      deviceId,
      uuid,
      ...placeOf(current, desired),
      scepUrl: state.scepUrl ?? '',
      challenge: MASK,
      serialNumber: state.serialNumber ?? '',
      udid: state.udid,
      deliveryId: current?.deliveryId ?? 'DELIVERY',
    });
    shown.unshift({
      kind: 'certificate',
      identifier: profile.identifier,
      displayName: profile.displayName,
      revision: current?.deliveryId ?? null,
      onDevice: isListed(uuid),
      xml: profile.xml.toString(),
    });
  }
  if (desired.appConfigurationRevision !== null)
    shown.push({
      kind: 'app_configuration',
      identifier: OKTA_VERIFY.bundleId,
      displayName: 'Managed app configuration of Okta Verify',
      revision: desired.appConfigurationRevision,
      onDevice: reported?.appConfigurationRevision === desired.appConfigurationRevision,
      xml: buildPlist(appConfiguration({ orgUrl: orgUrlOf(host), managementHint: MASK })).toString(),
    });
  return shown;
}

const placeOf = (current: Awaited<ReturnType<typeof currentDelivery>>, desired: DesiredState) => ({
  slot: current?.slot ?? ('a' as const),
  scope: current?.scope ?? desired.certificateScope,
});

/** The certificate that is on the device, or else on its way. */
async function currentDelivery(sql: Sql, deviceId: string) {
  const deliveries = await listDeliveries(sql, deviceId);
  return (
    deliveries.find(({ state }) => state === 'proven') ?? deliveries.find(({ state }) => state === 'sent')
  );
}
