import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_INTEGRATION_SETTINGS as settings } from './integration-settings.ts';
import {
  decideRenewal,
  placeOf,
  renewalTime,
  urgencyOf,
  type CertificateLife,
  type KnownUse,
} from './renewal-policy.ts';

const DAY = 24 * 60 * 60 * 1000;
const YEAR = 360 * DAY;
const life: CertificateLife = { notBeforeMs: 0, notAfterMs: YEAR, provenAtMs: 0 };

describe('renewal', () => {
  test('a certificate of a year is renewed between 120 and 60 days before its end, wherever the device stands', () => {
    fc.assert(
      fc.property(fc.uuid(), (deviceId) => {
        const daysLeft = (YEAR - renewalTime(life, settings, deviceId)) / DAY;
        expect(daysLeft).toBeLessThanOrEqual(120);
        expect(daysLeft).toBeGreaterThanOrEqual(60);
      }),
    );
  });

  test('devices are spread over the whole window', () => {
    const places = Array.from({ length: 2000 }, (_, index) => placeOf(`device-${index}`));
    for (let tenth = 0; tenth < 10; tenth++) {
      const inTenth = places.filter((place) => Math.floor(place * 10) === tenth).length;
      expect(inTenth).toBeGreaterThan(120);
      expect(inTenth).toBeLessThan(280);
    }
  });

  test('urgency rises: none, due, late, expired', () => {
    const at = (day: number) => urgencyOf(life, settings, 'd1', day * DAY);
    expect([at(100), at(305), at(361)]).toEqual(['none', 'late', 'expired']);
    expect(urgencyOf(life, settings, 'd1', renewalTime(life, settings, 'd1'))).toBe('due');
  });

  test('a certificate that is not proven used warns on day 60 and 80, and is issued again on day 85', () => {
    const use = fc.constantFrom<KnownUse>(
      { use: 'none', isReissue: false },
      { use: 'none', isReissue: true },
      { use: 'probable', isReissue: false },
    );
    fc.assert(
      fc.property(use, (known) => {
        const on = (day: number) => decideRenewal(life, settings, 'd1', known, day * DAY);
        expect(on(10)).toEqual({ kind: 'sleep', untilMs: 60 * DAY });
        expect(on(60)).toEqual({ kind: 'warn', warning: 1, untilMs: 80 * DAY });
        expect(on(80)).toEqual({ kind: 'warn', warning: 2, untilMs: 85 * DAY });
        expect(on(85)).toEqual({ kind: 'renew', reason: 'unused', urgency: 'due' });
      }),
    );
  });

  test('one that was issued for want of proof and is probably used rests until its own renewal', () => {
    expect(decideRenewal(life, settings, 'd1', { use: 'probable', isReissue: true }, 85 * DAY)).toEqual({
      kind: 'sleep',
      untilMs: renewalTime(life, settings, 'd1'),
    });
  });

  test('a used certificate sleeps until its own renewal', () => {
    expect(decideRenewal(life, settings, 'd1', { use: 'proven', isReissue: false }, 85 * DAY)).toEqual({
      kind: 'sleep',
      untilMs: renewalTime(life, settings, 'd1'),
    });
  });

  test('a certificate that lives minutes is renewed by the same fractions', () => {
    const short = { notBeforeMs: 0, notAfterMs: 6 * 60_000, provenAtMs: 0 };
    const due = renewalTime(short, settings, 'd1');
    expect(due).toBeGreaterThanOrEqual(4 * 60_000);
    expect(due).toBeLessThanOrEqual(5 * 60_000);
    expect(decideRenewal(short, settings, 'd1', { use: 'none', isReissue: false }, due).kind).toBe('renew');
  });
});
