// Deliveries of certificate profiles: one challenge, one slot, one OU each; and what keepCertificate decides from.
import type { CertificateView, Delivery } from '../../../domain/certificate-plan.ts';
import type { CertificateSlot, PayloadScope } from '../../../domain/profile-identifier.ts';
import type { Sql } from '../base/database.ts';
import type { TimelineEntry } from '../devices/device-timeline.ts';
import { provingDelivery, type Proof } from './proof.ts';
import { announceRenewal } from './renewal-history.ts';
import {
  desiredStateOf,
  readDeviceState,
  reportedDeliveriesOf,
  reportedProfilesOf,
  settingsOf,
  type DeliveryJson,
  type DeviceState,
} from './rollout-state.ts';
import { OUTSTANDING } from '../devices/command-states.ts';

export interface NewDelivery {
  readonly id: string;
  readonly deviceId: string;
  readonly integrationId: string;
  readonly slot: CertificateSlot;
  readonly scope: PayloadScope;
  readonly payloadUuid: string;
  readonly commandUuid: string;
  /** Why it was asked for. */
  readonly reason: string;
  /** Its challenge. */
  readonly fetchedAt: Date;
}

/**
 * The statement that keeps a delivery as sent, unless it is there already.
 * @param device a row with the id of its device @param first the number of the first of `deliveryValues`
 */
export const insertingDelivery = (device: string, first: number): string => {
  const types = ['text', 'uuid', 'text', 'text', 'uuid', 'uuid', 'text', 'timestamptz'];
  const values = types.map((type, index) => `$${first + index}::${type}`).join(', ');
  return `insert into certificate_deliveries
    (id, integration_id, slot, scope, payload_uuid, command_uuid, reason, challenge_fetched_at, device_id, state)
  select ${values}, id, 'sent' from ${device}
  on conflict (id) do nothing`;
};

export const deliveryValues = (delivery: NewDelivery): unknown[] => [
  delivery.id,
  delivery.integrationId,
  delivery.slot,
  delivery.scope,
  delivery.payloadUuid,
  delivery.commandUuid,
  delivery.reason,
  delivery.fetchedAt,
];

/** The device waits for no turn at Okta any more. false: it is there already, so this attempt lost the race and drops its challenge. */
export async function insertDelivery(sql: Sql, delivery: NewDelivery): Promise<boolean> {
  const { deviceId, reason } = delivery;
  const rows = await sql.query(
    `with served as (delete from okta_waiters where device_id = $1)
     ${insertingDelivery('devices where id = $1', 2)} returning 1`,
    [deviceId, ...deliveryValues(delivery)],
  );
  if (rows.length > 0) await announceRenewal(sql, deviceId, [reason]);
  return rows.length > 0;
}

export interface SentDelivery {
  readonly id: string;
  readonly commandUuid: string;
}

/**
 * The delivery of this id; or else one whose command the device may still carry out: nothing else may be sent before its end is known.
 */
export async function findSentDelivery(
  sql: Sql,
  id: string,
  deviceId: string,
): Promise<SentDelivery | undefined> {
  const [row] = await sql.query<SentDelivery>(
    `select id, command_uuid from (
       select id, command_uuid, 0 as place, created_at from certificate_deliveries where id = $1
       union all
       select delivery.id, delivery.command_uuid, 1, delivery.created_at from certificate_deliveries as delivery
         join commands as command on command.uuid = delivery.command_uuid
        where delivery.device_id = $2 and delivery.state = 'sent' and command.state in ${OUTSTANDING}) as sent
      order by place, created_at desc limit 1`,
    [id, deviceId],
  );
  return row;
}

/** The device lists its certificate; an older proven one is superseded. `told`: on the timeline, the first time. */
export async function proveDelivery(
  sql: Sql,
  deviceId: string,
  id: string,
  proof: Proof,
  told: TimelineEntry,
): Promise<void> {
  const rows = await sql.query<{ reason: string | null }>(
    `with ${provingDelivery({
      device: '$1',
      delivery: '$2',
      serialNumber: '$3',
      issuer: '$4',
      notBefore: '$5',
      notAfter: '$6',
      provenAt: '$7',
      condition: 'true',
    })},
     told as (
       insert into device_timeline (device_id, at, kind, text, detail)
       select $1, $7, $8, $9, $10::jsonb from proven)
     select reason from proven`,
    [
      deviceId,
      id,
      proof.serialNumber,
      proof.issuer,
      proof.notBefore,
      proof.notAfter,
      proof.provenAt,
      told.kind,
      told.text,
      JSON.stringify(told.detail ?? {}),
    ],
  );
  await announceRenewal(
    sql,
    deviceId,
    rows.map(({ reason }) => reason),
  );
}

/** The device refused it, or never had it. */
export async function failDelivery(sql: Sql, id: string): Promise<void> {
  const [row] = await sql.query<{ deviceId: string; reason: string | null }>(
    `update certificate_deliveries set state = 'failed' where id = $1 and state = 'sent' returning device_id, reason`,
    [id],
  );
  if (row !== undefined) await announceRenewal(sql, row.deviceId, [row.reason]);
}

/** What a channel does not list any more is gone; what was sent and is still on its way is left alone. */
export async function recordRemovedDeliveries(
  sql: Sql,
  deviceId: string,
  scope: PayloadScope,
  listedPayloadUuids: readonly string[],
  at: Date,
): Promise<void> {
  await sql.query(
    `update certificate_deliveries set state = 'removed', removed_at = $3
      where device_id = $1 and scope = $4 and state in ('proven', 'superseded') and payload_uuid::text <> all ($2::text[])`,
    [deviceId, listedPayloadUuids, at, scope],
  );
}

const asMs = (text: string | null): number | null => (text === null ? null : Date.parse(text));

const asDelivery = (row: DeliveryJson): Delivery => ({
  id: row.id,
  integrationId: row.integrationId,
  slot: row.slot,
  scope: row.scope,
  payloadUuid: row.payloadUuid,
  state: row.state,
  commandUuid: row.commandUuid,
  notBeforeMs: asMs(row.notBefore),
  notAfterMs: asMs(row.notAfter),
  provenAtMs: asMs(row.provenAt),
  use: row.use,
  isReissue: row.reason === 'unused',
});

export interface NamedCertificateView extends CertificateView {
  /** What people call the device; null: it has neither a name nor a serial number. */
  readonly deviceName: string | null;
}

/** undefined: there is no such device (any more). */
export async function readCertificateView(
  sql: Sql,
  deviceId: string,
): Promise<NamedCertificateView | undefined> {
  const state = await readDeviceState(sql, deviceId);
  return state && certificateViewOf(state);
}

export function certificateViewOf(state: DeviceState): NamedCertificateView {
  const desired = desiredStateOf(state);
  const okta = desired === null ? null : state.okta;
  return {
    deviceId: state.id,
    deviceName: state.name ?? state.serialNumber,
    oktaStatus: okta?.status ?? null,
    enrollmentStatus: state.enrollmentStatus,
    enrollmentId: state.enrollmentId,
    settings: settingsOf(state),
    deliveries: state.deliveries.map(asDelivery),
    profiles: reportedProfilesOf(state)?.filter(({ kind }) => kind.startsWith('certificate')) ?? null,
    certificates:
      reportedDeliveriesOf(state)?.map(({ deliveryId, scope, certificate }) => ({
        deliveryId,
        scope,
        serialNumber: certificate.serialNumber,
        issuer: certificate.issuer,
        notBeforeMs: Date.parse(certificate.notBefore),
        notAfterMs: Date.parse(certificate.notAfter),
      })) ?? null,
    wantedBy: desired?.wantsCertificate === true ? desired.integrationId : null,
    // What is there stays where it is when nobody wants it any more.
    scope: desired?.certificateScope ?? state.deliveries[0]?.scope ?? 'System',
    hasUserChannel: state.hasUserChannel,
  };
}

/** Sent, ended, and not listed by its channel: it never got there. */
export async function failMissingDeliveries(
  sql: Sql,
  deviceId: string,
  scope: PayloadScope,
  listedPayloadUuids: readonly string[],
): Promise<void> {
  const rows = await sql.query<{ reason: string | null }>(
    `update certificate_deliveries as delivery set state = 'failed' from commands as command
      where delivery.device_id = $1 and delivery.scope = $3 and delivery.state = 'sent' and delivery.payload_uuid::text <> all ($2::text[])
        and command.uuid = delivery.command_uuid and command.state in ('responded', 'withdrawn')
      returning delivery.reason`,
    [deviceId, listedPayloadUuids, scope],
  );
  await announceRenewal(
    sql,
    deviceId,
    rows.map(({ reason }) => reason),
  );
}
