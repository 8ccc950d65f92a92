// The admin API on a real port over a database of its own, for one test file; every part behind it is real unless said.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createAdminApp } from '../../api/admin/admin-app.ts';
import type { AdminDependencies } from '../../api/admin/admin-dependencies.ts';
import { ensureLocalToken } from '../../api/admin/first-start.ts';
import { AppsAndBooksClient } from '../../adapters/apps-and-books/apps-and-books-client.ts';
import { KeyRing } from '../../adapters/secrets/key-ring.ts';
import { findAppsAndBooksToken } from '../../adapters/store/integration/apps-and-books-tokens.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { createMessageSealer } from '../../workers/codec.ts';
import { openSecret } from '../../adapters/store/base/secrets.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { addressOf } from '../../domain/secret-address.ts';
import { readFile } from 'node:fs/promises';
import { createTestDatabase } from './postgres.ts';

export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test reads what it expects
  readonly body: any;
}

export interface AdminApi {
  readonly url: string;
  readonly database: Database;
  readonly ring: KeyRing;
  /** Everything that was logged. */
  readonly logged: string[];
  readonly token: string;
  /** As the machine's own token, unless headers say otherwise. */
  call(method: string, at: string, body?: unknown, headers?: Record<string, string>): Promise<ApiResponse>;
  close(): Promise<void>;
}

/** Headers of whoever has just signed in, in place of the machine's own token. */
export const sessionOf = (response: ApiResponse) => ({
  authorization: '',
  cookie: (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '',
});

export async function openAdminApi(
  options: {
    readonly temporal?: Client;
    readonly allowedPrivateHosts?: readonly string[];
    readonly appsAndBooksUrl?: string;
    /** Where the API must know its own address before it listens. */
    readonly port?: number;
    readonly settings?: Partial<AdminDependencies>;
  } = {},
): Promise<AdminApi> {
  const { database, drop } = await createTestDatabase();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-admin-'));
  const ring = await KeyRing.open(path.join(folder, 'odette.key'), { create: true });
  await ensureLocalToken(database, folder);
  const token = (await readFile(path.join(folder, 'cli-token'), 'utf8')).trim();
  const logged: string[] = [];
  // Nothing listens there, and without the client's own retries that is known at once: nobody here asks how long is waited for Temporal.
  const temporal =
    options.temporal ??
    new Client({ connection: Connection.lazy({ address: '127.0.0.1:9', interceptors: [] }) });
  const appsAndBooksUrl = options.appsAndBooksUrl ?? 'https://127.0.0.1:9';
  const app = createAdminApp({
    database,
    sealer: ring,
    log: pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) }),
    metrics: new Registry(),
    version: '0.0.0',
    temporal,
    oktaClient: () => Promise.reject(new CataloguedError('okta.unreachable')),
    appsAndBooks: () => appsAndBooks(database, ring, appsAndBooksUrl),
    appsAndBooksUrl,
    signingServiceUrl: 'https://127.0.0.1:9',
    allowedPrivateHosts: options.allowedPrivateHosts ?? [],
    consoleUrl: 'http://127.0.0.1:4780',
    publicUrl: 'https://mdm.example.com',
    publicUrlTls: () => undefined,
    hasTls: true,
    temporalUiUrl: 'http://127.0.0.1:8233',
    temporalAddress: '127.0.0.1:7233',
    temporalNamespace: 'default',
    readPayload: (payload) => payload,
    sealMessage: createMessageSealer(ring, 'default'),
    identityProvider: undefined,
    ...options.settings,
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    database,
    ring,
    logged,
    token,
    async call(method, at, body, headers = {}) {
      const response = await fetch(url + at, {
        method,
        redirect: 'manual',
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = (response.headers.get('content-type') ?? '').includes('json');
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: (isJson ? JSON.parse(text) : undefined) as unknown,
      };
    },
    async close() {
      await app.closeStreams();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      // A call to nowhere is tried again for a while, and one that finds its channel closed throws where nobody catches.
      await options.temporal?.connection.close();
      await drop();
      await rm(folder, { recursive: true });
    },
  };
}

async function appsAndBooks(database: Database, ring: KeyRing, url: string): Promise<AppsAndBooksClient> {
  const token = await findAppsAndBooksToken(database);
  if (!token) throw new CataloguedError('apps_and_books.token_missing');
  const { value } = await openSecret(database, ring, token.secretId, {
    actor: 'system',
    purpose: 'test',
    kind: 'apps_and_books_token',
    owner: { installation: true },
    address: addressOf(url),
  });
  return new AppsAndBooksClient({ url, token: value.toString() });
}
