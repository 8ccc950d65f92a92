// An identity that speaks for another UDID than its device's: Migration Assistant and clones copy it. The message is refused; here it is told.
import type { DeviceMessage } from '../../adapters/mdm/device-message.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import { appendTimeline, isToldToday } from '../../adapters/store/devices/device-timeline.ts';
import { findDeviceByIdentity } from '../../adapters/store/devices/devices.ts';
import { failureCodeOf } from '../../domain/failures.ts';
import type { Signer } from './signer.ts';

const REFUSALS: readonly string[] = ['mdm.not_enrolled', 'mdm.signature_refused', 'mdm.identity_refused'];

/** Once a day for each device and UDID: a copy calls as often as the original. */
export async function recordForeignUse(
  database: Database,
  message: DeviceMessage,
  signer: Signer,
  refusal: unknown,
): Promise<void> {
  if (!REFUSALS.includes(failureCodeOf(refusal))) return;
  const { udid } = message;
  await database.inTransaction(async (sql) => {
    const owner = await findDeviceByIdentity(sql, signer.certificate.fingerprint);
    if (!owner || owner.udid === udid) return;
    const kind = 'identity_used_elsewhere';
    if (await isToldToday(sql, owner.id, kind, { udid })) return;
    const detail = { udid, serialNumber: serialNumberOf(message) };
    await appendTimeline(sql, owner.id, {
      kind,
      text: `Another device (UDID ${udid}) used the identity of this device; Odette refused it. Migration Assistant or a clone may have copied the identity: remove the enrollment profile from that device, and enroll it with its own code.`,
      detail,
    });
    const subject = `device:${owner.id}`;
    await appendAudit(sql, { actor: 'system', action: 'identity.used_elsewhere', subject, detail });
    await appendEvent(sql, { kind: 'device.identity_used_elsewhere', subject, data: detail });
  });
}

const serialNumberOf = (message: DeviceMessage): string | undefined =>
  message.type === 'Authenticate' ? message.serialNumber : undefined;
