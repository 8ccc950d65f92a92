// Rotates one secret of an integration. What comes next is decided from the tables; this file keeps the time and holds no secret.
// Finite, and safe to start again.
import {
  condition,
  continueAsNew,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Activities, RotationStep } from '../activities/index.ts';
import { rotationProgressQuery, rotationSteeredSignal, searchAttributes } from './messages.ts';
import { SeenEvents } from './seen-events.ts';
import { showDetails } from './show-details.ts';

export interface RotateSecretInput {
  readonly rotationId: string;
  /** Events seen by the runs before. */
  readonly seen?: readonly string[];
}

/** Okta's refusal is an outcome; an Okta that is away is asked again, for as long as it takes. */
const { advanceRotation } = proxyActivities<Pick<Activities, 'advanceRotation'>>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

const STEPS_PER_RUN = 300;

export async function rotateSecret({ rotationId, seen }: RotateSecretInput): Promise<void> {
  const events = new SeenEvents(seen);
  let isSteered = false;
  let step: RotationStep | null = null;
  setHandler(rotationSteeredSignal, ({ eventId }) => {
    if (events.isNew(eventId)) isSteered = true;
  });
  setHandler(rotationProgressQuery, () => step);
  for (let steps = 1; ; steps += 1) {
    isSteered = false;
    step = await advanceRotation({ rotationId, nowMs: Date.now() });
    if (step === null) return;
    showDetails([step.text], step.status);
    if (steps === 1)
      upsertSearchAttributes([{ key: searchAttributes.integrationId, value: step.integrationId }]);
    if (step.waitSeconds === null) return;
    if (steps === STEPS_PER_RUN)
      await continueAsNew<typeof rotateSecret>({ rotationId, seen: events.newest() });
    if (step.waitSeconds > 0)
      await condition(() => isSteered, step.waitSeconds * 1000, { summary: step.status });
  }
}
