// Opens and closes the sandbox's listeners, and takes what `server.close` would wait for.
import type { Server, Socket } from 'node:net';

/** A client that keeps a connection open decides when it ends: a request on one that we close is lost. */
const KEEP_ALIVE_MS = 10 * 60_000;

/** Those that no request came on yet are among them: the server's own list has none that is in its TLS handshake. */
const connections = new WeakMap<Server, Set<Socket>>();

/** Listens on loopback; port 0 takes any free one. Resolves with the port. */
export function listen(server: Server, port: number): Promise<number> {
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = KEEP_ALIVE_MS;
  const open = new Set<Socket>();
  connections.set(server, open);
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

/** Ends a listener that {@link listen} began, and every connection it has. */
export function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of connections.get(server) ?? []) socket.destroy();
  });
}
