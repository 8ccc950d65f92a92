// Takes a change to a fleet: a canary, then waves. What comes next is decided from the tables.
// Finite, and safe to start again: whoever ends it loses no device, and whoever starts it anew begins none twice.
import { continueAsNew, proxyActivities } from '@temporalio/workflow';
import type { Activities, FleetStep } from '../activities/index.ts';
import { fleetRolloutProgressQuery, fleetRolloutSteeredSignal } from './messages.ts';
import { PATIENCE } from './policies.ts';
import { takeSteps } from './steered.ts';

export interface RollOutFleetInput {
  readonly fleetRolloutId: string;
  /** Events seen by the runs before. */
  readonly seen?: readonly string[];
}

const { advanceFleetRollout } = proxyActivities<Pick<Activities, 'advanceFleetRollout'>>({
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: PATIENCE,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

export const rollOutFleet = ({ fleetRolloutId, seen }: RollOutFleetInput): Promise<void> =>
  takeSteps<FleetStep>({
    advance: () => advanceFleetRollout({ fleetRolloutId, nowMs: Date.now() }),
    steered: fleetRolloutSteeredSignal,
    progress: fleetRolloutProgressQuery,
    seen,
    goOn: (newest) => continueAsNew<typeof rollOutFleet>({ fleetRolloutId, seen: newest }),
  });
