// Every outside effect of the workflows, one verb each.
import { withFailures } from './as-failure.ts';
import { certificateActivities } from './certificate.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { deviceCommandActivities } from './device-commands.ts';
import { licenseActivities } from './license.ts';
import { rolloutActivities } from './rollout.ts';
import { createSetupActivities } from './setup-activities.ts';
import { sweepActivities } from './sweeps.ts';
import { trustActivities } from './trust.ts';

export type { ActivityDependencies } from './dependencies.ts';

export const createActivities = (deps: ActivityDependencies) =>
  withFailures({
    ...deviceCommandActivities(deps),
    ...rolloutActivities(deps),
    ...certificateActivities(deps),
    ...licenseActivities(deps),
    ...trustActivities(deps),
    ...sweepActivities(deps),
    ...createSetupActivities(deps),
  });

export type Activities = ReturnType<typeof createActivities>;
