// Whether Odette is still at work on a device: what Temporal has not been told, what the device has not answered, and its two workflows.
import type { Connection } from '@temporalio/client';
import type { Database } from '../../adapters/store/base/database.ts';
import { OUTSTANDING } from '../../adapters/store/devices/command-states.ts';
import { workflowIds } from '../../workflows/messages.ts';

export interface Work {
  /** Nothing of it goes on by itself: its workflows have ended, or wait for a time or a person. */
  readonly isOver: boolean;
  /** Another text whenever anything went on. */
  readonly mark: string;
}

const RUNNING = 1;

export class AtWork {
  readonly #database: Database;
  readonly #connection: Connection;

  constructor(database: Database, connection: Connection) {
    this.#database = database;
    this.#connection = connection;
  }

  /** @param isThere whether the device answers: what waits for one that is gone waits for ever */
  async on(deviceId: string, isThere: boolean): Promise<Work> {
    const [[row], ...workflows] = await Promise.all([
      this.#database.query<{ untold: number; unanswered: number; commands: number }>(
        `select (select count(*)::int from outbox where ordering_key = $1 and delivered_at is null) as untold,
                (select count(*)::int from commands where device_id = $1::uuid and state in ${OUTSTANDING}) as unanswered,
                (select count(*)::int from commands where device_id = $1::uuid) as commands`,
        [deviceId],
      ),
      this.#ofWorkflow(workflowIds.rollout(deviceId)),
      this.#ofWorkflow(workflowIds.certificate(deviceId)),
    ]);
    const { untold = 0, unanswered = 0, commands = 0 } = row ?? {};
    const isAnswered = unanswered === 0 || !isThere;
    return {
      isOver: untold === 0 && isAnswered && workflows.every(({ isOver }) => isOver),
      mark: [untold, unanswered, commands, ...workflows.map(({ mark }) => mark)].join(' '),
    };
  }

  async #ofWorkflow(workflowId: string): Promise<Work> {
    const described = await this.#connection.workflowService
      .describeWorkflowExecution({ namespace: 'default', execution: { workflowId } })
      .catch(() => undefined);
    const { status, historyLength, execution } = described?.workflowExecutionInfo ?? {};
    const isBusy = (described?.pendingActivities?.length ?? 0) > 0 || described?.pendingWorkflowTask != null;
    return {
      isOver: status !== RUNNING || !isBusy,
      mark: `${execution?.runId ?? ''}:${String(historyLength ?? 0)}`,
    };
  }
}
