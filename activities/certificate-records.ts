// What the tables say of a device's certificates: the plan of the moment, the proof, how a delivery ended, and telling the rollout.
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Database, Sql } from '../adapters/store/base/database.ts';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { findLastRefusal } from '../adapters/store/devices/commands.ts';
import { appendTimeline } from '../adapters/store/devices/device-timeline.ts';
import {
  failDelivery,
  failMissingDeliveries,
  proveDelivery,
  readCertificateView,
  recordRemovedDeliveries,
  type NamedCertificateView,
} from '../adapters/store/rollout/deliveries.ts';
import { lockState, refreshLocked } from './refresh-trust.ts';
import {
  planCertificate,
  type CertificateAction,
  type CertificateMemory,
  type CertificateView,
  type Delivery,
  type ReportedDelivery,
} from '../domain/certificate-plan.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { IntegrationSettings } from '../domain/integration-settings.ts';
import type { PayloadScope } from '../domain/profile-identifier.ts';
import { renewalOf, type Renewal, type Urgency } from '../domain/renewal-policy.ts';
import { workflowIds } from '../workflows/messages.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { failedText, failureText } from './failure-text.ts';

export interface PlannedCertificateStep {
  readonly action: CertificateAction;
  readonly enrollmentId: string;
  readonly settings: IntegrationSettings;
  /** Of the certificate that is on the device; null: there is none. */
  readonly notAfterMs: number | null;
  /** From when on it is renewed. */
  readonly renewsFromMs: number | null;
  /** What people call the device; null: it has neither a name nor a serial number. */
  readonly deviceName: string | null;
  readonly urgency: Urgency;
}

interface PlanCertificateInput {
  readonly deviceId: string;
  readonly memory: CertificateMemory;
  readonly nowMs: number;
}

interface CertificateProof {
  readonly deviceId: string;
  readonly delivery: Delivery;
  readonly certificate: ReportedDelivery;
  readonly nowMs: number;
}

export function certificateRecords({
  database,
  temporal,
}: Pick<ActivityDependencies, 'database' | 'temporal'>) {
  return {
    /** Local. Reads the tables and plans; keeps what the device's lists prove of older deliveries. */
    planCertificateStep: (input: PlanCertificateInput): Promise<PlannedCertificateStep | null> =>
      planStep(database, input),

    /** Local. The device lists the certificate: its proof is kept, and shown. */
    recordProof: (input: CertificateProof): Promise<void> => saveProof(database, input),

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
    async signalRollout(input: {
      readonly deviceId: string;
      readonly signal: 'certificateProven' | 'certificateFailed' | 'certificateRemoved';
      readonly body: { readonly eventId: string };
    }): Promise<void> {
      try {
        await temporal.workflow
          .getHandle(workflowIds.rollout(input.deviceId))
          .signal(input.signal, input.body);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
  };
}

/** Keeps what the device's lists prove of older deliveries, and plans. */
async function planStep(
  database: Database,
  input: PlanCertificateInput,
): Promise<PlannedCertificateStep | null> {
  const { deviceId, memory, nowMs } = input;
  const listed = (['System', 'User'] as const).filter((scope) =>
    scope === 'User' ? memory.isUserFresh : memory.isFresh,
  );
  const seen = await readCertificateView(database, deviceId);
  const isOld = seen !== undefined && listed.some((scope) => lacksDelivery(seen, scope));
  const view = isOld
    ? await database.inTransaction((sql) => recordListed(sql, deviceId, listed, nowMs))
    : seen;
  if (view === undefined) return null;
  const proven = view.deliveries.find(({ state }) => state === 'proven');
  const renewal =
    proven === undefined ? undefined : renewalOfDelivery(proven, view.settings, deviceId, nowMs);
  return {
    action: planCertificate(view, memory, nowMs),
    enrollmentId: view.enrollmentId,
    settings: view.settings,
    notAfterMs: proven?.notAfterMs ?? null,
    renewsFromMs: renewal?.fromMs ?? null,
    deviceName: view.deviceName,
    urgency: renewal?.urgency ?? 'none',
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
): Promise<NamedCertificateView | undefined> {
  const view = await readCertificateView(sql, deviceId);
  if (view === undefined) return undefined;
  for (const scope of scopes) {
    if (!lacksDelivery(view, scope)) continue;
    const listed = uuidsListed(view, scope);
    await recordRemovedDeliveries(sql, deviceId, scope, listed, new Date(nowMs));
    await failMissingDeliveries(sql, deviceId, scope, listed);
  }
  return readCertificateView(sql, deviceId);
}

/** The proof is kept and shown; a rollout that failed for want of it goes on by itself. */
async function saveProof(database: Database, input: CertificateProof): Promise<void> {
  const { deviceId, certificate } = input;
  const now = new Date(input.nowMs);
  const notAfter = new Date(certificate.notAfterMs);
  await database.inTransaction(async (sql) => {
    const proof = {
      serialNumber: certificate.serialNumber,
      issuer: certificate.issuer,
      notBefore: new Date(certificate.notBeforeMs),
      notAfter,
      provenAt: now,
    };
    if (await proveDelivery(sql, deviceId, input.delivery.id, proof))
      await appendTimeline(
        sql,
        deviceId,
        {
          kind: 'certificate_proven',
          text: `The device lists its certificate from Okta; it expires on ${notAfter.toISOString().slice(0, 10)}.`,
          detail: { serialNumber: certificate.serialNumber, notAfter: notAfter.toISOString() },
        },
        now,
      );
    const locked = await lockState(sql, deviceId);
    if (locked === undefined) return;
    const hasFailed = locked.known.failureCode !== null;
    // Whatever was said of the certificate before; why the device has failed stays.
    await refreshLocked(sql, locked, { now, ...(!hasFailed && { waitsFor: null }) });
    // A rollout that failed for want of it goes on by itself.
    if (hasFailed)
      await appendOutboxMessage(
        sql,
        deviceId,
        {
          kind: 'rollOutDevice',
          deviceId,
          reason: 'its certificate was proven',
          ifNoneRuns: true,
        },
        'device',
      );
  });
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
