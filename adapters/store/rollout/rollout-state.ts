// The desired and the reported state of one device, read in one query and brought to what a plan decides from.
// Long, because the query, its row and what plans see of it name the same columns, and change together.
import { OKTA_VERIFY } from '../../../domain/device-report.ts';
import type { CertificateUse } from '../../../domain/certificate-use.ts';
import type { DeviceFamily, EnrollmentStatus, Platform, PushProblem } from '../../../domain/device.ts';
import { CHANNEL_ABILITIES, type ChannelKind } from '../../../domain/device-channel.ts';
import type { Truth, TruthState } from '../../../domain/trust.ts';
import { integrationSettingsOf, type IntegrationSettings } from '../../../domain/integration-settings.ts';
import { certificateScopeOf, payloadSetOf, type ItemSettings } from '../../../domain/payload-set.ts';
import {
  deliveryIdOf,
  readProfileIdentifier,
  type PayloadScope,
} from '../../../domain/profile-identifier.ts';
import type {
  DesiredState,
  RemovalTerms,
  ReportedOdetteProfile,
  ReportedState,
  RolloutView,
} from '../../../domain/rollout-view.ts';
import type {
  ReportedApplication,
  ReportedCertificate,
  ReportedInstalledApplication,
  ReportedProfile,
} from '../../../domain/device-report.ts';
import { OUTSTANDING } from '../devices/command-states.ts';
import { payloadUuid, revisionOf } from '../devices/command-uuid.ts';
import type { Sql } from '../base/database.ts';
import { OKTA_FACTS, type OktaFactsJson } from '../integration/okta-devices.ts';
import type { KnownTrust } from './trust.ts';

/** A delivery as the query gives it: times as ISO 8601 text. */
export interface DeliveryJson {
  readonly id: string;
  readonly integrationId: string;
  readonly slot: 'a' | 'b';
  readonly scope: PayloadScope;
  readonly payloadUuid: string;
  readonly commandUuid: string;
  readonly state: 'sent' | 'proven' | 'failed' | 'superseded' | 'removed';
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  readonly provenAt: string | null;
  readonly serialNumber: string | null;
  readonly reason: string | null;
  readonly use: CertificateUse;
  readonly useEvidence: string | null;
}

export interface DeviceState {
  readonly id: string;
  readonly family: DeviceFamily;
  readonly platform: Platform;
  readonly channelKind: ChannelKind;
  readonly serialNumber: string | null;
  readonly udid: string;
  readonly name: string | null;
  readonly userName: string | null;
  readonly enrollmentStatus: EnrollmentStatus;
  readonly pushProblem: PushProblem | null;
  readonly enrollmentId: string;
  readonly itemSettings: ItemSettings | null;
  readonly itemIsOn: boolean | null;
  readonly itemConfiguration: Readonly<Record<string, unknown>> | null;
  readonly integrationId: string | null;
  readonly oktaHost: string | null;
  readonly customDomain: string | null;
  readonly integrationSettings: Partial<IntegrationSettings> | null;
  readonly secretId: string | null;
  readonly secretVersion: number | null;
  readonly scepUrl: string | null;
  readonly challengeUrl: string | null;
  readonly challengeUsername: string | null;
  readonly profiles: readonly ReportedProfile[] | null;
  readonly certificates: readonly ReportedCertificate[] | null;
  /** The same of its user's channel. */
  readonly userProfiles: readonly ReportedProfile[] | null;
  readonly userCertificates: readonly ReportedCertificate[] | null;
  readonly hasUserChannel: boolean;
  readonly applications: readonly ReportedApplication[] | null;
  readonly installedApplications: readonly ReportedInstalledApplication[] | null;
  readonly appConfigurationRevision: string | null;
  readonly appRefusals: number;
  readonly appRefusedAt: Date | null;
  readonly failureCode: string | null;
  readonly lastContactAt: Date | null;
  /** Since when it asks to enroll again. */
  readonly returnAskedAt: Date | null;
  /** Why there is no license of Okta Verify for it. */
  readonly licenseFailureCode: string | null;
  /** Under which Apple assigns one just now. */
  readonly licenseEventId: string | null;
  /** Its platform or integration is being removed: it has no desired state any more. */
  readonly isLeaving: boolean;
  readonly removalTerms: RemovalTerms | null;
  readonly configurationWasSent: boolean;
  readonly holdsLicense: boolean;
  readonly deliveries: readonly DeliveryJson[];
  /** As they are shown. */
  readonly truths: Readonly<
    Partial<Record<Truth, { readonly state: TruthState; readonly evidence: string }>>
  >;
  /** What Okta says of it, to the integration of its item. */
  readonly okta: OktaFactsJson | null;
  /** Some command of its rollout has not ended. */
  readonly rolloutIsAsking: boolean;
  /** The rollout run that began last. */
  readonly newestRunId: string | null;
  /** What is shown of its trust, as it was when all of this was read; null: nothing yet. */
  readonly shown: (KnownTrust & { readonly version: string }) | null;
}

/** undefined: there is no such device (any more). */
export async function readDeviceState(sql: Sql, deviceId: string): Promise<DeviceState | undefined> {
  const [row] = await sql.query<Omit<DeviceState, 'shown'> & { readonly shown: ShownTrustJson | null }>(
    `select device.id, device.family, device.platform, coalesce(channel.kind, 'built_in') as channel_kind, device.serial_number, device.udid, device.name,
            device.user_name, device.enrollment_status, device.push_problem, device.enrollment_id,
            device.last_contact_at, device.return_asked_at,
            case license.state when 'failed' then license.failure_code end as license_failure_code,
            case license.state when 'associating' then license.event_id end as license_event_id,
            coalesce(license.state <> 'failed', false) as holds_license,
            item.settings as item_settings, item.device_trust_on as item_is_on, item.app_configuration as item_configuration,
            integration.id as integration_id, integration.okta_host, integration.custom_domain,
            integration.settings as integration_settings,
            platform.secret_id, secret.version as secret_version, platform.scep_url,
            platform.challenge_url, platform.challenge_username,
            reported.profiles, reported.certificates, reported.applications,
            reported.user_profiles, reported.user_certificates,
            exists (select from user_channels where device_id = device.id) as has_user_channel,
            reported.installed_applications,
            reported.app_configuration_revision,
            coalesce(trust.app_refusals, 0) as app_refusals, trust.app_refused_at, trust.failure_code, trust.removal_terms, scope.is_leaving,
            exists (select from sent_profiles where device_id = device.id and kind = 'app_configuration') as configuration_was_sent,
            coalesce((select jsonb_agg(jsonb_build_object('id', id, 'integrationId', integration_id, 'slot', slot, 'scope', scope, 'payloadUuid', payload_uuid,
                        'commandUuid', command_uuid, 'state', state, 'notBefore', not_before, 'notAfter', not_after, 'provenAt', proven_at,
                        'serialNumber', serial_number, 'reason', reason, 'use', use, 'useEvidence', use_evidence)
                        order by created_at desc, id)
                        from certificate_deliveries where device_id = device.id and state in ('sent', 'proven', 'superseded')), '[]') as deliveries,
            coalesce((select jsonb_object_agg(truth, jsonb_build_object('state', state, 'evidence', evidence))
                        from device_truths where device_id = device.id), '{}') as truths,
            ${OKTA_FACTS} as okta,
            exists (select from commands where device_id = device.id and starts_with(workflow_id, 'rollout/') and state in ${OUTSTANDING}) as rollout_is_asking,
            (select run_id from rollout_runs where device_id = device.id order by started_at desc limit 1) as newest_run_id,
            case when trust.device_id is not null then jsonb_build_object('version', trust.xmin::text, 'integrationId', trust.integration_id,
              'phase', trust.phase, 'waitsFor', trust.waits_for, 'failureCode', trust.failure_code, 'bucket', trust.bucket,
              'obstacle', trust.obstacle, 'certificateNotAfter', trust.certificate_not_after) end as shown
       from devices as device
       left join channels as channel on channel.id = device.channel_id
       join device_scope as scope on scope.device_id = device.id
       left join library_items as item on item.id = scope.library_item_id
       left join integrations as integration on integration.id = item.integration_id
       left join integration_platforms as platform on platform.integration_id = integration.id and platform.platform = device.platform
       left join secrets as secret on secret.id = platform.secret_id
       left join reported_inventory as reported on reported.device_id = device.id
       left join device_trust as trust on trust.device_id = device.id
       left join licenses as license on license.device_id = device.id and license.adam_id = $2
      where device.id = $1`,
    [deviceId, OKTA_VERIFY.adamId],
  );
  if (row === undefined) return undefined;
  const notAfter = row.shown?.certificateNotAfter ?? null;
  const certificateNotAfter = notAfter === null ? null : new Date(notAfter);
  return { ...row, shown: row.shown && { ...row.shown, certificateNotAfter } };
}

/** Its time as ISO 8601 text. */
type ShownTrustJson = Omit<NonNullable<DeviceState['shown']>, 'certificateNotAfter'> & {
  readonly certificateNotAfter: string | null;
};

export const settingsOf = (state: DeviceState): IntegrationSettings =>
  integrationSettingsOf(state.integrationSettings ?? {});

/** The integration of the device's item, if it is switched on and the platform was configured; else none. None of a device that is not supported. */
export function desiredStateOf(state: DeviceState): DesiredState | null {
  const { integrationId, oktaHost, secretId, secretVersion } = state;
  if (state.family === 'Other') return null;
  if (state.itemIsOn !== true || state.isLeaving || integrationId === null || oktaHost === null) return null;
  if (secretId === null || secretVersion === null) return null;
  const set = payloadSetOf({
    integrationId,
    deviceId: state.id,
    platform: state.platform,
    oktaHost,
    customDomain: state.customDomain,
    furtherDomains: settingsOf(state).furtherDomains,
    item: state.itemSettings ?? {},
    secret: { id: secretId, version: secretVersion },
  });
  return {
    integrationId,
    settings: settingsOf(state),
    wantsCertificate: set.wantsCertificate,
    certificateScope: certificateScopeOf(state.itemSettings ?? {}),
    profiles: set.profiles.map(({ kind, identifier, inputs }) => {
      const revision = revisionOf(inputs);
      return { kind, identifier, revision, payloadUuid: payloadUuid(identifier, revision) };
    }),
    appConfigurationRevision: set.appConfiguration === null ? null : revisionOf(set.appConfiguration.inputs),
    appComesFromElsewhere: state.platform === 'macOS' && state.itemSettings?.appComesFromElsewhere === true,
  };
}

/** A device has four of them, while an integration follows another eight; one that claims more makes no more work. */
const MAX_PROFILES = 20;

/** Odette's own profiles among those that the device, or its user's channel, lists. */
export const reportedProfilesOf = (state: DeviceState): ReportedOdetteProfile[] | null =>
  state.profiles === null
    ? null
    : [...odetteProfiles(state.profiles, 'System'), ...odetteProfiles(state.userProfiles ?? [], 'User')];

const odetteProfiles = (listed: readonly ReportedProfile[], scope: PayloadScope): ReportedOdetteProfile[] =>
  listed
    .flatMap(({ identifier, uuid }) => {
      const read = readProfileIdentifier(identifier);
      if (read === undefined) return [];
      const { kind, integrationId } = read;
      return [{ identifier, uuid: uuid.toLowerCase(), kind, integrationId, scope }];
    })
    .slice(0, MAX_PROFILES);

/** The certificates of Odette's deliveries among those that the device, or its user's channel, lists, by delivery. */
export const reportedDeliveriesOf = (state: DeviceState) =>
  state.certificates === null
    ? null
    : [
        ...odetteCertificates(state.certificates, 'System'),
        ...odetteCertificates(state.userCertificates ?? [], 'User'),
      ];

const odetteCertificates = (listed: readonly ReportedCertificate[], scope: PayloadScope) =>
  listed.flatMap((certificate) => {
    // Without its key it is no use to the device.
    const deliveryId = certificate.isIdentity ? deliveryIdOf(certificate.organizationalUnits) : undefined;
    return deliveryId === undefined ? [] : [{ deliveryId, scope, certificate }];
  });

function reportedStateOf(state: DeviceState, desired: DesiredState | null): ReportedState {
  // What is in a login keychain is known once its user's channel has said so.
  const isKnown = desired?.certificateScope !== 'User' || state.userCertificates !== null;
  const app = state.applications?.find(({ identifier }) => identifier === OKTA_VERIFY.bundleId);
  const installed = state.installedApplications?.find(
    ({ identifier }) => identifier === OKTA_VERIFY.bundleId,
  );
  return {
    profiles: reportedProfilesOf(state),
    certificates: isKnown ? (reportedDeliveriesOf(state)?.map(({ deliveryId }) => deliveryId) ?? null) : null,
    appStatus: app?.status ?? null,
    appIsForeign: state.platform === 'macOS' && installed?.isAppStore === false,
    appIsInstalled: state.platform === 'macOS' && installed?.isInstalling === false,
    appConfigurationRevision: state.appConfigurationRevision,
  };
}

/** Whether a proven certificate of this integration is in the wanted keychain, in a profile of the same channel, and not yet at its end. */
const hasCertificateOf = (
  state: DeviceState,
  { integrationId, certificateScope }: DesiredState,
  nowMs: number,
): boolean =>
  state.deliveries.some(
    ({ id, payloadUuid: uuid, scope, notAfter, ...delivery }) =>
      delivery.integrationId === integrationId &&
      scope === certificateScope &&
      delivery.state === 'proven' &&
      (notAfter === null || Date.parse(notAfter) > nowMs) &&
      reportedDeliveriesOf(state)?.some((each) => each.deliveryId === id && each.scope === scope) === true &&
      reportedProfilesOf(state)?.some((each) => each.uuid === uuid && each.scope === scope) === true,
  );

/** Of its item; of the one that it had last, if it has none. */
function removalTermsOf(state: DeviceState): RemovalTerms {
  if ((state.itemSettings === null || state.isLeaving) && state.removalTerms !== null)
    return state.removalTerms;
  return {
    delayMinutes: settingsOf(state).removalDelayMinutes,
    // What Odette did not install it does not remove.
    removesApp:
      (state.itemSettings?.removeAppOnRemoval ?? false) &&
      !(state.platform === 'macOS' && state.itemSettings?.appComesFromElsewhere === true),
  };
}

export function rolloutViewOf(state: DeviceState, nowMs: number): RolloutView {
  const desired = desiredStateOf(state);
  const reported = reportedStateOf(state, desired);
  return {
    deviceId: state.id,
    family: state.family,
    platform: state.platform,
    can: CHANNEL_ABILITIES[state.channelKind],
    enrollmentStatus: state.enrollmentStatus,
    enrollmentId: state.enrollmentId,
    appRefusals: state.appRefusals,
    lastRefusedAtMs: state.appRefusedAt?.getTime() ?? null,
    desired,
    removal: removalTermsOf(state),
    reported,
    hasCertificate: desired !== null && hasCertificateOf(state, desired, nowMs),
    hasUserChannel: state.hasUserChannel,
    hasOpenDelivery: state.deliveries.some(
      (delivery) => delivery.state === 'sent' || delivery.state === 'proven',
    ),
    configurationWasSent: state.configurationWasSent,
    holdsLicense: state.holdsLicense,
    failureCode: state.failureCode,
  };
}
