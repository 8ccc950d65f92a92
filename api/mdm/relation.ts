// What is recorded and told when a device's MDM relation begins and ends, whichever channel says so.
import type { Authenticate } from '../../adapters/mdm/device-message.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import { appendTimeline, type TimelineEntry } from '../../adapters/store/devices/device-timeline.ts';
import { endEnrollment, endUnreachable } from '../../adapters/store/devices/enrollments.ts';
import type { OutboxMessage } from '../../domain/outbox-message.ts';
import {
  deviceAuthenticatedSignal,
  deviceCheckedOutSignal,
  deviceEnrolledSignal,
  workflowIds,
} from '../../workflows/messages.ts';

export const productOf = ({ productName, model }: Pick<Authenticate, 'productName' | 'model'>): string =>
  productName || model || '';

/** For the timeline, by how the device was admitted. */
export const ENROLLING = {
  new: 'The device started to enroll.',
  again: 'The device started to enroll again.',
  renewal: 'The device started to enroll again with a renewed identity.',
  takeover: 'The device started to enroll again, with a code made for it.',
  return: 'The device came back with a new code and started to enroll again.',
};

export const authenticatedEntry = (text: string): TimelineEntry => ({ kind: 'authenticated', text });
export const ENROLLED_ENTRY: TimelineEntry = { kind: 'enrolled', text: 'The device is enrolled.' };

/** An enrollment has begun. @param text for the device's timeline */
export async function recordAuthenticated(sql: Sql, deviceId: string, text: string): Promise<void> {
  await appendTimeline(sql, deviceId, authenticatedEntry(text));
  await appendEvent(sql, { kind: 'device.authenticated', subject: `device:${deviceId}` });
  await appendSignals(sql, deviceId, signalsOf(deviceId, deviceAuthenticatedSignal.name, false));
}

/** The first TokenUpdate of an enrollment. */
export async function recordEnrolled(sql: Sql, deviceId: string): Promise<void> {
  await appendTimeline(sql, deviceId, ENROLLED_ENTRY);
  await appendEvent(sql, { kind: 'device.enrolled', subject: `device:${deviceId}` });
  await appendSignals(sql, deviceId, enrolledSignals(deviceId));
}

export const enrolledSignals = (deviceId: string): OutboxMessage[] =>
  signalsOf(deviceId, deviceEnrolledSignal.name, true);

export async function recordLeft(sql: Sql, deviceId: string): Promise<void> {
  await endEnrollment(sql, deviceId);
  const subject = `device:${deviceId}`;
  await appendAudit(sql, { actor: subject, action: 'enrollment.checked_out', subject });
  await appendTimeline(sql, deviceId, { kind: 'checked_out', text: 'The device left management.' });
  await appendEvent(sql, { kind: 'device.checked_out', subject });
  await appendSignals(sql, deviceId, signalsOf(deviceId, deviceCheckedOutSignal.name, false));
}

/** A device that was unreachable calls: whatever was proven of it before has to be proven anew. */
export async function proveAgain(sql: Sql, deviceId: string): Promise<void> {
  if (!(await endUnreachable(sql, deviceId))) return;
  await appendTimeline(sql, deviceId, { kind: 'reachable_again', text: 'The device checks in again.' });
  await appendOutboxMessage(sql, deviceId, {
    kind: 'rollOutDevice',
    deviceId,
    reason: 'the device checks in again',
  });
}

/** `startsRollout`: a device in scope whose rollout does not run gets one. */
function signalsOf(deviceId: string, signal: string, startsRollout: boolean): OutboxMessage[] {
  const told = { kind: 'deviceSignal', deviceId, signal, body: {} } as const;
  return [
    { ...told, workflowId: workflowIds.rollout(deviceId), startsRollout },
    { ...told, workflowId: workflowIds.certificate(deviceId), startsRollout: false },
  ];
}

async function appendSignals(sql: Sql, deviceId: string, messages: readonly OutboxMessage[]): Promise<void> {
  for (const message of messages) await appendOutboxMessage(sql, deviceId, message);
}
