// What the Temporal server of a benchmark's world does with workflows in the shape of a rollout's in which nothing happens: the measure of how
// much of a rollout is Temporal. Everything else of the world runs beside it, with nothing to do.
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { Client, type Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { answeredSignal, type AloneActivities, type Conversations } from './alone-workflows.ts';

const TASK_QUEUE = 'alone';
/** `rollOutDevice` has three conversations and nine local activities, `keepCertificate` one. */
const ROLLOUT: Conversations = { rounds: 3, activities: 3 };
const CERTIFICATE: Conversations = { rounds: 1, activities: 2 };

export interface Alone {
  readonly seconds: number;
  /** Of one rollout. */
  readonly transitions: number;
}

/** @param count of rollouts that begin at once */
export async function temporalAlone(connection: Connection, address: string, count: number): Promise<Alone> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const native = await NativeConnection.connect({ address });
  const client = new Client({ connection });
  const activities: AloneActivities = {
    nothing: async () => undefined,
    ask: (workflowId) => client.workflow.getHandle(workflowId).signal(answeredSignal),
  };
  const worker = await Worker.create({
    connection: native,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(new URL('alone-workflows.ts', import.meta.url)),
    activities,
    reuseV8Context: true,
  });
  try {
    return await worker.runUntil(async () => {
      // The first of a worker's workflows loads its code.
      await rollOut(client, 'warm', 4);
      return rollOut(client, 'alone', count);
    });
  } finally {
    await native.close();
  }
}

async function rollOut(client: Client, name: string, count: number): Promise<Alone> {
  const start = (id: string, shape: Conversations) =>
    client.workflow.start('converse', {
      workflowId: `${name}/${id}`,
      taskQueue: TASK_QUEUE,
      args: [shape],
    });
  const numbers = Array.from({ length: count }, (_, number) => number);
  const began = performance.now();
  const handles = await Promise.all(
    numbers.flatMap((number) => [
      start(`rollout/${number}`, ROLLOUT),
      start(`certificate/${number}`, CERTIFICATE),
    ]),
  );
  await Promise.all(handles.map((handle) => handle.result()));
  const seconds = (performance.now() - began) / 1000;
  let transitions = 0;
  for (const handle of handles)
    transitions += Number((await handle.describe()).raw.workflowExecutionInfo?.stateTransitionCount ?? 0);
  return { seconds, transitions: transitions / count };
}
