import { describe, expect, test } from 'vitest';
import { workerSizes } from './worker-sizes.ts';

describe('what a worker does at once', () => {
  test('never more local activities than it has connections, on any machine', () => {
    for (const cores of [1, 2, 4, 8, 64])
      for (const heapMb of [64, 256, 1024, 4144]) {
        const { connections, options } = workerSizes({ cores, heapMb });
        expect(options.maxConcurrentLocalActivityExecutions).toBe(connections);
        // Three workers beside the other processes, of the 200 connections of the embedded PostgreSQL.
        expect(connections * 3).toBeLessThan(200);
        // More tasks than it can keep would evict each other: the SDK would lower them, and warn.
        expect(options.maxConcurrentWorkflowTaskExecutions).toBeLessThanOrEqual(options.maxCachedWorkflows!);
      }
  });

  test('the cache fits half of the heap', () => {
    const MB_OF_A_WORKFLOW = 0.5;
    for (const heapMb of [512, 1024, 4144]) {
      const { maxCachedWorkflows = 0 } = workerSizes({ cores: 2, heapMb }).options;
      expect(maxCachedWorkflows * MB_OF_A_WORKFLOW).toBeLessThanOrEqual(heapMb / 2);
    }
  });
});
