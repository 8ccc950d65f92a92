// The whole way to a push certificate without a vendor's: request, send, open, Apple's portal, set; by `odette`, with a signing service and a
// portal that refuse what the real ones refuse.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CertificateAuthority } from '../adapters/pki/certificate-authority.ts';
import { issuePushCertificate } from '../sandbox/push-certificates/portal.ts';
import { SIGNING_PATH, SigningService } from '../sandbox/push-certificates/signing-service.ts';
import { openAdminApi, type AdminApi } from './harness/admin-api.ts';
import { runOdette, type Ran } from './harness/command-line.ts';

const DAY_MS = 86_400_000;
const SERVER_KEY = 'key-of-this-odette';
const EMAIL = 'ada@acme.example';

let apple: CertificateAuthority;
let service: SigningService;
let server: Server;
let serviceUrl: string;
let api: AdminApi;
let folder: string;
let keyFile: string;

beforeAll(async () => {
  apple = await CertificateAuthority.create({
    commonName: 'Pretend Apple root',
    notBefore: new Date(Date.now() - 2 * DAY_MS),
    notAfter: new Date(Date.now() + 3650 * DAY_MS),
  });
  service = await SigningService.open(apple);
  service.admitServer(SERVER_KEY);
  server = createServer(service.app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  serviceUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}${SIGNING_PATH}`;
  api = await openAdminApi({ settings: { signingServiceUrl: serviceUrl } });
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-push-certificate-'));
  keyFile = await file('service-key', SERVER_KEY);
});
afterAll(async () => {
  await api.close();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

async function file(name: string, content: string): Promise<string> {
  const at = path.join(folder, name);
  await writeFile(at, content, { mode: 0o600 });
  return at;
}

const odette = (...args: string[]): Promise<Ran> =>
  runOdette(['push-certificate', ...args], {
    environment: { ODETTE_URL: api.url, ODETTE_TOKEN: api.token },
  });
const send = (email = EMAIL, key = keyFile) => odette('send', '--email', email, '--key-file', key);

test('whom the service does not know is told so in its words, and nothing counts as sent', async () => {
  const made = await odette('request');
  expect([made.code, made.printed]).toEqual([
    0,
    expect.stringMatching(/^-----BEGIN CERTIFICATE REQUEST-----/),
  ]);
  const unknown = await send();
  expect(unknown.code).not.toBe(0);
  expect(unknown.told).toContain('unknown email address');
  service.register(EMAIL);
  const foreign = await send(EMAIL, await file('other-key', 'key-of-nobody'));
  expect(foreign.told).toContain('invalid server key');
  expect((await odette('request')).told).not.toContain('sent to the signing service');
  expect(service.mails).toEqual([]);
});

test('request, send, open, portal and set: Odette has its certificate, and its key never left', async () => {
  const { printed: csr } = await odette('request');
  expect((await send()).code).toBe(0);
  expect((await odette('request')).told).toContain('sent to the signing service');
  const [mail] = service.mails;
  expect(mail?.to).toBe(EMAIL);
  const attachment = await file('mdm_signed_request.plist.b64.p7', mail?.attachment ?? '');
  const opened = await odette('open', attachment);
  expect([opened.code, opened.told]).toEqual([0, expect.stringContaining('identity.apple.com/pushcert')]);
  const issued = issuePushCertificate(apple, opened.printed);
  const set = await odette('set', await file('MDM_Odette.pem', issued), '--access-rights', 'trust-only');
  expect([set.code, set.printed]).toEqual([0, expect.stringContaining('com.apple.mgmt.External.')]);
  expect((await odette('show')).printed).toContain('com.apple.mgmt.External.');
  for (const said of [csr, opened.printed, set.printed, ...api.logged]) expect(said).not.toContain('PRIVATE');
  expect(api.logged.join()).not.toContain(SERVER_KEY);
});

test('what was sent for an earlier request is refused before the portal', async () => {
  const [old] = service.mails;
  await odette('request', '--new');
  const refused = await odette('open', await file('old.p7', old?.attachment ?? ''));
  expect([refused.code === 0, refused.told]).toEqual([false, expect.stringContaining('never sent')]);
});

test.each([
  ['a field too many', { more: 'x' }, 'nothing else'],
  ['no key', { key: '' }, 'key is empty'],
  ['a request that is not PEM', { csr: Buffer.from('no').toString('base64') }, 'csr is not base64 of PEM'],
  ['a request without base64', { csr: '-----BEGIN' }, 'csr is not base64 of PEM'],
  ['no certificate', { encrypt: Buffer.from('no').toString('base64') }, 'encrypt is not base64 of PEM'],
])('the service refuses %s', async (_what, change, reason) => {
  const { printed } = await odette('request');
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const right = {
    csr: base64(`${printed}\n`),
    email: EMAIL,
    key: SERVER_KEY,
    encrypt: base64(apple.certificate.pem),
  };
  const ask = async (body: object) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(serviceUrl, { method: 'POST', headers, body: JSON.stringify(body) });
    return [response.status, ((await response.json()) as { reason?: string }).reason];
  };
  expect(await ask(right)).toEqual([200, undefined]);
  expect(await ask({ ...right, ...change })).toEqual([400, expect.stringContaining(reason)]);
});
