import { describe, expect, test } from 'vitest';
import { CHANNEL_ABILITIES } from './device-channel.ts';
import { triedAgain } from './retries.ts';
import { phaseOf, planRollout } from './rollout-plan.ts';
import {
  ALL,
  DAY,
  NOW,
  blankMac,
  blankPhone,
  describeAction,
  desiredMac,
  desiredPhone,
  fresh,
  play,
  reported,
} from '../test/harness/demo-plan.ts';

describe('the plan of the app', () => {
  test('a new iPhone: SSO, app with its configuration, which is read back', () => {
    expect(play(blankPhone).trace).toEqual([
      'DeviceInformation+ProfileList+ManagedApplicationList',
      'InstallProfile(sso)+InstallApplication+ManagedApplicationList+ProfileList',
      'waitForApp',
      'ManagedApplicationConfiguration',
      'finish:delivered',
    ]);
  });

  test('a changed iOS key goes by Settings once the app is managed, and is read back', () => {
    const { view } = play(blankPhone);
    const desired = { ...desiredPhone, appConfigurationRevision: 'configuration-2' };
    expect(play({ ...view, desired }).trace.slice(1)).toEqual([
      'ManagedApplicationConfiguration',
      'ApplicationConfiguration+ManagedApplicationConfiguration',
      'finish:delivered',
    ]);
  });

  test('only the app waits for the license; the profiles are delivered and proven before', () => {
    const { trace } = play(blankMac, { ...fresh, license: 'pending' });
    expect(trace.slice(-2)).toEqual([
      'InstallProfile(settings)+InstallProfile(sso)+ProfileList',
      'waitForLicense',
    ]);
  });

  test('where the channel assigns no licenses, the app is installed without asking for one', () => {
    const can = { ...CHANNEL_ABILITIES.built_in, license: false };
    const { trace } = play({ ...blankMac, can }, { ...fresh, license: 'unasked' });
    expect(trace.at(-1)).toBe('finish:delivered');
    expect(trace.some((line) => line.includes('InstallApplication'))).toBe(true);
  });

  test('a license that cannot be had fails the rollout by its name, after the profiles', () => {
    const { trace } = play(blankMac, { ...fresh, license: 'apps_and_books.token_missing' });
    expect(trace.slice(-2)).toEqual([
      'InstallProfile(settings)+InstallProfile(sso)+ProfileList',
      'fail:apps_and_books.token_missing',
    ]);
  });

  test("a Mac whose Okta Verify is not the App Store's is named, after its profiles", () => {
    const view = reported(blankMac, { appIsForeign: true });
    expect(play(view).trace.at(-1)).toBe('fail:mdm.app_not_from_app_store');
  });

  test('where Okta Verify comes from elsewhere, everything else is delivered, without license and installation', () => {
    const desired = { ...desiredMac, appComesFromElsewhere: true };
    for (const appIsForeign of [true, false]) {
      const { trace } = play(reported({ ...blankMac, desired }, { appIsForeign }), {
        ...fresh,
        license: 'apps_and_books.token_missing',
      });
      expect(trace).toContain('obtainCertificate');
      expect(trace.join()).not.toContain('InstallApplication');
      expect(trace.at(-1)).toBe('finish:delivered');
    }
  });

  test.each([null, 'ManagedButUninstalled'])(
    'an app that was accepted, and is %s instead of on its way, is sent again later and later; after a day that failed',
    (appStatus) => {
      const once = triedAgain(undefined, null, NOW, 0.5);
      const { view } = play(blankMac);
      const memory = { ...fresh, fresh: ALL, tries: { app: once }, appSent: true };
      const at = (status: string | null, nowMs: number) =>
        describeAction(planRollout(reported(view, { appStatus: status }), memory, nowMs));
      expect(at(appStatus, NOW + 14_000)).toBe('waitForApp');
      expect(at(appStatus, NOW + 15_000)).toBe('InstallApplication+ManagedApplicationList');
      expect(at('Installing', NOW + 15_000)).toBe('waitForApp');
      expect(at(appStatus, NOW + DAY)).toBe('fail:mdm.app_not_installed');
    },
  );

  test('a refusal is asked again a day later, and after the third the rollout waits for the user', () => {
    const once = triedAgain(undefined, null, NOW, 0.5);
    const refused = { ...reported(blankPhone, { profiles: [], appStatus: 'UserRejected' }) };
    const memory = { ...fresh, fresh: ALL, tries: { 'sso.sso-1': once, app: once }, appSent: true };
    const withSso = reported(refused, {
      profiles: [
        {
          identifier: desiredPhone.profiles[0]!.identifier,
          uuid: 'uuid-sso-1',
          kind: 'sso',
          integrationId: 'i1',
          scope: 'System',
        },
      ],
    });
    expect(planRollout(withSso, memory, NOW)).toEqual({ do: 'recordRefusal' });
    const refusedOnce = { ...withSso, appRefusals: 1, lastRefusedAtMs: NOW };
    const after = { ...memory, appSent: false, tries: { 'sso.sso-1': once } };
    const tomorrow = planRollout(refusedOnce, after, NOW + DAY - 1);
    expect(tomorrow).toEqual({ do: 'waitForUser', untilMs: NOW + DAY });
    expect(phaseOf(tomorrow)).toBe('waits_for_user');
    expect(describeAction(planRollout(refusedOnce, after, NOW + DAY))).toBe(
      'InstallApplication+ManagedApplicationList',
    );
    const thrice = { ...withSso, appRefusals: 3, lastRefusedAtMs: NOW };
    expect(planRollout(thrice, after, NOW + 9 * DAY)).toEqual({ do: 'finish', phase: 'waits_for_user' });
  });
});
