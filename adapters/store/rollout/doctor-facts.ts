// What the doctor judges a device by, read from the tables.
import type { DoctorFacts } from '../../../domain/doctor.ts';
import { findingOf, type OktaFinding } from '../../../domain/okta-finding.ts';
import { TRUTHS, type Truth, type TruthState, type TruthStates } from '../../../domain/trust.ts';
import type { Sql } from '../base/database.ts';
import { findOktaFacts } from '../integration/okta-devices.ts';
import { readDeviceState, reportedDeliveriesOf, settingsOf, type DeviceState } from './rollout-state.ts';
import { deliveryIdOf, isOfOdette } from '../../../domain/profile-identifier.ts';
import { vendorOfCertificate, vendorOfProfile } from '../../../domain/profile-vendor.ts';
import { OKTA_VERIFY } from '../../../domain/device-report.ts';
import { OUTSTANDING } from '../devices/command-states.ts';

interface Traces {
  readonly truths: Readonly<Partial<Record<Truth, TruthState>>>;
  readonly bucket: string | null;
  readonly wasRegistered: boolean;
  readonly failedDeliveriesToday: number;
  readonly wasAcceptedNotThere: boolean;
  readonly sharedWith: readonly string[];
  readonly configuredAtMs: number | null;
  readonly connectionFailures: readonly string[];
  readonly waitingCommand: { readonly requestType: string; readonly sinceMs: number } | null;
}

async function readTraces(sql: Sql, state: DeviceState, integrationId: string, now: Date): Promise<Traces> {
  const listed = (state.certificates ?? []).map(({ serialNumber }) => serialNumber);
  const connections = state.platform === 'macOS' ? ['okta', 'challenge', 'scep'] : ['okta'];
  const [row] = await sql.query<Traces>(
    `select coalesce((select jsonb_object_agg(truth, state) from device_truths where device_id = $1), '{}') as truths,
            (select bucket from device_trust where device_id = $1) as bucket,
            exists (select from device_timeline where device_id = $1 and kind = 'truth_held' and detail ->> 'truth' = 'registered') as was_registered,
            (select count(*)::int from certificate_deliveries
              where device_id = $1 and state = 'failed' and created_at > $5::timestamptz - interval '1 day') as failed_deliveries_today,
            coalesce((select delivery.state = 'failed' and command.status = 'Acknowledged' from certificate_deliveries as delivery
               join commands as command on command.uuid = delivery.command_uuid
              where delivery.device_id = $1 order by delivery.created_at desc limit 1), false) as was_accepted_not_there,
            array(select distinct coalesce(other.name, other.serial_number, other.udid) from certificate_deliveries as delivery
               join devices as other on other.id = delivery.device_id
              where delivery.serial_number = any($2) and delivery.device_id <> $1 order by 1) as shared_with,
            (select (extract(epoch from sent_at) * 1000)::float8 from sent_profiles
              where device_id = $1 and kind = 'app_configuration') as configured_at_ms,
            array(select failure_code from connection_health
                   where integration_id = $3 and connection = any($4) and failure_code is not null) as connection_failures,
            (select jsonb_build_object('requestType', request_type, 'sinceMs', extract(epoch from coalesce(not_now_at, queued_at)) * 1000)
               from commands where device_id = $1 and state in ${OUTSTANDING} order by position limit 1) as waiting_command`,
    [state.id, listed, integrationId, connections, now],
  );
  if (row === undefined) throw new Error('a select without from returns a row');
  return row;
}

export interface ExaminedDevice {
  readonly facts: DoctorFacts;
  readonly finding: OktaFinding;
}

/** undefined: there is no such device, or no switched-on item asks that it be trusted. */
export async function readDoctorFacts(
  sql: Sql,
  deviceId: string,
  now: Date,
): Promise<ExaminedDevice | undefined> {
  const state = await readDeviceState(sql, deviceId);
  if (state?.integrationId === undefined || state.integrationId === null || state.itemIsOn !== true)
    return undefined;
  const { integrationId } = state;
  const okta = await findOktaFacts(sql, deviceId, integrationId);
  const { truths, bucket, ...traces } = await readTraces(sql, state, integrationId, now);
  const settings = settingsOf(state);
  const finding = findingOf({
    platform: state.platform,
    okta,
    userName: state.userName,
    countsAnyUser: settings.countsAnyUser,
  });
  const facts: DoctorFacts = {
    ...traces,
    deviceId,
    platform: state.platform,
    nowMs: now.getTime(),
    settings,
    isPlatformConfigured: state.secretId !== null,
    truths: Object.fromEntries(TRUTHS.map((truth) => [truth, truths[truth] ?? 'unknown'])) as TruthStates,
    failureCode: state.failureCode,
    isInProgress: bucket === 'in_progress',
    finding,
    record: okta === null ? null : { lastUpdatedAtMs: okta.lastUpdatedAtMs },
    certificate: certificateOf(state, integrationId),
    listedNames: state.certificates?.map(({ commonName }) => commonName) ?? null,
    ownCertificates: reportedDeliveriesOf(state)?.length ?? 0,
    foreignProfiles: foreignProfilesOf(state),
    foreignCertificates: foreignCertificatesOf(state, integrationId),
    appIsForeign:
      state.itemSettings?.appComesFromElsewhere !== true &&
      state.installedApplications?.find(({ identifier }) => identifier === OKTA_VERIFY.bundleId)
        ?.isAppStore === false,
  };
  return { facts, finding };
}

const isMdm = ({ type }: { readonly type: string }): boolean => type === 'com.apple.mdm';

/** Without the profile of its enrollment, wherever it is enrolled: its SCEP payload is that of the MDM identity. */
function foreignProfilesOf({ profiles }: DeviceState): DoctorFacts['foreignProfiles'] {
  const listed = (profiles ?? []).map(({ identifier }) => identifier);
  return (profiles ?? [])
    .filter(({ identifier, payloads }) => !isOfOdette(identifier) && !payloads.some(isMdm))
    .map(({ identifier, displayName, payloads }) => ({
      name: displayName ?? identifier,
      vendor: vendorOfProfile(identifier, listed) ?? null,
      payloadTypes: payloads.map(({ type }) => type),
    }));
}

/** Of the authority that issued Odette's certificate, or that Okta names as its own. */
function foreignCertificatesOf(
  state: DeviceState,
  integrationId: string,
): DoctorFacts['foreignCertificates'] {
  const issuer = certificateOf(state, integrationId)?.issuer;
  return (state.certificates ?? [])
    .filter((each) => each.isIdentity && deliveryIdOf(each.organizationalUnits) === undefined)
    .filter((each) => each.issuer === issuer || /\bokta\b/i.test(each.issuer))
    .map((each) => ({
      name: each.commonName,
      issuer: each.issuer,
      vendor: vendorOfCertificate(each) ?? null,
      notAfterMs: Date.parse(each.notAfter),
    }));
}

function certificateOf(state: DeviceState, integrationId: string): DoctorFacts['certificate'] {
  const newest = state.deliveries.find((each) => each.state === 'proven');
  if (newest?.integrationId !== integrationId) return null;
  const { notBefore, notAfter, provenAt, serialNumber, use } = newest;
  if (notBefore === null || notAfter === null || provenAt === null) return null;
  return {
    notBeforeMs: Date.parse(notBefore),
    notAfterMs: Date.parse(notAfter),
    provenAtMs: Date.parse(provenAt),
    serialNumber,
    issuer: state.certificates?.find((listed) => listed.serialNumber === serialNumber)?.issuer ?? null,
    use,
  };
}
