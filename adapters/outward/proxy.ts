// HTTPS_PROXY and NO_PROXY, for whatever Odette asks of others: which proxy an address goes through, and the ways through it.
import type { Duplex } from 'node:stream';
import { getProxyForUrl } from 'proxy-from-env';
import { Client, fetch as proxiedFetch, ProxyAgent } from 'undici';

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/i;

/** As curl reads HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case; this machine itself is never asked through one. */
export function proxyFor(url: URL): URL | undefined {
  if (url.protocol !== 'https:' || LOOPBACK.test(url.hostname)) return undefined;
  const proxy = getProxyForUrl(url.href);
  return proxy === '' ? undefined : new URL(proxy);
}

const agents = new Map<string, ProxyAgent>();

/** One pool of tunnels (CONNECT) for each proxy of this process; TLS ends at the address that was asked for. */
export function throughProxy(proxy: URL): ProxyAgent {
  const known = agents.get(proxy.href) ?? new ProxyAgent({ uri: proxy.href });
  agents.set(proxy.href, known);
  return known;
}

/** `fetch`, through the proxy where the address has one. */
export async function outwardFetch(url: string, options: RequestInit = {}): Promise<Response> {
  const proxy = proxyFor(new URL(url));
  if (proxy === undefined) return fetch(url, options);
  const through = { ...options, dispatcher: throughProxy(proxy) } as Parameters<typeof proxiedFetch>[1];
  return (await proxiedFetch(url, through)) as unknown as Response;
}

/** A connection to the host of `target`, without TLS yet. @throws Error when the proxy refuses it; its `code` is the proxy's status */
export async function openTunnel(proxy: URL, target: URL): Promise<Duplex> {
  const authority = `${target.hostname}:${target.port === '' ? '443' : target.port}`;
  const client = new Client(proxy.origin);
  const user = [proxy.username, proxy.password].map(decodeURIComponent).join(':');
  const { statusCode, socket } = await client.connect({
    path: authority,
    headers: {
      host: authority,
      ...(user !== ':' && { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }),
    },
  });
  socket.once('close', () => void client.destroy().catch(() => undefined));
  if (statusCode === 200) return socket;
  socket.destroy();
  throw Object.assign(new Error('the proxy refuses the connection'), { code: `PROXY_${statusCode}` });
}
