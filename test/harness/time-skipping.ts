// Moves the clock of one workflow forward on the real server, up to a moment and no further (its waits stay waits after that).
import { randomUUID } from 'node:crypto';
import type { Connection } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { expect, vi } from 'vitest';
import { readRecorded } from '../histories/test-codec.ts';

const SECOND_MS = 1000;
const NANOSECONDS_A_MS = 1_000_000;
/** An order to skip that came while a task was under way may be lost: after so long it is given again. */
const STILL_MS = 10_000;
/** By the clock on the wall: an outage of days is some seventy tries, each with its retries. */
const MAX_SKIP_MS = 240_000;

/**
 * Resolves when the newest run does nothing but wait for a timer of its own (no response of a device), with the time left of it
 * in milliseconds. A fast-forward that meets a run which is about to continue as new is lost with that run. What a device said too late
 * may stand behind the timer: a signal that changes nothing leaves it running.
 */
export async function atRest(connection: Connection, namespace: string, workflowId: string): Promise<number> {
  return vi.waitFor(
    async () => {
      const timer = await newestTimer(connection, namespace, workflowId);
      if ('busyWith' in timer) throw new Error(timer.busyWith);
      const { data } = readRecorded(timer.summary ?? {});
      expect(Buffer.from(data ?? []).toString('utf8')).toMatch(
        /until the renewal|retry after|the device installs/,
      );
      const left = timer.firesAtMs - (await clockOf(connection, namespace, workflowId));
      // Its time has come, and the history does not show it yet.
      expect(left, 'left of the timer').toBeGreaterThan(2 * SECOND_MS);
      return left;
    },
    { timeout: 60_000, interval: 50 },
  );
}

type NewestTimer =
  | { readonly busyWith: string }
  /** `firesAtMs`: by the workflow's clock. */
  | { readonly firesAtMs: number; readonly summary: temporal.api.common.v1.IPayload | null | undefined };

/** What a run waits for: its newest timer, unless that has ended or something else is under way. */
export async function newestTimer(
  connection: Connection,
  namespace: string,
  workflowId: string,
): Promise<NewestTimer> {
  const { history } = await connection.workflowService.getWorkflowExecutionHistoryReverse({
    namespace,
    execution: { workflowId },
    maximumPageSize: 30,
  });
  const newest = history?.events ?? [];
  const at = newest.findIndex(({ timerStartedEventAttributes: started }) => started);
  const timer = newest[at];
  let isBusy = false;
  for (const event of newest.slice(0, at).toReversed()) {
    const { startedEventId } = event.timerFiredEventAttributes ?? event.timerCanceledEventAttributes ?? {};
    if (startedEventId && String(startedEventId) === String(timer?.eventId)) return { busyWith: 'no timer' };
    if (event.activityTaskScheduledEventAttributes) return { busyWith: 'an activity' };
    if (event.workflowTaskScheduledEventAttributes) isBusy = true;
    if (event.workflowTaskCompletedEventAttributes) isBusy = false;
  }
  if (timer === undefined || isBusy) return { busyWith: 'a workflow task' };
  const seconds =
    Number(timer.eventTime?.seconds) + Number(timer.timerStartedEventAttributes?.startToFireTimeout?.seconds);
  return { firesAtMs: seconds * SECOND_MS, summary: timer.userMetadata?.summary };
}

/** Milliseconds since the epoch, by the workflow's own clock, whose fractions of a second count: what it did last may be as young. */
export async function clockOf(
  connection: Connection,
  namespace: string,
  workflowId: string,
): Promise<number> {
  const { workflowExtendedInfo } = await connection.workflowService.describeWorkflowExecution({
    namespace,
    execution: { workflowId },
  });
  const { seconds, nanos } = workflowExtendedInfo?.timeSkippingInfo?.currentTime ?? {};
  if (seconds === null || seconds === undefined) return Date.now();
  return Number(seconds) * SECOND_MS + Math.ceil((nanos ?? 0) / NANOSECONDS_A_MS);
}

/**
 * Resolves when the workflow's clock has reached the target. Up to it every wait is skipped, so a target should lie just behind
 * the timer that is meant. The server must allow it (test/harness/temporal.ts does). A run that continues as new loses it: the next one
 * is moved on by what is left.
 * @param ending aborted: nobody waits for it any more
 */
export async function fastForward(
  connection: Connection,
  namespace: string,
  workflowId: string,
  milliseconds: number,
  ending?: AbortSignal,
): Promise<void> {
  const execution = { workflowId };
  const now = () => clockOf(connection, namespace, workflowId);
  const runOf = async () =>
    (await connection.workflowService.describeWorkflowExecution({ namespace, execution }))
      .workflowExecutionInfo?.execution?.runId;
  const target = (await now()) + milliseconds;
  let moved: string | null | undefined;
  let last = { clock: 0, changedAt: 0 };
  await vi.waitFor(
    async () => {
      if (ending?.aborted === true) return;
      const [run, clock] = [await runOf(), await now()];
      // By itself the clock goes no faster than the one on the wall.
      if (clock - last.clock > 2 * STILL_MS) last = { clock, changedAt: Date.now() };
      const isStill = Date.now() - last.changedAt > STILL_MS;
      if ((run !== moved || isStill) && target - clock > SECOND_MS) {
        await moveOn(connection, namespace, workflowId, target - clock);
        moved = run;
        last = { clock, changedAt: Date.now() };
      }
      expect(await now()).toBeGreaterThanOrEqual(target - SECOND_MS);
    },
    { timeout: MAX_SKIP_MS, interval: 50 },
  );
}

/** Moves clocks on beside a test, which does not wait for them; one that is being moved is left alone. */
export class BesideTheTest {
  readonly #connection: Connection;
  readonly #ending = new AbortController();
  readonly #moved = new Map<string, Promise<unknown>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** A workflow that ends meanwhile needs it no more. */
  fastForward(workflowId: string, milliseconds: number): void {
    if (this.#moved.has(workflowId)) return;
    const { signal } = this.#ending;
    const moving = fastForward(this.#connection, 'default', workflowId, milliseconds, signal)
      .catch(() => undefined)
      .finally(() => this.#moved.delete(workflowId));
    this.#moved.set(workflowId, moving);
  }

  /** Before the connection is closed: a call that is tried again on a closed one ends the process. */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#moved.values());
  }
}

/** Orders the skip, and does not wait for it. One that meets a task which is under way may be lost. */
export async function moveOn(
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
