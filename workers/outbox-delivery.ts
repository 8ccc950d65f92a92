// Tells Temporal one outbox message: a signal, with or without the start of its workflow, or the sweeps of an integration.
import { type Client, WorkflowNotFoundError, type WorkflowStartOptions } from '@temporalio/client';
import type { SignalDefinition } from '@temporalio/common';
import { LANES, priorityOf, type Lane } from '../domain/lanes.ts';
import type { OutboxMessage, SignalBody } from '../domain/outbox-message.ts';
import type { Sql } from '../adapters/store/base/database.ts';
import { type DeviceScope, findDeviceScope } from '../adapters/store/devices/devices.ts';
import type { ClaimedMessage, OutboxOutcome } from '../adapters/store/base/outbox.ts';
import {
  type DesiredStateChanged,
  desiredStateChangedSignal,
  deviceEnrolledSignal,
  type Event,
  fleetRolloutSteeredSignal,
  oktaLooksWantedSignal,
  removalChangedSignal,
  rotationSteeredSignal,
  workflowIds,
} from '../workflows/messages.ts';
import {
  certificateStart,
  fleetStart,
  oktaTrustPollStart,
  removalStart,
  rolloutStart,
  rotationStart,
  type StartedDevice,
} from '../workflows/starts.ts';
import { checkNow, removeSweeps, setSweeps } from './sweep-schedules.ts';
import { isNotFound } from './temporal-outage.ts';

/** Every outcome closes the row; only a throw keeps it. Delivering twice is harmless: the event id stays the same. */
export async function deliver(client: Client, sql: Sql, claimed: ClaimedMessage): Promise<OutboxOutcome> {
  const { message, id: eventId } = claimed;
  const lane = laneNamed(claimed.lane);
  switch (message.kind) {
    case 'signal':
      return signal(client, message.workflowId, message.signal, { ...message.body, eventId });
    case 'deviceSignal':
      return signalDevice(client, sql, message, eventId, lane);
    case 'rollOutDevice': {
      const scope = await findDeviceScope(sql, message.deviceId);
      if (!scope) return 'gone';
      // What only checks a device, or was caused by its contact, must not bring it a change before its turn.
      if (message.ifNoneRuns === true && scope.isHeld) return 'gone';
      if (message.ifNoneRuns === true) return startIfNoneRuns(client, message.deviceId, scope, lane);
      const { reason, asksUserAgain } = message;
      return startRollout(
        client,
        message.deviceId,
        scope,
        {
          eventId,
          reason,
          ...(asksUserAgain === true && { asksUserAgain }),
        },
        lane,
      );
    }
    case 'keepCertificate':
      return signalCertificateWorkflow(client, sql, message, eventId);
    case 'pollOktaTrust':
      return wake(client, oktaTrustPollStart(message.integrationId), oktaLooksWantedSignal, eventId);
    case 'rollOutFleet': {
      const { fleetRolloutId } = message;
      return wake(client, fleetStart({ fleetRolloutId }), fleetRolloutSteeredSignal, eventId);
    }
    case 'removePlatform': {
      const { removalId, integrationId, label } = message;
      return wake(client, removalStart({ removalId }, integrationId, label), removalChangedSignal, eventId);
    }
    case 'rotateSecret': {
      const { rotationId } = message;
      return wake(client, rotationStart({ rotationId }), rotationSteeredSignal, eventId);
    }
    case 'sweeps': {
      const isSet = message.wanted && (await setSweeps(client, sql, message.integrationId));
      if (!isSet) await removeSweeps(client, message.integrationId);
      else if (message.checksNow === true) await checkNow(client, message.integrationId);
      return 'delivered';
    }
  }
}

/** It looks into the tables, whether it ran before or not. */
async function wake(
  client: Client,
  { type, options }: { readonly type: string; readonly options: WorkflowStartOptions },
  signal: SignalDefinition<[Event]>,
  eventId: string,
): Promise<OutboxOutcome> {
  await client.workflow.signalWithStart(type, { ...options, signal, signalArgs: [{ eventId }] });
  return 'started';
}

async function signal(
  client: Client,
  workflowId: string,
  name: string,
  body: SignalBody,
): Promise<OutboxOutcome> {
  try {
    await client.workflow.getHandle(workflowId).signal(name, body);
    return 'delivered';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'gone';
    throw error;
  }
}

type DeviceSignal = Extract<OutboxMessage, { kind: 'deviceSignal' }>;

async function signalDevice(
  client: Client,
  sql: Sql,
  message: DeviceSignal,
  eventId: string,
  lane: Lane,
): Promise<OutboxOutcome> {
  const outcome = await signal(client, message.workflowId, message.signal, { ...message.body, eventId });
  if (outcome !== 'gone' || !message.startsRollout) return outcome;
  const scope = await findDeviceScope(sql, message.deviceId);
  if (!scope?.isInScope) return 'gone';
  if (scope.isHeld && message.signal !== deviceEnrolledSignal.name) return 'gone';
  return startRollout(client, message.deviceId, scope, { eventId, reason: message.signal }, lane);
}

async function startRollout(
  client: Client,
  deviceId: string,
  scope: DeviceScope,
  changed: DesiredStateChanged,
  lane: Lane,
): Promise<OutboxOutcome> {
  const device = startedDevice(deviceId, scope);
  const { type, options } = rolloutStart(device, lane);
  await client.workflow.signalWithStart(type, {
    ...options,
    signal: desiredStateChangedSignal,
    signalArgs: [changed],
  });
  if (lane === 'person') await goAhead(client, options.workflowId, device.integrationId);
  return 'started';
}

/** A rollout that ran already keeps the lane of its start: somebody waits for it now. */
async function goAhead(client: Client, workflowId: string, integrationId: string | null): Promise<void> {
  try {
    await client.workflowService.updateWorkflowExecutionOptions({
      namespace: client.options.namespace,
      workflowExecution: { workflowId },
      workflowExecutionOptions: { priority: priorityOf('person', integrationId) },
      updateMask: { paths: ['priority'] },
    });
  } catch (error) {
    // It has ended meanwhile.
    if (!isNotFound(error)) throw error;
  }
}

async function startIfNoneRuns(
  client: Client,
  deviceId: string,
  scope: DeviceScope,
  lane: Lane,
): Promise<OutboxOutcome> {
  const { type, options } = rolloutStart(startedDevice(deviceId, scope), lane);
  await client.workflow.start(type, options);
  return 'started';
}

const LANE_NAMES = Object.keys(LANES) as Lane[];

const laneNamed = (number: number): Lane => LANE_NAMES.find((lane) => LANES[lane] === number) ?? 'routine';

const startedDevice = (deviceId: string, { integrationId, label }: DeviceScope): StartedDevice => ({
  deviceId,
  integrationId: integrationId ?? null,
  label,
});

type CertificateMessage = Extract<OutboxMessage, { kind: 'keepCertificate' }>;

async function signalCertificateWorkflow(
  client: Client,
  sql: Sql,
  message: CertificateMessage,
  eventId: string,
): Promise<OutboxOutcome> {
  const workflowId = workflowIds.certificate(message.deviceId);
  const body = { ...message.body, eventId };
  const scope = await findDeviceScope(sql, message.deviceId);
  const named = message.body['integrationId'];
  const integrationId = typeof named === 'string' ? named : scope?.integrationId;
  // A device that belongs to no integration has no certificate to keep; a workflow that still runs is told all the same.
  if (!scope || integrationId === undefined) return signal(client, workflowId, message.signal, body);
  const { type, options } = certificateStart({
    deviceId: message.deviceId,
    integrationId,
    label: scope.label,
  });
  await client.workflow.signalWithStart(type, { ...options, signal: message.signal, signalArgs: [body] });
  return 'started';
}
