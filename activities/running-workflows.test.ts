import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import { TASK_QUEUE } from '../workflows/messages.ts';
import { findRunning } from './running-workflows.ts';

interface Listed {
  readonly runId: string;
  readonly taskQueue: string;
  /** Whatever the list says. */
  readonly hasClosed?: boolean;
}

/** Temporal's lists, which lag behind. */
function clientWith(runs: readonly Listed[]): Client {
  const getHandle = (workflowId: string, runId: string) => ({
    terminate: () =>
      runs.find((run) => run.runId === runId)?.hasClosed
        ? Promise.reject(new WorkflowNotFoundError('already completed', workflowId, runId))
        : Promise.resolve(),
  });
  const listed = runs.map((run) => ({ ...run, workflowId: 'rotation/1', type: 'rotateSecret' }));
  return { workflow: { list: () => listed, getHandle } } as unknown as Client;
}

const OURS = { runId: 'ours', taskQueue: TASK_QUEUE };
const STRANGERS = { runId: 'strangers', taskQueue: 'stranger' };

test.each([[[OURS, STRANGERS]], [[STRANGERS, OURS]]])(
  'where a stranger runs in the place of a run that is still listed, the stranger is ended and nothing of ours runs',
  async (listed) => {
    expect(await findRunning(clientWith(listed), 'rotateSecret', ['rotation/1'])).toEqual({
      running: new Set(),
      replaced: 1,
    });
  },
);

test("a stranger's run that has closed is no failure, and ours runs", async () => {
  const listed = [OURS, { ...STRANGERS, hasClosed: true }];
  expect(await findRunning(clientWith(listed), 'rotateSecret', ['rotation/1'])).toEqual({
    running: new Set(['rotation/1']),
    replaced: 0,
  });
});
