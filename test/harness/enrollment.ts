// A device that is enrolled again, as the device listener records it, for tests without a network.
import type { Database } from '../../adapters/store/base/database.ts';
import { beginEnrollment, recordTokenUpdate } from '../../adapters/store/devices/enrollments.ts';
import { findDevice } from '../../adapters/store/devices/devices.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import { workflowIds } from '../../workflows/messages.ts';

async function tell(database: Database, deviceId: string, signal: string): Promise<void> {
  for (const workflowId of [workflowIds.rollout(deviceId), workflowIds.certificate(deviceId)])
    await appendOutboxMessage(database, deviceId, {
      kind: 'deviceSignal',
      deviceId,
      workflowId,
      signal,
      startsRollout: signal === 'deviceEnrolled' && workflowId.startsWith('rollout'),
      body: {},
    });
}

/** Authenticate. */
export async function beginEnrollmentAgain(database: Database, deviceId: string): Promise<void> {
  await database.inTransaction(async (sql) => {
    const device = await findDevice(sql, deviceId);
    if (!device) throw new Error('no such device');
    await beginEnrollment(sql, {
      udid: device.udid,
      family: device.family,
      platform: device.platform,
      topic: 'topic',
      pushProblem: null,
      identityFingerprint: device.identityFingerprint,
      isNew: true,
    });
  });
  await tell(database, deviceId, 'deviceAuthenticated');
}

/** The first TokenUpdate. */
export async function finishEnrollment(database: Database, deviceId: string): Promise<void> {
  const device = await findDevice(database, deviceId);
  if (!device) throw new Error('no such device');
  const push = { topic: 'topic', token: Buffer.from(deviceId), pushMagic: 'magic' };
  await recordTokenUpdate(database, device, push, null);
  await tell(database, deviceId, 'deviceEnrolled');
}
