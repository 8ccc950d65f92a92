// The setup wizard as a workflow: each answer is an update; what needs the outside world is checked before the step moves on.
import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  currentUpdateInfo,
  isCancellation,
  proxyActivities,
  setHandler,
  uuid4,
} from '@temporalio/workflow';
import type { setupChecks } from '../activities/setup-checks.ts';
import type { setupRecords } from '../activities/setup-records.ts';
import { titleOf } from '../domain/setup-guide.ts';
import {
  advance,
  answerTo,
  channelOf,
  missing,
  neededBy,
  refusalOf,
  type CheckFindings,
  type Refusal,
  type SetupAnswer,
  type SetupState,
} from '../domain/setup-wizard.ts';
import { failureCodeOfActivity } from './failure.ts';
import { answerStepUpdate, setupStateQuery, type SetupRefused } from './messages.ts';
import { PATIENCE } from './policies.ts';
import { showDetails } from './show-details.ts';

type SetupActivities = ReturnType<typeof setupChecks> & ReturnType<typeof setupRecords>;

/** A check is asked again a few times, then the admin is told: somebody waits in front of the screen. */
const checks = proxyActivities<
  Pick<SetupActivities, 'checkOktaDomain' | 'checkCredentials' | 'checkPrerequisites' | 'checkMacPlatform'>
>({
  startToCloseTimeout: '15 s',
  scheduleToCloseTimeout: '90 s',
  retry: { initialInterval: '1 s', maximumAttempts: 4 },
});
const tables = proxyActivities<Pick<SetupActivities, 'saveSetupState' | 'completeSetup'>>({
  startToCloseTimeout: '10 s',
  scheduleToCloseTimeout: PATIENCE,
  retry: { initialInterval: '200 ms', maximumInterval: '10 s' },
});

const ABANDONED_AFTER = '90 days';

export interface SetUpIntegrationInput {
  /** A new setup, or the answers of an integration that is to be changed. */
  readonly state: SetupState;
  /** It takes one answer, and ends with it: an answer of the wizard given again after completion. */
  readonly takesOneAnswer: boolean;
}

export async function setUpIntegration(input: SetUpIntegrationInput): Promise<SetupState> {
  let state = input.state;
  let answered = 0;
  const isOver = () => state.status !== 'open';

  setHandler(setupStateQuery, () => state);
  setHandler(
    answerStepUpdate,
    async ({ answer }) => {
      // Until this handler ends, the validator refuses every other answer.
      state = { ...state, checking: true };
      const outcome = await take(state, answer, input.takesOneAnswer);
      state = outcome.state;
      answered += 1;
      describe(state);
      if (outcome.refusal) throw refused(outcome.refusal);
      return state;
    },
    {
      validator: ({ answer }) => {
        const refusal = refusalOf(state, answer);
        if (refusal) throw refused([refusal]);
      },
    },
  );
  describe(state);

  try {
    for (let seen = 0; !isOver(); seen = answered) {
      const hasAnswer = await condition(() => isOver() || answered > seen, ABANDONED_AFTER);
      if (hasAnswer || state.checking) continue;
      state = { ...state, status: 'abandoned', checking: false };
      await tables.saveSetupState({ state, answerId: null, action: 'setup.abandoned' });
    }
    await condition(allHandlersFinished);
  } catch (error) {
    // Whoever gives a setup up has written it down. A cancellation alone abandons nothing: anybody who reaches Temporal can ask for one.
    if (!isCancellation(error)) throw error;
  }
  describe(state);
  return state;
}

interface Outcome {
  readonly state: SetupState;
  readonly refusal?: readonly Refusal[];
}

/** Checks an answer and saves what comes of it. A refused answer changes nothing but what the checks showed. */
async function take(before: SetupState, answer: SetupAnswer, isOnlyAnswer: boolean): Promise<Outcome> {
  const answerId = currentUpdateInfo()?.id ?? null;
  const { refusal, ...findings } = await check(before, answer, isOnlyAnswer);
  const shown = findings.prerequisites ? { ...before, prerequisites: findings.prerequisites } : before;
  let state: SetupState = { ...shown, checking: false };
  if (refusal) {
    if (isOnlyAnswer) state = { ...state, status: 'abandoned' };
    await tables.saveSetupState({ state, answerId, action: 'setup.response_refused', step: answer.step });
    return { state, refusal };
  }
  state = { ...advance(before, answer, findings), checking: false };
  if (answer.step !== 'complete' && !isOnlyAnswer) {
    const given = { state, answerId, action: 'setup.answered', step: answer.step };
    return (await tables.saveSetupState(given)) ? { state } : ended(before);
  }
  state = { ...state, status: 'complete', step: 'complete', integrationId: state.integrationId ?? uuid4() };
  const completed = await tables.completeSetup({ state, answerId });
  if (!completed.refusal) return { state };
  if (completed.refusal.code === 'setup.not_open') return ended(before);
  return { state: { ...before, checking: false }, refusal: [completed.refusal] };
}

/** The tables say that the setup is over: this run was started again, or is late. */
const ended = (before: SetupState): Outcome => ({
  state: { ...before, status: 'abandoned', checking: false },
  refusal: [{ code: 'setup.not_open' }],
});

async function check(
  state: SetupState,
  answer: SetupAnswer,
  isOnlyAnswer: boolean,
): Promise<CheckFindings & { readonly refusal?: readonly Refusal[] }> {
  const { setupId, tenant } = state;
  try {
    switch (answer.step) {
      case 'okta_domain': {
        const known = state.amends ? { orgId: tenant?.orgId } : {};
        const found = await checks.checkOktaDomain({ setupId, domain: answer.domain, ...known });
        // The credentials would have to be given along.
        return isOnlyAnswer && found.tenant && found.tenant.host !== tenant?.host
          ? { refusal: [{ code: 'secrets.other_address', field: 'domain', detail: ASK_IN_SETUP }] }
          : found;
      }
      case 'credentials':
        return await checks.checkCredentials(access(state, answer));
      case 'connect': {
        const credentials = answerTo(state, 'credentials');
        if (!credentials || !tenant) return {};
        const found = await checks.checkPrerequisites({
          ...access(state, credentials),
          tenant,
          confirmed: answer.confirmed,
        });
        const prerequisites = neededBy(channelOf(state), found.prerequisites);
        return { ...found, prerequisites, ...refusalOfPrerequisites(prerequisites) };
      }
      case 'macos':
        return await checks.checkMacPlatform({ setupId, ...answer });
      default:
        return {};
    }
  } catch (error) {
    return { refusal: [{ code: failureCodeOfActivity(error), field: FIELD[answer.step] ?? answer.step }] };
  }
}

const ASK_IN_SETUP = 'This setup changes the domain, so it asks for the credentials again.';

const FIELD: Readonly<Partial<Record<SetupAnswer['step'], string>>> = {
  okta_domain: 'domain',
  credentials: 'clientId',
  macos: 'challengeUrl',
};

function access(state: SetupState, answer: Extract<SetupAnswer, { step: 'credentials' }>) {
  return {
    setupId: state.setupId,
    host: state.tenant?.host ?? '',
    kind: answerTo(state, 'credentials_kind')?.credentialsKind ?? 'api_service_integration',
    clientId: answer.clientId,
    secretId: answer.secretId,
  };
}

function refusalOfPrerequisites(found: NonNullable<CheckFindings['prerequisites']>) {
  const lacking = missing(found);
  if (lacking.length === 0) return {};
  return {
    refusal: lacking.map(({ id, failureCode, detail }) => ({
      code: 'setup.prerequisites_missing' as const,
      field: id,
      detail: failureCode === undefined ? detail : `${detail} (${failureCode})`,
    })),
  };
}

/** The caller gets the code as the failure's type, and the fields as its detail. */
function refused(refusals: readonly Refusal[]): ApplicationFailure {
  const code = refusals[0]?.code ?? 'server.failed';
  const detail: SetupRefused = { refusals };
  return ApplicationFailure.create({ type: code, message: code, nonRetryable: true, details: [detail] });
}

function describe(state: SetupState): void {
  const tenant = state.tenant?.host ?? 'an Okta tenant';
  if (state.status !== 'open') showDetails([`Setup of ${tenant}: ${state.status}.`]);
  else showDetails([`Setup of ${tenant}: waits for an admin at "${titleOf(state.step, state)}".`]);
}
