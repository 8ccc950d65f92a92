import { describe, expect, test } from 'vitest';
import { DEFAULT_INTEGRATION_SETTINGS } from './integration-settings.ts';
import { profileIdentifier } from './profile-identifier.ts';
import {
  outdatedBy,
  planRollout,
  tryKeyOf,
  type Query,
  type RolloutAction,
  type RolloutMemory,
  type StepRequest,
} from './rollout-plan.ts';
import type { DesiredState, RolloutView } from './rollout-view.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const DAY = 24 * 60 * 60 * 1000;

const wanted = (integrationId: string, kind: 'settings' | 'sso') => ({
  kind,
  identifier: profileIdentifier(integrationId, 'd1', kind),
  payloadUuid: `uuid-${kind}-1`,
  revision: `${kind}-1`,
});
const desiredMac: DesiredState = {
  integrationId: 'i1',
  settings: DEFAULT_INTEGRATION_SETTINGS,
  wantsCertificate: true,
  profiles: [wanted('i1', 'settings'), wanted('i1', 'sso')],
  appConfigurationRevision: null,
};
const desiredPhone: DesiredState = {
  ...desiredMac,
  wantsCertificate: false,
  profiles: [wanted('i1', 'sso')],
  appConfigurationRevision: 'configuration-1',
};
const blankMac: RolloutView = {
  deviceId: 'd1',
  family: 'Mac',
  platform: 'macOS',
  enrollmentStatus: 'enrolled',
  enrollmentId: 'e1',
  appRefusals: 0,
  lastRefusedAtMs: null,
  desired: desiredMac,
  removal: { delayMinutes: 15, removesApp: false },
  reported: {
    profiles: null,
    certificates: null,
    appStatus: null,
    appIsForeign: false,
    appConfigurationRevision: null,
  },
  hasCertificate: false,
  configurationWasSent: false,
  failureCode: null,
};
const blankPhone: RolloutView = { ...blankMac, family: 'iPhone', platform: 'iOS', desired: desiredPhone };
const fresh: RolloutMemory = {
  enrollmentId: 'e1',
  fresh: [],
  tries: {},
  licence: 'ready',
  appSent: false,
  appChecks: 0,
  removalDelayOver: false,
};
const ALL: Query[] = [
  'DeviceInformation',
  'ProfileList',
  'CertificateList',
  'ManagedApplicationList',
  'InstalledApplicationList',
  'ManagedApplicationConfiguration',
];

/** A device that does what it is told: carries actions out on the view until the plan ends. */
function play(start: RolloutView, startMemory: RolloutMemory = fresh) {
  let view = start;
  let memory = startMemory;
  const trace: string[] = [];
  for (let turn = 0; turn < 30; turn++) {
    const action = planRollout(view, memory, NOW);
    trace.push(describeAction(action));
    if (action.do === 'finish' || action.do === 'fail') return { trace, view };
    if (action.do === 'obtainCertificate') view = { ...view, hasCertificate: true };
    else if (action.do === 'waitForRemovalDelay') memory = { ...memory, removalDelayOver: true };
    else if (action.do === 'removeCertificate') view = reported(view, { profiles: [], certificates: [] });
    else if (action.do === 'waitForApp') {
      view = reported(view, { appStatus: 'Managed' });
    } else if (action.do === 'send') {
      for (const request of action.requests) ({ view, memory } = carryOut(view, memory, request));
    } else return { trace, view };
  }
  throw new Error(`no end: ${trace.join(' | ')}`);
}

const reported = (view: RolloutView, changes: Partial<RolloutView['reported']>): RolloutView => ({
  ...view,
  reported: { ...view.reported, ...changes },
});

function carryOut(view: RolloutView, memory: RolloutMemory, request: StepRequest) {
  const key = tryKeyOf(request);
  if (key === undefined) {
    const query = request.type as Query;
    const next = query === 'ProfileList' ? reported(view, { profiles: view.reported.profiles ?? [] }) : view;
    return { view: next, memory: { ...memory, fresh: [...memory.fresh, query] } };
  }
  const after: RolloutMemory = {
    ...memory,
    fresh: memory.fresh.filter((query) => !outdatedBy(request).includes(query)),
    tries: { ...memory.tries, [key]: (memory.tries[key] ?? 0) + 1 },
    appSent: memory.appSent || request.type === 'InstallApplication',
  };
  const profiles = view.reported.profiles ?? [];
  switch (request.type) {
    case 'InstallProfile': {
      const profile = view.desired?.profiles.find(({ kind }) => kind === request.kind);
      if (profile === undefined) throw new Error('not wanted');
      const installed = {
        identifier: profile.identifier,
        uuid: profile.payloadUuid,
        kind: profile.kind,
        integrationId: 'i1',
      };
      const others = profiles.filter(({ identifier }) => identifier !== profile.identifier);
      return { view: reported(view, { profiles: [...others, installed] }), memory: after };
    }
    case 'RemoveProfile': {
      const left = profiles.filter(({ identifier }) => identifier !== request.identifier);
      return { view: reported(view, { profiles: left }), memory: after };
    }
    case 'InstallApplication': {
      const revision = view.desired?.appConfigurationRevision ?? null;
      return {
        view: reported(view, { appStatus: 'Installing', appConfigurationRevision: revision }),
        memory: after,
      };
    }
    case 'ApplicationConfiguration': {
      if (request.content === 'own') return { view: { ...view, configurationWasSent: false }, memory: after };
      return { view: reported(view, { appConfigurationRevision: request.revision }), memory: after };
    }
    default:
      return { view, memory: after };
  }
}

const describeAction = (action: RolloutAction): string =>
  action.do === 'send'
    ? action.requests
        .map((each) =>
          each.type === 'InstallProfile' || each.type === 'RemoveProfile'
            ? `${each.type}(${each.type === 'InstallProfile' ? each.kind : each.identifier})`
            : each.type,
        )
        .join('+')
    : action.do === 'finish'
      ? `finish:${action.phase}`
      : action.do === 'fail'
        ? `fail:${action.code}`
        : action.do;

describe('the plan of a rollout', () => {
  test('a new Mac: inventory, certificate, profiles, app with its proofs, then delivered', () => {
    expect(play(blankMac).trace).toEqual([
      'DeviceInformation+ProfileList+CertificateList+ManagedApplicationList+InstalledApplicationList',
      'obtainCertificate',
      'InstallProfile(settings)+InstallProfile(sso)',
      'InstallApplication+ProfileList+ManagedApplicationList',
      'waitForApp',
      'finish:delivered',
    ]);
  });

  test('a new iPhone: SSO, app with its configuration, which is read back', () => {
    expect(play(blankPhone).trace).toEqual([
      'DeviceInformation+ProfileList+ManagedApplicationList',
      'InstallProfile(sso)',
      'InstallApplication+ProfileList+ManagedApplicationList',
      'waitForApp',
      'ManagedApplicationConfiguration',
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

  test('a changed revision pushes that profile only', () => {
    const { view } = play(blankMac);
    const changed = {
      ...desiredMac,
      profiles: [{ ...wanted('i1', 'settings'), payloadUuid: 'uuid-settings-2' }, wanted('i1', 'sso')],
    };
    expect(play({ ...view, desired: changed }).trace.slice(1)).toEqual([
      'InstallProfile(settings)',
      'ProfileList',
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

  test('only the app waits for the licence; the profiles are delivered and proven before', () => {
    const { trace } = play(blankMac, { ...fresh, licence: 'pending' });
    expect(trace.slice(-2)).toEqual(['ProfileList', 'waitForLicence']);
  });

  test('a licence that cannot be had fails the rollout by its name, after the profiles', () => {
    const { trace } = play(blankMac, { ...fresh, licence: 'apps_and_books.token_missing' });
    expect(trace.slice(-2)).toEqual(['ProfileList', 'fail:apps_and_books.token_missing']);
  });

  test("a Mac whose Okta Verify is not the App Store's is named, after its profiles", () => {
    const view = reported(blankMac, { appIsForeign: true });
    expect(play(view).trace.at(-1)).toBe('fail:mdm.app_not_from_app_store');
  });

  test('a refusal is asked again a day later, and after the third the rollout waits for the user', () => {
    const refused = { ...reported(blankPhone, { profiles: [], appStatus: 'UserRejected' }) };
    const memory = { ...fresh, fresh: ALL, tries: { 'sso.sso-1': 1, app: 1 }, appSent: true };
    const withSso = reported(refused, {
      profiles: [
        {
          identifier: desiredPhone.profiles[0]!.identifier,
          uuid: 'uuid-sso-1',
          kind: 'sso',
          integrationId: 'i1',
        },
      ],
    });
    expect(planRollout(withSso, memory, NOW)).toEqual({ do: 'noteRefusal' });
    const once = { ...withSso, appRefusals: 1, lastRefusedAtMs: NOW };
    const after = { ...memory, appSent: false };
    expect(planRollout(once, after, NOW + DAY - 1)).toEqual({ do: 'waitForUser', untilMs: NOW + DAY });
    expect(describeAction(planRollout(once, after, NOW + DAY))).toBe(
      'InstallApplication+ManagedApplicationList',
    );
    const thrice = { ...withSso, appRefusals: 3, lastRefusedAtMs: NOW };
    expect(planRollout(thrice, after, NOW + 9 * DAY)).toEqual({ do: 'finish', phase: 'waits_for_user' });
  });

  test('profiles of another integration go before the new ones come', () => {
    const old = profileIdentifier('i0', 'd1', 'sso');
    const view = reported(blankMac, {
      profiles: [{ identifier: old, uuid: 'old', kind: 'sso', integrationId: 'i0' }],
    });
    expect(play(view).trace[1]).toBe(`RemoveProfile(${old})`);
  });

  test('a profile that the device accepts but never lists is refused after three tries', () => {
    const memory: RolloutMemory = { ...fresh, fresh: ALL, tries: { 'settings.settings-1': 3 } };
    const view = { ...reported(blankMac, { profiles: [] }), hasCertificate: true };
    expect(planRollout(view, memory, NOW)).toEqual({ do: 'fail', code: 'mdm.profile_refused' });
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

  test("removal on an iPhone brings the item's own app configuration back", () => {
    const { view } = play(blankPhone);
    const trace = play({ ...view, desired: null, configurationWasSent: true }).trace;
    expect(trace[2]).toContain('ApplicationConfiguration');
    expect(trace.at(-1)).toBe('finish:out_of_scope');
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
