// Other MDM servers through which Odette reaches devices (domain/device-channel.ts): their settings, and which devices were asked who they are.
import type { OtherChannelKind } from '../../../domain/device-channel.ts';
import type { Sql } from '../base/database.ts';
import { ENROLLED } from './enrolled.ts';

export interface ChannelRow {
  readonly id: string;
  readonly kind: OtherChannelKind;
  readonly name: string;
  /** Base of its API. */
  readonly url: string;
  readonly apiKeySecretId: string;
  /** With which it signs its webhooks; null: it sends none, and is asked. */
  readonly webhookKeySecretId: string | null;
  /** Where devices go that come by it. */
  readonly blueprintId: string | null;
  readonly lastWebhookAt: Date | null;
  readonly createdAt: Date;
}

export interface ChannelLabel {
  /** Of the other server. */
  readonly label: string;
  readonly blueprintId: string;
}

export interface ListedChannel extends ChannelRow {
  readonly devices: number;
  /** Asked who they are, and without a response yet. */
  readonly asked: number;
  /** Whose devices Odette takes by itself. */
  readonly labels: readonly ChannelLabel[];
}

const COLUMNS = `id, kind, name, url, api_key_secret_id, webhook_key_secret_id, blueprint_id, last_webhook_at, created_at`;
const LISTED = `${COLUMNS}, (select count(*)::int from devices where channel_id = channels.id) as devices,
  (select count(*)::int from channel_adoptions where channel_id = channels.id) as asked,
  (select coalesce(jsonb_agg(jsonb_build_object('label', label, 'blueprintId', blueprint_id) order by label), '[]')
     from channel_labels where channel_id = channels.id) as labels`;

export const listChannels = (sql: Sql): Promise<ListedChannel[]> =>
  sql.query<ListedChannel>(`select ${LISTED} from channels order by name`);

export async function findListedChannel(sql: Sql, id: string): Promise<ListedChannel | undefined> {
  const [row] = await sql.query<ListedChannel>(`select ${LISTED} from channels where id = $1`, [id]);
  return row;
}

export async function findChannel(sql: Sql, id: string): Promise<ChannelRow | undefined> {
  const [row] = await sql.query<ChannelRow>(`select ${COLUMNS} from channels where id = $1`, [id]);
  return row;
}

export type ChannelSettings = Pick<
  ChannelRow,
  'kind' | 'name' | 'url' | 'apiKeySecretId' | 'webhookKeySecretId' | 'blueprintId'
>;

/** undefined: another has the name. */
export async function addChannel(sql: Sql, settings: ChannelSettings): Promise<string | undefined> {
  const [row] = await sql.query<{ id: string }>(
    `insert into channels (kind, name, url, api_key_secret_id, webhook_key_secret_id, blueprint_id)
     values ($1, $2, $3, $4, $5, $6) on conflict (name) do nothing returning id`,
    [
      settings.kind,
      settings.name,
      settings.url,
      settings.apiKeySecretId,
      settings.webhookKeySecretId,
      settings.blueprintId,
    ],
  );
  return row?.id;
}

/** false: another has the name. */
export async function changeChannel(
  sql: Sql,
  id: string,
  { name, url, blueprintId }: Pick<ChannelSettings, 'name' | 'url' | 'blueprintId'>,
): Promise<boolean> {
  const rows = await sql.query(
    `update channels set name = $2, url = $3, blueprint_id = $4
      where id = $1 and not exists (select from channels where name = $2 and id <> $1) returning 1`,
    [id, name, url, blueprintId],
  );
  return rows.length > 0;
}

/** Devices that are, or were, of this channel: whether each is enrolled. */
export async function listChannelUdids(sql: Sql, id: string): Promise<Map<string, boolean>> {
  const rows = await sql.query<{ udid: string; isEnrolled: boolean }>(
    `select udid, ${ENROLLED} as is_enrolled from devices where channel_id = $1`,
    [id],
  );
  return new Map(rows.map(({ udid, isEnrolled }) => [udid, isEnrolled]));
}

/** In place of those it had. */
export async function replaceChannelLabels(
  sql: Sql,
  id: string,
  labels: readonly ChannelLabel[],
): Promise<void> {
  await sql.query('delete from channel_labels where channel_id = $1', [id]);
  await sql.query(
    `insert into channel_labels (channel_id, label, blueprint_id)
     select $1, label, blueprint_id from unnest($2::text[], $3::uuid[]) as given (label, blueprint_id)`,
    [id, labels.map(({ label }) => label), labels.map(({ blueprintId }) => blueprintId)],
  );
}

export const listChannelLabels = (sql: Sql, id: string): Promise<ChannelLabel[]> =>
  sql.query<ChannelLabel>(
    'select label, blueprint_id from channel_labels where channel_id = $1 order by label',
    [id],
  );

/** Its devices and secrets are for the caller to look after. */
export async function removeChannel(sql: Sql, id: string): Promise<void> {
  await sql.query('delete from channels where id = $1', [id]);
}

export async function recordWebhook(sql: Sql, id: string): Promise<void> {
  await sql.query(
    `update channels set last_webhook_at = now()
      where id = $1 and coalesce(last_webhook_at < now() - interval '1 minute', true)`,
    [id],
  );
}

/**
 * A device of which only its UDID is known is to be asked who it is, at most once a minute: it was in contact since, so the answer
 * got lost, or the question did.
 * @returns the UUID of that question; undefined: it was asked a while ago
 */
export async function beginAdoption(sql: Sql, channelId: string, udid: string): Promise<string | undefined> {
  const [row] = await sql.query<{ commandUuid: string }>(
    `insert into channel_adoptions (channel_id, udid, command_uuid) values ($1, $2, gen_random_uuid())
     on conflict (channel_id, udid) do update set command_uuid = excluded.command_uuid, asked_at = now()
       where channel_adoptions.asked_at < now() - interval '1 minute'
     returning command_uuid`,
    [channelId, udid],
  );
  return row?.commandUuid;
}

/** By whichever channel. */
export async function isEnrolledUdid(sql: Sql, udid: string): Promise<boolean> {
  const rows = await sql.query(`select 1 from devices where udid = $1 and ${ENROLLED}`, [udid]);
  return rows.length > 0;
}

/** The question could not be sent: the next contact may ask again. */
export async function dropAdoption(sql: Sql, channelId: string, commandUuid: string): Promise<void> {
  await sql.query('delete from channel_adoptions where channel_id = $1 and command_uuid = $2', [
    channelId,
    commandUuid,
  ]);
}

/** The device is known, whoever told of it. */
export async function deleteAdoption(sql: Sql, channelId: string, udid: string): Promise<void> {
  await sql.query('delete from channel_adoptions where channel_id = $1 and udid = $2', [channelId, udid]);
}

/** Whether a response is the answer to that question; what was asked is forgotten with it. */
export async function endAdoption(
  sql: Sql,
  channelId: string,
  udid: string,
  commandUuid: string,
): Promise<boolean> {
  const rows = await sql.query(
    `delete from channel_adoptions where channel_id = $1 and udid = $2 and command_uuid::text = lower($3) returning 1`,
    [channelId, udid, commandUuid],
  );
  return rows.length > 0;
}
