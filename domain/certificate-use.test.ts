import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMoreCertain, useOf, type CertificateUse, type SignInTraces } from './certificate-use.ts';
import { DEFAULT_INTEGRATION_SETTINGS as settings } from './integration-settings.ts';
import { decideRenewal } from './renewal-policy.ts';

const traces: SignInTraces = {
  createdAtMs: 10,
  isManaged: true,
  unmanagedSeenAtMs: null,
  unexplainedAtMs: null,
  boundAtMs: null,
  boundSerialNumber: null,
};
const certificate = { provenAtMs: 100, serialNumber: '0a:b1' };
const use = (changes: Partial<SignInTraces>): CertificateUse =>
  useOf(certificate, { ...traces, ...changes }).use;

describe('what speaks for a sign-in with the newest certificate', () => {
  test.each<[string, Partial<SignInTraces>, CertificateUse]>([
    ['MANAGED since before it was issued', {}, 'none'],
    ['NOT_MANAGED', { isManaged: false, unexplainedAtMs: 400_000 }, 'none'],
    ['NOT_MANAGED after it was issued, then MANAGED', { unmanagedSeenAtMs: 120 }, 'proven'],
    ['NOT_MANAGED before it was issued, then MANAGED', { unmanagedSeenAtMs: 90 }, 'none'],
    ['a device that registered after it was issued', { createdAtMs: 110 }, 'proven'],
    ['a change after it was issued that nothing explains', { unexplainedAtMs: 400_000 }, 'probable'],
    ['such a change within the minutes in which clocks differ', { unexplainedAtMs: 200_000 }, 'none'],
    ['pki.cert.bind after it was issued', { boundAtMs: 101 }, 'proven'],
    ['pki.cert.bind before it was issued', { boundAtMs: 99 }, 'none'],
    ['pki.cert.bind that names it', { boundAtMs: 99, boundSerialNumber: 'AB1' }, 'proven'],
    ['pki.cert.bind that names another', { boundAtMs: 150, boundSerialNumber: 'AB2' }, 'none'],
    ['pki.cert.bind while NOT_MANAGED', { boundAtMs: 150, isManaged: false }, 'proven'],
  ])('%s', (_what, changes, expected) => {
    expect(use(changes)).toBe(expected);
  });

  test('a device that Okta does not know used none', () => {
    expect(useOf(certificate, null).use).toBe('none');
  });

  test('what was once known becomes more certain only', () => {
    expect(isMoreCertain('proven', 'probable')).toBe(true);
    expect(isMoreCertain('probable', 'proven')).toBe(false);
    expect(isMoreCertain('none', 'none')).toBe(false);
  });
});

const DAY = 86_400_000;
const YEAR = 365 * DAY;

interface Issued {
  readonly atDay: number;
  readonly reason: string;
  /** Of Okta: the first sign-in with it. */
  usedOnDay: number | null;
  use: CertificateUse;
  endedOnDay: number | null;
}

/** Years of one Mac that is always on and ACTIVE: what the certificate workflow decides each day, what Okta saw, and what it shows of that. */
function live(world: {
  readonly days: number;
  readonly signsInOn: (day: number) => boolean;
  readonly hasLog: boolean;
}): readonly Issued[] {
  const issued: Issued[] = [];
  let seen: SignInTraces = { ...traces, createdAtMs: 0, isManaged: false };
  for (let day = 0; day < world.days; day += 1) {
    const newest = issued.at(-1);
    const nowMs = day * DAY;
    if (newest !== undefined) {
      const provenAtMs = newest.atDay * DAY;
      const isRevoked = newest.usedOnDay === null && day - newest.atDay >= 91;
      if (world.signsInOn(day)) {
        if (!isRevoked) newest.usedOnDay ??= day;
        seen = {
          ...seen,
          isManaged: !isRevoked,
          ...(!isRevoked && !seen.isManaged && { unmanagedSeenAtMs: nowMs - DAY }),
          ...(seen.isManaged && !isRevoked && { unexplainedAtMs: nowMs }),
          ...(world.hasLog && !isRevoked && { boundAtMs: nowMs }),
        };
      }
      const now = useOf({ provenAtMs, serialNumber: null }, seen).use;
      if (isMoreCertain(now, newest.use)) newest.use = now;
      const life = { notBeforeMs: provenAtMs, notAfterMs: provenAtMs + YEAR, provenAtMs };
      const known = { use: newest.use, isReissue: newest.reason === 'unused' };
      const decision = decideRenewal(life, settings, 'd1', known, nowMs);
      if (decision.kind !== 'renew') continue;
      newest.endedOnDay = day;
      issued.push({ atDay: day, reason: decision.reason, usedOnDay: null, use: 'none', endedOnDay: null });
    } else issued.push({ atDay: day, reason: 'wanted', usedOnDay: null, use: 'none', endedOnDay: null });
  }
  return issued;
}

const days = 10 * 365;
const habits = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 12 }).map((pauses) => {
  const on = new Set<number>();
  for (let day = 0, turn = 0; day < days; turn += 1) on.add((day += pauses[turn % pauses.length] ?? 1));
  return (day: number) => on.has(day);
});

describe('ten years of a Mac', () => {
  test('Okta never revokes a certificate that no sign-in used: it is replaced before, however people sign in', () => {
    fc.assert(
      fc.property(habits, fc.boolean(), (signsInOn, hasLog) => {
        for (const { atDay, usedOnDay, endedOnDay } of live({ days, signsInOn, hasLog }))
          if (usedOnDay === null) expect((endedOnDay ?? days) - atDay).toBeLessThanOrEqual(85);
      }),
    );
  });

  test('one that was probably used is issued again once, not every 85 days', () => {
    fc.assert(
      fc.property(habits, (signsInOn) => {
        const issued = live({ days, signsInOn, hasLog: false });
        for (const [index, { reason, use: known }] of issued.entries())
          if (reason === 'unused' && known === 'probable')
            expect(issued[index + 1]?.reason ?? 'window').toBe('window');
      }),
    );
  });

  test('who signs in every day costs at most one certificate more for each renewal, and with the System Log none', () => {
    const daily = { days, signsInOn: () => true };
    const reasons = (hasLog: boolean) => live({ ...daily, hasLog }).map(({ reason }) => reason);
    const count = (all: string[], wanted: string) => all.filter((reason) => reason === wanted).length;
    const without = reasons(false);
    expect(count(without, 'unused')).toBeGreaterThan(5);
    expect(count(without, 'unused')).toBeLessThanOrEqual(count(without, 'window') + 1);
    expect(count(reasons(true), 'unused')).toBe(0);
  });

  test('where nobody ever signs in there is a new one every 85 days', () => {
    const issued = live({ days: 850, signsInOn: () => false, hasLog: true });
    expect(issued.map(({ atDay }) => atDay)).toEqual([0, 85, 170, 255, 340, 425, 510, 595, 680, 765]);
  });
});
