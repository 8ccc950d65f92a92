// Every outside effect of the workflows, one verb each.
import { withFailures } from './as-failure.ts';
import { certificateDelivery } from './certificate.ts';
import { certificateRecords } from './certificate-records.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { deviceCommandActivities } from './device-commands.ts';
import { fleetRolloutActivities } from './fleet-rollout.ts';
import { integrationChecks } from './integration-check.ts';
import { licenseActivities } from './license.ts';
import { oktaLooks } from './okta-looks.ts';
import { platformRemoval } from './platform-removal.ts';
import { rolloutActivities } from './rollout.ts';
import { secretRotationActivities } from './secret-rotation.ts';
import { setupChecks } from './setup-checks.ts';
import { setupRecords } from './setup-records.ts';
import { sweepActivities } from './sweeps.ts';
import { trustActivities } from './trust.ts';
import { workflowRequests } from './workflow-requests.ts';

export type { ActivityDependencies } from './dependencies.ts';
export type { FleetStep } from './fleet-rollout.ts';
export type { RotationStep } from './secret-rotation.ts';

export const createActivities = (deps: ActivityDependencies) =>
  withFailures({
    ...deviceCommandActivities(deps),
    ...rolloutActivities(deps),
    ...workflowRequests(deps),
    ...certificateDelivery(deps),
    ...certificateRecords(deps),
    ...licenseActivities(deps),
    ...trustActivities(deps),
    ...oktaLooks(deps),
    ...sweepActivities(deps),
    ...fleetRolloutActivities(deps),
    ...integrationChecks(deps),
    ...platformRemoval(deps),
    ...secretRotationActivities(deps),
    ...setupChecks(deps),
    ...setupRecords(deps),
  });

export type Activities = ReturnType<typeof createActivities>;
