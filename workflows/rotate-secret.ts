// Rotates one secret of an integration. What comes next is decided from the tables; this file holds no secret.
// Finite, and safe to start again.
import { continueAsNew, proxyActivities } from '@temporalio/workflow';
import type { Activities, RotationStep } from '../activities/index.ts';
import { rotationProgressQuery, rotationSteeredSignal } from './messages.ts';
import { PATIENCE } from './policies.ts';
import { takeSteps } from './steered.ts';

export interface RotateSecretInput {
  readonly rotationId: string;
  /** Events seen by the runs before. */
  readonly seen?: readonly string[];
}

/** Okta's refusal is an outcome; an Okta that is away is asked again. What ends unfinished is begun again (activities/restart-unfinished.ts). */
const { advanceRotation } = proxyActivities<Pick<Activities, 'advanceRotation'>>({
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: PATIENCE,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

export const rotateSecret = ({ rotationId, seen }: RotateSecretInput): Promise<void> =>
  takeSteps<RotationStep>({
    advance: () => advanceRotation({ rotationId, nowMs: Date.now() }),
    steered: rotationSteeredSignal,
    progress: rotationProgressQuery,
    seen,
    goOn: (newest) => continueAsNew<typeof rotateSecret>({ rotationId, seen: newest }),
  });
