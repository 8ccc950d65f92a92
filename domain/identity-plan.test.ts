import { describe, expect, test } from 'vitest';
import { DEFAULT_INTEGRATION_SETTINGS } from './integration-settings.ts';
import { isEndWithDevice, planIdentity, type PinnedIdentity } from './identity-plan.ts';
import { triedAgain } from './retries.ts';
import { emptyMemory } from './rollout-action.ts';

const DAY = 24 * 60 * 60 * 1000;
const YEAR = 365 * DAY;
const ISSUED = Date.parse('2026-11-25T12:00:00Z');
const identity: PinnedIdentity = { fingerprint: 'f1', issuedAtMs: ISSUED, notAfterMs: ISSUED + 5 * YEAR };
const owner = { deviceId: 'd1', settings: DEFAULT_INTEGRATION_SETTINGS };
const memory = emptyMemory('e1');
const renewal = {
  do: 'send',
  phase: 'profiles',
  requests: [{ type: 'RenewIdentity', revision: 'f1' }],
};

describe('the identity of a device', () => {
  test('of five years is renewed between twenty and ten months before its end', () => {
    const due = (nowMs: number) => planIdentity(identity, owner, memory, nowMs);
    expect(due(identity.notAfterMs - (5 * YEAR) / 3 - DAY)).toBe('not_due');
    expect(due(identity.notAfterMs - (5 * YEAR) / 6 + DAY)).toEqual(renewal);
    expect(due(identity.notAfterMs + YEAR)).toEqual(renewal);
  });

  test('is sent once in a run, again in the next, and anew after another one was pinned', () => {
    const now = identity.notAfterMs;
    const tried = { ...memory, tries: { 'identity.f1': triedAgain(undefined, null, now, 0.5) } };
    expect(planIdentity(identity, owner, tried, now)).toBe('tried');
    expect(planIdentity({ ...identity, fingerprint: 'f2' }, owner, tried, now)).not.toBe('tried');
  });

  test('is never renewed in its first month, whatever the numbers of the integration say', () => {
    const eager = {
      ...owner,
      settings: { ...owner.settings, renewalWindowStart: 0.9999, renewalWindowEnd: 0.9998 },
    };
    expect(planIdentity(identity, eager, memory, ISSUED + 29 * DAY)).toBe('not_due');
    expect(planIdentity(identity, eager, memory, ISSUED + 31 * DAY)).toEqual(renewal);
  });

  test('waits until the device has everything that it can have, and is nothing to one that has left', () => {
    expect(isEndWithDevice({ do: 'finish', phase: 'delivered' })).toBe(true);
    expect(isEndWithDevice({ do: 'finish', phase: 'waits_for_user' })).toBe(true);
    expect(isEndWithDevice({ do: 'fail', code: 'mdm.profile_refused' })).toBe(true);
    expect(isEndWithDevice({ do: 'finish', phase: 'not_enrolled' })).toBe(false);
    expect(isEndWithDevice({ do: 'waitForApp' })).toBe(false);
  });
});
