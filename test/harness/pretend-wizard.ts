// The setup wizard as an API speaks it, for tests of its clients: the steps of the domain, with checks that a test decides.
import { ProblemError } from '../../api/http/problem.ts';
import {
  advance,
  channelOf,
  missing,
  newSetup,
  PREREQUISITES,
  refusalOf,
  stepsOf,
  type PrerequisiteCheck,
  type PrerequisiteId,
  type SetupAnswer,
  type SetupState,
} from '../../domain/setup-wizard.ts';
import type { Called, ContractServer } from './contract-server.ts';

const SETUP = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';
const INTEGRATION = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b12';
const AT = '2027-01-02T03:04:05.000Z';
const set = { setAt: AT, setBy: 'cli', lastUsedAt: null };

export type GivenAnswer = SetupAnswer & Record<string, unknown>;

/** Knows one tenant, acme.okta.com. */
export class PretendWizard {
  state: SetupState | undefined;
  /** A prerequisite that is missing in Okta. */
  failing: PrerequisiteId | undefined;
  integrations: object[] = [];

  play(plays: ContractServer['plays']): void {
    Object.assign(plays, {
      startSetup: ({ body }: Called) => this.#start((body as { integrationId?: string }).integrationId),
      listSetups: () => ({ items: this.state?.status === 'open' ? [this.show()] : [] }),
      getSetup: () => this.show(),
      getSetupAnswer: () => this.show(),
      answerSetup: ({ body }: Called) => this.answer(body as GivenAnswer),
      listIntegrations: () => ({ items: this.integrations }),
      getIntegration: () => this.integrations[0],
    });
  }

  show(): object {
    return show(this.state ?? newSetup(SETUP));
  }

  #start(integrationId: string | undefined): object {
    if (integrationId === undefined || !this.state) this.state = newSetup(SETUP);
    else {
      const { complete: _, ...answers } = this.state.answers;
      this.state = { ...this.state, answers, status: 'open', amends: true };
    }
    return this.show();
  }

  /** @throws ProblemError as the API answers it */
  answer(answer: GivenAnswer): object {
    if (!this.state) throw new ProblemError('request.not_found');
    const refusal = refusalOf(this.state, answer);
    if (refusal) throw new ProblemError(refusal.code);
    if (answer.step === 'okta_domain' && answer.domain !== 'acme.okta.com')
      throw new ProblemError('okta.not_okta');
    if (answer.step === 'connect') {
      const prerequisites = this.#check(answer.confirmed);
      this.state = { ...this.state, prerequisites };
      if (missing(prerequisites).length > 0) throw new ProblemError('setup.prerequisites_missing');
    }
    const tenant = { orgId: '00o1', host: 'acme.okta.com', pipeline: 'idx' as const };
    this.state = advance(this.state, answer, answer.step === 'okta_domain' ? { tenant } : {});
    if (answer.step === 'complete') {
      this.state = { ...this.state, status: 'complete' };
      this.integrations = [integration(this.state)];
    }
    return this.show();
  }

  #check(confirmed: readonly PrerequisiteId[]): PrerequisiteCheck[] {
    return PREREQUISITES.map((id) => {
      const result = id === this.failing ? 'failed' : id === 'adaptive_mfa' ? 'not_checked' : 'passed';
      const isConfirmed = result === 'not_checked' && confirmed.includes(id);
      return { id, result, confirmed: isConfirmed, detail: 'Detail.' };
    });
  }
}

const TOLD = [
  'channel',
  'domain',
  'credentialsKind',
  'clientId',
  'platforms',
  'scepUrl',
  'challengeUrl',
  'username',
  'providerName',
];

const told = (state: SetupState): Record<string, unknown> => {
  const all = Object.assign({}, ...Object.values(state.answers)) as Record<string, unknown>;
  return Object.fromEntries(TOLD.map((name) => [name, all[name]]));
};
const show = (state: SetupState) => ({
  id: SETUP,
  status: state.status,
  step: state.step,
  steps: stepsOf(state).map((step) => ({
    step,
    title: `Title of ${step}`,
    answered: state.answers[step] !== undefined,
  })),
  checking: state.checking,
  answers: told(state),
  ...(state.tenant && { tenant: state.tenant }),
  prerequisites: state.prerequisites.map((check) => ({
    ...check,
    title: `Prerequisite ${check.id}`,
    canBeConfirmed: check.result === 'not_checked',
    remedy: 'Do it in Okta.',
  })),
  guide: {
    step: state.step,
    title: `Title of ${state.step}`,
    intro: 'Intro.',
    tasks: [{ text: 'Paste this.', copy: { label: 'Public key (JWK)', value: '{"kty":"RSA"}' } }],
    shownOnce: ['Client secret'],
  },
  ...(state.status === 'complete' && { integrationId: INTEGRATION }),
  amends: state.amends,
  startedBy: 'cli',
  startedAt: AT,
  changedAt: AT,
  finishedAt: null,
});
const integration = (state: SetupState) => {
  const {
    domain,
    credentialsKind,
    clientId,
    platforms = [],
    scepUrl,
    challengeUrl,
    username,
    providerName,
  } = told(state) as {
    domain: string;
    platforms?: string[];
  } & Record<string, string>;
  return {
    id: INTEGRATION,
    name: domain,
    orgId: '00o1',
    host: domain,
    channel: channelOf(state),
    customDomain: null,
    credentialsKind,
    clientId,
    credentials: set,
    grantedScopes: [],
    macOS: platforms.includes('macOS') ? { scepUrl, challengeUrl, username, password: set } : null,
    iOS: platforms.includes('iOS') ? { providerName, secretKey: set } : null,
    enrollmentLink: 'https://localhost/enroll',
    settings: {
      patienceHours: 1,
      removalDelayMinutes: 1,
      trustLookupSeconds: [60],
      trustSweepMinutes: 5,
      enforcementSweepMinutes: 5,
      expirySweepMinutes: 5,
      verifyAfterHours: 24,
      renewalWindowStart: 0.3,
      renewalWindowEnd: 0.1,
      unusedWarnDays: 60,
      unusedWarnAgainDays: 80,
      unusedReissueDays: 85,
      reissuesPerHour: 50,
      countsAnyUser: false,
      furtherDomains: [],
    },
    health: [],
    haltedReissues: [],
    check: null,
    createdAt: AT,
    changedAt: AT,
  };
};
