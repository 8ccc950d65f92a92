// Writes a workflow's history to this folder, for test/replay.test.ts. Histories of a release are kept: later code must replay them.
// Made anew with RECORD_HISTORIES=1 npx vitest run test/replay.test.ts
import { writeFile } from 'node:fs/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

export async function recordHistory(name: string, handle: WorkflowHandle): Promise<void> {
  const history: unknown = JSON.parse(historyToJSON(await handle.fetchHistory()));
  const text = JSON.stringify(withoutMachine(history), undefined, 1);
  await writeFile(new URL(`${name}.json`, import.meta.url), `${text}\n`);
}

/** Where it was recorded is nobody's business: identities of processes and stack traces go. */
function withoutMachine(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => withoutMachine(each));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, withoutMachine(each, name)]),
    );
  if (typeof value !== 'string') return value;
  if (key === 'identity') return 'worker';
  if (/^\d+@/.test(value)) return 'worker';
  if (key === 'stackTrace') return '';
  if (key !== 'data') return value;
  const plain = Buffer.from(value, 'base64').toString('utf8');
  if (!plain.includes('stack_trace')) return value;
  const attributes = JSON.parse(plain) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...attributes, stack_trace: '' })).toString('base64');
}
