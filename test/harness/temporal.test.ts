// The shared Temporal server responds, knows Odette's search attributes and skips time for a workflow that asks for it.
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { searchAttributes } from '../../workflows/messages.ts';
import { temporalAddress } from './temporal.ts';

let connection: Connection;
beforeAll(async () => {
  connection = await Connection.connect({ address: await temporalAddress() });
});
afterAll(() => connection.close());

test('every search attribute of the workflows is registered', async () => {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({
    namespace: 'default',
  });
  expect(Object.keys(customAttributes)).toEqual(
    expect.arrayContaining(Object.values(searchAttributes).map(({ name }) => name)),
  );
});

test('closed workflows are kept for 30 days', async () => {
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400);
});

test('a workflow may be started with time skipping', async () => {
  const workflowId = `time-skipping-${process.pid}`;
  await connection.workflowService.startWorkflowExecution({
    namespace: 'default',
    workflowId,
    workflowType: { name: 'nothing' },
    taskQueue: { name: 'nobody-polls-here' },
    requestId: workflowId,
    timeSkippingConfig: { enabled: true },
  });
  const { workflowExecutionInfo } = await connection.workflowService.describeWorkflowExecution({
    namespace: 'default',
    execution: { workflowId },
  });
  expect(workflowExecutionInfo?.execution?.workflowId).toBe(workflowId);
  await connection.workflowService.terminateWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId },
  });
});
