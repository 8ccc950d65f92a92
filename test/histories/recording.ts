// Writes a workflow's history to this folder, for test/replay.test.ts. Histories of a release are kept: later code must replay them.
// Those of the present one are made anew with RECORD_HISTORIES=1 npx vitest run test/replay.test.ts
import { writeFile } from 'node:fs/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON, JSONToPayload, payloadToJSON } from '@temporalio/common/lib/proto-utils.js';
import { readRecorded, RECORDED, recordedConverter } from './test-codec.ts';

/** Of the release that these histories are of. */
const RELEASE = 1;

export async function recordHistory(
  name: string,
  handle: Pick<WorkflowHandle, 'fetchHistory'>,
): Promise<void> {
  const history: unknown = JSON.parse(historyToJSON(await handle.fetchHistory()));
  const text = JSON.stringify(await withoutMachine(history), undefined, 1);
  await writeFile(new URL(`${RELEASE}-${name}.json`, import.meta.url), `${text}\n`);
}

/** Where it was recorded is nobody's business: identities of processes and stack traces go. */
async function withoutMachine(value: unknown, key = ''): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((each) => withoutMachine(each)));
  if (isPayload(value)) return withoutTrace(value);
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(
      async ([name, each]) => [name, await withoutMachine(each, name)] as const,
    );
    return Object.fromEntries(await Promise.all(fields));
  }
  if (typeof value !== 'string') return value;
  if (key === 'identity' || /^\d+@/.test(value)) return 'worker';
  return key === 'stackTrace' ? '' : value;
}

interface JsonPayload {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: string;
}
const isPayload = (value: unknown): value is JsonPayload =>
  typeof value === 'object' && value !== null && 'metadata' in value && 'data' in value;

/** Failures carry their trace inside an encrypted payload; it is sealed again for whom it was sealed for. */
async function withoutTrace(json: JsonPayload): Promise<JsonPayload> {
  const sealed = JSONToPayload(json);
  const plain = readRecorded(sealed);
  const text = Buffer.from(plain.data ?? []).toString('utf8');
  if (!text.includes('"stack_trace"')) return json;
  const attributes = JSON.parse(text) as Record<string, unknown>;
  const data = Buffer.from(JSON.stringify({ ...attributes, stack_trace: '' }));
  const named = (name: string) => Buffer.from(sealed.metadata?.[name] ?? []).toString('utf8');
  const context = {
    namespace: RECORDED,
    workflowId: named('workflow-id'),
    ...(named('activity-id') === ''
      ? { type: 'workflow' as const }
      : { type: 'activity' as const, activityId: named('activity-id'), isLocal: false }),
  };
  const [codec] = recordedConverter.payloadCodecs ?? [];
  const [cleaned] = (await codec?.encode([{ ...plain, data }], context)) ?? [];
  return payloadToJSON(cleaned ?? {}) as unknown as JsonPayload;
}
