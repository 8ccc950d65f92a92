import { describe, expect, test } from 'vitest';
import { profileIdentifier } from './profile-identifier.ts';
import { triedAgain } from './retries.ts';
import { planRollout } from './rollout-plan.ts';
import { type RolloutMemory } from './rollout-action.ts';
import {
  ALL,
  DAY,
  NOW,
  blankMac,
  blankPhone,
  describeAction,
  desiredMac,
  fresh,
  play,
  reported,
  wanted,
} from '../test/harness/demo-plan.ts';

describe('the plan of a rollout', () => {
  test('a new Mac: inventory, certificate, profiles, app with its proofs, then delivered', () => {
    expect(play(blankMac).trace).toEqual([
      'DeviceInformation+ProfileList+CertificateList+ManagedApplicationList+InstalledApplicationList',
      'obtainCertificate',
      'InstallProfile(settings)+InstallProfile(sso)+InstallApplication+ManagedApplicationList+ProfileList',
      'waitForApp',
      'finish:delivered',
    ]);
  });

  test('a device that has everything is asked and sent nothing', () => {
    const { view } = play(blankMac);
    expect(play(view).trace).toEqual([
      'DeviceInformation+ProfileList+CertificateList+ManagedApplicationList',
      'finish:delivered',
    ]);
  });

  test('a certificate for a login keychain: its user’s channel is asked last, and without one nothing waits for it', () => {
    const desired = { ...desiredMac, certificateScope: 'User' as const };
    const { view } = play({ ...blankMac, desired });
    expect(play({ ...blankMac, desired }).trace).toEqual([
      'DeviceInformation+ProfileList+CertificateList+ManagedApplicationList+InstalledApplicationList',
      'InstallProfile(settings)+InstallProfile(sso)+InstallApplication+ManagedApplicationList+ProfileList',
      'waitForApp',
      'finish:delivered',
    ]);
    expect(play({ ...view, hasUserChannel: true }).trace).toEqual([
      'DeviceInformation+ProfileList+CertificateList+ManagedApplicationList',
      'obtainCertificate',
      'UserProfileList+UserCertificateList',
      'finish:delivered',
    ]);
  });

  test('a changed revision pushes that profile only', () => {
    const { view } = play(blankMac);
    const changed = {
      ...desiredMac,
      profiles: [{ ...wanted('i1', 'settings'), payloadUuid: 'uuid-settings-2' }, wanted('i1', 'sso')],
    };
    expect(play({ ...view, desired: changed }).trace.slice(1)).toEqual([
      'InstallProfile(settings)+ProfileList',
      'finish:delivered',
    ]);
  });

  test('profiles of another integration go before the new ones come', () => {
    const old = profileIdentifier('i0', 'd1', 'sso');
    const view = reported(blankMac, {
      profiles: [{ identifier: old, uuid: 'old', kind: 'sso', integrationId: 'i0', scope: 'System' }],
    });
    expect(play(view).trace[1]).toBe(`RemoveProfile(${old})`);
  });

  test('a profile that was just removed is looked for at once; one that stays is removed again later', () => {
    const old = profileIdentifier('i0', 'd1', 'sso');
    const view = reported(blankMac, {
      profiles: [{ identifier: old, uuid: 'old', kind: 'sso', integrationId: 'i0', scope: 'System' }],
    });
    const tries = { [`remove.${old}`]: triedAgain(undefined, null, NOW, 0.5) };
    const stale = ALL.filter((query) => query !== 'ProfileList');
    const after = (queries: RolloutMemory['fresh'], nowMs = NOW) =>
      describeAction(planRollout(view, { ...fresh, fresh: queries, tries }, nowMs));
    expect(after(stale)).toBe('ProfileList');
    expect(after(ALL)).toBe('backOff');
    expect(after(ALL, NOW + 15_000)).toBe(`RemoveProfile(${old})`);
  });

  test('a profile that the device accepts but never lists is sent again over a day, then it is refused', () => {
    const view = { ...reported(blankMac, { profiles: [] }), hasCertificate: true };
    const once = triedAgain(undefined, null, NOW, 0.5);
    const memory: RolloutMemory = {
      ...fresh,
      fresh: ALL,
      tries: { 'settings.settings-1': once, 'sso.sso-1': once },
    };
    const at = (nowMs: number) =>
      planRollout({ ...view, reported: { ...view.reported, appStatus: 'Managed' } }, memory, nowMs);
    expect(at(NOW)).toMatchObject({ do: 'backOff', untilMs: NOW + 15_000, code: 'mdm.profile_refused' });
    expect(describeAction(at(NOW + 15_000))).toBe('InstallProfile(settings)+InstallProfile(sso)+ProfileList');
    expect(at(NOW + DAY)).toEqual({ do: 'fail', code: 'mdm.profile_refused' });
  });

  test('removal waits, then takes profiles and certificate away and leaves the app', () => {
    const { view } = play(blankMac);
    const withCertificate = reported(view, {
      profiles: [
        ...(view.reported.profiles ?? []),
        {
          identifier: profileIdentifier('i1', 'd1', 'certificate.a'),
          uuid: 'c',
          kind: 'certificate.a',
          integrationId: 'i1',
          scope: 'System',
        },
      ],
    });
    const settings = profileIdentifier('i1', 'd1', 'settings');
    const sso = profileIdentifier('i1', 'd1', 'sso');
    expect(play({ ...withCertificate, desired: null }).trace).toEqual([
      'ProfileList+ManagedApplicationList',
      'waitForRemovalDelay',
      `RemoveProfile(${settings})+RemoveProfile(${sso})`,
      'ProfileList',
      'removeCertificate',
      'finish:out_of_scope',
    ]);
  });

  test('removal ends a certificate that is still on its way, asked for in this run or sent before', () => {
    const removal = ['ProfileList+ManagedApplicationList', 'waitForRemovalDelay', 'removeCertificate'];
    const asked = {
      ...fresh,
      tries: { certificate: { count: 0, sinceMs: NOW, dueAtMs: NOW, failure: null, inARow: 0 } },
    };
    expect(play({ ...blankMac, desired: null }, asked).trace).toEqual([...removal, 'finish:out_of_scope']);
    const sent = { ...blankMac, desired: null, hasOpenDelivery: true };
    expect(play(sent).trace).toEqual([...removal, 'finish:out_of_scope']);
  });

  test("removal on an iPhone brings the item's own app configuration back", () => {
    const { view } = play(blankPhone);
    const trace = play({ ...view, desired: null, configurationWasSent: true }).trace;
    expect(trace[2]).toContain('ApplicationConfiguration');
    expect(trace.at(-1)).toBe('finish:out_of_scope');
  });

  test('a removal that takes the app gives its license back last; one that leaves the app keeps it', () => {
    const removed = { ...reported(blankMac, { appStatus: 'Managed' }), desired: null, holdsLicense: true };
    const taking = { ...removed, removal: { delayMinutes: 15, removesApp: true } };
    expect(play(taking).trace).toEqual([
      'ProfileList+ManagedApplicationList',
      'waitForRemovalDelay',
      'RemoveApplication',
      'ManagedApplicationList',
      'returnLicense',
      'finish:out_of_scope',
    ]);
    expect(play(removed).trace).toEqual(['ProfileList+ManagedApplicationList', 'finish:out_of_scope']);
  });

  test('nothing of Odette on the device: out of scope at once', () => {
    expect(play({ ...blankMac, desired: null }).trace).toEqual([
      'ProfileList+ManagedApplicationList',
      'finish:out_of_scope',
    ]);
  });

  test('a device that is not enrolled is waited for, one that checked out is done', () => {
    expect(planRollout({ ...blankMac, enrollmentStatus: 'authenticated' }, fresh, NOW).do).toBe(
      'waitForEnrollment',
    );
    expect(planRollout({ ...blankMac, enrollmentStatus: 'checked_out' }, fresh, NOW)).toEqual({
      do: 'finish',
      phase: 'not_enrolled',
    });
  });
});
