// A device that asks to enroll again while its earlier enrollment has not ended: an admin decides, unless the earlier one still speaks.
import type { Authenticate } from '../../adapters/mdm/device-message.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { appendTimeline } from '../../adapters/store/devices/device-timeline.ts';
import type { DeviceRow } from '../../adapters/store/devices/devices.ts';
import { recordReturnRequest, refuseReturn } from '../../adapters/store/devices/returns.ts';
import { refreshTrust } from '../../activities/refresh-trust.ts';

/** A device with the known UDID and serial number may be the device itself, erased: an admin decides. */
export async function recordRefusedEnrollment(
  sql: Sql,
  known: DeviceRow,
  message: Authenticate,
  code: string,
): Promise<void> {
  const asksToReturn = code === 'enrollment.takeover_refused' && hasKnownSerial(known, message);
  await appendTimeline(sql, known.id, {
    kind: 'enrollment_refused',
    text: asksToReturn
      ? 'The device asked to enroll again. Odette refused it, because its earlier enrollment has not ended.'
      : 'Another device tried to enroll as this device. Odette refused it.',
    detail: { code, serialNumber: message.serialNumber },
  });
  if (!asksToReturn) return;
  await recordReturnRequest(sql, known.id);
  await refreshTrust(sql, known.id, { now: new Date() });
}

export const hasKnownSerial = (known: DeviceRow, message: Authenticate): boolean =>
  known.serialNumber !== null && known.serialNumber.toLowerCase() === message.serialNumber?.toLowerCase();

/** The enrollment that was thought to be lost speaks: whoever asked to enroll in its place was another device. */
export async function endReturnRequest(sql: Sql, deviceId: string): Promise<void> {
  await refuseReturn(sql, deviceId);
  await appendTimeline(sql, deviceId, {
    kind: 'return_dropped',
    text: 'The device uses its earlier enrollment, so the request to enroll again came from another device. Odette dropped the request.',
  });
  await appendAudit(sql, {
    actor: 'system',
    action: 'enrollment.return_dropped',
    subject: `device:${deviceId}`,
  });
  await refreshTrust(sql, deviceId, { now: new Date() });
}
