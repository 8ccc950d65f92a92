import { describe, expect, it } from 'vitest';
import { haltReason, haltText, isFall, likelyCauses } from './automatic-reissue.ts';
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
      expect(haltReason({ together, managedBefore, reissuedInHour }, limit)).toBe(expected);
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
  });
});
