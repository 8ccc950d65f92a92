// Answers of the wizard go to its workflow as updates, the only messages that the API sends to Temporal itself.
import {
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from '../../adapters/store/base/database.ts';
import { addSetup, recordAnswerer, removeSetup } from '../../adapters/store/integration/setups.ts';
import type { SetupAnswer, SetupState } from '../../domain/setup-wizard.ts';
import { FAILURES, failureCodeOf } from '../../domain/failures.ts';
import {
  answerStepUpdate,
  workflowIds,
  type GivenAnswer,
  type SetupRefused,
} from '../../workflows/messages.ts';
import { setupStart } from '../../workflows/starts.ts';
import type { setUpIntegration, SetUpIntegrationInput } from '../../workflows/set-up-integration.ts';
import { ProblemError, type FieldError } from '../http/problem.ts';

/** A check that takes longer is polled for. */
const PATIENCE_MS = 5_000;
/** So long the workflow has to take the answer up; nothing is lost if it does not: the admin sends it again. */
const ACCEPT_MS = 6_000;

export interface SentAnswer {
  readonly setupId: string;
  readonly answerId: string;
  readonly answer: SetupAnswer;
  readonly actor: string;
}

export class SetupUpdates {
  readonly #temporal: Client;

  constructor(temporal: Client) {
    this.#temporal = temporal;
  }

  /**
   * Writes the setup down and starts its workflow; a setup that is known already goes on, and the answer is false.
   * @throws ProblemError `server.unavailable`: then there is no such setup
   */
  async begin(sql: Sql, input: SetUpIntegrationInput, by: string): Promise<boolean> {
    if (!(await addSetup(sql, input.state, by))) return false;
    const start = setupStart(input);
    try {
      await this.#reach(() =>
        this.#temporal.workflow.start<typeof setUpIntegration>(start.type, start.options),
      );
    } catch (error) {
      await removeSetup(sql, input.state.setupId);
      throw error;
    }
    return true;
  }

  /**
   * Sends an answer and waits for its check, five seconds at most: then undefined.
   * `again`: what the workflow is started with if Temporal does not know it, which is when the process that began it died in between.
   * @throws ProblemError of the catalogue: refused, or `server.unavailable`
   */
  async answer(sql: Sql, sent: SentAnswer, again: SetUpIntegrationInput): Promise<SetupState | undefined> {
    const { answer, actor, setupId, answerId } = sent;
    await recordAnswerer(sql, setupId, answerId, actor);
    const options = {
      args: [{ answer }] as [GivenAnswer],
      updateId: answerId,
      waitForStage: 'ACCEPTED' as const,
    };
    const handle = await this.#reach(async () => {
      try {
        return await this.#temporal.workflow
          .getHandle(workflowIds.setup(setupId))
          .startUpdate(answerStepUpdate, options);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
        const start = setupStart(again);
        const startWorkflowOperation = new WithStartWorkflowOperation<typeof setUpIntegration>(start.type, {
          ...start.options,
          // A workflow that somebody ended while its setup is open goes on from the tables.
          ...(again.state.status === 'open' && { workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const }),
        });
        return this.#temporal.workflow.startUpdateWithStart(answerStepUpdate, {
          ...options,
          startWorkflowOperation,
        });
      }
    });
    return this.#resultOf(() => handle.result());
  }

  /** How an answer ended, waiting five seconds at most. @throws as `answer` */
  async poll(setupId: string, answerId: string): Promise<SetupState | undefined> {
    const workflow = this.#temporal.workflow.getHandle(workflowIds.setup(setupId));
    return this.#resultOf(() => workflow.getUpdateHandle<SetupState>(answerId).result());
  }

  /** As `poll`, of an answer that may not have been sent: then 'unknown'. */
  async recall(setupId: string, answerId: string): Promise<SetupState | undefined | 'unknown'> {
    return this.poll(setupId, answerId).catch((error: unknown) => {
      if (error instanceof ProblemError && error.code === 'setup.not_open') return 'unknown' as const;
      throw error;
    });
  }

  async giveUp(setupId: string): Promise<void> {
    await this.#reach(() => this.#temporal.workflow.getHandle(workflowIds.setup(setupId)).cancel()).catch(
      (error: unknown) => {
        if (!(error instanceof ProblemError && error.code === 'setup.not_open')) throw error;
      },
    );
  }

  async #resultOf(result: () => Promise<SetupState>): Promise<SetupState | undefined> {
    const late = new AbortController();
    try {
      return await Promise.race([
        this.#reach(result, PATIENCE_MS + ACCEPT_MS),
        pause(PATIENCE_MS, undefined, { signal: late.signal }),
      ]);
    } finally {
      late.abort();
    }
  }

  async #reach<T>(call: () => Promise<T>, ms = ACCEPT_MS): Promise<T> {
    try {
      return await this.#temporal.withDeadline(Date.now() + ms, call);
    } catch (error) {
      throw asProblem(error);
    }
  }
}

function asProblem(error: unknown): unknown {
  if (error instanceof WorkflowUpdateFailedError) return refusal(error.cause);
  if (error instanceof WorkflowNotFoundError) return new ProblemError('setup.not_open');
  if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError')
    return new ProblemError('setup.not_open');
  const isAway = isGrpcServiceError(error) || (error instanceof Error && AWAY.has(error.name));
  if (isAway)
    return new ProblemError('server.unavailable', { detail: 'Temporal or its worker does not respond.' });
  return error;
}

const AWAY = new Set(['ServiceError', 'WorkflowUpdateRPCTimeoutOrCancelledError']);

function refusal(cause: Error | undefined): ProblemError {
  if (!(cause instanceof ApplicationFailure)) return new ProblemError('server.unavailable');
  const [detail] = (cause.details ?? []) as [SetupRefused?];
  const errors: FieldError[] = (detail?.refusals ?? []).flatMap(({ code, field, detail: reason }) =>
    field === undefined ? [] : [{ field, reason: reason ?? FAILURES[code].title, code }],
  );
  const first = detail?.refusals[0]?.detail;
  return new ProblemError(failureCodeOf(cause.type), {
    ...(errors.length > 0 ? { errors } : {}),
    ...(first !== undefined && { detail: first }),
  });
}
