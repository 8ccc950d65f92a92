// What the tables say of a device's certificates: the plan of the moment, the proof, how a delivery ended, and telling the rollout.
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Database, Sql } from '../adapters/store/base/database.ts';
import { findLastRefusal } from '../adapters/store/devices/commands.ts';
import { notifyCertificateOver } from '../adapters/store/devices/long-polls.ts';
import { appendTimeline } from '../adapters/store/devices/device-timeline.ts';
import {
  certificateViewOf,
  failDelivery,
  failMissingDeliveries,
  readCertificateView,
  recordRemovedDeliveries,
  type NamedCertificateView,
} from '../adapters/store/rollout/deliveries.ts';
import { readDeviceState, type DeviceState } from '../adapters/store/rollout/rollout-state.ts';
import { lockState, refreshLocked } from './refresh-trust.ts';
import {
  planCertificate,
  type CertificateAction,
  type CertificateMemory,
  type CertificateView,
  type Delivery,
} from '../domain/certificate-plan.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { IntegrationSettings } from '../domain/integration-settings.ts';
import type { PayloadScope } from '../domain/profile-identifier.ts';
import { renewalOf, type Renewal, type Urgency } from '../domain/renewal-policy.ts';
import { workflowIds } from '../workflows/messages.ts';
import { proofOf, saveProof } from './certificate-proof.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { failedText, failureText } from './failure-text.ts';

export interface PlannedCertificateStep {
  readonly action: Exclude<CertificateAction, { do: 'prove' }>;
  readonly enrollmentId: string;
  readonly settings: IntegrationSettings;
  /** Of the certificate that is on the device; null: there is none. */
  readonly notAfterMs: number | null;
  /** From when on it is renewed. */
  readonly renewsFromMs: number | null;
  /** What people call the device; null: it has neither a name nor a serial number. */
  readonly deviceName: string | null;
  readonly urgency: Urgency;
  /** What the device's lists have proven just now, before this step was planned. */
  readonly proven: ProvenCertificate | null;
  /** The rollout that waits for the proof was told. */
  readonly isReplied: boolean;
}

type Planned = Omit<PlannedCertificateStep, 'isReplied'>;

export interface ProvenCertificate {
  readonly deliveryId: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Temporal answers at once, or is away. */
const REPLY_MS = 3_000;

interface PlanCertificateInput {
  readonly deviceId: string;
  readonly memory: CertificateMemory;
  readonly nowMs: number;
  /** Of the reply to the rollout that waits for the proof; null: none does. */
  readonly replyId: string | null;
}

export function certificateRecords({
  database,
  temporal,
}: Pick<ActivityDependencies, 'database' | 'temporal'>) {
  return {
    /** Local. Reads the tables and plans; keeps what the device's lists prove of its deliveries, shows it, and tells the rollout that waits for it. */
    async planCertificateStep(input: PlanCertificateInput): Promise<PlannedCertificateStep | null> {
      const planned = await planStep(database, input);
      return planned && { ...planned, isReplied: await reply(temporal, input, planned) };
    },

    /** Local. The device refused a delivery, or never had it. */
    async recordDeliveryEnd(input: { readonly deliveryId: string }): Promise<void> {
      await database.inTransaction((sql) => failDelivery(sql, input.deliveryId));
    },

    /** Local. Something about the certificate that people should see. Returns its words. */
    async recordCertificateEvent(input: {
      readonly deviceId: string;
      readonly kind: 'certificate_unused' | 'certificate_late' | 'certificate_expired' | 'certificate_failed';
      readonly failureCode?: FailureCode;
      readonly nowMs: number;
    }): Promise<string> {
      const now = new Date(input.nowMs);
      const { deviceId, kind } = input;
      return database.inTransaction(async (sql) => {
        const code = input.failureCode ?? 'certificate.not_renewed';
        const refusal = await findLastRefusal(sql, deviceId, code);
        const locked = await lockState(sql, deviceId);
        const failed = locked?.known.failureCode ?? null;
        const textOf = failed === null ? failureText : failedText;
        const text = kind === 'certificate_unused' ? UNUSED_TEXT : textOf(code, refusal);
        await appendTimeline(sql, deviceId, { kind, text, detail: { ...input, nowMs: undefined } }, now);
        // A device that has failed goes on saying why.
        const isShown = failed === null || failed === code;
        if (locked) await refreshLocked(sql, locked, { now, ...(isShown && { waitsFor: text }) });
        return text;
      });
    },

    /** Tells the device's rollout; if none runs, nobody waits for it. */
    signalRollout: (input: RolloutSignal): Promise<void> => signalRollout(temporal, input),
  };
}

interface RolloutSignal {
  readonly deviceId: string;
  readonly signal: 'certificateProven' | 'certificateFailed' | 'certificateRemoved';
  readonly body: { readonly eventId: string };
}

async function signalRollout(temporal: Client, { deviceId, signal, body }: RolloutSignal): Promise<void> {
  try {
    await temporal.workflow.getHandle(workflowIds.rollout(deviceId)).signal(signal, body);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/** Whether it was told. Where it could not be, the workflow tells it: what was proven is not planned for a second time. */
async function reply(
  temporal: Client,
  { deviceId, replyId: eventId }: PlanCertificateInput,
  { action, proven, notAfterMs }: Planned,
): Promise<boolean> {
  const deliveryId = proven?.deliveryId ?? (action.do === 'sleep' ? action.delivery.id : undefined);
  if (eventId === null || deliveryId === undefined || notAfterMs === null) return false;
  const body = { eventId, deliveryId, notAfter: new Date(notAfterMs).toISOString() };
  const told = temporal.withDeadline(Date.now() + REPLY_MS, () =>
    signalRollout(temporal, { deviceId, signal: 'certificateProven', body }),
  );
  return told.then(
    () => true,
    () => false,
  );
}

/** Keeps what the device's lists prove of older deliveries, and plans. */
async function planStep(database: Database, input: PlanCertificateInput): Promise<Planned | null> {
  const { deviceId, memory, nowMs } = input;
  const listed = (['System', 'User'] as const).filter((scope) =>
    scope === 'User' ? memory.isUserFresh : memory.isFresh,
  );
  const seen = await readDeviceState(database, deviceId);
  const isOld = seen !== undefined && listed.some((scope) => lacksDelivery(certificateViewOf(seen), scope));
  const state = isOld
    ? await database.inTransaction((sql) => recordListed(sql, deviceId, listed, nowMs))
    : seen;
  if (state === undefined) return null;
  return provenStep(database, state, memory, nowMs);
}

/** Plans; what the lists prove is kept first, and counts already. */
async function provenStep(
  database: Database,
  state: DeviceState,
  memory: CertificateMemory,
  nowMs: number,
  proven: ProvenCertificate | null = null,
): Promise<Planned | null> {
  const view = certificateViewOf(state);
  const action = planCertificate(view, memory, nowMs);
  if (action.do !== 'prove') return stepOf(view, action, proven, nowMs);
  const { delivery, certificate } = action;
  const proof = proofOf(delivery, certificate, new Date(nowMs));
  const known = await saveProof(database, state, proof);
  if (known === undefined) return null;
  const { notBeforeMs, notAfterMs } = certificate;
  const now = { deliveryId: delivery.id, notBeforeMs, notAfterMs };
  // Whoever asked for a new one has it.
  return provenStep(database, known, { ...memory, forced: false }, nowMs, now);
}

function stepOf(
  view: NamedCertificateView,
  action: PlannedCertificateStep['action'],
  proven: ProvenCertificate | null,
  nowMs: number,
): Planned {
  const current = view.deliveries.find(({ state }) => state === 'proven');
  const renewal =
    current === undefined ? undefined : renewalOfDelivery(current, view.settings, view.deviceId, nowMs);
  return {
    action,
    enrollmentId: view.enrollmentId,
    settings: view.settings,
    notAfterMs: current?.notAfterMs ?? null,
    renewsFromMs: renewal?.fromMs ?? null,
    deviceName: view.deviceName,
    urgency: renewal?.urgency ?? 'none',
    proven,
  };
}

const uuidsListed = ({ profiles }: CertificateView, scope: PayloadScope): string[] =>
  (profiles ?? []).filter((each) => each.scope === scope).map(({ uuid }) => uuid);

/** Whether this channel does not list one of the deliveries that it should have. */
const lacksDelivery = (view: CertificateView, scope: PayloadScope): boolean =>
  view.profiles !== null &&
  view.deliveries.some(
    (delivery) => delivery.scope === scope && !uuidsListed(view, scope).includes(delivery.payloadUuid),
  );

/** What fresh lists of these channels prove of older deliveries. Returns what is known then. */
async function recordListed(
  sql: Sql,
  deviceId: string,
  scopes: readonly PayloadScope[],
  nowMs: number,
): Promise<DeviceState | undefined> {
  const view = await readCertificateView(sql, deviceId);
  if (view === undefined) return undefined;
  for (const scope of scopes) {
    if (!lacksDelivery(view, scope)) continue;
    const listed = uuidsListed(view, scope);
    await recordRemovedDeliveries(sql, deviceId, scope, listed, new Date(nowMs));
    await failMissingDeliveries(sql, deviceId, scope, listed);
  }
  await notifyCertificateOver(sql, deviceId);
  return readDeviceState(sql, deviceId);
}

const renewalOfDelivery = (
  delivery: Delivery,
  settings: IntegrationSettings,
  deviceId: string,
  nowMs: number,
): Renewal =>
  renewalOf(
    {
      notBeforeMs: delivery.notBeforeMs ?? nowMs,
      notAfterMs: delivery.notAfterMs ?? nowMs,
      provenAtMs: delivery.provenAtMs ?? nowMs,
    },
    settings,
    deviceId,
    nowMs,
  );

const UNUSED_TEXT =
  'Odette knows of no sign-in with this certificate. Okta revokes an unused certificate on day 91: the user must sign in with Okta FastPass.';
