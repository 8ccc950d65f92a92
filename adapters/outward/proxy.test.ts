// A real proxy (CONNECT) on loopback, to which names lead that only it can resolve: Okta, Apps and Books and APNs through it.
import { createServer as createProxy, type Server } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { trustAuthority } from '../../test/harness/trust.ts';
import { ApnsClient } from '../apns/apns-client.ts';
import { AppsAndBooksClient } from '../apps-and-books/apps-and-books-client.ts';
import { GuardedHttp } from '../okta/guarded-http.ts';
import { CertificateAuthority, newRsaKeyPair } from '../pki/certificate-authority.ts';

const INSIDE = 'inside.example.test';
vi.mock('node:dns', async (original) => {
  const dns = await original<typeof import('node:dns')>();
  const lookup = (name: string, options: object, done: (...found: unknown[]) => void) =>
    name === 'inside.example.test'
      ? done(null, [{ address: '10.1.2.3', family: 4 }])
      : dns.lookup(name, options, done as never);
  return { ...dns, lookup, default: { ...dns, lookup } };
});

const NAMES = ['acme.okta.test', 'books.apple.test', 'push.apple.test', 'direct.okta.test'];
const asked: string[] = [];
const headersSeen: Record<string, unknown>[] = [];
/** APNs asks for a certificate; this one does not look at it. */
let pushIdentity: { readonly key: string; readonly cert: string };
let proxy: Server;
let web: ReturnType<typeof createServer>;
let push: ReturnType<typeof createSecureServer>;
const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

beforeAll(async () => {
  const dates = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 86_400_000) };
  const authority = await CertificateAuthority.create({ commonName: 'Test authority', ...dates });
  const { publicKey, privateKey } = await newRsaKeyPair();
  const certificate = authority.issue({
    subject: [['CN', 'outside']],
    publicKey,
    use: 'server',
    dnsNames: NAMES,
    ...dates,
  });
  trustAuthority(authority.certificate.pem);
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const cert = certificate.pem;
  pushIdentity = { key, cert };
  web = createServer({ key, cert }, (request, response) => {
    headersSeen.push(request.headers);
    if (request.url === '/moved')
      return void response.writeHead(302, { location: 'https://evil.test/' }).end();
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"locationName":"Berlin"}');
  });
  push = createSecureServer({ key, cert });
  push.on('stream', (stream) => void stream.respond({ ':status': 200 }, { endStream: true }));
  proxy = createProxy();
  proxy.on('connect', (request, socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`);
    if (request.url?.startsWith('refused')) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const to = connect(portOf(request.url?.startsWith('push') ? push : web), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      to.pipe(socket).pipe(to);
    });
    for (const end of [to, socket]) end.on('error', () => undefined);
  });
  for (const server of [web, push, proxy])
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterAll(() => {
  for (const server of [web, proxy]) server.closeAllConnections();
  for (const server of [web, push, proxy]) server.close();
});
beforeEach(() => {
  asked.length = 0;
  vi.stubEnv('HTTPS_PROXY', `http://ada:secret@127.0.0.1:${portOf(proxy)}`);
  vi.stubEnv('NO_PROXY', 'direct.okta.test');
});
afterEach(() => vi.unstubAllEnvs());

const AUTHORIZATION = `Basic ${Buffer.from('ada:secret').toString('base64')}`;
const ask = (url: string, allowedPrivateHosts: readonly string[] = []) =>
  new GuardedHttp({ allowedPrivateHosts }).send({
    url: new URL(url),
    headers: { authorization: 'Bearer t' },
  });

it('Okta is asked through the proxy; what is for Okta never reaches the proxy, nor the other way round', async () => {
  const { status, body } = await ask('https://acme.okta.test/api/v1/devices');
  expect([status, JSON.parse(body.toString())]).toEqual([200, { locationName: 'Berlin' }]);
  expect(asked).toEqual([`acme.okta.test:443 ${AUTHORIZATION}`]);
  expect(headersSeen.at(-1)).toMatchObject({ authorization: 'Bearer t', 'user-agent': 'odette' });
  expect(headersSeen.at(-1)).not.toHaveProperty('proxy-authorization');
});

it('a redirect is a response like any other', async () => {
  expect((await ask('https://acme.okta.test/moved')).status).toBe(302);
  expect(asked).not.toContain(expect.stringContaining('evil.test'));
});

it('an address in NO_PROXY, this machine, and a private host that is allowed are asked directly', async () => {
  await expect(ask('https://direct.okta.test/')).rejects.toMatchObject({ code: 'okta.unreachable' });
  const here = `localhost:${portOf(web)}`;
  await expect(ask(`https://${here}/`, [here])).rejects.toMatchObject({ code: 'okta.unreachable' });
  expect(asked).toEqual([]);
});

it.each([`https://${INSIDE}/`, 'https://10.1.2.3/', 'https://localhost/'])(
  'a private address is refused, whatever the proxy would do: %s',
  async (url) => {
    await expect(ask(url)).rejects.toMatchObject({ code: 'okta.host_not_allowed' });
    expect(asked).toEqual([]);
  },
);

it('a proxy that refuses is named as unreachable', async () => {
  await expect(ask('https://refused.okta.test/')).rejects.toMatchObject({ code: 'okta.unreachable' });
});

it('Apps and Books, and pushes, go through it too', async () => {
  const books = new AppsAndBooksClient({ url: 'https://books.apple.test/mdm/v2', token: 't' });
  expect((await books.location()).name).toBe('Berlin');
  const apns = new ApnsClient({
    url: 'https://push.apple.test',
    certificatePem: pushIdentity.cert,
    privateKeyPem: pushIdentity.key,
    topic: 'com.apple.mgmt.External.1',
  });
  const pushed = { token: Buffer.from('01', 'hex'), pushMagic: 'm' };
  await Promise.all([apns.push(pushed), apns.push(pushed)]);
  await apns.push(pushed);
  apns.close();
  expect(asked).toEqual([`books.apple.test:443 ${AUTHORIZATION}`, `push.apple.test:443 ${AUTHORIZATION}`]);
});
