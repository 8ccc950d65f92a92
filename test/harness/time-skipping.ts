// Moves the clock of one workflow forward on the real server, up to a moment and no further (its waits stay waits after that).
import { randomUUID } from 'node:crypto';
import type { Connection } from '@temporalio/client';
import { expect, vi } from 'vitest';
import { readRecorded } from '../histories/test-codec.ts';

const SECOND_MS = 1000;
/** By the clock on the wall: an outage of days is some seventy tries, each with its retries. */
const MAX_SKIP_MS = 240_000;

/**
 * Resolves when the newest run does nothing but wait for a timer of its own (no response of a device), with the time left of it
 * in milliseconds. A fast-forward that meets a run which is about to continue as new is lost with that run.
 */
export async function atRest(connection: Connection, namespace: string, workflowId: string): Promise<number> {
  const execution = { workflowId };
  return vi.waitFor(
    async () => {
      const { history } = await connection.workflowService.getWorkflowExecutionHistoryReverse({
        namespace,
        execution,
        maximumPageSize: 5,
      });
      const last = history?.events?.find(
        (event) => !event.workflowExecutionTimeSkippingTransitionedEventAttributes,
      );
      const summary = Buffer.from(readRecorded(last?.userMetadata?.summary ?? {}).data ?? []).toString(
        'utf8',
      );
      expect(last?.timerStartedEventAttributes ? summary : 'no timer').toMatch(
        /until the renewal|retry after/,
      );
      const fires =
        Number(last?.eventTime?.seconds) +
        Number(last?.timerStartedEventAttributes?.startToFireTimeout?.seconds);
      const left = fires * SECOND_MS - (await clockOf(connection, namespace, workflowId));
      // Its time has come, and the history does not show it yet.
      expect(left, 'left of the timer').toBeGreaterThan(2 * SECOND_MS);
      return left;
    },
    { timeout: 60_000, interval: 50 },
  );
}

/** Milliseconds since the epoch, by the workflow's own clock. */
export async function clockOf(
  connection: Connection,
  namespace: string,
  workflowId: string,
): Promise<number> {
  const { workflowExtendedInfo } = await connection.workflowService.describeWorkflowExecution({
    namespace,
    execution: { workflowId },
  });
  const seconds = workflowExtendedInfo?.timeSkippingInfo?.currentTime?.seconds;
  return seconds === null || seconds === undefined ? Date.now() : Number(seconds) * SECOND_MS;
}

/**
 * Resolves when the workflow's clock has reached the target. Up to it every wait is skipped, so a target should lie just behind
 * the timer that is meant. The server must allow it (test/harness/temporal.ts does). A run that continues as new loses it: the next one
 * is moved on by what is left.
 */
export async function fastForward(
  connection: Connection,
  namespace: string,
  workflowId: string,
  milliseconds: number,
): Promise<void> {
  const execution = { workflowId };
  const now = () => clockOf(connection, namespace, workflowId);
  const runOf = async () =>
    (await connection.workflowService.describeWorkflowExecution({ namespace, execution }))
      .workflowExecutionInfo?.execution?.runId;
  const target = (await now()) + milliseconds;
  let moved: string | null | undefined;
  await vi.waitFor(
    async () => {
      const run = await runOf();
      const left = target - (await now());
      if (run !== moved && left > SECOND_MS) {
        await moveOn(connection, namespace, workflowId, left);
        moved = run;
      }
      expect(await now()).toBeGreaterThanOrEqual(target - SECOND_MS);
    },
    { timeout: MAX_SKIP_MS, interval: 50 },
  );
}

async function moveOn(
  connection: Connection,
  namespace: string,
  workflowId: string,
  milliseconds: number,
): Promise<void> {
  await connection.workflowService.updateWorkflowExecutionOptions({
    namespace,
    workflowExecution: { workflowId },
    workflowExecutionOptions: {
      timeSkippingConfig: {
        enabled: true,
        fastForwardConfig: {
          id: randomUUID(),
          duration: { seconds: Math.ceil(milliseconds / SECOND_MS) as never, nanos: 0 },
        },
      },
    },
    updateMask: { paths: ['time_skipping_config'] },
  });
}
