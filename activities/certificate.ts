// Certificates: the plan of the moment, the delivery with its challenge, the proof, and telling the rollout.
import { WorkflowNotFoundError } from '@temporalio/client';
import { buildCommand } from '../adapters/mdm/command.ts';
import { certificateProfile } from '../adapters/mdm/payloads/payload-set.ts';
import { fetchChallenge } from '../adapters/okta/challenge.ts';
import { signAttached } from '../adapters/pki/cms.ts';
import { commandUuid, deliveryId, payloadUuid } from '../adapters/store/devices/command-uuid.ts';
import {
  findCommand,
  findLastRefusal,
  queueCommand,
  sealedCommandContext,
  type CommandRow,
} from '../adapters/store/devices/commands.ts';
import {
  failDelivery,
  failMissingDeliveries,
  findDelivery,
  findOutstandingDelivery,
  insertDelivery,
  proveDelivery,
  readCertificateView,
  recordRemovedDeliveries,
  type SentDelivery,
} from '../adapters/store/rollout/deliveries.ts';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { appendTimeline } from '../adapters/store/devices/device-timeline.ts';
import { isAwake } from '../adapters/store/devices/devices-awake.ts';
import { readDeviceState } from '../adapters/store/rollout/rollout-state.ts';
import { openSecret } from '../adapters/store/base/secrets.ts';
import { refreshTrust } from '../adapters/store/rollout/trust.ts';
import {
  certificateIdentifier,
  planCertificate,
  type CertificateAction,
  type CertificateMemory,
  type Delivery,
  type ReportedDelivery,
} from '../domain/certificate-plan.ts';
import { CataloguedError, type FailureCode } from '../domain/failures.ts';
import type { IntegrationSettings } from '../domain/integration-settings.ts';
import { CHALLENGE_LIFE_MS } from '../domain/patience.ts';
import type { CertificateSlot } from '../domain/profile-identifier.ts';
import { urgencyOf, type Urgency } from '../domain/renewal-policy.ts';
import { macPlatformAddress } from '../domain/secret-address.ts';
import { workflowIds } from '../workflows/messages.ts';
import { notingHealth } from './connection-health.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { progressOf, type CommandOwner, type CommandProgress } from './device-commands.ts';
import { failureText } from './failure-text.ts';
import { wakeDevice } from './wake-device.ts';
import { ChallengeBreaker } from './challenge-breaker.ts';

export interface PlannedCertificateStep {
  readonly action: CertificateAction;
  readonly enrollmentId: string;
  readonly settings: IntegrationSettings;
  /** Of the certificate that is on the device; null: there is none. */
  readonly notAfterMs: number | null;
  readonly urgency: Urgency;
}

export interface DeliverInput extends CommandOwner {
  readonly deviceId: string;
  readonly integrationId: string;
  readonly enrollmentId: string;
  readonly slot: CertificateSlot;
  /** Why it is asked for. */
  readonly reason: string;
  /** The n-th delivery of this workflow (over all its runs). */
  readonly number: number;
}

export type DeliverOutcome =
  /** Nothing was fetched, for a challenge would grow old: the device sleeps, or its enrollment is over. */
  | { readonly kind: 'asleep' }
  | { readonly kind: 'sent'; readonly deliveryId: string; readonly command: CommandProgress };

const STEP = 'certificate.install';

export function certificateActivities(deps: ActivityDependencies) {
  const { database } = deps;
  const breaker = new ChallengeBreaker();

  return {
    /** Local. Reads the tables and plans; keeps what the device's lists prove of older deliveries. */
    async planCertificateStep(input: {
      readonly deviceId: string;
      readonly memory: CertificateMemory;
      readonly nowMs: number;
    }): Promise<PlannedCertificateStep | null> {
      const { deviceId, memory, nowMs } = input;
      return database.inTransaction(async (sql) => {
        const before = await readCertificateView(sql, deviceId);
        if (before === undefined) return null;
        if (memory.isFresh && before.profiles !== null) {
          const listed = before.profiles.map(({ uuid }) => uuid);
          await recordRemovedDeliveries(sql, deviceId, listed, new Date(nowMs));
          await failMissingDeliveries(sql, deviceId, listed);
        }
        const view = memory.isFresh ? ((await readCertificateView(sql, deviceId)) ?? before) : before;
        const proven = view.deliveries.find(({ state }) => state === 'proven');
        return {
          action: planCertificate(view, memory, nowMs),
          enrollmentId: view.enrollmentId,
          settings: view.settings,
          notAfterMs: proven?.notAfterMs ?? null,
          urgency: proven === undefined ? 'none' : urgencyOfDelivery(proven, view.settings, deviceId, nowMs),
        };
      });
    },

    /**
     * Fetches a challenge, builds, signs, seals and queues its profile, all in here: the challenge never leaves. Called again it
     * returns what it sent. An attempt that loses the race drops its own challenge.
     */
    async deliverCertificate(input: DeliverInput): Promise<DeliverOutcome> {
      const id = deliveryId(input.workflowId, input.firstRunId, input.number);
      const known =
        (await findDelivery(database, id)) ?? (await findOutstandingDelivery(database, input.deviceId));
      if (known) return sentBefore(known);
      if (!(await isAwake(database, input.deviceId, input.enrollmentId))) return { kind: 'asleep' };

      const state = await readDeviceState(database, input.deviceId);
      if (!state || state.integrationId !== input.integrationId || state.secretId === null)
        throw new CataloguedError('request.changed_meanwhile');
      const { scepUrl, challengeUrl, challengeUsername } = state;
      if (scepUrl === null || challengeUrl === null || challengeUsername === null)
        throw new CataloguedError('okta.challenge_url_gone');
      const password = await openSecret(database, deps.sealer, state.secretId, {
        actor: 'system',
        purpose: 'challenge fetched',
        kind: 'challenge_password',
        owner: { integrationId: state.integrationId },
        address: macPlatformAddress({ challengeUrl, scepUrl }),
      });
      const key = `${input.integrationId}/${state.secretId}/${password.version}/${challengeUrl}`;
      const challenge = await notingHealth(deps.database, input.integrationId, 'challenge', () =>
        breaker.guard(key, () =>
          fetchChallenge({
            url: challengeUrl,
            username: challengeUsername,
            password: password.value.toString('utf8'),
            allowedPrivateHosts: deps.allowedPrivateHosts,
          }),
        ),
      );

      const uuid = commandUuid({ ...input, step: STEP, revision: id, attempt: 1 });
      const identifier = certificateIdentifier(input.integrationId, input.deviceId, input.slot);
      const profileUuid = payloadUuid(identifier, id);
      const profile = certificateProfile({
        integrationId: input.integrationId,
        deviceId: input.deviceId,
        slot: input.slot,
        uuid: profileUuid,
        deliveryId: id,
        scepUrl,
        challenge,
        serialNumber: state.serialNumber ?? state.id,
        udid: state.udid,
      });
      const payload = signAttached(profile.xml, await deps.profileSigner());
      const body = buildCommand(uuid, { requestType: 'InstallProfile', payload });
      const sealedBody = Buffer.from(deps.sealer.seal(body, sealedCommandContext(uuid)));
      for (const holder of [profile.xml, payload, body]) holder.fill(0);

      const row = await database.inTransaction(async (sql): Promise<CommandRow | undefined> => {
        const isFirst = await insertDelivery(
          sql,
          {
            id,
            deviceId: input.deviceId,
            integrationId: input.integrationId,
            slot: input.slot,
            payloadUuid: profileUuid,
            commandUuid: uuid,
            reason: input.reason,
          },
          new Date(),
        );
        if (!isFirst) return undefined;
        return queueCommand(sql, {
          uuid,
          deviceId: input.deviceId,
          enrollmentId: input.enrollmentId,
          workflowId: input.workflowId,
          step: STEP,
          requestType: 'InstallProfile',
          sealedBody,
          handsOverOnce: true,
          // By the database's clock and not the workflow's: the challenge ages in real time.
          expiresAt: new Date(Date.now() + CHALLENGE_LIFE_MS),
        });
      });
      if (row === undefined) return sentBefore({ id, commandUuid: uuid });
      await wakeDevice(deps, input.deviceId);
      return { kind: 'sent', deliveryId: id, command: { ...progressOf(row), wasKnown: false } };
    },

    /** Local. The device lists the certificate: its proof is kept, and shown. */
    async recordProof(input: {
      readonly deviceId: string;
      readonly delivery: Delivery;
      readonly certificate: ReportedDelivery;
      readonly nowMs: number;
    }): Promise<void> {
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
              text: `The device lists its certificate from Okta; it ends on ${notAfter.toISOString().slice(0, 10)}.`,
              detail: { serialNumber: certificate.serialNumber, notAfter: notAfter.toISOString() },
            },
            now,
          );
        // Whatever was said of the certificate before.
        const trust = await refreshTrust(sql, deviceId, { now, waitsFor: null });
        // A rollout that failed for want of it goes on by itself.
        if (trust !== undefined && trust.view.failureCode !== null)
          await appendOutboxMessage(sql, deviceId, {
            kind: 'rollOutDevice',
            deviceId,
            reason: 'its certificate was proven',
            ifNoneRuns: true,
          });
      });
    },

    /** Local. The device refused a delivery, or never had it. */
    async recordDeliveryEnd(input: { readonly deliveryId: string }): Promise<void> {
      await failDelivery(database, input.deliveryId);
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
        const text = kind === 'certificate_unused' ? UNUSED_TEXT : failureText(code, refusal);
        await appendTimeline(sql, deviceId, { kind, text, detail: { ...input, nowMs: undefined } }, now);
        await refreshTrust(sql, deviceId, { now, waitsFor: text });
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
        await deps.temporal.workflow
          .getHandle(workflowIds.rollout(input.deviceId))
          .signal(input.signal, input.body);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
  };

  async function sentBefore(sent: SentDelivery): Promise<DeliverOutcome> {
    const row = await findCommand(database, sent.commandUuid);
    if (row === undefined) throw new CataloguedError('store.unavailable');
    return { kind: 'sent', deliveryId: sent.id, command: { ...progressOf(row), wasKnown: true } };
  }
}

const urgencyOfDelivery = (
  delivery: Delivery,
  settings: IntegrationSettings,
  deviceId: string,
  nowMs: number,
): Urgency =>
  urgencyOf(
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
  'No sign-in is known to have used this certificate. Okta revokes an unused one on day 91: its user signs in with Okta FastPass.';
