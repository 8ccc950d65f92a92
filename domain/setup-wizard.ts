// The setup wizard as data: its steps in their order, what each answer holds, what each check can say.
import { CHANNEL_KINDS } from './device-channel.ts';
import type { Platform } from './device.ts';
import type { FailureCode } from './failures.ts';
import { isOnTenant } from './secret-address.ts';

/** In the order of the wizard. The iOS and macOS steps appear only if that platform was chosen. */
export const SETUP_STEPS = [
  'get_started',
  'okta_domain',
  'credentials_kind',
  'okta_tasks',
  'credentials',
  'connect',
  'platforms',
  'macos',
  'ios',
  'complete',
] as const;
export type SetupStep = (typeof SETUP_STEPS)[number];

/**
 * built_in: devices enroll in Odette. nanomdm, fleet: they are enrolled in that server, by which Odette sends. observe_only: another MDM server
 * manages them (Jamf Pro, Kandji, Intune, any other), and Odette reads what Okta says of them, without a command.
 */
export const SETUP_CHANNELS = [...CHANNEL_KINDS, 'observe_only'] as const;
export type SetupChannel = (typeof SETUP_CHANNELS)[number];

/** An API Services app of the tenant's own (a key pair that Odette makes), or an entry of Okta's catalogue (client ID and secret). */
export const CREDENTIALS_KINDS = ['api_services_app', 'api_service_integration'] as const;
export type CredentialsKind = (typeof CREDENTIALS_KINDS)[number];

/** As in Okta's catalogue; `okta.devices.manage` is asked for and never used: Odette changes nothing in Okta. */
export const OKTA_SCOPES = ['okta.devices.manage', 'okta.devices.read', 'okta.authenticators.read'] as const;
export const NEEDED_SCOPES = ['okta.devices.read', 'okta.authenticators.read'] as const;
/** Where it is granted, the System Log proves which certificates are used (domain/certificate-use.ts). */
export const LOG_SCOPE = 'okta.logs.read';

/** Okta's manage scopes include read. */
export const includesScope = (granted: readonly string[], scope: string): boolean =>
  granted.includes(scope) || granted.includes(scope.replace(/\.read$/, '.manage'));

/** Secrets are sealed at the API's edge: an answer holds handles (ids of sealed secrets), never values. */
export type SetupAnswer =
  /** Absent: built_in. */
  | { readonly step: 'get_started'; readonly channel?: SetupChannel }
  | { readonly step: 'okta_domain'; readonly domain: string }
  | {
      readonly step: 'credentials_kind';
      readonly credentialsKind: CredentialsKind;
      /** Of an API Services app: the public half to paste into Okta, and the handle of the private half. */
      readonly publicJwk?: Readonly<Record<string, string>>;
      readonly secretId?: string;
    }
  | { readonly step: 'credentials'; readonly clientId: string; readonly secretId: string }
  | { readonly step: 'connect'; readonly confirmed: readonly PrerequisiteId[] }
  | { readonly step: 'okta_tasks' }
  | { readonly step: 'platforms'; readonly platforms: readonly Platform[] }
  | {
      readonly step: 'macos';
      readonly scepUrl: string;
      readonly challengeUrl: string;
      readonly username: string;
      readonly secretId: string;
    }
  | { readonly step: 'ios'; readonly secretId: string; readonly providerName: string }
  | { readonly step: 'complete' }
  /** Goes back (or forward to an answered step) without losing input. */
  | { readonly step: 'go_to'; readonly target: SetupStep };

export const PREREQUISITES = [
  'token',
  'scopes',
  'devices_readable',
  'clock',
  'identity_engine',
  'okta_verify_active',
  'fastpass_active',
  'okta_verify_licenses',
  'adaptive_mfa',
] as const;
export type PrerequisiteId = (typeof PREREQUISITES)[number];

export interface PrerequisiteCheck {
  readonly id: PrerequisiteId;
  readonly result: 'passed' | 'failed' | 'not_checked';
  /** Ticked by the admin where it could not be checked. */
  readonly confirmed: boolean;
  readonly failureCode?: FailureCode;
  readonly detail: string;
}

export interface Tenant {
  readonly orgId: string;
  readonly host: string;
  readonly customDomain?: string;
  readonly pipeline: 'idx' | 'v1';
}

export interface SetupState {
  readonly setupId: string;
  readonly status: 'open' | 'complete' | 'abandoned';
  readonly step: SetupStep;
  /** True while a check of an answer runs. */
  readonly checking: boolean;
  readonly answers: Readonly<Partial<Record<SetupStep, SetupAnswer>>>;
  readonly tenant?: Tenant;
  readonly prerequisites: readonly PrerequisiteCheck[];
  readonly grantedScopes?: readonly string[];
  /** Once complete; or from the start, of a setup that changes an integration. */
  readonly integrationId?: string;
  readonly amends: boolean;
  /** Of a setup that changes an integration: the answers that it began with. */
  readonly seeded?: SetupState['answers'];
}

/** Whether any of these steps was answered anew: what was not is none of this setup's business. */
export const isAnswered = ({ answers, seeded }: SetupState, ...steps: readonly SetupStep[]): boolean =>
  steps.some((step) => JSON.stringify(answers[step]) !== JSON.stringify(seeded?.[step]));

export const newSetup = (setupId: string): SetupState => ({
  setupId,
  status: 'open',
  step: 'get_started',
  checking: false,
  answers: {},
  prerequisites: [],
  amends: false,
});

/** The answer to a step, typed. */
export const answerTo = <Step extends SetupStep>(
  state: SetupState,
  step: Step,
): Extract<SetupAnswer, { step: Step }> | undefined =>
  state.answers[step] as Extract<SetupAnswer, { step: Step }> | undefined;

export const channelOf = (state: SetupState): SetupChannel =>
  answerTo(state, 'get_started')?.channel ?? 'built_in';

const PLATFORM_STEPS: readonly SetupStep[] = ['platforms', 'macos', 'ios'];

/** The steps of this setup in their order. Until platforms are chosen both of theirs are shown; who only observes configures none. */
export function stepsOf(state: SetupState): readonly SetupStep[] {
  if (channelOf(state) === 'observe_only')
    return SETUP_STEPS.filter((step) => !PLATFORM_STEPS.includes(step));
  const chosen = answerTo(state, 'platforms')?.platforms ?? ['macOS', 'iOS'];
  return SETUP_STEPS.filter(
    (step) => (step !== 'macos' || chosen.includes('macOS')) && (step !== 'ios' || chosen.includes('iOS')),
  );
}

/** A step can be answered once all steps before it are. */
export function isReachable(state: SetupState, step: SetupStep): boolean {
  const steps = stepsOf(state);
  const at = steps.indexOf(step);
  return at >= 0 && steps.slice(0, at).every((earlier) => state.answers[earlier] !== undefined);
}

export interface Refusal {
  readonly code: FailureCode;
  /** The field of the answer that it is about. */
  readonly field?: string;
  readonly detail?: string;
}

/** Whether an answer may be given now; what needs a check is not looked at. */
export function refusalOf(state: SetupState, answer: SetupAnswer): Refusal | undefined {
  if (state.status !== 'open') return { code: 'setup.not_open' };
  if (state.checking) return { code: 'setup.check_running' };
  const wanted = answer.step === 'go_to' ? answer.target : answer.step;
  if (!isReachable(state, wanted)) {
    const first = stepsOf(state).find((step) => state.answers[step] === undefined) ?? 'complete';
    return { code: 'setup.wrong_step', detail: `The next step to answer is ${first}.` };
  }
  const before = answerTo(state, 'platforms')?.platforms ?? [];
  if (answer.step === 'get_started' && answer.channel === 'observe_only' && state.amends && before.length > 0)
    return {
      code: 'request.conflict',
      field: 'channel',
      detail: 'The integration has platforms in use: remove them first.',
    };
  if (
    answer.step === 'platforms' &&
    state.amends &&
    before.some((platform) => !answer.platforms.includes(platform))
  )
    return {
      code: 'request.conflict',
      field: 'platforms',
      detail: 'You cannot remove a platform in use here.',
    };
  return undefined;
}

/** What a check of an answer found out. */
export interface CheckFindings {
  readonly tenant?: Tenant;
  readonly prerequisites?: readonly PrerequisiteCheck[];
  readonly grantedScopes?: readonly string[];
}

/** The state after an answer was accepted: input of other steps stays, what was proven with an older answer is to be proven again. */
export function advance(state: SetupState, answer: SetupAnswer, findings: CheckFindings = {}): SetupState {
  if (answer.step === 'go_to') return { ...state, step: answer.target };
  const answered: SetupState = {
    ...state,
    answers: answersAfter(state, answer, findings.tenant),
    ...(findings.tenant && { tenant: findings.tenant }),
    ...(findings.prerequisites && { prerequisites: findings.prerequisites }),
    ...(findings.grantedScopes && { grantedScopes: findings.grantedScopes }),
  };
  const steps = stepsOf(answered);
  return { ...answered, step: steps[steps.indexOf(answer.step) + 1] ?? 'complete' };
}

/** Without those that were proven with an answer that has changed. `found`: the tenant, where this answer named one. */
function answersAfter(
  state: SetupState,
  answer: Exclude<SetupAnswer, { step: 'go_to' }>,
  found: Tenant | undefined,
): SetupState['answers'] {
  const answers = { ...state.answers, [answer.step]: answer };
  // Who observes has other prerequisites.
  const isObserving = channelOf(state) === 'observe_only';
  if (answer.step === 'get_started' && (answer.channel === 'observe_only') !== isObserving)
    delete answers.connect;
  // The organization's id proves nothing, as anybody can read it: at another host the credentials are asked for again.
  const isOtherTenant =
    found !== undefined && (found.orgId !== state.tenant?.orgId || found.host !== state.tenant.host);
  const isOtherWay =
    answer.step === 'credentials_kind' && isOtherSignIn(answer, answerTo(state, 'credentials_kind'));
  if (isOtherTenant && answerTo(state, 'credentials_kind')?.credentialsKind === 'api_services_app')
    delete answers.credentials_kind;
  const mac = answerTo(state, 'macos');
  const tenant = found ?? state.tenant;
  if (mac && tenant && ![mac.scepUrl, mac.challengeUrl].every((url) => isOnTenant(url, tenant)))
    delete answers.macos;
  if (isOtherWay || isOtherTenant) delete answers.credentials;
  if (isOtherWay || isOtherTenant || answer.step === 'credentials') delete answers.connect;
  return answers;
}

type InstallAnswer = Extract<SetupAnswer, { step: 'credentials_kind' }>;

/** With another kind, or with another key: what Okta accepted before says nothing about it. */
const isOtherSignIn = (now: InstallAnswer, before: InstallAnswer | undefined): boolean =>
  now.credentialsKind !== before?.credentialsKind || now.secretId !== before.secretId;

/** Without those that Odette only needs to deliver something: who observes needs no licenses. */
export const neededBy = (
  channel: SetupChannel,
  checks: readonly PrerequisiteCheck[],
): readonly PrerequisiteCheck[] =>
  channel === 'observe_only' ? checks.filter(({ id }) => id !== 'okta_verify_licenses') : checks;

/** Prerequisites that keep the admin from going on: failed, or neither checked nor confirmed. */
export const missing = (checks: readonly PrerequisiteCheck[]): readonly PrerequisiteCheck[] =>
  checks.filter(({ result, confirmed }) => result === 'failed' || (result === 'not_checked' && !confirmed));
