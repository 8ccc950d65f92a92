import { describe, expect, test } from 'vitest';
import { lockoutReason, type ForeignRecord, type ReadinessDevice } from './readiness.ts';

const device = (bucket: ReadinessDevice['bucket'], waitsFor: string | null = null): ReadinessDevice => ({
  name: bucket,
  bucket,
  waitsFor,
});

describe('why a user would be locked out', () => {
  test.each<[string, readonly ReadinessDevice[], readonly ForeignRecord[], string]>([
    [
      'the device nearest to managed speaks',
      [device('unreachable', 'Silent.'), device('needs_user', 'Sign in once.')],
      [],
      'needs_user: Sign in once.',
    ],
    [
      'trust is off',
      [device('out_of_scope')],
      [],
      'Okta Device Trust is off for the blueprint of the device',
    ],
    ['managed for another', [device('trusted')], [], 'managed for another user'],
    [
      'a device of Odette before any other',
      [device('left', 'Left.')],
      [{ displayName: 'Air', status: 'ACTIVE' }],
      'left:',
    ],
    [
      'only foreign devices',
      [],
      [
        { displayName: 'Air', status: 'ACTIVE' },
        { displayName: 'Pro', status: 'ACTIVE' },
      ],
      'Air and 1 more, not enrolled in Odette',
    ],
    [
      'suspended',
      [],
      [{ displayName: 'Air', status: 'SUSPENDED' }],
      'Okta says SUSPENDED; only an Okta admin can change that',
    ],
    ['nothing known', [], [], 'Odette does not know any device of this user.'],
  ])('%s', (_what, devices, foreign, text) => {
    expect(lockoutReason(devices, foreign, 'built_in')).toContain(text);
  });

  test('where Odette only observes, nobody is told to enroll in it', () => {
    const text = lockoutReason([], [{ displayName: 'Air', status: 'ACTIVE' }], 'observe_only');
    expect(text).toMatch(/^Signs in on Air, which Okta does not count as managed/);
  });
});
