// The two listeners of the API process: people and programs on one, devices on the other, over TLS where files are given.
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Listen } from './config.ts';

export interface Listener {
  readonly port: number;
  /** Takes no new connections, lets requests under way end within `patienceMs`, then closes what is left. */
  stop(patienceMs: number): Promise<void>;
}

/** @throws Error one sentence when the address is taken or a TLS file cannot be used */
export async function startListener(
  name: string,
  app: RequestListener,
  listen: Listen,
  tls?: { readonly certificateFile: string; readonly keyFile: string },
): Promise<Listener> {
  const server: Server = tls ? createHttpsServer(await readTls(tls), app) : createHttpServer(app);
  // A client that never finishes its request must not hold a connection for ever.
  server.requestTimeout = 60_000;
  server.headersTimeout = 20_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`The ${name} listener cannot use ${listen.host}:${listen.port} (${error.code}).`)),
    );
    server.listen(listen.port, listen.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : listen.port,
    stop: (patienceMs) =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), patienceMs).unref();
      }),
  };
}

async function readTls(files: { readonly certificateFile: string; readonly keyFile: string }) {
  const [cert, key] = await Promise.all(
    [files.certificateFile, files.keyFile].map((file) =>
      readFile(file).catch((error: NodeJS.ErrnoException) => {
        throw new Error(`The TLS file ${file} cannot be read (${error.code}).`);
      }),
    ),
  );
  return { cert, key, minVersion: 'TLSv1.2' as const };
}
