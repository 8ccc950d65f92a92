// What an Apple device would not accept of a TLS server, against servers of each kind.
import { createServer, type TlsOptions } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CertificateAuthority, newRsaKeyPair } from '../pki/certificate-authority.ts';
import { checkConnection } from './connection-check.ts';

const DAY = 86_400_000;
const open: (() => void)[] = [];
let authority: CertificateAuthority;
beforeAll(async () => {
  const dates = { notBefore: new Date(Date.now() - 9 * DAY), notAfter: new Date(Date.now() + 99 * DAY) };
  authority = await CertificateAuthority.create({ commonName: 'Test authority', ...dates });
});
afterAll(() => open.forEach((close) => close()));

async function listen(options: TlsOptions, days = 30): Promise<string> {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const { pem } = authority.issue({
    subject: [['CN', 'localhost']],
    publicKey,
    notBefore: new Date(Date.now() - 2 * DAY),
    notAfter: new Date(Date.now() + days * DAY),
    use: 'client',
  });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const server = createServer({ cert: pem, key, ...options });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => server.close());
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

const NO_EXTENDED_MASTER_SECRET = 1; // SSL_OP_NO_EXTENDED_MASTER_SECRET

test.each<[string, TlsOptions, RegExp[]]>([
  ['TLS 1.3', { minVersion: 'TLSv1.3' }, []],
  ['TLS 1.2 with ECDHE', { maxVersion: 'TLSv1.2' }, []],
  [
    'TLS 1.2 without ECDHE',
    { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' },
    [/^It offers TLSv1\.2 with AES128-GCM-SHA256; Apple devices need/],
  ],
  [
    'TLS 1.1',
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
    [/^It offers TLSv1\.1 with/],
  ],
  [
    'TLS 1.2 without extended master secret',
    { maxVersion: 'TLSv1.2', secureOptions: NO_EXTENDED_MASTER_SECRET },
    [/no extended master secret/],
  ],
])('%s', async (_name, options, problems) => {
  const found = await checkConnection(await listen(options));
  expect(found?.problems).toHaveLength(problems.length);
  for (const [place, problem] of problems.entries()) expect(found?.problems[place]).toMatch(problem);
});

test('says when the certificate ends, and that it has ended', async () => {
  const found = await checkConnection(await listen({}, 20));
  expect(Math.round(((found?.notAfter.getTime() ?? 0) - Date.now()) / DAY)).toBe(20);
  const ended = await checkConnection(await listen({}, -1));
  expect(ended?.notAfter.getTime()).toBeLessThan(Date.now());
});

test('where nobody listens nothing can be said', async () => {
  expect(await checkConnection('https://localhost:9')).toBeUndefined();
});
