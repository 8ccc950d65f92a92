// Keeps the certificate of one Mac: alone writes certificate profiles, proves what it sent, renews before the end, for years.
// What comes next is decided by domain/certificate-plan.ts; failure never ends it, and a silent device is waited for. One loop and what
// it shares with its signals: cut in two, each half would hold the other's state.
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  patched,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlannedCertificateStep } from '../activities/certificate.ts';
import type { CertificateAction, ReportedDelivery } from '../domain/certificate-plan.ts';
import { FAILURES, type FailureCode } from '../domain/failures.ts';
import { deliveryBackOffMs } from '../domain/patience.ts';
import { renewalTime, type RenewalSettings } from '../domain/renewal-policy.ts';
import { CertificateDelivery } from './certificate-delivery.ts';
import { DeviceConversation } from './device-command.ts';
import { needsPerson, reasonOf } from './failure.ts';
import {
  certificateNotNeededSignal,
  certificateWantedSignal,
  commandAnsweredSignal,
  deviceAuthenticatedSignal,
  deviceCheckedOutSignal,
  deviceEnrolledSignal,
  renewNowSignal,
  searchAttributes,
} from './messages.ts';
import { OnceOnly } from './once-only.ts';
import { detailsOf } from './keeper-words.ts';
import { others, records } from './policies.ts';

/** Plain JSON: it goes through continue-as-new. Only `deviceId` is given at the first start. */
export interface KeepCertificateInput {
  readonly deviceId: string;
  readonly integrationId?: string;
  readonly carried?: CarriedState;
}

interface CarriedState {
  readonly isWanted: boolean;
  readonly isFresh: boolean;
  /** Deliveries made so far, over all runs: the next one's number follows. */
  readonly deliveries: number;
  /** Answers to the device's lists are told apart by it over all runs. */
  readonly cycle: number;
  readonly seenEvents: readonly string[];
  readonly hasWarned: boolean;
  readonly urgency: string;
  readonly isSilent?: boolean;
  readonly forced?: boolean;
}

/** Longer histories are left behind before the next sleep. */
const LONG_HISTORY = 60;
/** With a device that refuses what it is asked, or does not keep what it is sent; a renewal needs three. */
const MAX_ROUNDS = 6;

/** A device whose scope came back is not told to its keeper. */
const SCOPE_PAUSE_MS = 60 * 60 * 1000;

const ROUNDS: readonly CertificateAction['do'][] = ['ask', 'remove', 'deliver'];

export async function keepCertificate(input: KeepCertificateInput): Promise<void> {
  const { deviceId, carried } = input;
  const once = new OnceOnly(carried?.seenEvents);
  const conversation = new DeviceConversation(deviceId);
  let integrationId = input.integrationId ?? null;
  let isWanted = carried?.isWanted ?? true;
  let isFresh = carried?.isFresh ?? false;
  let forced = carried?.forced ?? false;
  let askedBy = 0; // rollouts that wait for the proof
  let answeredTo = 0;
  let changes = 0;
  let upheavals = 0; // what a delivery on its way must hear of
  let isEnrolledAgain = false;
  let failures = 0;
  let rounds = 0; // with the device, since anything was settled
  let hasWarned = carried?.hasWarned ?? false;
  let shownUrgency = carried?.urgency ?? 'none';
  let shownEnd: number | null = null;

  const note = ({ eventId }: { readonly eventId: string }, effect: () => void = () => undefined) => {
    if (!once.isNew(eventId)) return;
    effect();
    changes += 1;
  };
  setHandler(commandAnsweredSignal, (answered) => conversation.hear(answered));
  setHandler(certificateWantedSignal, (wanted) =>
    note(wanted, () => {
      if (!isWanted || integrationId !== wanted.integrationId) upheavals += 1;
      integrationId = wanted.integrationId;
      isWanted = true;
      askedBy += 1;
    }),
  );
  setHandler(renewNowSignal, (renew) =>
    note(renew, () => {
      forced = true;
      isFresh = false;
    }),
  );
  setHandler(certificateNotNeededSignal, (event) =>
    note(event, () => {
      upheavals += 1;
      isWanted = false;
      isFresh = false;
    }),
  );
  const onEnrollment = (event: { readonly eventId: string }) =>
    note(event, () => {
      upheavals += 1;
      isFresh = false;
    });
  setHandler(deviceAuthenticatedSignal, onEnrollment);
  setHandler(deviceEnrolledSignal, (event) => {
    isEnrolledAgain = true;
    onEnrollment(event);
  });
  setHandler(deviceCheckedOutSignal, onEnrollment);

  const delivery = new CertificateDelivery(
    deviceId,
    conversation,
    carried?.deliveries ?? 0,
    carried?.cycle ?? 0,
    carried?.isSilent ?? false,
  );

  for (;;) {
    const seen = changes;
    const isChanged = () => changes !== seen;
    const step = await records.planCertificateStep({
      deviceId,
      memory: { isFresh, integrationId, isWanted, forced },
      nowMs: Date.now(),
    });
    if (step === null) return;
    const { action } = step;
    await show(step);

    switch (action.do) {
      case 'ask':
        isFresh = await delivery.askLists(step, isChanged);
        break;
      case 'remove':
        if (action.keeps !== null) await tellProven(step);
        await delivery.remove(step, action.identifiers, isChanged);
        isFresh = false;
        break;
      case 'deliver':
        await deliver(action, step, isChanged);
        break;
      case 'prove':
        await records.recordProof({ deviceId, ...action, nowMs: Date.now() });
        delivery.seen();
        forced = false;
        hasWarned = false;
        await tellProven({ ...step, notAfterMs: action.certificate.notAfterMs }, action.delivery.id);
        // One that is due at once (a clock that jumped, a device that lies) would be renewed without end.
        if (isDue(action.certificate, step.settings) && patched('due-at-once-is-a-failure'))
          await backOff('certificate.not_renewed', isChanged);
        else failures = 0;
        break;
      case 'sleep':
        await tellProven(step, action.delivery.id);
        if (action.decision.kind === 'warn' && !hasWarned) {
          hasWarned = true;
          await records.noteCertificate({ deviceId, kind: 'certificate_unused', nowMs: Date.now() });
        }
        if (workflowInfo().historyLength > LONG_HISTORY && !isChanged()) await startAfresh();
        if (action.decision.kind !== 'renew') await sleepUntil(action.decision.untilMs, isChanged);
        // What is on the device is asked again before anything is done about it.
        if (!isChanged()) isFresh = false;
        break;
      case 'waitForScope':
        if (workflowInfo().historyLength > LONG_HISTORY && !isChanged()) await startAfresh();
        await condition(isChanged, SCOPE_PAUSE_MS, { summary: 'nothing new while it is out of scope' });
        break;
      case 'waitForEnrollment':
      case 'waitToBeWanted':
        await condition(isChanged);
        // The rollout asks the device anyway: its question for a certificate comes first.
        if (isEnrolledAgain) {
          const heedsRenewals = patched('a-renewal-is-not-kept-waiting');
          const isAsked = () => askedBy > answeredTo || !isWanted || (heedsRenewals && forced);
          await condition(isAsked, '10 minutes');
        }
        isEnrolledAgain = false;
        break;
      case 'end':
        await others.tellRollout({
          deviceId,
          signal: 'certificateRemoved',
          body: { eventId: eventId('removed') },
        });
        await condition(allHandlersFinished);
        if (isChanged()) break;
        return;
    }
    rounds = ROUNDS.includes(action.do) && !delivery.isSilent ? rounds + 1 : 0;
    if (delivery.isSilent && workflowInfo().historyLength > LONG_HISTORY && !isChanged()) await startAfresh();
    if (rounds >= MAX_ROUNDS && !isChanged() && patched('rounds-end-in-a-pause'))
      await backOff(action.do === 'deliver' ? 'certificate.not_seen' : 'mdm.command_refused', isChanged);
  }

  async function deliver(
    action: Extract<CertificateAction, { do: 'deliver' }>,
    step: PlannedCertificateStep,
    isChanged: () => boolean,
  ): Promise<void> {
    if (integrationId === null) return;
    const before = upheavals;
    isFresh = false;
    try {
      const failure = await delivery.send(step, integrationId, action.slot, () => upheavals !== before);
      if (failure === 'asleep') isFresh = await delivery.askLists(step, isChanged);
      else if (failure !== null) await backOff(failure, isChanged);
    } catch (error) {
      await backOff(reasonOf(error), isChanged);
    }
  }

  async function backOff(code: FailureCode, isChanged: () => boolean): Promise<void> {
    failures += 1;
    rounds = 0;
    await records.noteCertificate({
      deviceId,
      kind: 'certificate_failed',
      failureCode: code,
      nowMs: Date.now(),
    });
    await others.tellRollout({
      deviceId,
      signal: 'certificateFailed',
      body: { eventId: eventId(`failed/${failures}`), ...{ failureCode: code } },
    });
    setCurrentDetails(
      `**waits** ${FAILURES[code].title} ${FAILURES[code].todo} It is tried again by itself.`,
    );
    await condition(isChanged, deliveryBackOffMs(failures, needsPerson(code)), {
      summary: `tries again after ${code}`,
    });
  }

  /** Tells the rollout that waits, once for each question. */
  async function tellProven(step: PlannedCertificateStep, deliveryId?: string): Promise<void> {
    if (answeredTo === askedBy || step.notAfterMs === null) return;
    answeredTo = askedBy;
    await others.tellRollout({
      deviceId,
      signal: 'certificateProven',
      body: {
        eventId: eventId(`proven/${askedBy}`),
        ...{ deliveryId: deliveryId ?? '', notAfter: new Date(step.notAfterMs).toISOString() },
      },
    });
  }

  function isDue(certificate: ReportedDelivery, settings: RenewalSettings): boolean {
    return Date.now() >= renewalTime({ ...certificate, provenAtMs: Date.now() }, settings, deviceId);
  }

  function eventId(what: string): string {
    return `${workflowInfo().runId}/${what}`;
  }

  async function sleepUntil(untilMs: number, isChanged: () => boolean): Promise<void> {
    const left = untilMs - Date.now();
    if (left > 0) await condition(isChanged, left, { summary: 'until the renewal' });
  }

  async function show(step: PlannedCertificateStep): Promise<void> {
    setCurrentDetails(detailsOf(step));
    if (step.notAfterMs !== null && step.notAfterMs !== shownEnd) {
      shownEnd = step.notAfterMs;
      upsertSearchAttributes([
        { key: searchAttributes.certificateNotAfter, value: new Date(step.notAfterMs) },
      ]);
    }
    if (step.urgency === shownUrgency) return;
    shownUrgency = step.urgency;
    if (step.urgency !== 'late' && step.urgency !== 'expired') return;
    const kind = step.urgency === 'late' ? 'certificate_late' : 'certificate_expired';
    await records.noteCertificate({ deviceId, kind, nowMs: Date.now() });
  }

  async function startAfresh(): Promise<never> {
    await condition(allHandlersFinished);
    return continueAsNew<typeof keepCertificate>({
      deviceId,
      ...(integrationId === null ? {} : { integrationId }),
      carried: {
        isWanted,
        isFresh,
        deliveries: delivery.made,
        cycle: delivery.cycle,
        seenEvents: once.remembered(),
        hasWarned,
        urgency: shownUrgency,
        isSilent: delivery.isSilent,
        forced,
      },
    });
  }
}
