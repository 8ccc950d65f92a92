// Commands that another MDM server was given: taken back when it did not take them, sent again when nothing comes back.
// The ledger is the same table `commands`; next-command.ts hands over.
import {
  RESPONSE_WITHIN_MS,
  CHANNEL_ABILITIES,
  CHANNEL_KINDS,
  isResponseOverdue,
  MAX_PAUSE_MS,
} from '../../../domain/device-channel.ts';
import { CHALLENGE_LIFE_MS } from '../../../domain/patience.ts';
import type { Sql } from '../base/database.ts';
import type { EndedCommand, HandedOver } from './next-command.ts';
import { uuidFromName } from './command-uuid.ts';

/** The other server does not have it: it is given to it at the next try. */
export async function takeBackHandOver(sql: Sql, uuid: string): Promise<void> {
  await sql.query(
    `update commands set state = 'queued', handed_over_at = null, offered_at = null, hand_overs = hand_overs - 1
      where uuid = $1 and state = 'handed_over'`,
    [uuid],
  );
}

interface OpenCommand extends EndedCommand, HandedOver {
  readonly handOvers: number;
  readonly handedOverAt: Date;
  readonly offeredAt: Date | null;
  readonly notNowAt: Date | null;
}

/** Those to which a response is overdue. Expects the device's row to be locked. */
export async function findOverdue(sql: Sql, deviceId: string, nowMs: number): Promise<OpenCommand[]> {
  const open = await sql.query<OpenCommand>(
    `select uuid, workflow_id, step, request_type, body, sealed_body, hands_over_once, hand_overs, handed_over_at, offered_at, not_now_at
       from commands where device_id = $1 and state = 'handed_over' order by position`,
    [deviceId],
  );
  return open.filter(({ handedOverAt, handOvers, offeredAt, notNowAt, handsOverOnce }) => {
    const handedOverAtMs = handedOverAt.getTime();
    if (notNowAt === null)
      return isResponseOverdue(
        { handedOverAtMs, handOvers, offeredAtMs: offeredAt?.getTime() ?? null },
        nowMs,
      );
    // The device said NotNow, and the other server offers it again, and tells of it only at the end.
    if (handsOverOnce && nowMs - handedOverAtMs < CHALLENGE_LIFE_MS) return false;
    return isResponseOverdue({ handedOverAtMs, handOvers, offeredAtMs: null }, nowMs);
  });
}

interface AwaitedDevice {
  readonly deviceId: string;
  readonly channelId: string;
}

/** Devices that were offered a command and have not answered it in time, on channels that would have told it. */
export const findAwaitedDevices = (sql: Sql, limit: number): Promise<AwaitedDevice[]> =>
  sql.query<AwaitedDevice>(
    `select distinct device_id, channel_id
       from commands join devices as device on device.id = device_id join channels as channel on channel.id = channel_id
      where state = 'handed_over' and offered_at <= now() - make_interval(secs => $1)
        and offered_at <= now() - make_interval(secs => least($1 * 2 ^ (hand_overs - 1), $2)) and not_now_at is null
        and channel.kind = any ($3::text[])
      limit $4`,
    [
      RESPONSE_WITHIN_MS / 1_000,
      MAX_PAUSE_MS / 1_000,
      CHANNEL_KINDS.filter((kind) => CHANNEL_ABILITIES[kind].tell),
      limit,
    ],
  );

/**
 * The device was in contact: what its server has for it is offered to it from then on, one after the other. What was given after the command
 * that it has just answered has its turn now. Expects the device's row to be locked.
 * @param answered null: it has answered none
 * @param agoMs told only now, milliseconds after it was
 */
export async function recordOffered(
  sql: Sql,
  deviceId: string,
  answered: string | null,
  agoMs = 0,
): Promise<void> {
  await sql.query(
    `update commands set offered_at = now() - make_interval(secs => $3 / 1000.0)
      where device_id = $1 and state = 'handed_over' and handed_over_at <= now() - make_interval(secs => $3 / 1000.0)
        and (offered_at is null or handed_over_at > (select handed_over_at from commands as answered where answered.uuid = $2))`,
    [deviceId, answered, agoMs],
  );
}

/** Nobody knows whether the device carried it out, and it is not sent again: its workflow asks the device. */
export async function giveUpUnanswered(sql: Sql, uuid: string): Promise<void> {
  await sql.query(
    `update commands set state = 'withdrawn', status = 'Unknown', sealed_body = null where uuid = $1 and state = 'handed_over'`,
    [uuid],
  );
}

/** A name of its own for another try, by which its response is known. The same again until that try is noted. */
export async function renameForNextTry(
  sql: Sql,
  { uuid, handOvers }: { readonly uuid: string; readonly handOvers: number },
): Promise<string> {
  const alias = uuidFromName(['alias', uuid, String(handOvers + 1)].join('\n'));
  await sql.query(
    'insert into command_aliases (alias, command_uuid) values ($1, $2) on conflict (alias) do nothing',
    [alias, uuid],
  );
  return alias;
}

/** Once, whoever has tried it. */
export async function recordNextTry(
  sql: Sql,
  { uuid, handOvers }: { readonly uuid: string; readonly handOvers: number },
): Promise<void> {
  await sql.query(
    `update commands set handed_over_at = now(), offered_at = null, hand_overs = $2 + 1
      where uuid = $1 and state = 'handed_over' and hand_overs = $2`,
    [uuid, handOvers],
  );
}

/** The command's own UUID, by whichever of its names a response calls it. */
export async function resolveCommandUuid(sql: Sql, named: string): Promise<string> {
  const [row] = await sql.query<{ commandUuid: string }>(
    'select command_uuid from command_aliases where alias = $1::uuid',
    [named],
  );
  return row?.commandUuid ?? named;
}
