// Free TCP ports of this machine.
import { createServer, type AddressInfo } from 'node:net';

/** Any free port of the loopback address. */
export const freePort = (): Promise<number> => listenOnce(0);

/** `wanted` if nobody listens there, else the next free one behind it. */
export async function freePortFrom(wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + 200; port += 1) {
    const free = await listenOnce(port).catch(() => undefined);
    if (free !== undefined) return free;
  }
  return freePort();
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const { port: got } = server.address() as AddressInfo;
      server.close(() => resolve(got));
    });
  });
}
