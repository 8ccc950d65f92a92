// What the whole test run shares: one PostgreSQL cluster with a migrated template and one Temporal server, in a temporary folder.
// Each is started when the first test file asks for it, over a small address on loopback.
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { migrate } from '../../adapters/store/base/migrate.ts';
import { buildPrograms } from '../../scripts/build-programs.mjs';
import { getTemporal } from '../../scripts/temporal-server.mjs';
import { endLeftServer, startEmbeddedPostgres } from '../../workers/embedded-postgres.ts';
import { endLeftTemporal, startEmbeddedTemporal } from '../../workers/embedded-temporal.ts';
import { endRecordedChild, recordChild } from '../../workers/child-record.ts';
import { freePort } from '../../workers/free-port.ts';
import { endLeftProcesses } from '../../workers/node-process.ts';
import { isRunning } from '../../workers/processes.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where a test file asks for the shared servers: GET postgres, GET temporal. */
    readonly sharedServers: string;
  }
}

export interface SharedPostgres {
  /** Of the maintenance database. */
  readonly adminUrl: string;
  readonly template: string;
}

export interface SharedTemporal {
  readonly address: string;
}

type Stop = () => Promise<void>;

export default async function setup(project: TestProject): Promise<Stop> {
  await sweep();
  await buildPrograms((line) => console.log(line));
  const folder = await mkdtemp(path.join(os.tmpdir(), `odette-test-${process.pid}-`));
  // As root, PostgreSQL's own user must be able to pass through.
  await chmod(folder, 0o711);
  const stops: Stop[] = [];
  const started = new Map<string, Promise<unknown>>();
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    const start = name === 'postgres' ? sharedPostgres : sharedTemporal;
    const starting = started.get(name) ?? start(folder, stops);
    started.set(name, starting);
    starting.then(
      (value) => response.end(JSON.stringify(value)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  const port = await listen(server);
  project.provide('sharedServers', `http://127.0.0.1:${port}/`);
  return async () => {
    server.close();
    await Promise.allSettled(started.values());
    await Promise.allSettled(stops.map((stop) => stop()));
    await rm(folder, { recursive: true, force: true });
  };
}

async function sharedPostgres(folder: string, stops: Stop[]): Promise<SharedPostgres> {
  const template = 'odette_template';
  const postgres = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), isDurable: false });
  stops.push(() => postgres.stop());
  const admin = connectDatabase(postgres.urlOf('postgres'), { max: 1 });
  await admin.query(`create database ${template}`);
  await admin.end();
  const database = connectDatabase(postgres.urlOf(template), { max: 1 });
  await migrate(database);
  // Open connections would make every copy of the template fail.
  await database.end();
  return { adminUrl: postgres.urlOf('postgres'), template };
}

async function sharedTemporal(folder: string, stops: Stop[]): Promise<SharedTemporal> {
  const program = await getTemporal((line) => console.log(line));
  const temporal = await startEmbeddedTemporal({
    program,
    port: await freePort(),
    dynamicConfig: {
      'frontend.WorkflowTimeSkippingEnabled': 'true',
      // After 200 skips the server would stop skipping.
      'frontend.WorkflowTimeSkippingMaxSkipPerSession': '100000',
    },
  });
  await recordChild(path.join(folder, 'temporal.pid.json'), temporal.pid);
  stops.push(() => temporal.stop());
  return { address: temporal.address };
}

/** Ends what killed test runs left behind, shared servers and scenarios' worlds: a folder is named after its run's pid. */
async function sweep(): Promise<void> {
  for (const name of await readdir(os.tmpdir())) {
    const pid = Number(/^odette-(?:test|world)-(\d+)-/.exec(name)?.[1]);
    if (!pid || isRunning(pid)) continue;
    const folder = path.join(os.tmpdir(), name);
    await endLeftProcesses(folder);
    await endLeftServer(path.join(folder, 'postgres', 'data'));
    await endRecordedChild(path.join(folder, 'temporal.pid.json'), 3000);
    await endLeftTemporal(path.join(folder, 'temporal'));
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
