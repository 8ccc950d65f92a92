// A response of an awake device in one statement: its contact, the status of its command, what it listed, who is told, and its next command.
import { LANES } from '../../../domain/lanes.ts';
import type { Database } from '../base/database.ts';
import { OUTBOX_CHANNEL } from '../base/outbox.ts';
import { acknowledgingConfiguration } from '../rollout/sent-profiles.ts';
import { CONFIGURING, UNTOLD_NOW, type FinalStatus } from './command-exchange.ts';
import { OUTSTANDING } from './command-states.ts';
import type { CommandRow } from './commands.ts';
import { IS_AS_USUAL, isUnchangedSql, type DeviceDetails } from './devices.ts';
import { recorded, replacingList, type List } from './inventory.ts';
import { longPollEnd } from './long-polls.ts';
import { EXPIRED, HANDED_OVER, handedOver, takingNext, type HandedOver, type Taken } from './next-command.ts';

export interface ResponseAtOnce {
  readonly command: Pick<CommandRow, 'deviceId' | 'uuid' | 'step'>;
  readonly sender: { readonly udid: string; readonly fingerprint: Buffer };
  readonly final: FinalStatus;
  /** What it tells of the device. */
  readonly details?: DeviceDetails;
  /** What it lists. */
  readonly listed?: { readonly list: List; readonly entries: readonly object[] };
  /** For the outbox, without its body: `responses`, where the run waits for no other command. */
  readonly message: object;
  /** So many milliseconds the request waits for a command where none is queued; its caller is told of what is queued from now on. 0: it does not. */
  readonly waitMs: number;
}

export interface RecordedAtOnce {
  readonly next: HandedOver | undefined;
  /** Of the request that waits now. null: it was given a command, or does not wait. */
  readonly mark: Date | null;
}

/**
 * As `recordFinalStatus` and all around it, for a device of which nothing else has to be looked into. undefined: something has, or the response
 * was recorded before; nothing was written.
 *
 * One statement sees the tables as they were when it began. So it passes where another transaction holds the device, and where a message of the
 * device was recorded in between; the other commands of the run are read under a lock, which shows them as they are now. What is queued
 * meanwhile is told by its notification.
 */
export async function recordResponseAtOnce(
  database: Database,
  { command, sender, final, details, listed, message, waitMs }: ResponseAtOnce,
): Promise<RecordedAtOnce | undefined> {
  const { deviceId, uuid, step } = command;
  const isConfiguring = final.status === 'Acknowledged' && CONFIGURING.includes(step);
  const list = listed?.list;
  const [row] = await database.query<Taken & Pick<RecordedAtOnce, 'mark'> & { readonly isTold: boolean }>(
    `with device as materialized (
       select id from devices
        where id = $1 and udid = $3 and identity_fingerprint = $4 and ${IS_AS_USUAL}
          and ${isUnchangedSql('seen.id = $1')}
          and not exists (select from commands where device_id = $1 and ${EXPIRED})
          for no key update skip locked),
     command as materialized (
       select workflow_id, run_id from commands
        where uuid = $2 and device_id = (select id from device) and user_id is null and state <> 'responded'),
     others as materialized (
       select other.uuid, other.state
         from command join commands as other on other.workflow_id = command.workflow_id and other.run_id is not distinct from command.run_id
        where other.device_id = $1 and other.uuid <> $2 and (other.state in ${OUTSTANDING} or (other.state = 'responded' and not other.is_told))
          for share of other),
     responded as (
       update commands set state = 'responded', status = $5, failure = $6, responded_at = now(), sealed_body = null,
              is_told = not exists (select from others where others.state in ${OUTSTANDING})
         from command where uuid = $2 and commands.state <> 'responded'
       returning uuid, step, status, failure, responded_at, position, is_told),
     earlier as (
       update commands set is_told = true
        where uuid in (select uuid from others where others.state = 'responded') and exists (select from responded where is_told)
       returning uuid, step, status, failure, responded_at, position),
     told as (
       insert into outbox (ordering_key, lane, message)
       select $1::uuid::text, ${LANES.device},
              $12::jsonb || jsonb_build_object('body', jsonb_build_object('responses', responses))
         from (select ${UNTOLD_NOW} as responses) as untold where responses is not null
       returning 1),
     ${takingNext({ device: '$1', userId: 'null::text', condition: 'commands.uuid <> $2 and exists (select from responded)' })},
     contact as (
       update devices set last_contact_at = greatest(last_contact_at, now()),
              long_poll_until = case when $14 > 0 and not exists (select from taken) then ${longPollEnd('$14')} end,
              name = coalesce($7, name), os_version = coalesce($8, os_version), model = coalesce($9, model),
              is_supervised = coalesce($10, is_supervised), serial_number = coalesce($11, serial_number)
         from command where devices.id = $1
       returning long_poll_until as mark),
     configured as (${acknowledgingConfiguration('$13 and exists (select from responded)')})${
       list === undefined
         ? ''
         : `,
     listed as (${replacingList(list, 'select $1, $15::jsonb, now() from responded')})`
     }
     select ${HANDED_OVER}, (select mark from contact) as mark, exists (select from told) as is_told
       from responded left join taken on true`,
    [
      deviceId,
      uuid,
      sender.udid,
      sender.fingerprint,
      final.status,
      final.failure ? JSON.stringify(final.failure) : null,
      details?.name ?? null,
      details?.osVersion ?? null,
      details?.productName ?? null,
      details?.isSupervised ?? null,
      details?.serialNumber ?? null,
      JSON.stringify(message),
      isConfiguring,
      waitMs,
      ...(listed === undefined ? [] : [JSON.stringify(listed.entries, recorded)]),
    ],
  );
  if (row === undefined) return undefined;
  const { mark, isTold, ...taken } = row;
  if (isTold) database.announce(OUTBOX_CHANNEL, deviceId);
  return { next: handedOver(taken), mark };
}
