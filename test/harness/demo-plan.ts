// A device on paper that does what a rollout's plan tells it: what the tests of domain's plans start from and play with.
import { CHANNEL_ABILITIES } from '../../domain/device-channel.ts';
import { DEFAULT_INTEGRATION_SETTINGS } from '../../domain/integration-settings.ts';
import { profileIdentifier, type WantedProfileKind } from '../../domain/profile-identifier.ts';
import { planRollout } from '../../domain/rollout-plan.ts';
import {
  type Query,
  type RolloutAction,
  type RolloutMemory,
  type StepRequest,
} from '../../domain/rollout-action.ts';
import { isQuery, outdatedBy, tryKeyOf } from '../../domain/rollout-step.ts';
import { triedAgain } from '../../domain/retries.ts';
import type { DesiredState, RolloutView } from '../../domain/rollout-view.ts';

export const NOW = Date.parse('2026-11-25T12:00:00Z');
export const DAY = 24 * 60 * 60 * 1000;

export const wanted = (integrationId: string, kind: WantedProfileKind) => ({
  kind,
  identifier: profileIdentifier(integrationId, 'd1', kind),
  payloadUuid: `uuid-${kind}-1`,
  revision: `${kind}-1`,
});
export const desiredMac: DesiredState = {
  integrationId: 'i1',
  settings: DEFAULT_INTEGRATION_SETTINGS,
  wantsCertificate: true,
  certificateScope: 'System',
  profiles: [wanted('i1', 'settings'), wanted('i1', 'sso')],
  appConfigurationRevision: null,
  appComesFromElsewhere: false,
};
export const desiredPhone: DesiredState = {
  ...desiredMac,
  wantsCertificate: false,
  profiles: [wanted('i1', 'sso')],
  appConfigurationRevision: 'configuration-1',
};
export const blankMac: RolloutView = {
  deviceId: 'd1',
  family: 'Mac',
  platform: 'macOS',
  can: CHANNEL_ABILITIES.built_in,
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
    appIsInstalled: false,
    appConfigurationRevision: null,
  },
  hasCertificate: false,
  hasUserChannel: false,
  hasOpenDelivery: false,
  configurationWasSent: false,
  holdsLicense: false,
  failureCode: null,
};
export const blankPhone: RolloutView = {
  ...blankMac,
  family: 'iPhone',
  platform: 'iOS',
  desired: desiredPhone,
};
export const fresh: RolloutMemory = {
  enrollmentId: 'e1',
  fresh: [],
  tries: {},
  license: 'ready',
  appSent: false,
  appChecks: 0,
  removalDelayOver: false,
};
export const ALL: Query[] = [
  'DeviceInformation',
  'ProfileList',
  'CertificateList',
  'ManagedApplicationList',
  'InstalledApplicationList',
  'ManagedApplicationConfiguration',
];

/** A device that does what it is told: carries actions out on the view until the plan ends. */
export function play(start: RolloutView, startMemory: RolloutMemory = fresh) {
  let view = start;
  let memory = startMemory;
  const trace: string[] = [];
  for (let turn = 0; turn < 30; turn++) {
    const action = planRollout(view, memory, NOW);
    trace.push(describeAction(action));
    if (action.do === 'finish' || action.do === 'fail') return { trace, view };
    if (action.do === 'obtainCertificate') view = { ...view, hasCertificate: true };
    else if (action.do === 'waitForRemovalDelay') memory = { ...memory, removalDelayOver: true };
    else if (action.do === 'removeCertificate') {
      view = { ...reported(view, { profiles: [], certificates: [] }), hasOpenDelivery: false };
      memory = {
        ...memory,
        tries: { ...memory.tries, removeCertificate: triedAgain(undefined, null, NOW, 0.5) },
      };
    } else if (action.do === 'returnLicense') {
      view = { ...view, holdsLicense: false };
    } else if (action.do === 'waitForApp') {
      view = reported(view, { appStatus: 'Managed' });
    } else if (action.do === 'send') {
      for (const request of action.requests) ({ view, memory } = carryOut(view, memory, request));
    } else return { trace, view };
  }
  throw new Error(`no end: ${trace.join(' | ')}`);
}

export const reported = (view: RolloutView, changes: Partial<RolloutView['reported']>): RolloutView => ({
  ...view,
  reported: { ...view.reported, ...changes },
});

function carryOut(view: RolloutView, memory: RolloutMemory, request: StepRequest) {
  const key = tryKeyOf(request);
  if (isQuery(request)) {
    const query = request.type;
    const next = query === 'ProfileList' ? reported(view, { profiles: view.reported.profiles ?? [] }) : view;
    return { view: next, memory: { ...memory, fresh: [...memory.fresh, query] } };
  }
  const after: RolloutMemory = {
    ...memory,
    fresh: memory.fresh.filter((query) => !outdatedBy(request).includes(query)),
    tries: { ...memory.tries, [key]: triedAgain(memory.tries[key], null, NOW, 0.5) },
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
        scope: 'System' as const,
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
    case 'RemoveApplication':
      return { view: reported(view, { appStatus: null }), memory: after };
    default:
      return { view, memory: after };
  }
}

export const describeAction = (action: RolloutAction): string =>
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
