// Which version of the workflows' code carries a workflow out: Temporal's Worker Deployment Versioning. A version is what its sources are
// (workers/workflow-bundle.ts). Rollouts have no versioning behavior of their own and take the worker's default; every other workflow moves
// to the current version (workflows/index.ts).
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { WorkerDeploymentOptions } from '@temporalio/worker';
import { isNotFound } from './temporal-outage.ts';

export const DEPLOYMENT = 'odette';

/** `one`: a worker of this version leaves no other behind. `several`: an older version's workers stay until their rollouts have ended. */
export type WorkerVersions = 'one' | 'several';

const IDENTITY = 'odette-worker';
/** Of workflows that stay with the version that began them. */
const PINNED = "ExecutionStatus = 'Running' and TemporalWorkflowVersioningBehavior = 'Pinned'";

/** Of a worker. Where old code stays, a rollout ends in the code that began it. */
export const deploymentOptions = (buildId: string, versions: WorkerVersions): WorkerDeploymentOptions => ({
  version: { deploymentName: DEPLOYMENT, buildId },
  useWorkerVersioning: true,
  defaultVersioningBehavior: versions === 'several' ? 'PINNED' : 'AUTO_UPGRADE',
});

/**
 * Whether a worker that starts is to make its version the current one. With several versions only one that has never been current does:
 * a worker of an older version that starts again has its own rollouts to end, and going back is an operator's decision.
 */
export async function takesOver(
  temporal: Client,
  buildId: string,
  versions: WorkerVersions,
): Promise<boolean> {
  if (versions === 'one') return true;
  const { namespace } = temporal.options;
  const { workerDeploymentInfo } = await temporal.workflowService
    .describeWorkerDeployment({ namespace, deploymentName: DEPLOYMENT })
    .catch((error: unknown) => {
      // No worker of the deployment has ever run here.
      if (isNotFound(error)) return { workerDeploymentInfo: null };
      throw error;
    });
  const current = workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId;
  const own = workerDeploymentInfo?.versionSummaries?.find(
    ({ deploymentVersion }) => deploymentVersion?.buildId === buildId,
  );
  return !current || current === buildId || !own?.firstActivationTime;
}

/** After the worker has begun to run: new workflows, and all that are not pinned, go to this version from now on. */
export async function makeCurrent(
  temporal: Client,
  buildId: string,
  versions: WorkerVersions,
): Promise<void> {
  const { namespace } = temporal.options;
  await temporal.workflowService.setWorkerDeploymentCurrentVersion({
    namespace,
    deploymentName: DEPLOYMENT,
    buildId,
    identity: IDENTITY,
    // Its first poll may still be under way.
    allowNoPollers: true,
    ignoreMissingTaskQueues: true,
  });
  if (versions === 'one') await releasePinned(temporal, namespace);
}

/** From a time with several versions: nobody would carry them on. */
async function releasePinned(temporal: Client, namespace: string): Promise<void> {
  const { count } = await temporal.workflow.count(PINNED);
  if (count === 0) return;
  await temporal.workflowService.startBatchOperation({
    namespace,
    jobId: randomUUID(),
    visibilityQuery: PINNED,
    reason: 'one version of Odette runs now',
    updateWorkflowOptionsOperation: {
      identity: IDENTITY,
      workflowExecutionOptions: { versioningOverride: { autoUpgrade: true } },
      updateMask: { paths: ['versioning_override'] },
    },
  });
}
