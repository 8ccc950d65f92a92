// A small listener for processes that serve nobody else: alive, ready, metrics.
import { createServer } from 'node:http';
import type { Listen } from './config.ts';

export interface HealthSource {
  /** What the process needs, by name: ready when all of it is there. */
  parts(): Promise<Readonly<Record<string, boolean>>>;
  /** Prometheus text. */
  metrics(): Promise<string>;
}

/** GET /healthz: 200 while the process lives. GET /readyz: 200 or 503 with its parts. GET /metrics. */
export async function serveHealth(
  listen: Listen,
  source: HealthSource,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    const handle = async (): Promise<void> => {
      const path = (request.url ?? '').split('?')[0];
      if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
      if (path === '/healthz') return void response.writeHead(200).end('ok\n');
      if (path === '/readyz') {
        const parts = await source.parts();
        const isReady = Object.values(parts).every(Boolean);
        response.writeHead(isReady ? 200 : 503, { 'content-type': 'application/json' });
        return void response.end(JSON.stringify({ ready: isReady, parts }));
      }
      if (path !== '/metrics') return void response.writeHead(404).end();
      const text = await source.metrics();
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text);
    };
    handle().catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : listen.port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
