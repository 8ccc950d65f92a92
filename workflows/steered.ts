// A workflow that carries out what the tables say next, until they say no more. It keeps the time; people steer it meanwhile.
// Safe to start again: each step is decided from the tables.
import {
  condition,
  type QueryDefinition,
  setHandler,
  type SignalDefinition,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { searchAttributes } from './messages.ts';
import { SeenEvents } from './seen-events.ts';
import { showDetails } from './show-details.ts';

export interface SteeredStep {
  readonly status: string;
  readonly integrationId: string | null;
  /** Where it is, for people. */
  readonly text: string;
  /** Until the next look; null: nothing is left to do. */
  readonly waitSeconds: number | null;
}

interface Steered<Step extends SteeredStep> {
  /** null: there is no such thing (any more). */
  readonly advance: () => Promise<Step | null>;
  /** A person changed something: the tables are looked at again at once. */
  readonly steered: SignalDefinition<[{ readonly eventId: string }]>;
  readonly progress: QueryDefinition<Step | null>;
  /** Events seen by the runs before. */
  readonly seen: readonly string[] | undefined;
  readonly goOn: (seen: string[]) => Promise<never>;
}

const STEPS_PER_RUN = 300;

export async function takeSteps<Step extends SteeredStep>(workflow: Steered<Step>): Promise<void> {
  const events = new SeenEvents(workflow.seen);
  let isSteered = false;
  let step: Step | null = null;
  setHandler(workflow.steered, ({ eventId }) => {
    if (events.isNew(eventId)) isSteered = true;
  });
  setHandler(workflow.progress, () => step);
  for (let steps = 1; ; steps += 1) {
    isSteered = false;
    step = await workflow.advance();
    if (step === null) return;
    const { status, integrationId, text, waitSeconds } = step;
    showDetails([text], status);
    if (steps === 1 && integrationId !== null)
      upsertSearchAttributes([{ key: searchAttributes.integrationId, value: integrationId }]);
    // An order that came meanwhile may be younger than what this step has read.
    if (waitSeconds === null && !isSteered) return;
    if (steps === STEPS_PER_RUN) await workflow.goOn(events.newest());
    if (waitSeconds !== null && waitSeconds > 0)
      await condition(() => isSteered, waitSeconds * 1000, { summary: status });
  }
}
