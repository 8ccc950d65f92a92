// Who acts next, for each situation a device can be in; every row names one owner.
import { describe, expect, test } from 'vitest';
import { SILENT_AFTER_DAYS, deriveBucket, type BucketFacts, type DerivedBucket } from './trust-bucket.ts';
import type { TruthStates } from './trust.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const DAY_MS = 86_400_000;
const all: TruthStates = {
  delivered: 'held',
  certificatePresent: 'held',
  oktaVerifyManaged: 'held',
  registered: 'held',
  managed: 'held',
};
const notSignedIn: TruthStates = { ...all, registered: 'not_held', managed: 'not_held' };
const nothing: TruthStates = { ...notSignedIn, delivered: 'not_held', oktaVerifyManaged: 'not_held' };
const trusted: BucketFacts = {
  enrollment: 'enrolled',
  family: 'Mac',
  pushProblem: null,
  lastContactAtMs: NOW - DAY_MS,
  nowMs: NOW,
  isInScope: true,
  asksToReturn: false,
  states: all,
  phase: 'delivered',
  failureCode: null,
  licenseFailureCode: null,
  finding: 'managed',
  appComesFromElsewhere: false,
  waitsForUserChannel: false,
};
const phone: Partial<BucketFacts> = { states: { ...notSignedIn, certificatePresent: 'not_applicable' } };

describe('one owner for each situation', () => {
  test.each<[string, Partial<BucketFacts>, DerivedBucket['bucket'], DerivedBucket['obstacle']]>([
    ['every truth is held', {}, 'trusted', null],
    [
      'its last rollout failed, and every truth is held',
      { failureCode: 'mdm.device_silent' },
      'trusted',
      null,
    ],
    [
      'Okta Verify comes from elsewhere, and is not there yet',
      { states: { ...all, oktaVerifyManaged: 'not_held' }, appComesFromElsewhere: true },
      'needs_you',
      'app_missing',
    ],
    ['payloads are on their way', { states: nothing, phase: 'profiles' }, 'in_progress', null],
    ['its user has not signed in', { states: notSignedIn, finding: 'not_managed' }, 'needs_user', null],
    [
      'its user has not finished the enrollment',
      { states: nothing, phase: 'not_enrolled' },
      'needs_user',
      null,
    ],
    ['its user refused the app', { states: nothing, phase: 'waits_for_user' }, 'needs_user', null],
    [
      'the device refuses a profile',
      { states: nothing, failureCode: 'mdm.profile_refused' },
      'needs_you',
      null,
    ],
    [
      'no license is left',
      { states: nothing, phase: 'waiting_for_license', licenseFailureCode: 'apps_and_books.no_license_left' },
      'needs_you',
      'no_license',
    ],
    ['an iPhone whose user is unknown', { ...phone, finding: 'user_unknown' }, 'needs_you', 'user_unknown'],
    ['an iPhone whose user has not signed in', { ...phone, finding: 'no_record' }, 'needs_user', null],
    [
      'records of Okta that match alike',
      { ...phone, finding: 'records_alike' },
      'needs_you',
      'records_alike',
    ],
    [
      'managed for another user',
      { states: notSignedIn, finding: 'managed_for_other' },
      'needs_you',
      'managed_for_other',
    ],
    ['suspended in Okta', { states: notSignedIn, finding: 'suspended' }, 'needs_you', 'suspended'],
    [
      'deactivated in Okta while payloads are on their way',
      { states: nothing, phase: 'profiles', finding: 'deactivated' },
      'needs_you',
      'deactivated',
    ],
    ['an enrollment that asks to return', { asksToReturn: true }, 'needs_you', 'asks_to_return'],
    [
      'Apple delivers no push, though all was proven',
      { enrollment: 'unreachable' },
      'unreachable',
      'push_token_gone',
    ],
    [
      'silent for longer than two weeks, though all was proven',
      { lastContactAtMs: NOW - SILENT_AFTER_DAYS * DAY_MS - 1 },
      'unreachable',
      'silent',
    ],
    [
      'silent for two weeks to the day',
      { lastContactAtMs: NOW - SILENT_AFTER_DAYS * DAY_MS },
      'trusted',
      null,
    ],
    ['it left the management', { enrollment: 'checked_out', states: nothing }, 'left', 'left'],
    ['it left, and has no item any more', { enrollment: 'checked_out', isInScope: false }, 'left', 'left'],
    ['no item applies', { isInScope: false }, 'out_of_scope', null],
    ['an Apple TV', { family: 'Other', isInScope: false }, 'out_of_scope', 'not_supported'],
    [
      'it sent no push token, though all was proven',
      { enrollment: 'unreachable', pushProblem: 'no_push_token' },
      'unreachable',
      'no_push_token',
    ],
    [
      'it begins its enrollment with another topic',
      { enrollment: 'authenticated', pushProblem: 'other_topic' },
      'unreachable',
      'other_topic',
    ],
  ])('%s', (_situation, changes, bucket, obstacle) => {
    expect(deriveBucket({ ...trusted, ...changes })).toEqual({ bucket, obstacle });
  });
});
