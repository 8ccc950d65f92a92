import { describe, expect, it } from 'vitest';
import { haltOf, haltText, isFall, likelyCauses } from './automatic-reissue.ts';
import { FINDING_KINDS } from './okta-finding.ts';

describe('automatic re-issue', () => {
  it.each([
    // together, managed before, re-issued in the hour, limit
    [1, 1, 0, 50, null], // one device of one
    [4, 4, 3, 50, null],
    [5, 5, 4, 50, 'many_fell'],
    [5, 50, 4, 50, 'many_fell'],
    [5, 51, 4, 50, null],
    [40, 1_000, 39, 50, null],
    [100, 1_000, 40, 50, 'many_fell'],
    [3, 10_000, 50, 50, 'limit_reached'],
    [3, 10_000, 49, 50, null],
  ] as const)(
    '%i fell together of %i managed, %i re-issued within the hour of at most %i: %s',
    (together, managedBefore, reissuedInHour, limit, expected) => {
      const falls = { together, managedBefore, reissuedInHour, signedIn: 0, fellSignedIn: 0 };
      expect(haltOf(falls, limit)?.reason ?? null).toBe(expected);
    },
  );

  it.each([
    // changed records, those of them that fell
    [4, 4, null],
    [5, 5, 'sign_ins_fell'],
    [10, 5, 'sign_ins_fell'],
    [11, 5, null],
    [2_000, 1_000, 'sign_ins_fell'],
  ] as const)(
    'of 100,000 iPhones the records of %i changed in a day, and %i of these fell, one after the other: %s',
    (signedIn, fellSignedIn, expected) => {
      const falls = { together: 1, managedBefore: 100_000, reissuedInHour: 0, signedIn, fellSignedIn };
      expect(haltOf(falls, 50)?.reason ?? null).toBe(expected);
    },
  );

  it('counts nothing that an Okta admin did to a device', () => {
    const fall = (kind: (typeof FINDING_KINDS)[number]) =>
      isFall({ kind, owner: 'nobody', evidence: '', remedy: null });
    expect(FINDING_KINDS.filter(fall)).toEqual(['no_record', 'not_managed']);
  });

  it('asks for the likeliest cause of each platform', () => {
    const halt = { reason: 'many_fell', fallen: 12, managedBefore: 30 } as const;
    expect(haltText({ platform: 'iOS', ...halt })).toBe(
      '40 % of the iPhones and iPads (12 of 30) lost "managed" in Okta within 15 minutes. Was the secret key reset in Okta?',
    );
    expect(haltText({ platform: 'macOS', ...halt })).toContain(likelyCauses('macOS')[0]);
    const slow = { platform: 'iOS', reason: 'sign_ins_fell', fallen: 5, managedBefore: 6 } as const;
    expect(haltText(slow)).toBe(
      '5 of the 6 iPhones and iPads whose record in Okta changed within 24 hours lost "managed". Was the secret key reset in Okta?',
    );
  });
});
