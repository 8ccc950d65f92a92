// A listener of a process, over TLS where it is given: how long a client may take, and how many connections it may hold.
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Listen } from './config.ts';

export interface Listener {
  readonly port: number;
  /** For connections from now on; those that are open keep what they have. Nothing to do without TLS. */
  replaceTls(tls: TlsKeyAndCertificate): void;
  /** Takes no new connections, lets requests under way end within `patienceMs`, then closes what is left. */
  stop(patienceMs: number): Promise<void>;
}

interface TlsKeyAndCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const TLS_OPTIONS = { minVersion: 'TLSv1.2' } as const;

const HEADERS_MS = 10_000;
/** A list of two megabytes over a slow line. */
const REQUEST_MS = 60_000;
/** How often late ones are looked for. */
const CHECK_MS = 2000;
const MAX_CONNECTIONS = 10_000;
/** An office behind one address has many devices, each with a connection or two. */
const MAX_CONNECTIONS_OF_ADDRESS = 2500;

function limitByAddress(server: Server, isTrustedProxy: (address: string | undefined) => boolean): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: address } = socket;
    if (address === undefined || isTrustedProxy(address)) return;
    const count = open.get(address) ?? 0;
    if (count >= MAX_CONNECTIONS_OF_ADDRESS) return void socket.destroy();
    open.set(address, count + 1);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
}

/** @throws Error one sentence when the address is taken */
export async function startListener(
  name: string,
  app: RequestListener,
  listen: Listen,
  {
    tls,
    isTrustedProxy = () => false,
    maxConnections = MAX_CONNECTIONS,
  }: {
    readonly tls?: TlsKeyAndCertificate | undefined;
    /** Addresses behind which many clients are. */
    readonly isTrustedProxy?: (address: string | undefined) => boolean;
    /** Of all addresses together. */
    readonly maxConnections?: number;
  } = {},
): Promise<Listener> {
  const looksEvery = { connectionsCheckingInterval: CHECK_MS };
  const secure = tls && createHttpsServer({ ...looksEvery, ...tls, ...TLS_OPTIONS }, app);
  const server: Server = secure ?? createHttpServer(looksEvery, app);
  // A client that never finishes its request must not hold a connection for ever.
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  server.maxConnections = maxConnections;
  limitByAddress(server, isTrustedProxy);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`The ${name} listener cannot use ${listen.host}:${listen.port} (${error.code}).`)),
    );
    server.listen(listen.port, listen.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : listen.port,
    replaceTls: ({ cert, key }) => secure?.setSecureContext({ cert, key, ...TLS_OPTIONS }),
    stop: (patienceMs) =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), patienceMs).unref();
      }),
  };
}
