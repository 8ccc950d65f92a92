import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  certificateIdentifier,
  planCertificate,
  type CertificateMemory,
  type CertificateView,
  type Delivery,
} from './certificate-plan.ts';
import { DEFAULT_INTEGRATION_SETTINGS } from './integration-settings.ts';
import type { CertificateSlot } from './profile-identifier.ts';

const DAY = 24 * 60 * 60 * 1000;
const YEAR = 365 * DAY;

const blank: CertificateView = {
  deviceId: 'd1',
  enrollmentStatus: 'enrolled',
  enrollmentId: 'e1',
  settings: DEFAULT_INTEGRATION_SETTINGS,
  deliveries: [],
  profiles: null,
  certificates: null,
  oktaStatus: 'ACTIVE',
  wantedBy: 'i1',
};
const wanted: CertificateMemory = { isFresh: false, integrationId: 'i1', isWanted: true, forced: false };

const delivery = (id: string, slot: CertificateSlot, changes: Partial<Delivery> = {}): Delivery => ({
  id,
  integrationId: 'i1',
  slot,
  payloadUuid: `uuid-${id}`,
  state: 'proven',
  commandUuid: `command-${id}`,
  notBeforeMs: 0,
  notAfterMs: YEAR,
  provenAtMs: 0,
  use: 'proven',
  isReissue: false,
  ...changes,
});
const installed = (each: Delivery) => ({
  integrationId: each.integrationId,
  deviceId: 'd1',
  kind: `certificate.${each.slot}` as const,
  identifier: certificateIdentifier(each.integrationId, 'd1', each.slot),
  uuid: each.payloadUuid,
});
const listed = (each: Delivery) => ({
  deliveryId: each.id,
  serialNumber: each.id,
  issuer: 'CN=Okta',
  notBeforeMs: each.notBeforeMs ?? 0,
  notAfterMs: each.notAfterMs ?? YEAR,
});
const withDeliveries = (...deliveries: Delivery[]): CertificateView => ({
  ...blank,
  deliveries,
  profiles: deliveries.map(installed),
  certificates: deliveries.map(listed),
});
const fresh = { ...wanted, isFresh: true };

describe('the plan of keepCertificate', () => {
  test('out of scope nothing new is sent: without a certificate it ends, with one it waits for the rollout', () => {
    expect(planCertificate({ ...blank, wantedBy: null }, wanted, 0)).toEqual({ do: 'end' });
    const left = { ...withDeliveries(delivery('1', 'a')), wantedBy: null };
    expect(planCertificate(left, fresh, DAY)).toMatchObject({ do: 'sleep' });
    expect(planCertificate(left, fresh, YEAR - 30 * DAY)).toEqual({ do: 'waitForScope' });
    expect(planCertificate({ ...left, profiles: [], certificates: [] }, fresh, DAY)).toEqual({
      do: 'waitForScope',
    });
    const others = { ...blank, wantedBy: 'i2' };
    expect(planCertificate(others, wanted, 0)).toEqual({ do: 'end' });
  });

  test('a device that never had one gets one at once, without being asked first', () => {
    expect(planCertificate(blank, wanted, 0)).toMatchObject({ do: 'deliver', slot: 'a' });
  });

  test('anything sent before is asked about first', () => {
    const view = { ...blank, deliveries: [delivery('1', 'a', { state: 'sent' })] };
    expect(planCertificate(view, wanted, 0)).toEqual({ do: 'ask' });
  });

  test('a sent one that the device lists is proven, not sent again', () => {
    const view = withDeliveries(delivery('1', 'a', { state: 'sent' }));
    expect(planCertificate(view, fresh, 0)).toMatchObject({ do: 'prove', delivery: { id: '1' } });
  });

  test('a proven one sleeps until its renewal, then the free slot gets the next', () => {
    const view = withDeliveries(delivery('1', 'a'));
    expect(planCertificate(view, fresh, DAY)).toMatchObject({ do: 'sleep' });
    expect(planCertificate(view, fresh, YEAR - 30 * DAY)).toMatchObject({
      do: 'deliver',
      slot: 'b',
      urgency: 'late',
    });
  });

  test('when the new one is proven, the other slot is removed', () => {
    const view = withDeliveries(delivery('2', 'b'), delivery('1', 'a', { state: 'superseded' }));
    expect(planCertificate(view, fresh, DAY)).toEqual({
      do: 'remove',
      identifiers: [certificateIdentifier('i1', 'd1', 'a')],
      keeps: '2',
    });
  });

  test('an asked-for one goes into the other slot even in the middle of its life', () => {
    const view = withDeliveries(delivery('1', 'a'));
    expect(planCertificate(view, { ...fresh, forced: true }, DAY)).toMatchObject({
      do: 'deliver',
      slot: 'b',
    });
  });

  test('a profile without its certificate is removed before a new one is sent', () => {
    const lost = delivery('1', 'a', { state: 'sent' });
    const view = { ...withDeliveries(lost), certificates: [] };
    expect(planCertificate(view, fresh, 0)).toMatchObject({ do: 'remove', keeps: null });
  });

  test("another integration's certificate stays until the new one is there", () => {
    const old = delivery('1', 'a', { integrationId: 'i0' });
    expect(planCertificate(withDeliveries(old), fresh, 0)).toMatchObject({ do: 'deliver', slot: 'a' });
    const both = withDeliveries(delivery('2', 'a'), old);
    expect(planCertificate(both, fresh, 0)).toMatchObject({
      do: 'remove',
      identifiers: [certificateIdentifier('i0', 'd1', 'a')],
    });
  });

  test('told that it is not needed, a device that the tables have in scope keeps it', () => {
    const view = withDeliveries(delivery('1', 'a'));
    expect(planCertificate(view, { ...fresh, isWanted: false }, 0)).toMatchObject({ do: 'sleep' });
    expect(planCertificate(view, { ...fresh, isWanted: false, integrationId: null }, 0)).toMatchObject({
      do: 'sleep',
    });
  });

  test('not needed any more: all are removed, then it ends', () => {
    const view = { ...withDeliveries(delivery('1', 'a')), wantedBy: null };
    const unwanted = { ...fresh, isWanted: false };
    expect(planCertificate(view, unwanted, 0)).toMatchObject({ do: 'remove', keeps: null });
    expect(planCertificate({ ...view, profiles: [], certificates: [] }, unwanted, 0)).toEqual({ do: 'end' });
  });

  test('a device that is being enrolled again is waited for', () => {
    const view: CertificateView = { ...blank, enrollmentStatus: 'authenticated' };
    expect(planCertificate(view, wanted, 0)).toEqual({ do: 'waitForEnrollment' });
  });

  test('whatever is on the device, one is sent only while at most one is there', () => {
    const some = fc.array(
      fc.record({
        id: fc.uuid(),
        slot: fc.constantFrom<CertificateSlot>('a', 'b'),
        integrationId: fc.constantFrom('i0', 'i1'),
        state: fc.constantFrom<Delivery['state']>('sent', 'proven', 'superseded'),
        hasProfile: fc.boolean(),
        hasCertificate: fc.boolean(),
      }),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(some, fc.integer({ min: 0, max: YEAR }), fc.boolean(), (entries, now, forced) => {
        const deliveries = entries.map((entry) => delivery(entry.id, entry.slot, entry));
        // One profile for each identifier, as on a device.
        const slots = new Map(
          entries.map((entry, index) => [`${entry.integrationId}.${entry.slot}`, index] as const),
        );
        const profiles = [...slots.values()]
          .filter((index) => entries[index]?.hasProfile)
          .map((index) => installed(deliveries[index]!));
        const certificates = deliveries.filter((_, index) => entries[index]?.hasCertificate).map(listed);
        const view = { ...blank, deliveries, profiles, certificates };
        const action = planCertificate(view, { ...fresh, forced }, now);
        if (action.do !== 'deliver') return;
        expect(profiles.length).toBeLessThanOrEqual(1);
        const identifier = certificateIdentifier('i1', 'd1', action.slot);
        expect(profiles.map((profile) => profile.identifier)).not.toContain(identifier);
      }),
    );
  });

  test.each(['SUSPENDED', 'DEACTIVATED'])(
    'a device that Okta says is %s gets no new certificate, whatever the calendar says',
    (oktaStatus) => {
      const due = { ...withDeliveries(delivery('1', 'a')), oktaStatus };
      expect(planCertificate(due, fresh, YEAR - 30 * DAY)).toEqual({ do: 'waitForOkta' });
      expect(planCertificate(due, { ...fresh, forced: true }, 0)).toEqual({ do: 'waitForOkta' });
    },
  );
});
