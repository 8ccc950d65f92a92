// Where a secret could have been left: files, rows, Temporal's histories, responses of the API, metrics, arguments of processes.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Database } from '../../adapters/store/base/database.ts';
import { contract } from '../../api/contract/contract.ts';
import type { Endpoint } from '../../api/contract/endpoint.ts';
import type { World } from './world.ts';

/** The only files of Odette that may hold a secret. */
const OWN_SECRET_FILES = ['odette/odette.key', 'odette/cli-token'];

type Places = AsyncGenerator<[place: string, bytes: Buffer]>;

/** All files of the world: data files of PostgreSQL with its log, Temporal's database with its log, logs of all processes. */
async function* files(world: World): Places {
  for (const entry of await readdir(world.folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(world.folder, file);
    if (!entry.isFile() || name.startsWith('sandbox/') || OWN_SECRET_FILES.includes(name)) continue;
    const bytes = await readFile(file).catch(() => undefined);
    if (bytes) yield [name, bytes];
  }
}

/** Every value of every row, as text and, where it is binary, as bytes. */
async function* rows(database: Database): Places {
  const columns = await database.query<{ table: string; column: string; type: string }>(
    `select table_name as "table", column_name as "column", data_type as type from information_schema.columns
      where table_schema = 'public'`,
  );
  for (const { table, column, type } of columns) {
    const cast = type === 'bytea' ? '' : '::text';
    const found = await database.query<{ value: Buffer | string | null }>(
      `select "${column}"${cast} as value from "${table}"`,
    );
    for (const { value } of found) if (value !== null) yield [`${table}.${column}`, Buffer.from(value)];
  }
}

/** Histories as Temporal keeps them: nobody decodes them here. */
async function* histories(world: World): Places {
  const connection = await Connection.connect({ address: world.temporalAddress });
  try {
    const { executions } = await connection.workflowService.listWorkflowExecutions({
      namespace: 'default',
      pageSize: 1000,
    });
    for (const { execution } of executions) {
      let nextPageToken: Uint8Array = new Uint8Array();
      do {
        const page: proto.temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse =
          await connection.workflowService.getWorkflowExecutionHistory({
            namespace: 'default',
            execution: execution ?? null,
            nextPageToken,
          });
        nextPageToken = page.nextPageToken ?? new Uint8Array();
        const bytes = proto.temporal.api.history.v1.History.encode(page.history ?? {}).finish();
        yield [`history of ${execution?.workflowId}`, Buffer.from(bytes)];
        yield [`history of ${execution?.workflowId} as JSON`, Buffer.from(JSON.stringify(page.history))];
      } while (nextPageToken.length > 0);
    }
  } finally {
    await connection.close();
  }
}

/** Every GET of the contract, of every thing there is. */
async function* apiResponses(world: World): Places {
  for (const { method, path: template, responseType } of Object.values<Endpoint>(contract)) {
    if (method !== 'get' || responseType === 'text/event-stream') continue;
    for (const at of await addressesOf(world, template)) {
      const response = await fetchAdmin(world, at);
      yield [`GET ${at} ${response.status}`, Buffer.from(await response.arrayBuffer())];
    }
  }
  const events = await fetchAdmin(world, '/api/events', { 'last-event-id': '0' });
  yield ['GET /api/events', Buffer.from(await beginningOf(events))];
}

const fetchAdmin = async (
  world: World,
  at: string,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`http://${world.environment['ODETTE_ADMIN_LISTEN']}${at}`, {
    headers: { authorization: `Bearer ${await world.token()}`, ...headers },
  });

async function addressesOf(world: World, template: string): Promise<string[]> {
  const at = template.indexOf('/{id}');
  if (at < 0) return template.includes('{') ? [] : [template];
  if (template.indexOf('{', at + 2) >= 0) return [];
  const response = await fetchAdmin(world, template.slice(0, at));
  const { items = [] } = (await response.json()) as { items?: { id: string }[] };
  return items.map(({ id }) => template.replace('{id}', id));
}

async function beginningOf(response: Response): Promise<string> {
  let text = '';
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const deadline = pause(3000).then(() => undefined);
  for (;;) {
    const read = await Promise.race([reader?.read(), deadline]);
    if (read?.value === undefined) break;
    text += read.value;
  }
  await reader?.cancel();
  return text;
}

async function* metrics(world: World): Places {
  for (const name of [
    'ODETTE_ADMIN_LISTEN',
    'ODETTE_WORKER_LISTEN',
    'ODETTE_RELAY_LISTEN',
    'ODETTE_DEVICE_METRICS_LISTEN',
  ]) {
    const response = await fetch(`http://${world.environment[name]}/metrics`);
    if (response.status !== 200) throw new Error(`${name}: ${response.status}`);
    yield [`metrics of ${name}`, Buffer.from(await response.arrayBuffer())];
  }
}

/** Arguments of every process of this machine. */
async function* processArguments(): Places {
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const bytes = await readFile(`/proc/${pid}/cmdline`).catch(() => undefined);
    if (bytes) yield [`arguments of ${pid}`, bytes];
  }
}

export const PLACES = {
  files: (world: World) => files(world),
  rows: (_world: World, database: Database) => rows(database),
  histories: (world: World) => histories(world),
  apiResponses: (world: World) => apiResponses(world),
  metrics: (world: World) => metrics(world),
  processArguments: () => processArguments(),
};
