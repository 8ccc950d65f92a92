// Makes the body of a command from the state that the tables hold now, opens the secrets it needs, and seals what carries one.
import { buildCommand, type CommandSpec } from '../adapters/mdm/command.ts';
import { appConfiguration } from '../adapters/mdm/payloads/app-configuration.ts';
import { enrollmentAddresses, enrollmentProfile } from '../adapters/mdm/payloads/enrollment.ts';
import { settingsProfile, ssoProfile } from '../adapters/mdm/payloads/payload-set.ts';
import type { Profile } from '../adapters/mdm/payloads/profile.ts';
import type { PlistDict } from '../adapters/mdm/plist.ts';
import { signAttached } from '../adapters/pki/cms.ts';
import { expectedAppConfiguration } from '../adapters/store/integration/app-configuration.ts';
import { uuidFromName } from '../adapters/store/devices/command-uuid.ts';
import { sealedCommandContext } from '../adapters/store/devices/commands.ts';
import type { IosKey } from '../adapters/store/devices/queue-commands.ts';
import { readCertificateView } from '../adapters/store/rollout/deliveries.ts';
import { findDevice } from '../adapters/store/devices/devices.ts';
import { findPushCertificate } from '../adapters/store/devices/push-certificates.ts';
import { newIdentityChallenge } from '../adapters/store/devices/identity-certificates.ts';
import {
  desiredStateOf,
  readDeviceState,
  settingsOf,
  type DeviceState,
} from '../adapters/store/rollout/rollout-state.ts';
import type { SentProfile } from '../adapters/store/rollout/sent-profiles.ts';
import { OKTA_VERIFY } from '../domain/device-report.ts';
import { orgUrlOf, sentSettingsOf, ssoHostsOf } from '../domain/payload-set.ts';
import { CHALLENGE_LIFE_MS } from '../domain/patience.ts';
import type { WantedProfileKind } from '../domain/profile-identifier.ts';
import type { StepRequest } from '../domain/rollout-action.ts';
import { scopeOf } from '../domain/rollout-step.ts';
import type { DesiredState } from '../domain/rollout-view.ts';
import type { ActivityDependencies } from './dependencies.ts';

export interface CommandBody {
  readonly requestType: string;
  /** Which revision goes to the device with it. */
  readonly sent?: SentProfile;
  readonly content:
    | { readonly body: Buffer }
    | {
        readonly sealedBody: Buffer;
        readonly handsOverOnce?: true;
        readonly lifeMs?: number;
        readonly iosKey?: IosKey;
      };
}

/** What bodies are made of: the device's state is read when the first one needs it, and once for all. */
export class BodySource {
  readonly deps: ActivityDependencies;
  readonly deviceId: string;
  #state: Promise<DeviceState | undefined> | undefined;

  /** @param state read a moment ago */
  constructor(deps: ActivityDependencies, deviceId: string, state?: DeviceState) {
    this.deps = deps;
    this.deviceId = deviceId;
    this.#state = state && Promise.resolve(state);
  }

  state(): Promise<DeviceState | undefined> {
    this.#state ??= readDeviceState(this.deps.database, this.deviceId);
    return this.#state;
  }
}

/** One that is made in vain costs nothing: no secret is opened for it, and no challenge made. */
export async function isPlain(source: BodySource, request: StepRequest): Promise<boolean> {
  switch (request.type) {
    case 'RenewIdentity':
      return false;
    case 'InstallProfile':
    case 'InstallApplication':
    case 'ApplicationConfiguration':
      return (await source.state())?.platform === 'macOS';
    default:
      return true;
  }
}

/** undefined: what was planned is not wanted any more; the plan has to be made again. */
export async function bodyOf(
  source: BodySource,
  commandUuid: string,
  request: StepRequest,
): Promise<CommandBody | undefined> {
  const { deps } = source;
  const made = await specOf(source, request);
  if (made === undefined) return undefined;
  const { requestType } = made.spec;
  const revision = await sentBy(source, request);
  const sent = revision && { sent: revision };
  const plain = buildCommand(commandUuid, made.spec);
  if (!made.holdsSecret) return { requestType, ...sent, content: { body: plain } };
  const sealed = Buffer.from(deps.sealer.seal(plain, sealedCommandContext(commandUuid)));
  plain.fill(0);
  const once = made.holdsChallenge === true && {
    handsOverOnce: true as const,
    lifeMs: CHALLENGE_LIFE_MS,
  };
  const key = made.iosKey && { iosKey: made.iosKey };
  return { requestType, ...sent, content: { sealedBody: sealed, ...once, ...key } };
}

interface Spec {
  readonly spec: CommandSpec;
  readonly holdsSecret: boolean;
  /** Good for one try, and not for long. */
  readonly holdsChallenge?: true;
  /** Whoever it is handed over to reads this key. */
  readonly iosKey?: IosKey;
}
const open = (spec: CommandSpec): Spec => ({ spec, holdsSecret: false });

async function specOf(source: BodySource, request: StepRequest): Promise<Spec | undefined> {
  const { deps } = source;
  switch (request.type) {
    case 'InstallProfile': {
      const made = await profileOf(source, request.kind, request.revision);
      if (made === undefined) return undefined;
      const payload = signAttached(made.profile.xml, await deps.profileSigner());
      const { holdsSecret, iosKey } = made;
      return { spec: { requestType: 'InstallProfile', payload }, holdsSecret, ...(iosKey && { iosKey }) };
    }
    case 'RemoveProfile':
      if (await isNeeded(source, request)) return undefined;
      return open({ requestType: 'RemoveProfile', identifier: request.identifier });
    case 'InstallApplication':
      return installationOf(source);
    case 'ApplicationConfiguration':
      return settingOf(source, request.content);
    case 'RemoveApplication':
      if ((await desiredNow(source)) !== null) return undefined;
      return open({ requestType: 'RemoveApplication' });
    case 'RenewIdentity':
      return enrollmentOf(source);
    case 'UserProfileList':
      return open({ requestType: 'ProfileList' });
    case 'UserCertificateList':
      return open({ requestType: 'CertificateList' });
    default:
      return open({ requestType: request.type });
  }
}

const desiredNow = async (source: BodySource): Promise<DesiredState | null> => {
  const state = await source.state();
  return state === undefined ? null : desiredStateOf(state);
};

/** A device in scope keeps the profiles it should have and the certificate that counts, whatever a workflow was told. */
async function isNeeded(
  source: BodySource,
  request: Extract<StepRequest, { type: 'RemoveProfile' }>,
): Promise<boolean> {
  const { identifier } = request;
  const desired = await desiredNow(source);
  if (desired === null) return false;
  if (desired.profiles.some((each) => each.identifier === identifier)) return true;
  const view = desired.wantsCertificate
    ? await readCertificateView(source.deps.database, source.deviceId)
    : undefined;
  const reported = view?.profiles?.find(
    (each) => each.identifier === identifier && each.scope === scopeOf(request),
  );
  return view?.deliveries.find(({ payloadUuid }) => payloadUuid === reported?.uuid)?.state === 'proven';
}

/** The same profile as at the enrollment, with a challenge for one new identity of this device. */
async function enrollmentOf({ deps, deviceId }: BodySource): Promise<Spec | undefined> {
  const topic = (await findDevice(deps.database, deviceId))?.topic;
  const push = topic ? await findPushCertificate(deps.database, topic) : undefined;
  if (deps.publicUrl === undefined || push === undefined) return undefined;
  const challenge = await newIdentityChallenge(deps.database, { forDeviceId: deviceId });
  const profile = enrollmentProfile({
    ...enrollmentAddresses(deps.publicUrl),
    topic: push.topic,
    // Apple's devices refuse an update that adds a right.
    accessRights: push.accessRights,
    challenge,
  });
  const payload = signAttached(profile.xml, await deps.profileSigner());
  profile.xml.fill(0);
  return { spec: { requestType: 'InstallProfile', payload }, holdsSecret: true, holdsChallenge: true };
}

async function profileOf(
  source: BodySource,
  kind: WantedProfileKind,
  revision: string,
): Promise<{ profile: Profile; holdsSecret: boolean; iosKey?: IosKey } | undefined> {
  const { deps, deviceId } = source;
  const state = await source.state();
  const desired = state && desiredStateOf(state);
  const wanted = desired?.profiles.find((each) => each.kind === kind && each.revision === revision);
  if (!state || !desired || !wanted || state.oktaHost === null) return undefined;
  const host = { oktaHost: state.oktaHost, customDomain: state.customDomain };
  const target = { integrationId: desired.integrationId, deviceId, uuid: wanted.payloadUuid };
  switch (kind) {
    case 'settings': {
      const sent = sentSettingsOf(state.itemSettings ?? {});
      return { profile: settingsProfile({ ...target, orgUrl: orgUrlOf(host), ...sent }), holdsSecret: false };
    }
    case 'sso': {
      const hosts = ssoHostsOf({ ...host, furtherDomains: settingsOf(state).furtherDomains });
      if (state.platform === 'macOS')
        return { profile: ssoProfile({ ...target, hosts, platform: 'macOS' }), holdsSecret: false };
      const expected = await expectedAppConfiguration(deps.database, deps.sealer, state, 'SSO profile sent');
      if (expected === undefined) return undefined;
      const { managementHint, iosKey } = expected;
      const profile = ssoProfile({ ...target, hosts, platform: 'iOS', managementHint });
      return { profile, holdsSecret: true, iosKey };
    }
  }
}

async function installationOf(source: BodySource): Promise<Spec | undefined> {
  const { deps } = source;
  const state = await source.state();
  if (state === undefined) return undefined;
  if (state.platform === 'macOS') return open({ requestType: 'InstallApplication', platform: 'macOS' });
  const expected = await expectedAppConfiguration(deps.database, deps.sealer, state, 'app installed');
  if (expected === undefined) return undefined;
  const configuration = appConfiguration(expected);
  const spec = { requestType: 'InstallApplication', platform: 'iOS', configuration } as const;
  return { spec, holdsSecret: true, iosKey: expected.iosKey };
}

async function settingOf(source: BodySource, content: 'odette' | 'own'): Promise<Spec | undefined> {
  const { deps } = source;
  const state = await source.state();
  if (state === undefined) return undefined;
  if (content === 'own') {
    const own = (state.itemConfiguration ?? undefined) as PlistDict | undefined;
    return open({ requestType: 'Settings', appConfiguration: own });
  }
  const expected = await expectedAppConfiguration(
    deps.database,
    deps.sealer,
    state,
    'app configuration sent',
  );
  if (expected === undefined) return undefined;
  return {
    spec: { requestType: 'Settings', appConfiguration: appConfiguration(expected) },
    holdsSecret: true,
    iosKey: expected.iosKey,
  };
}

async function sentBy(source: BodySource, request: StepRequest): Promise<SentProfile | undefined> {
  const carriesConfiguration =
    request.type === 'InstallApplication' ||
    (request.type === 'ApplicationConfiguration' && request.content === 'odette');
  if (request.type !== 'InstallProfile' && !carriesConfiguration) return undefined;
  const desired = await desiredNow(source);
  if (desired === null) return undefined;
  if (request.type === 'InstallProfile') return desired.profiles.find(({ kind }) => kind === request.kind);
  const revision = desired.appConfigurationRevision;
  return revision === null ? undefined : configurationSent(desired, revision);
}

const configurationSent = (desired: DesiredState, revision: string) => ({
  kind: 'app_configuration' as const,
  identifier: OKTA_VERIFY.bundleId,
  payloadUuid: uuidFromName(['app configuration', desired.integrationId, revision].join('\n')),
  revision,
});
