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
  scope: 'System',
  hasUserChannel: false,
};
const wanted: CertificateMemory = {
  isFresh: false,
  isUserFresh: false,
  integrationId: 'i1',
  isWanted: true,
  forced: false,
};

const delivery = (id: string, slot: CertificateSlot, changes: Partial<Delivery> = {}): Delivery => ({
  id,
  integrationId: 'i1',
  slot,
  scope: 'System',
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
  scope: each.scope,
});
const listed = (each: Delivery) => ({
  deliveryId: each.id,
  scope: each.scope,
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
    expect(planCertificate(view, wanted, 0)).toEqual({ do: 'ask', scopes: ['System'], keeps: null });
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
      profiles: [{ identifier: certificateIdentifier('i1', 'd1', 'a'), scope: 'System' }],
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
      profiles: [{ identifier: certificateIdentifier('i0', 'd1', 'a'), scope: 'System' }],
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

  describe('into the login keychain', () => {
    const ofUser = { scope: 'User', hasUserChannel: true } as const;
    const inLogin = (id: string, slot: CertificateSlot, changes: Partial<Delivery> = {}) =>
      delivery(id, slot, { scope: 'User', ...changes });
    const allFresh = { ...fresh, isUserFresh: true };

    test('it is asked for over both channels, and delivered over its user’s', () => {
      const system = { ...withDeliveries(delivery('1', 'a')), ...ofUser };
      expect(planCertificate(system, wanted, DAY)).toMatchObject({ do: 'ask', scopes: ['System', 'User'] });
      expect(planCertificate(system, fresh, DAY)).toMatchObject({ do: 'ask', scopes: ['User'] });
      // The one in System stays until this one is there.
      const deliver = { do: 'deliver', slot: 'b', scope: 'User' };
      expect(planCertificate(system, allFresh, DAY)).toMatchObject(deliver);
    });

    test('nobody has logged in: nothing is sent, and what is in System stays', () => {
      const system = { ...withDeliveries(delivery('1', 'a')), scope: 'User' as const };
      expect(planCertificate(system, fresh, DAY)).toEqual({ do: 'waitForUser' });
      expect(planCertificate({ ...blank, scope: 'User' }, wanted, 0)).toEqual({ do: 'waitForUser' });
    });

    test('only its user’s channel proves it, and only then the one in System goes', () => {
      const old = delivery('1', 'a');
      const sent = inLogin('2', 'b', { state: 'sent' });
      const claimed = { ...withDeliveries(sent, old), ...ofUser };
      const elsewhere = claimed.certificates!.map((each) => ({ ...each, scope: 'System' as const }));
      const wrong = { ...claimed, certificates: elsewhere };
      expect(planCertificate(wrong, allFresh, DAY)).toMatchObject({ do: 'remove', keeps: null });
      expect(planCertificate(claimed, allFresh, DAY)).toMatchObject({ do: 'prove', delivery: { id: '2' } });
      const superseded = delivery('1', 'a', { state: 'superseded' });
      const proven = { ...withDeliveries(inLogin('2', 'b'), superseded), ...ofUser };
      expect(planCertificate(proven, allFresh, DAY)).toEqual({
        do: 'remove',
        profiles: [{ identifier: certificateIdentifier('i1', 'd1', 'a'), scope: 'System' }],
        keeps: '2',
      });
    });

    test('back to System: a user who is away holds up neither the new one nor its renewal', () => {
      const left = inLogin('1', 'a', { state: 'superseded' });
      const moved = { ...withDeliveries(delivery('2', 'b'), left), hasUserChannel: true };
      expect(planCertificate(moved, fresh, DAY)).toEqual({ do: 'ask', scopes: ['User'], keeps: '2' });
      const late = planCertificate(moved, fresh, YEAR - 30 * DAY);
      expect(late).toMatchObject({ do: 'deliver', slot: 'a', scope: 'System' });
      const back = { do: 'remove', profiles: [{ scope: 'User' }], keeps: '2' };
      expect(planCertificate(moved, allFresh, DAY)).toMatchObject(back);
    });

    test('moved back before the old one went: that one goes, and a new one is sent', () => {
      const old = delivery('1', 'a', { state: 'superseded' });
      const view = { ...withDeliveries(inLogin('2', 'b'), old), hasUserChannel: true };
      expect(planCertificate(view, fresh, DAY)).toMatchObject({ do: 'remove', keeps: null });
      const without = { ...withDeliveries(inLogin('2', 'b')), hasUserChannel: true };
      expect(planCertificate(without, fresh, DAY)).toMatchObject({ do: 'deliver', slot: 'a' });
    });

    test('not needed any more: what is in System goes at once, the rest when its user is back', () => {
      const unwanted = { ...fresh, isWanted: false };
      const both = { ...withDeliveries(inLogin('2', 'b'), delivery('1', 'a')), ...ofUser, wantedBy: null };
      expect(planCertificate(both, unwanted, 0)).toMatchObject({
        do: 'remove',
        profiles: [{ scope: 'System' }],
      });
      const ofLogin = { ...withDeliveries(inLogin('2', 'b')), ...ofUser, wantedBy: null };
      expect(planCertificate(ofLogin, unwanted, 0)).toMatchObject({ do: 'ask', scopes: ['User'] });
      const isBack = { ...unwanted, isUserFresh: true };
      expect(planCertificate(ofLogin, isBack, 0)).toMatchObject({
        do: 'remove',
        profiles: [{ scope: 'User' }],
      });
      expect(planCertificate({ ...ofLogin, hasUserChannel: false }, unwanted, 0)).toEqual({ do: 'end' });
    });
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
