import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../adapters/store/base/database.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/postgres.ts';
import { quietRuntime } from '../test/harness/rollout-world.ts';
import { temporalAddress } from '../test/harness/temporal.ts';
import { refuseNewerWorkflows } from './workflow-patches.ts';

quietRuntime();
const NEWER = 'from-a-newer-version';
const QUEUE = 'workflow-patches';
let own: TestDatabase;
let database: Database;
let connection: Connection;
let temporal: Client;

beforeAll(async () => {
  own = await createTestDatabase();
  ({ database } = own);
  connection = await Connection.connect({ address: await temporalAddress() });
  temporal = new Client({ connection });
});
afterAll(async () => {
  await connection?.close();
  await own?.drop();
});

/** What a start of a worker with these patches comes to. */
const start = (patches: readonly string[]) =>
  refuseNewerWorkflows({ database, temporal }, { patches, workerVersions: 'one' }).then(
    () => 'started',
    (error: unknown) => error,
  );

test('an older version starts only when no workflow runs that a newer one has changed, and names those that do', async () => {
  expect(await start(['first'])).toBe('started');
  expect(await start(['first', NEWER])).toBe('started');
  // Nothing runs that holds it: the older version may come back.
  expect(await start(['first'])).toBe('started');

  const native = await NativeConnection.connect({ address: await temporalAddress() });
  const worker = await Worker.create({
    connection: native,
    taskQueue: QUEUE,
    workflowsPath: fileURLToPath(new URL('../test/harness/patched-workflow.ts', import.meta.url)),
  });
  const workflowId = `patched/${Date.now()}`;
  await worker.runUntil(async () => {
    const handle = await temporal.workflow.start('patchedWorkflow', { workflowId, taskQueue: QUEUE });
    await expect
      .poll(async () => start(['first']))
      .toMatchObject({
        code: 'temporal.newer_workflows',
        facts: { patches: NEWER, workflows: workflowId },
      });
    expect(await start(['first', NEWER])).toBe('started');
    await handle.terminate('the end of the test');
    await expect.poll(() => start(['first'])).toBe('started');
  });
  await native.close();
});
