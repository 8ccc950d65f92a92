// Idles of devices, with the contact and the next command of each: nearly every one of a fleet, and the first after a push. What comes while others
// are being written goes together with the next ones, so that a fleet which wakes at once costs few round trips and few syncs of the write-ahead log.
import type { Database, Sql } from '../base/database.ts';
import { isDeadlock } from '../base/deadlock.ts';
import { hasSqlState } from '../base/sql-state.ts';
import { OUTSTANDING } from './command-states.ts';
import { IS_AS_USUAL, isBusySql, isUnchangedSql, SENDING, wasSilentSql } from './devices.ts';
import {
  EXPIRED,
  HANDED_OVER,
  handedOver,
  takingNextOfEach,
  type HandedOver,
  type Taken,
} from './next-command.ts';

export interface IdleContact {
  readonly deviceId: string;
  readonly next: HandedOver | undefined;
  /** Its next command is probably moments away. */
  readonly isBusy: boolean;
}

/** One is on its way to the disk while another is looked at. */
const MAX_STATEMENTS = 2;
const MAX_TOGETHER = 64;
/** Shorter than PostgreSQL looks for a deadlock: of two that wait for each other this one gives way. */
const PATIENCE_MS = 200;

interface Sender {
  readonly udid: string;
  readonly fingerprint: Buffer;
}

interface Waiting {
  readonly sender: Sender;
  readonly resolve: (contact: IdleContact | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class IdlesTogether {
  readonly #database: Database;
  #waiting: Waiting[] = [];
  #statements = 0;
  /** UDIDs of those that are being written. */
  readonly #underWay = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Where no earlier command has to be offered again, no run to be told of anything and no rollout to be started. undefined: something has to be
   * looked into, or another message of the device is being served or was just now (response-at-once.ts); nothing was written.
   */
  record(sender: Sender): Promise<IdleContact | undefined> {
    if (this.#underWay.has(sender.udid)) return Promise.resolve(undefined);
    this.#underWay.add(sender.udid);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sender, resolve, reject });
      if (this.#statements < MAX_STATEMENTS) void this.#recordWaiting();
    });
  }

  async #recordWaiting(): Promise<void> {
    this.#statements += 1;
    while (this.#waiting.length > 0) {
      const together = this.#waiting.slice(0, MAX_TOGETHER);
      this.#waiting = this.#waiting.slice(MAX_TOGETHER);
      try {
        const contacts = await recordIdles(
          this.#database,
          together.map(({ sender }) => sender),
        );
        for (const { sender, resolve } of together) resolve(contacts.get(sender.udid));
      } catch (error) {
        for (const { reject } of together) reject(error);
      } finally {
        for (const { sender } of together) this.#underWay.delete(sender.udid);
      }
    }
    this.#statements -= 1;
  }
}

const RECORD_IDLES = `
  with patience as materialized (select set_config('lock_timeout', '${PATIENCE_MS}ms', true)),
  device as materialized (
    select device.id, sender.udid from patience cross join unnest($1::text[], $2::bytea[]) as sender (udid, fingerprint)
     cross join lateral (
       select id from devices
        where udid = sender.udid and identity_fingerprint = sender.fingerprint and ${IS_AS_USUAL} and ${isUnchangedSql('seen.udid = sender.udid')}
          for no key update skip locked) as device),
  idle as materialized (
    select id, udid, ${isBusySql('id', '$3')} as is_busy from device
     where not exists (select from commands
                        where device_id = device.id and user_id is null and state in ${OUTSTANDING} and (state <> 'queued' or ${EXPIRED}))
       and not exists (select from commands where device_id = device.id and state = 'responded' and not is_told)
       and not ${wasSilentSql('id')}),
  contact as (
    update devices set last_contact_at = greatest(last_contact_at, now()), long_poll_until = null from idle where devices.id = idle.id),
  ${takingNextOfEach('idle')}
  select udid, id, is_busy, ${HANDED_OVER} from idle left join taken on taken.device_id = idle.id`;

/** By UDID. */
async function recordIdles(sql: Sql, senders: readonly Sender[]): Promise<ReadonlyMap<string, IdleContact>> {
  const rows = await sql
    .query<Taken & { readonly udid: string; readonly id: string; readonly isBusy: boolean }>(RECORD_IDLES, [
      senders.map(({ udid }) => udid),
      senders.map(({ fingerprint }) => fingerprint),
      SENDING,
    ])
    .catch((error: unknown) => {
      if (isDeadlock(error) || hasSqlState(error, 'lock_not_available')) return [];
      throw error;
    });
  return new Map(
    rows.map(({ udid, id, isBusy, ...taken }) => [
      udid,
      { deviceId: id, isBusy, next: handedOver(taken as Taken) },
    ]),
  );
}
