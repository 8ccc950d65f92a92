// Takes a change to a fleet: a canary, then waves. What comes next is decided from the tables; this file keeps the time.
// Finite, and safe to start again: whoever ends it loses no device, and whoever starts it anew begins none twice.
import {
  condition,
  continueAsNew,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Activities, FleetStep } from '../activities/index.ts';
import { fleetRolloutProgressQuery, fleetRolloutSteeredSignal, searchAttributes } from './messages.ts';
import { SeenEvents } from './seen-events.ts';
import { showDetails } from './show-details.ts';

export interface RollOutFleetInput {
  readonly fleetRolloutId: string;
  /** Events seen by the runs before. */
  readonly seen?: readonly string[];
}

const { advanceFleetRollout } = proxyActivities<Pick<Activities, 'advanceFleetRollout'>>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

const STEPS_PER_RUN = 300;

export async function rollOutFleet({ fleetRolloutId, seen }: RollOutFleetInput): Promise<void> {
  const events = new SeenEvents(seen);
  let isSteered = false;
  let step: FleetStep | null = null;
  setHandler(fleetRolloutSteeredSignal, ({ eventId }) => {
    if (events.isNew(eventId)) isSteered = true;
  });
  setHandler(fleetRolloutProgressQuery, () => step);
  for (let steps = 1; ; steps += 1) {
    isSteered = false;
    step = await advanceFleetRollout({ fleetRolloutId, nowMs: Date.now() });
    if (step === null) return;
    show(step, steps === 1);
    if (step.waitSeconds === null) return;
    if (steps === STEPS_PER_RUN)
      await continueAsNew<typeof rollOutFleet>({ fleetRolloutId, seen: events.newest() });
    await condition(() => isSteered, step.waitSeconds * 1000, { summary: step.status });
  }
}

function show({ status, text, integrationId }: FleetStep, isFirst: boolean): void {
  showDetails([text], status);
  if (isFirst && integrationId !== null)
    upsertSearchAttributes([{ key: searchAttributes.integrationId, value: integrationId }]);
}
