// An Idle of a device in one statement, its contact and its next command: nearly every one of a fleet, and the first after a push.
import type { Sql } from '../base/database.ts';
import { OUTSTANDING } from './command-states.ts';
import { IS_AS_USUAL, isBusySql, isUnchangedSql, SENDING, wasSilentSql } from './devices.ts';
import { EXPIRED, HANDED_OVER, handedOver, takingNext, type HandedOver, type Taken } from './next-command.ts';

interface IdleContact {
  readonly deviceId: string;
  readonly next: HandedOver | undefined;
  /** Its next command is probably moments away. */
  readonly isBusy: boolean;
}

/**
 * Where no earlier command has to be offered again, no run to be told of anything and no rollout to be started. undefined: something has to be
 * looked into, or another message of the device is being served or was just now (response-at-once.ts); nothing was written.
 */
export async function recordIdleAtOnce(
  sql: Sql,
  sender: { readonly udid: string; readonly fingerprint: Buffer },
): Promise<IdleContact | undefined> {
  const [row] = await sql.query<Omit<IdleContact, 'next'> & Taken>(
    `with device as materialized (
       select id from devices
        where udid = $1 and identity_fingerprint = $2 and ${IS_AS_USUAL}
          and ${isUnchangedSql('seen.udid = $1')}
          for no key update skip locked),
     idle as materialized (
       select id, ${isBusySql('id', '$3')} as is_busy from device
        where not exists (select from commands
                           where device_id = device.id and user_id is null and state in ${OUTSTANDING} and (state <> 'queued' or ${EXPIRED}))
          and not exists (select from commands where device_id = device.id and state = 'responded' and not is_told)
          and not ${wasSilentSql('id')}),
     contact as (
       update devices set last_contact_at = greatest(last_contact_at, now()), long_poll_until = null from idle where devices.id = idle.id),
     ${takingNext({ device: '(select id from idle)', userId: 'null::text', condition: 'true' })}
     select idle.id as device_id, is_busy, ${HANDED_OVER}
       from idle left join taken on true`,
    [sender.udid, sender.fingerprint, SENDING],
  );
  if (row === undefined) return undefined;
  const { deviceId, isBusy, ...taken } = row;
  return { deviceId, isBusy, next: handedOver(taken) };
}
