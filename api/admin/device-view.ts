// A device as lists and its page show it.
import type { z } from 'zod';
import {
  findReported,
  findSeenTimes,
  listDeliveries,
  listEvidence,
  listOktaRecords,
  listSentProfiles,
  type ReportedRow,
} from '../../adapters/store/devices/device-evidence.ts';
import { findKeyRead } from '../../adapters/store/devices/ios-key-readers.ts';
import { findLastRefusal, type RefusedCommand } from '../../adapters/store/devices/commands.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { listRollouts } from '../../adapters/store/fleet/fleet-history.ts';
import { findIntegration } from '../../adapters/store/integration/integrations.ts';
import { findOktaFacts } from '../../adapters/store/integration/okta-devices.ts';
import { findLicense } from '../../adapters/store/rollout/licenses.ts';
import { findSerialTwins, type FleetRow } from '../../adapters/store/fleet/fleet.ts';
import { commandSubject } from '../../domain/command-subject.ts';
import { CHANNEL_WORDS, deviceLimits } from '../../domain/channel-words.ts';
import { isEnrolled } from '../../domain/device.ts';
import { deviceWords } from '../../domain/device-error-classes.ts';
import { modelName } from '../../domain/model-names.ts';
import { nextStepOf } from '../../domain/next-step.ts';
import { findingOf } from '../../domain/okta-finding.ts';
import { evidenceTime } from '../../domain/evidence-time.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import { appliesTo, TRUTHS } from '../../domain/trust.ts';
import { workflowIds } from '../../workflows/messages.ts';
import type { Device, DeviceDetail } from '../contract/devices.ts';
import { codeOrNull, rolloutFailureOrNull } from './failure-view.ts';

/** Addresses of workflows in the Temporal UI. */
export interface TemporalLinks {
  readonly temporalUiUrl: string | undefined;
  readonly temporalNamespace: string;
}

export function temporalLink(links: TemporalLinks, workflowId: string, runId?: string): string | null {
  if (links.temporalUiUrl === undefined) return null;
  const path = [
    'namespaces',
    links.temporalNamespace,
    'workflows',
    workflowId,
    ...(runId === undefined ? [] : [runId]),
  ];
  return `${links.temporalUiUrl}/${path.map(encodeURIComponent).join('/')}`;
}

export const showChannel = ({ channelKind, channelName }: FleetRow) => ({
  kind: channelKind,
  name: channelName ?? CHANNEL_WORDS.built_in.name,
});

export function showDevice(row: FleetRow): z.input<typeof Device> {
  const { delivered, certificatePresent, oktaVerifyManaged, registered, managed } = row;
  return {
    ...row,
    channel: showChannel(row),
    modelName: modelName(row.model),
    nextStep: nextStepOf({
      ...row,
      isEnrolled: isEnrolled(row.enrollmentStatus),
      lastContactAtMs: row.lastContactAt?.getTime() ?? null,
      nowMs: Date.now(),
    }),
    failureCode: codeOrNull(row.failureCode),
    truths: { delivered, certificatePresent, oktaVerifyManaged, registered, managed },
  };
}

const listsProfile = (reported: ReportedRow | undefined, uuid: string): boolean =>
  reported?.profiles?.some((profile) => profile.uuid.toLowerCase() === uuid.toLowerCase()) ?? false;

const showDeviceError = ({ step, requestType, respondedAt, errorChain }: RefusedCommand) => ({
  subject: commandSubject(step, requestType),
  requestType,
  text: deviceWords(errorChain) ?? null,
  at: respondedAt,
  errorChain: [...errorChain],
});

function showPayloadSet(
  deviceId: string,
  sent: Awaited<ReturnType<typeof listSentProfiles>>,
  deliveries: Awaited<ReturnType<typeof listDeliveries>>,
  reported: ReportedRow | undefined,
): z.input<typeof DeviceDetail>['payloadSet'] {
  return [
    ...sent.map((profile) => ({
      ...profile,
      onDevice:
        profile.kind === 'app_configuration'
          ? reported?.appConfigurationRevision === profile.revision
          : listsProfile(reported, profile.payloadUuid),
    })),
    ...deliveries
      .filter(({ state }) => state === 'sent' || state === 'proven')
      .map((delivery) => ({
        kind: `certificate.${delivery.slot}`,
        identifier: `odette.${delivery.integrationId}.${deviceId}.certificate.${delivery.slot}`,
        revision: delivery.deliveryId,
        payloadUuid: delivery.payloadUuid,
        sentAt: delivery.sentAt,
        onDevice: listsProfile(reported, delivery.payloadUuid),
      })),
  ];
}

export async function showDetail(
  sql: Sql,
  row: FleetRow,
  links: TemporalLinks,
): Promise<z.input<typeof DeviceDetail>> {
  const finding = await showFinding(sql, row);
  const [evidence, sent, deliveries, reported, records, license, runs, refusal, twins, keyRead] =
    await Promise.all([
      listEvidence(sql, row.id),
      listSentProfiles(sql, row.id),
      listDeliveries(sql, row.id),
      findReported(sql, row.id),
      listOktaRecords(sql, row.id),
      findLicense(sql, row.id, OKTA_VERIFY.adamId),
      listRollouts(sql, { deviceId: row.id, limit: 20 }),
      row.failureCode === null ? undefined : findLastRefusal(sql, row.id, row.failureCode),
      row.sharesSerialNumber ? findSerialTwins(sql, row.id) : [],
      findKeyRead(sql, row.id),
    ]);
  const channel = showChannel(row);
  const workflowId = workflowIds.rollout(row.id);
  const seen = await findSeenTimes(sql, row.id, row.integrationId, deliveries[0]?.scope ?? 'System');
  return {
    ...showDevice(row),
    channel: { ...channel, cannot: deviceLimits(channel.kind, channel.name, row.platform) },
    enrolledAt: row.enrolledAt,
    verifiedAt: row.verifiedAt,
    evidence: TRUTHS.map((truth) => {
      const known = evidence.find((each) => each.truth === truth) ?? withoutEvidence(truth, row.platform);
      const since = known.state === 'held' ? known.since : null;
      return { ...known, since, ...evidenceTime(truth, known.state, seen) };
    }),
    serialNumberTwins: twins.map((twin) => ({
      ...twin,
      mayBeRetired: twin.bucket === 'left' || twin.bucket === 'unreachable',
    })),
    failure: rolloutFailureOrNull(row.failureCode),
    deviceError: refusal === undefined ? null : showDeviceError(refusal),
    payloadSet: showPayloadSet(row.id, sent, deliveries, reported),
    certificates: deliveries,
    license: license
      ? { state: license.state, failureCode: codeOrNull(license.failureCode), changedAt: license.changedAt }
      : null,
    oktaVerify: showOktaVerify(reported),
    iosKeyRead: keyRead ?? null,
    oktaFinding: finding,
    oktaRecords: records.map(({ oktaHost, ...record }) => ({
      ...record,
      users: record.users.map(({ login, managementStatus }) => ({ login, managementStatus })),
      adminUrl: `https://${oktaHost}/admin/devices/${encodeURIComponent(record.oktaId)}`,
    })),
    rollouts: runs.map(({ runId, startedAt, closedAt, outcome, failureCode }) => ({
      runId,
      startedAt,
      closedAt,
      outcome,
      failure: rolloutFailureOrNull(failureCode),
      temporalUrl: temporalLink(links, workflowId, runId),
    })),
    workflowId,
    temporalUrl: temporalLink(links, workflowId),
  };
}

function withoutEvidence(truth: (typeof TRUTHS)[number], platform: FleetRow['platform']) {
  const applies = appliesTo(truth, platform);
  return {
    truth,
    state: applies ? ('unknown' as const) : ('not_applicable' as const),
    evidence: applies ? 'No reports yet.' : 'Does not apply to iPhones and iPads.',
    since: null,
  };
}

async function showFinding(sql: Sql, row: FleetRow) {
  if (row.integrationId === null) return null;
  const [okta, integration] = [
    await findOktaFacts(sql, row.id, row.integrationId),
    await findIntegration(sql, row.integrationId),
  ];
  const { kind, owner, evidence, remedy, user } = findingOf({
    platform: row.platform,
    okta,
    userName: row.user,
    countsAnyUser: integration?.settings.countsAnyUser ?? false,
  });
  return { kind, owner, evidence, remedy, user: user ?? null };
}

function showOktaVerify(reported: ReportedRow | undefined) {
  const app = reported?.applications?.find(({ identifier }) => identifier === OKTA_VERIFY.bundleId);
  const installed = reported?.installedApplications?.find(
    ({ identifier }) => identifier === OKTA_VERIFY.bundleId,
  );
  if (!app && !installed) return null;
  return {
    status: app?.status ?? null,
    version: installed?.shortVersion ?? null,
    isAppStore: installed?.isAppStore ?? null,
  };
}
