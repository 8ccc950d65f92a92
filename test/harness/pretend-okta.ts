// A pretend Okta tenant (or Apps and Books) on real TLS on loopback, in a folder of its own, for one test file.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createPlainServer, type RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { CertificateAuthority, newRsaKeyPair } from '../../adapters/pki/certificate-authority.ts';
import { createAppsAndBooks, type AppsAndBooks } from '../../sandbox/apps-and-books/apps-and-books.ts';
import { MovableClock } from '../../sandbox/clock.ts';
import { createOktaTenant, type OktaTenant } from '../../sandbox/okta/okta-tenant.ts';
import { trustAuthority } from './trust.ts';

interface ServerIdentity {
  readonly key: string;
  readonly cert: string;
  readonly authorityPem: string;
}
let tls: Promise<ServerIdentity> | undefined;

/** One authority for each process; trusted from its first use on. */
export function serverIdentity(): Promise<ServerIdentity> {
  tls ??= (async () => {
    const [notBefore, notAfter] = [new Date(Date.now() - 3_600_000), new Date(Date.now() + 24 * 3_600_000)];
    const authority = await CertificateAuthority.create({
      commonName: 'Test authority',
      notBefore,
      notAfter,
    });
    const { publicKey, privateKey } = await newRsaKeyPair();
    const certificate = authority.issue({
      subject: [['CN', 'localhost']],
      publicKey,
      notBefore,
      notAfter,
      use: 'server',
      dnsNames: ['localhost'],
      ipAddresses: ['127.0.0.1'],
    });
    trustAuthority(authority.certificate.pem);
    return {
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      cert: certificate.pem,
      authorityPem: authority.certificate.pem,
    };
  })();
  return tls;
}

export interface TlsService {
  readonly host: string;
  /** For processes that are yet to start: what NODE_EXTRA_CA_CERTS must hold. */
  readonly authorityPem: string;
  serve(listener: RequestListener): void;
  close(): Promise<void>;
}

/** Listens on a free port of `localhost`; what it serves is said afterwards. */
export async function openTlsService(): Promise<TlsService> {
  const { authorityPem, ...identity } = await serverIdentity();
  const server: Server = createServer(identity);
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening));
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    authorityPem,
    serve: (listener) => void server.removeAllListeners('request').on('request', listener),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

export interface PretendOkta extends OktaTenant {
  readonly host: string;
  readonly clock: MovableClock;
  /** The same tenant again from what is on disk, on the same port. */
  restart(): Promise<void>;
}

export async function openPretendOkta(): Promise<PretendOkta> {
  const dataDir = await mkdtemp(join(tmpdir(), 'odette-okta-'));
  const clock = new MovableClock();
  const service = await openTlsService();
  const start = () => createOktaTenant({ world: { dataDir, clock }, host: service.host });
  let part = await start();
  service.serve(part.listener);
  return {
    host: service.host,
    clock,
    get tenant() {
      return part.tenant;
    },
    get listener() {
      return part.listener;
    },
    get knobs() {
      return part.knobs;
    },
    nameOf: (request) => part.nameOf(request),
    counts: () => part.counts(),
    restart: async () => {
      part = await start();
      service.serve(part.listener);
    },
    close: async () => {
      await service.close();
      await part.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export interface PretendAppsAndBooks extends AppsAndBooks {
  readonly url: string;
  readonly clock: MovableClock;
  /** Turns its knobs, as the sandbox's management port does. */
  manage(method: 'PATCH' | 'POST' | 'DELETE', path: string, body: object): Promise<void>;
}

export async function openPretendAppsAndBooks(): Promise<PretendAppsAndBooks> {
  const dataDir = await mkdtemp(join(tmpdir(), 'odette-licenses-'));
  const clock = new MovableClock();
  const service = await openTlsService();
  const part = await createAppsAndBooks({ world: { dataDir, clock } });
  service.serve(part.listener);
  const management = createPlainServer(express().use(express.json(), part.knobs));
  await new Promise<void>((listening) => management.listen(0, '127.0.0.1', listening));
  const { port } = management.address() as AddressInfo;
  return {
    ...part,
    url: `https://${service.host}/mdm/v2`,
    clock,
    async manage(method, path, body) {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers,
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
    },
    close: async () => {
      management.close();
      await service.close();
      await part.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
