// A device on paper that reports an error, and the rollout that it gets: the product's plan and what it learns, without Temporal, a
// database or time. For tests of every error there is; workflows/device-errors.test.ts drives each class through the real workflow.
import { classify } from '../../domain/device-error-classes.ts';
import type { FailureCode } from '../../domain/failures.ts';
import { appCheckDelayMs, HOUR_MS } from '../../domain/patience.ts';
import { profileIdentifier } from '../../domain/profile-identifier.ts';
import {
  emptyMemory,
  type RolloutAction,
  type RolloutMemory,
  type StepRequest,
} from '../../domain/rollout-action.ts';
import { planRollout } from '../../domain/rollout-plan.ts';
import type { DesiredState, ReportedState, RolloutView } from '../../domain/rollout-view.ts';
import type { DeviceConversation } from '../../workflows/device-conversation.ts';
import { refused, sendAndLearn, without } from '../../workflows/rollout-sending.ts';
import { vi } from 'vitest';
import { blankMac, blankPhone } from './demo-plan.ts';
import type { DeviceError } from './error-cases.ts';

interface PaperEnd {
  readonly phase: string;
  readonly code?: FailureCode;
  readonly hours: number;
}

const LICENSE_MS = 2000;
/** A rollout of days, retried every few hours, is done long before. */
const MAX_TURNS = 300;
const requestTypeOf = (request: StepRequest): string =>
  request.type === 'ApplicationConfiguration'
    ? 'Settings'
    : request.type === 'RenewIdentity'
      ? 'InstallProfile'
      : request.type;

const pass = (milliseconds: number): void => void vi.setSystemTime(Date.now() + milliseconds);

export class PaperDevice {
  readonly #breaks: { error: DeviceError; times: number }[] = [];
  readonly refusedAtMs: number[] = [];
  licensesAssigned = 0;
  #view: RolloutView;
  /** What is on the device; the view knows what it reported. */
  #profiles: NonNullable<ReportedState['profiles']>;
  #app: string | null = null;
  #configuration: string | null = null;

  constructor(error: DeviceError, times: number) {
    this.#breaks.push({ error, times });
    this.#view = error.requestType === 'Settings' ? blankPhone : blankMac;
    const foreign = {
      identifier: profileIdentifier('i0', 'd1', 'sso'),
      uuid: 'old',
      kind: 'sso',
      integrationId: 'i0',
      scope: 'System',
    } as const;
    this.#profiles = error.requestType === 'RemoveProfile' ? [foreign] : [];
    // A key that has changed: it is told by Settings.
    if (error.requestType === 'Settings') this.#app = 'Managed';
  }

  get left(): number {
    return this.#breaks.reduce((sum, { times }) => sum + times, 0);
  }

  get isComplete(): boolean {
    const { profiles, appConfigurationRevision } = this.#desired;
    return (
      this.#app === 'Managed' &&
      this.#configuration === appConfigurationRevision &&
      this.#profiles
        .map(({ uuid }) => uuid)
        .toSorted()
        .join() ===
        profiles
          .map(({ payloadUuid }) => payloadUuid)
          .toSorted()
          .join()
    );
  }

  thenBreaks(error: DeviceError, times: number): void {
    this.#breaks.push({ error, times });
  }

  mend(): void {
    this.#breaks.length = 0;
    // Whoever refused on three days is asked again when a person starts the rollout.
    this.#view = { ...this.#view, appRefusals: 0, lastRefusedAtMs: null };
  }

  get #desired(): DesiredState {
    if (this.#view.desired === null) throw new Error('nothing is wanted');
    return this.#view.desired;
  }

  /** One run, to its end; the clock is moved through its waits. */
  async rollOut(patienceHours: number): Promise<PaperEnd> {
    const beganMs = Date.now();
    const settings = { ...this.#desired.settings, patienceHours };
    this.#view = { ...this.#view, desired: { ...this.#desired, settings } };
    let memory = emptyMemory('e1', 'ready');
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const action = planRollout(this.#view, memory, Date.now());
      const hours = (Date.now() - beganMs) / HOUR_MS;
      if (action.do === 'fail') return { phase: 'failed', code: action.code, hours };
      if (action.do === 'finish')
        return { phase: action.phase, ...(action.code !== undefined && { code: action.code }), hours };
      memory = await this.#carryOut(action, memory);
    }
    throw new Error('the rollout has no end');
  }

  async #carryOut(action: RolloutAction, memory: RolloutMemory): Promise<RolloutMemory> {
    switch (action.do) {
      case 'send':
        return this.#send(action.requests, memory);
      case 'obtainCertificate':
        this.#view = { ...this.#view, hasCertificate: true };
        return memory;
      case 'waitForLicense':
        pass(LICENSE_MS);
        this.licensesAssigned += 1;
        return { ...memory, license: 'ready' };
      case 'waitForApp':
        pass(appCheckDelayMs(memory.appChecks));
        return { ...without(memory, ['ManagedApplicationList']), appChecks: memory.appChecks + 1 };
      case 'recordRefusal':
        this.#recordRefusal();
        return refused(memory);
      case 'waitForUser':
      case 'backOff':
        pass(Math.max(1, action.untilMs - Date.now()));
        return without(memory, ['ManagedApplicationList']);
      default:
        throw new Error(`a rollout that delivers has no ${action.do}`);
    }
  }

  async #send(requests: readonly StepRequest[], memory: RolloutMemory): Promise<RolloutMemory> {
    const conversation: Pick<DeviceConversation, 'carryOut'> = {
      carryOut: (_scope, wanted) =>
        Promise.resolve({ kind: 'responded', outcomes: wanted.map(({ request }) => this.#answer(request)) }),
    };
    const sent = await sendAndLearn(
      conversation as DeviceConversation,
      memory,
      { enrollmentId: 'e1', requests, queued: null },
      [],
      () => false,
    );
    if (sent.refused) this.#recordRefusal();
    return { ...sent.memory, ...(sent.licenseMissed && { license: 'pending' as const }) };
  }

  #recordRefusal(): void {
    this.#view = { ...this.#view, appRefusals: this.#view.appRefusals + 1, lastRefusedAtMs: Date.now() };
  }

  #answer(request: StepRequest) {
    const requestType = requestTypeOf(request);
    const broken = this.#breaks.find(({ error, times }) => times > 0 && error.requestType === requestType);
    // Of two profiles one is enough.
    if (broken === undefined || (request.type === 'InstallProfile' && request.kind === 'sso')) {
      this.#perform(request);
      return { request, status: 'Acknowledged' as const, failureCode: null };
    }
    broken.times -= 1;
    this.refusedAtMs.push(Date.now());
    const { errorChain, rejectionReason } = broken.error;
    const failureCode = classify(requestType, errorChain, rejectionReason).failure;
    // Not there any more, as it says, unless it says so for ever.
    if (failureCode === 'mdm.profile_absent' && Number.isFinite(broken.times)) this.#perform(request);
    return { request, status: 'Error' as const, failureCode };
  }

  #perform(request: StepRequest): void {
    const { desired } = this.#view;
    switch (request.type) {
      case 'InstallProfile': {
        const profile = desired?.profiles.find(({ kind }) => kind === request.kind);
        if (profile === undefined) throw new Error('not wanted');
        const { identifier, payloadUuid: uuid, kind } = profile;
        const others = this.#profiles.filter((each) => each.identifier !== identifier);
        this.#profiles = [...others, { identifier, uuid, kind, integrationId: 'i1', scope: 'System' }];
        return;
      }
      case 'RemoveProfile':
        this.#profiles = this.#profiles.filter(({ identifier }) => identifier !== request.identifier);
        return;
      case 'InstallApplication':
        this.#app = 'Managed';
        this.#configuration = request.revision === 'app' ? null : request.revision;
        return;
      case 'ApplicationConfiguration':
        this.#configuration = request.revision;
        return;
      case 'ProfileList':
        return this.#report({ profiles: this.#profiles });
      case 'ManagedApplicationList':
        return this.#report({ appStatus: this.#app });
      case 'ManagedApplicationConfiguration':
        return this.#report({ appConfigurationRevision: this.#configuration });
      default:
    }
  }

  #report(changes: Partial<ReportedState>): void {
    this.#view = { ...this.#view, reported: { ...this.#view.reported, ...changes } };
  }
}
