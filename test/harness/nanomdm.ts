// A real NanoMDM v0.9.0 on PostgreSQL for tests, built by Go through its module proxy. Where Go is not, what needs it is left out and says so.
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { buildNanoMdm, startPeer, type Peer } from '../benchmarks/peers.ts';

const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/odette-nanomdm', import.meta.url));

type Built = ReturnType<typeof buildNanoMdm>;
let built: Built;
let reason: string | undefined;

/** Why there is none; undefined: there is. */
export function nanoMdmIsMissing(): string | undefined {
  if (built !== undefined || reason !== undefined) return reason;
  try {
    mkdirSync(FOLDER, { recursive: true });
    built = buildNanoMdm(FOLDER);
    reason = built === undefined ? 'Go, which builds NanoMDM, is not installed.' : undefined;
  } catch (error) {
    reason = `Go could not build NanoMDM: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (reason !== undefined) console.log(`Skipped: ${reason}`);
  return reason;
}

export interface NanoMdm {
  readonly url: string;
  readonly apiKey: string;
  readonly webhookKey: string;
  /** Its own tables. */
  readonly databaseUrl: string;
  readonly pid: number;
  /** Calls its API with the key. */
  call(method: string, path: string, body?: string | Uint8Array): Promise<Response>;
  /** SIGKILL, at once. */
  kill(): Promise<void>;
  /** Starts it again at the same address, on the same tables. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** @param options.databaseUrl of any database of the server in which it gets one of its own */
export async function startNanoMdm(options: {
  readonly databaseUrl: string;
  /** Of the devices' identities. */
  readonly authorityPem: string;
  readonly webhookUrl: string;
  /** PEM file of whoever issued the webhook's and Apple's TLS certificates. */
  readonly tlsAuthority?: string;
  /** https:// of the push service that stands for Apple's. */
  readonly pushService?: string;
}): Promise<NanoMdm> {
  if (built === undefined) throw new Error(reason ?? 'ask nanoMdmIsMissing first');
  const folder = await mkdtemp(path.join(os.tmpdir(), `odette-nanomdm-${process.pid}-`));
  const name = `nano_${path
    .basename(folder)
    .replaceAll(/[^0-9a-z]/gi, '')
    .toLowerCase()}`;
  const databaseUrl = options.databaseUrl.replace(/\/[^/?]+\?/, `/${name}?`);
  await onDatabase(options.databaseUrl, `create database ${name}`);
  await onDatabase(databaseUrl, built.schema);
  const ca = path.join(folder, 'identities.pem');
  await writeFile(ca, options.authorityPem);
  const query = new URL(databaseUrl).searchParams;
  const dsn = `host=${query.get('host')} user=${query.get('user')} dbname=${name} sslmode=disable`;
  const [apiKey, webhookKey] = ['an API key', 'a webhook key of some length'];
  const proxy = options.pushService === undefined ? undefined : await proxyTo(new URL(options.pushService));
  const flags = {
    ca,
    storage: 'pgsql',
    'storage-dsn': dsn,
    api: apiKey,
    'webhook-url': options.webhookUrl,
    'webhook-hmac-key': webhookKey,
  };
  const { nanomdm } = built;
  const run = (port?: number): Promise<Peer> =>
    startPeer(
      nanomdm,
      (listen) => Object.entries({ ...flags, listen }).flatMap(([flag, value]) => [`-${flag}`, value]),
      'http',
      {
        ...process.env,
        ...(options.tlsAuthority !== undefined && { SSL_CERT_FILE: options.tlsAuthority }),
        ...(proxy && { HTTPS_PROXY: proxy.url, NO_PROXY: '' }),
      },
      port,
    );
  let peer = await run();
  const { origin } = peer;
  return {
    url: origin,
    apiKey,
    webhookKey,
    databaseUrl,
    get pid() {
      return peer.pid;
    },
    call(method, at, body) {
      const authorization = `Basic ${Buffer.from(`nanomdm:${apiKey}`).toString('base64')}`;
      const given = body && { body: typeof body === 'string' ? body : new Uint8Array(body) };
      return fetch(origin + at, { method, headers: { authorization }, ...given });
    },
    kill: () => peer.stop('SIGKILL'),
    async start() {
      peer = await run(Number(new URL(origin).port));
    },
    async stop() {
      await peer.stop();
      await proxy?.close();
      await onDatabase(options.databaseUrl, `drop database if exists ${name} with (force)`).catch(
        () => undefined,
      );
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** NanoMDM knows only Apple's own address: whatever it asks its proxy for is led to the service that stands for Apple's. */
async function proxyTo(target: URL): Promise<{ url: string; close(): Promise<void> }> {
  const proxy = createServer();
  const open = new Set<{ destroy(): void }>();
  proxy.on('connect', (_request, socket) => {
    const to = connect(Number(target.port), target.hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      to.pipe(socket).pipe(to);
    });
    for (const end of [to, socket]) {
      open.add(end);
      end.on('error', () => undefined);
    }
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async close() {
      for (const end of open) end.destroy();
      await new Promise((closed) => proxy.close(closed));
    },
  };
}

async function onDatabase(url: string, statement: string): Promise<void> {
  const database = connectDatabase(url, { max: 1, applicationName: 'odette-test' });
  try {
    await database.query(statement);
  } finally {
    await database.end();
  }
}
