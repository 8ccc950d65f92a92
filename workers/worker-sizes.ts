// How much one worker does at once, from the cores and the memory that it has. Measured: docs/performance.md.
import os from 'node:os';
import v8 from 'node:v8';
import type { WorkerOptions } from '@temporalio/worker';

export interface Machine {
  readonly cores: number;
  /** What the heap of a thread may take, which Node.js derives from the memory of the machine or of the container. */
  readonly heapMb: number;
}

export interface WorkerSizes {
  /** To the database. */
  readonly connections: number;
  readonly options: Pick<
    WorkerOptions,
    'maxCachedWorkflows' | 'maxConcurrentLocalActivityExecutions' | 'maxConcurrentWorkflowTaskExecutions'
  >;
}

/** Node.js, the SDK and Odette's code, before any workflow. */
const BASE_MB = 200;
/** A workflow in the cache takes half of it; the other half is for garbage. */
const WORKFLOW_MB = 1;
const MIN_CACHED = 50;
/** JavaScript runs on two threads of a worker, beside those of the SDK's core: what more cores can do is for more workers. */
const MAX_CORES = 4;
const CONNECTIONS_PER_CORE = 10;
/** With half of it a rollout costs a fifth more processor time: a task that waits for its local activities holds its slot. */
const WORKFLOW_TASKS_PER_CORE = 20;

export const thisMachine = (): Machine => ({
  cores: os.availableParallelism(),
  heapMb: v8.getHeapStatistics().heap_size_limit / 2 ** 20,
});

export function workerSizes(machine: Machine): WorkerSizes {
  const cores = Math.min(Math.max(machine.cores, 2), MAX_CORES);
  const connections = CONNECTIONS_PER_CORE * cores;
  const cached = Math.max(Math.floor((machine.heapMb - BASE_MB) / WORKFLOW_MB), MIN_CACHED);
  return {
    connections,
    options: {
      maxCachedWorkflows: cached,
      // Each holds a connection: what waits for a slot keeps its time, what waits for a connection loses it.
      maxConcurrentLocalActivityExecutions: connections,
      maxConcurrentWorkflowTaskExecutions: Math.min(WORKFLOW_TASKS_PER_CORE * cores, cached),
    },
  };
}
