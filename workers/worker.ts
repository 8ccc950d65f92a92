// The worker process: runs the workflows and their activities.
import { setTimeout as pause } from 'node:timers/promises';
import {
  DefaultLogger,
  makeTelemetryFilterString,
  Runtime,
  Worker,
  type NativeConnection,
} from '@temporalio/worker';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createActivities, type ActivityDependencies } from '../activities/index.ts';
import type { Database } from '../adapters/store/base/database.ts';
import { identityAuthority } from '../api/mdm/identity-authority.ts';
import { TASK_QUEUE } from '../workflows/messages.ts';
import { channelClients } from './channel-clients.ts';
import { outsideClients } from './dependencies.ts';
import { startOverdueResponses } from './overdue-responses.ts';
import { openProcessContext } from './process-context.ts';
import { freePort } from './free-port.ts';
import { serveHealth } from './health-server.ts';
import { runProcess } from './run-process.ts';
import { RefusalRecord } from './refusal-record.ts';
import { sealedWorkerOptions } from './sealed-worker.ts';
import { missingSearchAttributes } from './search-attributes.ts';
import { connectWorker, type TemporalSettings } from './temporal-connection.ts';
import { thisMachine, workerSizes } from './worker-sizes.ts';
import { workflowBundle, workflowsVersion } from './workflow-bundle.ts';
import { ownPatches, refuseNewerWorkflows } from './workflow-patches.ts';
import { deploymentOptions, makeCurrent, takesOver, type WorkerVersions } from './workflow-versions.ts';

await runProcess('worker', async (context) => {
  const { config, log } = context;
  const sdkMetrics = await installRuntime(log);
  const sizes = workerSizes(thisMachine());
  const processContext = await openProcessContext(context, {
    name: 'odette-worker',
    connections: sizes.connections,
    preparesStatements: true,
  });
  const { database, ring, temporal, temporalSettings } = processContext;
  const clients = outsideClients(database, ring, config);
  const channels = channelClients(database, ring, config);
  const authority = identityAuthority(database, ring);
  const dependencies: ActivityDependencies = {
    database,
    sealer: ring,
    temporal,
    oktaClient: clients.oktaClient,
    apns: clients.apns,
    appsAndBooks: clients.appsAndBooks,
    nanoMdm: (channelId) => channels.client(channelId),
    fleet: (channelId) => channels.fleet(channelId),
    profileSigner: async () => (await authority()).profileSigner,
    publicUrl: config.publicUrl,
    allowedPrivateHosts: config.allowedPrivateHosts,
  };
  const buildId = await workflowsVersion();
  const codePath = await workflowBundle(buildId);
  const connection = await whenTemporalResponds(temporalSettings, log);
  await mustKnowSearchAttributes(temporal);
  const { workerVersions } = config;
  const isCurrent = await mayTakeOver({ database, temporal }, buildId, workerVersions);
  const refusals = new RefusalRecord(database, log);
  const worker = await Worker.create({
    connection,
    namespace: temporalSettings.namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath },
    workerDeploymentOptions: deploymentOptions(buildId, workerVersions),
    activities: createActivities(dependencies),
    ...sealedWorkerOptions(ring, temporalSettings.namespace, refusals.note),
    reuseV8Context: true,
    ...sizes.options,
    // Activities end within 15 s; what is cut short is done again elsewhere.
    shutdownGraceTime: '10 seconds',
    shutdownForceTime: '15 seconds',
  });
  const ended = worker.run();
  if (isCurrent) await makeCurrent(temporal, buildId, workerVersions);
  log.info({ version: buildId, isCurrent }, 'workflows run in this version');
  const overdue = startOverdueResponses(dependencies, log);
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const health = await serveHealth(config.workerListen, {
    parts: async () => ({
      database: await database.query('select 1').then(
        () => true,
        () => false,
      ),
      temporal: await connection.workflowService.getSystemInfo({}).then(
        () => true,
        () => false,
      ),
      worker: worker.getState() === 'RUNNING',
    }),
    metrics: async () => (await metrics.metrics()) + (await sdkMetrics()),
  });
  return {
    ended,
    async stop() {
      await health.stop();
      worker.shutdown();
      await Promise.all([ended, overdue.stop()]);
      clients.close();
      await connection.close();
      await processContext.close();
    },
  };
});

/** Once, before anything else of the SDK. Resolves with a reader of the SDK's own metrics. */
async function installRuntime(log: Logger): Promise<() => Promise<string>> {
  const bindAddress = `127.0.0.1:${await freePort()}`;
  const levels = { TRACE: 'debug', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      const { error, ...fields } = meta ?? {};
      log[levels[level]]({ ...fields, ...(error === undefined ? {} : { err: error as unknown }) }, message);
    }),
    telemetryOptions: {
      // The core's own lines come through the logger above.
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'INFO', other: 'WARN' }) },
      metrics: { prometheus: { bindAddress } },
    },
    // The frame stops the worker.
    shutdownSignals: [],
  });
  return async () => {
    const response = await fetch(`http://${bindAddress}/metrics`).catch(() => undefined);
    return response?.ok ? response.text() : '';
  };
}

async function mustKnowSearchAttributes(temporal: Client): Promise<void> {
  const missing = await missingSearchAttributes(temporal);
  if (missing !== undefined)
    throw new Error(
      `Temporal does not know Odette's search attributes. Add them, and start again:\n  ${missing}`,
    );
}

async function mayTakeOver(
  reach: { readonly database: Database; readonly temporal: Client },
  buildId: string,
  workerVersions: WorkerVersions,
): Promise<boolean> {
  // One that only ends the rollouts of its own version is given nothing of a newer one.
  if (!(await takesOver(reach.temporal, buildId, workerVersions))) return false;
  await refuseNewerWorkflows(reach, { patches: await ownPatches(), workerVersions });
  return true;
}

async function whenTemporalResponds(settings: TemporalSettings, log: Logger): Promise<NativeConnection> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await connectWorker(settings);
    } catch (error) {
      if (attempt % 20 === 0) log.warn({ err: error }, 'waiting for Temporal');
      await pause(Math.min(250 * (attempt + 1), 2000));
    }
  }
}
