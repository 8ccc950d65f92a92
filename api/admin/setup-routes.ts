// The wizard's routes: the table is what is shown, the workflow is the truth.
import { randomUUID } from 'node:crypto';
import { findIntegration, listPlatforms } from '../../adapters/store/integration/integrations.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import { findSetup, listSetups, saveSetup, type SetupRow } from '../../adapters/store/integration/setups.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { isReachable, newSetup, type SetupState, type SetupStep } from '../../domain/setup-wizard.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import type { setups } from '../contract/setups.ts';
import { publicJwkOfIntegration, setupOfIntegration } from './integration-setup.ts';
import { notFound, ProblemError } from '../http/problem.ts';
import { idFromKey, type Idempotency } from '../http/idempotency.ts';
import { Reply, type Call, type Handlers } from '../http/serve.ts';
import { dropRefused, sealAnswer } from './setup-sealing.ts';
import { SetupUpdates } from './setup-updates.ts';
import { showSetups } from './setup-view.ts';

type SetupCall = Call<(typeof setups)['answerSetup']>;

export function setupHandlers(
  dependencies: AdminDependencies,
  idempotency: Idempotency,
): Handlers<typeof setups> {
  const { database, publicUrl, temporal } = dependencies;
  const updates = new SetupUpdates(temporal);

  const show = async (sql: Sql, id: string) => {
    const [shown] = await showSetups(sql, [await row(sql, id)], publicUrl);
    if (!shown) throw notFound('setup');
    return shown;
  };
  return {
    startSetup: async ({ sql, body, caller, idempotencyKey }) => {
      const setupId = idempotencyKey === undefined ? randomUUID() : idFromKey(caller.id, idempotencyKey);
      if (idempotencyKey !== undefined)
        await idempotency.bind({
          caller: caller.id,
          key: idempotencyKey,
          method: 'POST',
          path: '/api/setups',
          body,
        });
      const state =
        body.integrationId === undefined
          ? newSetup(setupId)
          : await setupAgain(dependencies, sql, setupId, body.integrationId, caller.actor);
      await updates.begin(sql, { state, takesOneAnswer: false }, caller.actor);
      return show(sql, setupId);
    },

    listSetups: async ({ sql, query }) => ({
      items: await showSetups(sql, await listSetups(sql, query.status), publicUrl),
    }),

    getSetup: ({ sql, params }) => show(sql, params.id),

    answerSetup: async (call: SetupCall) => {
      const { sql, params, body, caller } = call;
      const { state } = await row(sql, params.id);
      const { idempotencyKey: key } = call;
      // The workflow knows repetitions by this id alone: two callers may have chosen the same key.
      const answerId = key === undefined ? randomUUID() : idFromKey(caller.id, key);
      const path = `/api/setups/${params.id}/answers`;
      await idempotency.bind({ caller: caller.id, key: key ?? answerId, method: 'POST', path, body });
      // Said at once, before anything is sealed; a repetition is the workflow's to judge.
      if (call.idempotencyKey === undefined) refuseEarly(state, body.step);
      const sealed = await sealAnswer(dependencies, body, state, caller.actor);
      try {
        const sent = { setupId: params.id, answerId, answer: sealed.answer, actor: caller.actor };
        const answered = await updates.answer(database, sent, {
          state: { ...state, checking: false },
          takesOneAnswer: false,
        });
        return answered ? await show(sql, params.id) : pending(params.id, answerId);
      } catch (error) {
        await dropRefused(database, sealed, error);
        throw error;
      }
    },

    getSetupAnswer: async ({ sql, params }) => {
      await row(sql, params.id);
      const answered = await updates.poll(params.id, params.answerId);
      return answered ? show(sql, params.id) : pending(params.id, params.answerId);
    },

    abandonSetup: async ({ sql, params, caller }) => {
      const { state } = await row(sql, params.id);
      if (state.status !== 'open') throw new ProblemError('setup.not_open');
      await updates.giveUp(params.id);
      await database.inTransaction((transaction) => saveAbandoned(transaction, state, caller.actor));
      return undefined;
    },
  };
}

function refuseEarly(state: SetupState, step: SetupStep | 'go_to'): void {
  if (state.status !== 'open') throw new ProblemError('setup.not_open');
  if (step !== 'go_to' && !isReachable(state, step))
    throw new ProblemError('setup.wrong_step', { detail: `The setup is at the step ${state.step}.` });
}

const row = async (sql: Sql, id: string): Promise<SetupRow> => {
  const found = await findSetup(sql, id);
  if (found) return found;
  throw notFound('setup');
};

const pending = (setupId: string, answerId: string) =>
  new Reply(
    { setupId, answerId, checking: true as const },
    {
      isLater: true,
      headers: {
        Location: `/api/setups/${setupId}/answers/${encodeURIComponent(answerId)}`,
        'Retry-After': '2',
      },
    },
  );

/** A setup that changes an integration begins with the answers that it was made of. */
async function setupAgain(
  { sealer }: Pick<AdminDependencies, 'sealer'>,
  sql: Sql,
  setupId: string,
  integrationId: string,
  by: string,
): Promise<SetupState> {
  const integration = await findIntegration(sql, integrationId);
  if (!integration) throw notFound('integration');
  const publicJwk = await publicJwkOfIntegration(sql, sealer, integration, by);
  return setupOfIntegration(setupId, integration, await listPlatforms(sql, integrationId), publicJwk);
}

async function saveAbandoned(sql: Sql, state: SetupState, actor: string): Promise<void> {
  if (!(await saveSetup(sql, { ...state, status: 'abandoned', checking: false })))
    throw new ProblemError('setup.not_open');
  const { step } = state;
  const subject = `setup:${state.setupId}`;
  await appendAudit(sql, { actor, action: 'setup.abandoned', subject, detail: { step } });
  await appendEvent(sql, { kind: 'setup.step_changed', subject, data: { step, status: 'abandoned' } });
}
