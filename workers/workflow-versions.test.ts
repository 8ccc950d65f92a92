import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { expect, test } from 'vitest';
import { temporalAddress } from '../test/harness/temporal.ts';
import { makeCurrent, takesOver } from './workflow-versions.ts';

test('with several versions only one that never was current takes over by itself', async () => {
  const connection = await Connection.connect({ address: await temporalAddress() });
  const namespace = `versions-${randomUUID()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const temporal = new Client({ connection, namespace });
  // No worker has ever run in this namespace, which Temporal's parts learn of one after the other.
  await expect
    .poll(() => takesOver(temporal, 'first', 'several').catch(String), { timeout: 20_000 })
    .toBe(true);
  await expect
    .poll(() => makeCurrent(temporal, 'first', 'several').then(() => 'done', String), { timeout: 20_000 })
    .toBe('done');
  expect(await takesOver(temporal, 'first', 'several')).toBe(true);
  expect(await takesOver(temporal, 'second', 'several')).toBe(true);
  await makeCurrent(temporal, 'second', 'several');
  expect(await takesOver(temporal, 'first', 'several')).toBe(false);
  expect(await takesOver(temporal, 'second', 'several')).toBe(true);
  // Where no old code stays, the one that starts is meant.
  expect(await takesOver(temporal, 'first', 'one')).toBe(true);
  await connection.close();
});
