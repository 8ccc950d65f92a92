// Against a real HTTP/2 server with TLS and client certificates: what is sent, what refusals mean, and that the connection mends.
import {
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  createSecureServer,
} from 'node:http2';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CertificateAuthority, newRsaKeyPair } from '../pki/certificate-authority.ts';
import { ApnsClient, type ApnsSettings } from './apns-client.ts';

const TOPIC = 'com.apple.mgmt.External.test';
const TOKEN = Buffer.from('00ffab'.repeat(10) + '0102', 'hex');

let authority: CertificateAuthority;
let server: Http2SecureServer;
let client: ApnsClient;
let url: string;
let credentials: Pick<ApnsSettings, 'certificatePem' | 'privateKeyPem'>;
let sessions: ServerHttp2Session[];
let requests: { headers: Record<string, unknown>; body: string }[];
let respond: (stream: ServerHttp2Stream) => void;

const pem = (key: { export(o: { format: 'pem'; type: 'pkcs8' }): string | Buffer }) =>
  key.export({ format: 'pem', type: 'pkcs8' }).toString();

async function issue(use: 'client' | 'server', subject: [string, string][]) {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const [notBefore, notAfter] = [new Date(Date.now() - 60_000), new Date(Date.now() + 3_600_000)];
  const certificate = authority.issue({
    subject,
    publicKey,
    notBefore,
    notAfter,
    use,
    ipAddresses: ['127.0.0.1'],
  });
  return { certificatePem: certificate.pem, privateKeyPem: pem(privateKey) };
}

beforeAll(async () => {
  authority = await newAuthority('test');
  credentials = await issue('client', [['UID', TOPIC]]);
  const own = await issue('server', [['CN', '127.0.0.1']]);
  server = createSecureServer({
    cert: own.certificatePem,
    key: own.privateKeyPem,
    ca: authority.certificate.pem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.on('session', (session) => sessions.push(session));
  server.on('sessionError', () => undefined);
  server.on('stream', (stream, headers) => {
    let body = '';
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => (body += chunk.toString()));
    stream.on('end', () => {
      requests.push({ headers, body });
      respond(stream);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  for (const session of sessions) session.destroy();
  server.close();
});
beforeEach(() => {
  [sessions, requests] = [[], []];
  respond = (stream) => {
    stream.respond({ ':status': 200 });
    stream.end();
  };
  client = new ApnsClient({
    url,
    topic: TOPIC,
    ...credentials,
    authorities: [authority.certificate.pem],
  });
});
afterEach(() => client.close());

const push = () => client.push({ token: TOKEN, pushMagic: 'magic-1' });
const refuse = (status: number, reason: string, headers = {}) => {
  respond = (stream) => {
    stream.respond({ ':status': status, ...headers });
    stream.end(JSON.stringify({ reason }));
  };
};

describe('a push', () => {
  test('names token, topic, type, priority and expiration, and carries the magic only', async () => {
    await push();
    expect(requests).toHaveLength(1);
    const [{ headers, body }] = requests as [(typeof requests)[0]];
    expect(headers).toMatchObject({
      ':method': 'POST',
      ':path': `/3/device/${TOKEN.toString('hex')}`,
      'apns-topic': TOPIC,
      'apns-push-type': 'mdm',
      'apns-priority': '10',
    });
    const seconds = Number(headers['apns-expiration']) - Date.now() / 1000;
    expect(seconds).toBeGreaterThan(3590);
    expect(seconds).toBeLessThan(3610);
    expect(body).toBe('{"mdm":"magic-1"}');
  });

  test('shares one connection with a hundred others', async () => {
    await Promise.all(Array.from({ length: 100 }, push));
    expect([requests.length, sessions.length]).toEqual([100, 1]);
  });
});

describe('a refusal', () => {
  test.each([
    [403, 'BadCertificate', 'apns.certificate_refused'],
    [400, 'TopicDisallowed', 'apns.certificate_refused'],
    [400, 'BadDeviceToken', 'apns.token_gone'],
    [410, 'Unregistered', 'apns.token_gone'],
    [429, 'TooManyRequests', 'apns.rate_limited'],
    [503, 'ServiceUnavailable', 'apns.unreachable'],
    [413, 'PayloadTooLarge', 'apns.unexpected_response'],
  ])('%d %s is %s', async (status, reason, code) => {
    refuse(status, reason);
    await expect(push()).rejects.toMatchObject({ code, facts: { status, reason } });
  });

  test('says how long to wait', async () => {
    refuse(429, 'TooManyRequests', { 'retry-after': '7' });
    await expect(push()).rejects.toMatchObject({ retryAfterMs: 7000 });
  });

  test('of the client certificate by a TLS alert is known as such', async () => {
    const strict = await strictServer();
    const stranger = await otherAuthority();
    const other = new ApnsClient({
      url: strict.url,
      topic: TOPIC,
      ...stranger,
      authorities: [authority.certificate.pem],
    });
    await expect(other.push({ token: TOKEN, pushMagic: 'm' })).rejects.toMatchObject({
      code: 'apns.certificate_refused',
    });
    other.close();
    strict.stop();
  });
});

/** Node's own server drops such a connection without a word; openssl sends the alert. */
async function strictServer() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'odette-apns-'));
  const file = (name: string, content: string) => {
    writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  };
  const own = await issue('server', [['CN', '127.0.0.1']]);
  const words = 's_server -accept 127.0.0.1:0 -alpn h2 -Verify 1 -verify_return_error'.split(' ');
  const server = spawn('openssl', [
    ...words,
    ...['-cert', file('c.pem', own.certificatePem), '-key', file('k.pem', own.privateKeyPem)],
    ...['-CAfile', file('ca.pem', authority.certificate.pem)],
  ]);
  const port = await new Promise<string>((resolve) => {
    let text = '';
    server.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /ACCEPT [^\n]*:(\d+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  return {
    url: `https://127.0.0.1:${port}`,
    stop() {
      server.kill();
      rmSync(folder, { recursive: true });
    },
  };
}

async function otherAuthority() {
  const real = authority;
  authority = await newAuthority('stranger');
  const stranger = await issue('client', [['UID', TOPIC]]);
  authority = real;
  return stranger;
}

const newAuthority = (commonName: string) =>
  CertificateAuthority.create({
    commonName,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  });

describe('the connection', () => {
  test('is made anew after GOAWAY, and the pushes under way end well', async () => {
    await push();
    sessions[0]?.goaway();
    await Promise.all([push(), push()]);
    expect(requests).toHaveLength(3);
    expect(sessions.length).toBeGreaterThan(1);
  });

  test('is made anew after it broke, also in the middle of a push', async () => {
    await push();
    respond = (stream) => {
      respond = (next) => {
        next.respond({ ':status': 200 });
        next.end();
      };
      stream.session?.destroy();
    };
    await push();
    expect([requests.length, sessions.length]).toEqual([3, 2]);
  });

  test('that cannot be made is apns.unreachable', async () => {
    const nowhere = new ApnsClient({
      url: 'https://127.0.0.1:9',
      topic: TOPIC,
      ...credentials,
    });
    await expect(nowhere.push({ token: TOKEN, pushMagic: 'm' })).rejects.toMatchObject({
      code: 'apns.unreachable',
    });
  });
});
