// A channel as the API shows it.
import type { Sql } from '../../adapters/store/base/database.ts';
import { listSecretFacts } from '../../adapters/store/base/secrets.ts';
import { listReadings, type ReadingRow } from '../../adapters/store/devices/channel-readings.ts';
import { findListedChannel, type ListedChannel } from '../../adapters/store/devices/channels.ts';
import { CHANNEL_FINDINGS, type ChannelFinding } from '../../domain/channel-findings.ts';
import type { channels } from '../contract/channels.ts';
import type { WrittenResponse } from '../contract/endpoint.ts';
import { notFound } from '../http/problem.ts';
import { failureOrNull } from './failure-view.ts';
import { secretSet } from './setup-view.ts';

type Shown = WrittenResponse<(typeof channels)['getChannel']>;

export async function findShownChannel(sql: Sql, id: string): Promise<ListedChannel> {
  const row = await findListedChannel(sql, id);
  if (row) return row;
  throw notFound('channel');
}

export async function showChannels(
  sql: Sql,
  rows: readonly ListedChannel[],
  publicUrl: string | undefined,
): Promise<Shown[]> {
  const secrets = rows.flatMap((row) => [row.apiKeySecretId, row.webhookKeySecretId ?? []].flat());
  const facts = await listSecretFacts(sql, secrets);
  const ids = rows.map(({ id }) => id);
  const readings = new Map((await listReadings(sql, ids)).map((row) => [row.channelId, row]));
  return rows.map((row) => {
    const { id, kind, name, url, blueprintId, lastWebhookAt, labels, devices, asked, createdAt } = row;
    const keyId = row.webhookKeySecretId;
    const hasWebhook = keyId !== null && publicUrl !== undefined;
    return {
      ...{ id, kind, name, url, blueprintId, lastWebhookAt, labels: [...labels], devices, asked, createdAt },
      apiKey: secretSet(facts.get(row.apiKeySecretId)) ?? null,
      webhookKey: (keyId === null ? undefined : secretSet(facts.get(keyId))) ?? null,
      webhookUrl: hasWebhook ? new URL(`/channels/${id}/webhook`, publicUrl).href : null,
      ...showReading(readings.get(id)),
    };
  });
}

const showReading = (row: ReadingRow | undefined) => ({
  server: row?.server ?? null,
  readAt: row?.readAt ?? null,
  problem: failureOrNull(row?.problem ?? null),
  findings: (row?.findings ?? []).flatMap(showFinding),
});

/** A stored code may be one of a release that is gone. */
export const showFinding = (finding: ChannelFinding) =>
  finding.code in CHANNEL_FINDINGS ? [{ ...finding, ...CHANNEL_FINDINGS[finding.code] }] : [];
