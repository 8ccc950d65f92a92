// Who acts next: twenty situations of a device, each with its owner, its one sentence and its one button.
import { describe, expect, test } from 'vitest';
import { FAILURES, type FailureCode } from './failures.ts';
import { nextStepOf, nextStepOfCause, ownerOfFailure, type NextStep, type StepFacts } from './next-step.ts';
import { bucketOfFailure, OBSTACLES, BUCKETS } from './trust-bucket.ts';
import { obstacleText, signInText, waitsForText } from './trust-text.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const DAY_MS = 86_400_000;
const trusted: StepFacts = {
  bucket: 'trusted',
  obstacle: null,
  failureCode: null,
  waitsFor: null,
  isEnrolled: true,
  channelKind: 'built_in',
  lastContactAtMs: NOW - 3_600_000,
  nowMs: NOW,
};
const step = (facts: Partial<StepFacts>): NextStep => nextStepOf({ ...trusted, ...facts });

describe('one owner, one sentence, one button', () => {
  test.each<[string, Partial<StepFacts>, NextStep['owner'], string, NextStep['action']]>([
    ['trusted', {}, 'nobody', 'Nothing pending.', null],
    [
      'trusted, an old failure is past',
      { failureCode: 'mdm.device_silent' },
      'nobody',
      'Nothing pending.',
      null,
    ],
    [
      'trusted, silent for five days',
      { lastContactAtMs: NOW - 5 * DAY_MS },
      'nobody',
      'Trusted at its last contact, 5 days ago. After 14 days without contact, the device counts as unreachable.',
      'check_device',
    ],
    [
      'at work',
      { bucket: 'in_progress', waitsFor: 'The Mac installs its profiles.' },
      'nobody',
      'The Mac installs its profiles.',
      null,
    ],
    ['has not signed in', { bucket: 'needs_user', waitsFor: signInText }, 'user', signInText, 'ask_okta'],
    [
      'declined Okta Verify',
      { bucket: 'needs_user', waitsFor: 'The user declined Okta Verify three times.' },
      'user',
      'The user declined Okta Verify three times.',
      'check_device',
    ],
    [
      'has not finished its enrollment',
      { bucket: 'needs_user', isEnrolled: false, waitsFor: 'The device must finish its enrollment.' },
      'user',
      'The device must finish its enrollment.',
      'enroll_again',
    ],
    [
      'failed',
      { bucket: 'needs_you', failureCode: 'mdm.profile_refused', waitsFor: 'It refuses a profile.' },
      'you',
      'It refuses a profile.',
      'replay',
    ],
    [
      'what passes by itself has lasted',
      { bucket: 'needs_you', failureCode: 'scep.enrollment_failed' },
      'you',
      'The device cannot get its certificate. Check the certificate authority in Okta and the network of the device. Odette retries every day.',
      'replay',
    ],
    [
      'out of scope, and does not give back what it was sent',
      { bucket: 'out_of_scope', failureCode: 'mdm.profile_refused', waitsFor: 'It refuses a profile.' },
      'you',
      'It refuses a profile.',
      'replay',
    ],
    [
      'out of scope',
      { bucket: 'out_of_scope' },
      'nobody',
      'No library item with Okta Device Trust turned on is assigned to its blueprint.',
      'choose_blueprint',
    ],
    ...OBSTACLES.map(
      (obstacle): [string, Partial<StepFacts>, NextStep['owner'], string, NextStep['action']] => {
        const [bucket, owner, action] = {
          asks_to_return: ['needs_you', 'you', 'decide_return'],
          push_token_gone: ['unreachable', 'you', 'enroll_again'],
          no_push_token: ['unreachable', 'you', 'check_device'],
          other_topic: ['unreachable', 'you', 'enroll_again'],
          silent: ['unreachable', 'you', 'check_device'],
          left: ['left', 'nobody', 'enroll_again'],
          not_supported: ['out_of_scope', 'nobody', null],
          no_license: ['needs_you', 'you', 'get_licenses'],
          no_user_channel: ['needs_user', 'user', 'check_device'],
          app_missing: ['needs_you', 'you', 'check_device'],
          user_unknown: ['needs_you', 'you', 'set_user'],
          records_alike: ['needs_you', 'you', 'open_okta'],
          suspended: ['needs_you', 'you', 'open_okta'],
          deactivated: ['needs_you', 'you', 'open_okta'],
          managed_for_other: ['needs_you', 'you', 'set_user'],
        }[obstacle] as [StepFacts['bucket'], NextStep['owner'], NextStep['action']];
        const text = obstacleText(obstacle, 'Mac', 'built_in');
        return [obstacle, { bucket, obstacle, waitsFor: text }, owner, text, action];
      },
    ),
  ])('%s', (_situation, facts, owner, text, action) => {
    expect(step(facts)).toEqual({ owner, text, action });
  });

  test.each([
    ['nanomdm', 'NanoMDM'],
    ['fleet', 'Fleet'],
  ] as const)(
    'on %s, whoever has to enroll is sent there, and to no code of Odette',
    (channelKind, server) => {
      const left = obstacleText('left', 'iPhone', channelKind);
      expect(left).toBe(`This iPhone ended its enrollment. To bring it back, enroll it again in ${server}.`);
      const gone = { bucket: 'left', obstacle: 'left', channelKind } as const;
      expect(step({ ...gone, waitsFor: left })).toEqual({ owner: 'nobody', text: left, action: null });
      expect(step(gone).text).toContain(`enroll it again in ${server}.`);
      const waitsFor = waitsForText(
        'not_enrolled',
        { family: 'Mac', channelKind },
        { bucket: 'needs_user', obstacle: null },
        null,
      );
      expect(waitsFor).toBe(`The Mac is not enrolled. Enroll it in ${server}.`);
      expect(step({ bucket: 'needs_user', isEnrolled: false, channelKind, waitsFor })).toEqual({
        owner: 'user',
        text: waitsFor,
        action: null,
      });
      // What else helps does so on each channel.
      expect(step({ bucket: 'needs_you', obstacle: 'user_unknown', channelKind }).action).toBe('set_user');
    },
  );

  test('a sentence is there for each bucket even where nobody wrote one', () => {
    for (const bucket of BUCKETS) expect(step({ bucket }).text).toMatch(/\.$/);
  });

  test('an obstacle stands above a failure: a replay would not help', () => {
    expect(
      step({ bucket: 'needs_you', obstacle: 'suspended', failureCode: 'mdm.profile_refused' }).action,
    ).toBe('open_okta');
  });
});

test('of many devices the same owner and button are said as of one', () => {
  for (const obstacle of OBSTACLES) {
    const one = step({ bucket: 'needs_you', obstacle });
    const many = nextStepOfCause('needs_you', { obstacle });
    expect([many.owner, many.action]).toEqual([one.owner, one.action]);
    expect(many.text).toBe(obstacleText(obstacle, 'device', 'built_in'));
  }
  expect(nextStepOfCause('needs_you', { failureCode: 'mdm.profile_refused' })).toMatchObject({
    owner: 'you',
    action: 'replay',
  });
});

test('whatever a rollout ended with, whoever has to act is told what to do, and of many devices the same', () => {
  for (const failureCode of Object.keys(FAILURES) as FailureCode[]) {
    const bucket = bucketOfFailure(failureCode);
    const { owner, text } = step({ bucket, failureCode });
    expect(owner, failureCode).not.toBe('nobody');
    expect(text, failureCode).not.toContain('No action needed.');
    expect(nextStepOfCause(bucket, { failureCode })).toMatchObject({ owner, text });
  }
});

test('of the installation, what passes by itself needs nobody', () => {
  expect(ownerOfFailure('apns.certificate_refused')).toBe('you');
  expect(ownerOfFailure('okta.client_secret_wrong')).toBe('you');
  expect(ownerOfFailure('okta.unreachable')).toBe('nobody');
});
