// What a device's lists prove of a certificate that was sent to it: kept, shown, and told where a rollout failed for want of it.
import type { Database, Sql } from '../adapters/store/base/database.ts';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import type { TimelineEntry } from '../adapters/store/devices/device-timeline.ts';
import { notifyCertificateOver } from '../adapters/store/devices/long-polls.ts';
import { proveDelivery } from '../adapters/store/rollout/deliveries.ts';
import type { Proof } from '../adapters/store/rollout/proof.ts';
import { isRenewal } from '../adapters/store/rollout/renewal-history.ts';
import type { DeviceState } from '../adapters/store/rollout/rollout-state.ts';
import type { Delivery, ReportedDelivery } from '../domain/certificate-plan.ts';
import { lockState, refreshLocked, refreshSeen } from './refresh-trust.ts';

type ProofOfDelivery = Proof & { readonly deliveryId: string; readonly told: TimelineEntry };

export function proofOf(
  { id: deliveryId }: Delivery,
  certificate: ReportedDelivery,
  provenAt: Date,
): ProofOfDelivery {
  const { serialNumber, issuer } = certificate;
  const notAfter = new Date(certificate.notAfterMs);
  return {
    deliveryId,
    serialNumber,
    issuer,
    notBefore: new Date(certificate.notBeforeMs),
    notAfter,
    provenAt,
    told: {
      kind: 'certificate_proven',
      text: `The device lists its certificate from Okta; it expires on ${notAfter.toISOString().slice(0, 10)}.`,
      detail: { serialNumber, notAfter: notAfter.toISOString() },
    },
  };
}

/** It is kept and shown. Returns what is known then; undefined: there is no such device any more. */
export const saveProof = async (
  database: Database,
  state: DeviceState,
  proof: ProofOfDelivery,
): Promise<DeviceState | undefined> =>
  (await saveAtOnce(database, state, proof)) ??
  database.inTransaction((sql) => saveLocked(sql, state.id, proof));

/** In one statement. undefined: more follows from it, or somebody else wrote meanwhile; nothing was written. */
async function saveAtOnce(
  database: Database,
  state: DeviceState,
  proof: ProofOfDelivery,
): Promise<DeviceState | undefined> {
  const sent = state.deliveries.find(({ id }) => id === proof.deliveryId);
  if (sent === undefined || isRenewal(sent.reason) || state.shown?.failureCode !== null) return undefined;
  const proven = withProof(state, proof);
  const trust = await refreshSeen(database, proven, { now: proof.provenAt, waitsFor: null }, null, { proof });
  return typeof trust === 'object' ? proven : undefined;
}

/** As it will be. */
const withProof = (state: DeviceState, { deliveryId, ...proof }: ProofOfDelivery): DeviceState => ({
  ...state,
  deliveries: state.deliveries.map((delivery) => {
    if (delivery.id !== deliveryId)
      return delivery.state === 'proven' ? { ...delivery, state: 'superseded' } : delivery;
    return {
      ...delivery,
      state: 'proven',
      serialNumber: proof.serialNumber,
      notBefore: proof.notBefore.toISOString(),
      notAfter: proof.notAfter.toISOString(),
      provenAt: proof.provenAt.toISOString(),
    };
  }),
});

async function saveLocked(
  sql: Sql,
  deviceId: string,
  { deliveryId, told, ...proof }: ProofOfDelivery,
): Promise<DeviceState | undefined> {
  await proveDelivery(sql, deviceId, deliveryId, proof, told);
  await notifyCertificateOver(sql, deviceId);
  const locked = await lockState(sql, deviceId);
  if (locked === undefined) return undefined;
  const hasFailed = locked.known.failureCode !== null;
  // Whatever was said of the certificate before; why the device has failed stays.
  await refreshLocked(sql, locked, { now: proof.provenAt, ...(!hasFailed && { waitsFor: null }) });
  // A rollout that failed for want of it goes on by itself.
  if (hasFailed)
    await appendOutboxMessage(
      sql,
      deviceId,
      {
        kind: 'rollOutDevice',
        deviceId,
        reason: 'its certificate was proven',
        ifNoneRuns: true,
      },
      'device',
    );
  return locked.state;
}
