// Everything that the wizard needs, for one test file: API, worker, a Temporal namespace of its own, a pretend tenant and licenses.
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { vi } from 'vitest';
import { createActivities, type ActivityDependencies } from '../../activities/index.ts';
import { AppsAndBooksClient } from '../../adapters/apps-and-books/apps-and-books-client.ts';
import { findAppsAndBooksToken } from '../../adapters/store/integration/apps-and-books-tokens.ts';
import { openSecret } from '../../adapters/store/base/secrets.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { addressOf } from '../../domain/secret-address.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { deploymentOptions, makeCurrent } from '../../workers/workflow-versions.ts';
import { sealedClientOptions } from '../../workers/sealed-client.ts';
import { sealedWorkerOptions, type Refusal } from '../../workers/sealed-worker.ts';
import { TASK_QUEUE } from '../../workflows/messages.ts';
import { RECORDED, recordedKeys } from '../histories/test-codec.ts';
import { openAdminApi, type AdminApi } from './admin-api.ts';
import {
  openPretendAppsAndBooks,
  openPretendOkta,
  type PretendAppsAndBooks,
  type PretendOkta,
} from './pretend-okta.ts';
import { temporalAddress } from './temporal.ts';

export interface WizardWorld {
  readonly api: AdminApi;
  readonly okta: PretendOkta;
  readonly licenses: PretendAppsAndBooks;
  readonly client: Client;
  /** What reached a workflow or an activity and was not sealed for it. */
  readonly refusals: readonly Refusal[];
  stopWorker(): Promise<void>;
  startWorker(): Promise<void>;
  close(): Promise<void>;
}

/** @param options.alsoAllowed hosts on loopback that may be called beside the tenant */
export async function openWizardWorld(
  options: { readonly alsoAllowed?: readonly string[] } = {},
): Promise<WizardWorld> {
  const okta = await openPretendOkta();
  const licenses = await openPretendAppsAndBooks();
  const allowedPrivateHosts = [okta.host, ...(options.alsoAllowed ?? [])];
  const address = await temporalAddress();
  const connection = await Connection.connect({ address });
  const namespace = `wizard-${randomUUID()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const sealed = sealedClientOptions(recordedKeys, RECORDED);
  const client = new Client({ connection, namespace, ...sealed });
  await vi.waitFor(
    async () => {
      const error = await client.workflow
        .getHandle('none')
        .describe()
        .catch((caught: unknown) => caught);
      if (!(error instanceof Error) || error.name !== 'WorkflowNotFoundError') throw new Error('not ready');
    },
    { timeout: 30_000, interval: 200 },
  );
  // The API closes its client's connection; it gets one of its own.
  const own = new Client({ connection: await Connection.connect({ address }), namespace, ...sealed });
  const api = await openAdminApi({
    temporal: own,
    allowedPrivateHosts,
    appsAndBooksUrl: licenses.url,
  });

  const deps: ActivityDependencies = {
    database: api.database,
    sealer: api.ring,
    temporal: client,
    oktaClient: () => Promise.reject(new CataloguedError('okta.unreachable')),
    apns: () => Promise.reject(new CataloguedError('apns.certificate_missing')),
    appsAndBooks: async () => {
      const token = await findAppsAndBooksToken(api.database);
      if (!token) throw new CataloguedError('apps_and_books.token_missing');
      const { value } = await openSecret(api.database, api.ring, token.secretId, {
        actor: 'system',
        purpose: 'test',
        kind: 'apps_and_books_token',
        owner: { installation: true },
        address: addressOf(licenses.url),
      });
      return new AppsAndBooksClient({ url: licenses.url, token: value.toString() });
    },
    nanoMdm: () => Promise.reject(new CataloguedError('request.not_found')),
    fleet: () => Promise.reject(new CataloguedError('request.not_found')),
    profileSigner: () => Promise.reject(new CataloguedError('server.failed')),
    publicUrl: undefined,
    allowedPrivateHosts,
  };
  const codePath = await workflowBundle();
  const native = await NativeConnection.connect({ address });
  let running: { worker: Worker; ended: Promise<void> } | undefined;
  const refusals: Refusal[] = [];
  const startWorker = async () => {
    const worker = await Worker.create({
      connection: native,
      namespace,
      taskQueue: TASK_QUEUE,
      workflowBundle: { codePath },
      workerDeploymentOptions: deploymentOptions('this', 'one'),
      activities: createActivities(deps),
      ...sealedWorkerOptions(recordedKeys, RECORDED, (refusal) => refusals.push(refusal)),
      shutdownForceTime: '1 second',
    });
    running = { worker, ended: worker.run() };
    await makeCurrent(client, 'this', 'one');
  };
  const stopWorker = async () => {
    running?.worker.shutdown();
    await running?.ended.catch(() => undefined);
    running = undefined;
  };
  await startWorker();
  return {
    api,
    okta,
    licenses,
    client,
    refusals,
    startWorker,
    stopWorker,
    async close() {
      await stopWorker();
      await api.close();
      await native.close();
      await connection.close();
      await licenses.close();
      await okta.close();
    },
  };
}
