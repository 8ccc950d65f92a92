// The way to a push certificate whose key never leaves Odette: request, vendor's signature or signing service, Apple's answer.
import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPlist, parsePlistDict } from '../../adapters/mdm/plist.ts';
import { CertificateAuthority, newRsaKeyPair } from '../../adapters/pki/certificate-authority.ts';
import { readCertificate, readCertificates } from '../../adapters/pki/certificate.ts';
import { buildCsr, readCsr } from '../../adapters/pki/csr.ts';
import { envelope } from '../../adapters/pki/enveloped-data.ts';
import { openSecret } from '../../adapters/store/base/secrets.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';

const DAY = 86_400_000;
const PATH = '/api/push-certificate/request';
const dates = (days = 400) => ({
  notBefore: new Date(Date.now() - 2 * DAY),
  notAfter: new Date(Date.now() + days * DAY),
});
let api: AdminApi;
let apple: CertificateAuthority;
/** What the signing service was sent, and how it answers. */
const sent: Record<string, string>[] = [];
let serviceAnswer = { status: 200, body: JSON.stringify({ result: 'success' }) };
let service: Server;
beforeAll(async () => {
  service = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      sent.push(JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>);
      response
        .writeHead(serviceAnswer.status, { 'content-type': 'application/json' })
        .end(serviceAnswer.body);
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const signingServiceUrl = `http://127.0.0.1:${(service.address() as AddressInfo).port}/api/v1/signrequest`;
  api = await openAdminApi({ settings: { signingServiceUrl } });
  apple = await CertificateAuthority.create({ commonName: 'Pretend Apple root', ...dates() });
});
afterAll(async () => {
  await api.close();
  service.close();
});

async function vendor(days = 400) {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const certificate = apple.issue({
    subject: [['CN', 'MDM Vendor: Acme']],
    publicKey,
    use: 'signing',
    ...dates(days),
  });
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

const csrOf = (pem: string) => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');

/** Apple's portal: takes a signed request as its documentation says, and issues the certificate. */
function portal(content: string, topic: string): string {
  const plist = parsePlistDict(Buffer.from(content, 'base64'));
  const csr = Buffer.from(String(plist['PushCertRequestCSR']), 'base64');
  const chain = readCertificates(String(plist['PushCertCertificateChain']));
  expect(String(plist['PushCertCertificateChain'])).toMatch(/^[^\n]{1,64}$/m);
  const [signer, root] = chain;
  expect([signer?.commonName, root?.commonName, chain.length]).toEqual([
    'MDM Vendor: Acme',
    'Pretend Apple root',
    2,
  ]);
  expect(new X509Certificate(signer?.der ?? '').verify(apple.certificate.publicKey)).toBe(true);
  const signature = Buffer.from(String(plist['PushCertSignature']), 'base64');
  expect(verify('sha256', csr, signer?.publicKey ?? '', signature)).toBe(true);
  const { publicKey } = readCsr(csr);
  return apple.issue({ subject: [['UID', topic]], publicKey, use: 'client', ...dates() }).pem;
}

const set = (pem: string, more = {}) => api.call('PUT', '/api/push-certificate', { pem, ...more });
const refusal = ({ status, body }: Awaited<ReturnType<AdminApi['call']>>) => [
  status,
  body.code,
  body.errors?.[0]?.field,
];

async function currentKey(): Promise<string> {
  const [row] = await api.database.query<{ id: string }>(
    'select key_secret_id as id from push_certificates order by set_at desc limit 1',
  );
  const { value } = await openSecret(api.database, api.ring, row?.id ?? '', {
    actor: 'test',
    purpose: 'test',
    kind: 'push_key',
    owner: { installation: true },
  });
  return value.toString();
}

test('nothing is signed, sent or opened before there is a request', async () => {
  const { certificate, key } = await vendor();
  expect(refusal(await api.call('GET', PATH))).toEqual([404, 'apns.request_missing', undefined]);
  const signed = await api.call('POST', `${PATH}/sign`, { pem: certificate.pem + key });
  expect(refusal(signed)).toEqual([404, 'apns.request_missing', undefined]);
});

describe('an organization with a vendor certificate', () => {
  test('signs the request, and uploads Apple’s answer without a key', async () => {
    const made = await api.call('POST', PATH);
    expect([made.status, made.text.includes('PRIVATE')]).toEqual([201, false]);
    expect((await api.call('GET', PATH)).body).toEqual(made.body);
    const { certificate, key } = await vendor();
    const body = { pem: certificate.pem + key, chain: apple.certificate.pem };
    const signed = await api.call('POST', `${PATH}/sign`, body);
    const issued = portal(signed.body.content, 'com.apple.mgmt.External.requested');
    const taken = await set(issued, { accessRights: 'trust_only' });
    expect([taken.status, taken.body.topic]).toEqual([200, 'com.apple.mgmt.External.requested']);
    expect(new X509Certificate(issued).checkPrivateKey(createPrivateKey(await currentKey()))).toBe(true);
    // The request is done; the vendor's key is stored nowhere and logged nowhere.
    expect((await api.call('GET', PATH)).status).toBe(404);
    const secrets = await api.database.query<{ count: number }>(
      'select count(*)::int as count from secrets where kind = $1',
      ['push_key'],
    );
    expect(secrets[0]?.count).toBe(1);
    expect(api.logged.join()).not.toContain(key.slice(100, 160));
  });

  test('renews with the same key, with another request, and still imports a key of its own', async () => {
    const before = await currentKey();
    const csr = (await api.call('POST', PATH)).body.csr as string;
    const issue = (publicKey: ReturnType<typeof createPublicKey>) =>
      apple.issue({
        subject: [['UID', 'com.apple.mgmt.External.requested']],
        publicKey,
        use: 'client',
        ...dates(),
      }).pem;
    expect((await set(issue(createPublicKey(before)))).status).toBe(200);
    expect(await currentKey()).toBe(before);
    // The answer to a request is taken although a newer request was made meanwhile.
    await api.call('POST', PATH);
    expect((await set(issue(readCsr(csrOf(csr)).publicKey))).status).toBe(200);
    expect(await currentKey()).not.toBe(before);
    const { publicKey, privateKey } = await newRsaKeyPair();
    const own = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect((await set(issue(publicKey) + own)).status).toBe(200);
    expect(await currentKey()).toContain('PRIVATE KEY');
    expect(refusal(await set(issue((await newRsaKeyPair()).publicKey)))).toEqual([
      422,
      'apns.key_unknown',
      'pem',
    ]);
  });

  test('reads what is wrong with certificate or chain', async () => {
    await api.call('POST', PATH);
    const { certificate, key } = await vendor();
    const sign = (body: object) => api.call('POST', `${PATH}/sign`, body);
    const noChain = await sign({ pem: certificate.pem + key });
    expect(refusal(noChain)).toEqual([422, 'apns.vendor_certificate_invalid', 'chain']);
    expect(noChain.body.detail).toContain('CN=Pretend Apple root');
    const expired = await vendor(-1);
    const late = await sign({ pem: expired.certificate.pem + expired.key, chain: apple.certificate.pem });
    expect(late.body.detail).toMatch(/“MDM Vendor: Acme” expired on \d{4}-\d\d-\d\d: Apple refuses/);
    const noKey = await sign({ pem: certificate.pem, chain: apple.certificate.pem });
    expect(refusal(noKey)).toEqual([422, 'apns.vendor_certificate_invalid', 'vendor']);
  });
});

describe('an organization without one', () => {
  const order = { email: 'ada@acme.example', key: 'key-of-this-odette' };

  async function serviceSigns(days = 400, csr?: Buffer) {
    const { csr: sentCsr = '', encrypt = '' } = sent.at(-1) ?? {};
    const { certificate, key } = await vendor(days);
    const request = csr ?? csrOf(Buffer.from(sentCsr, 'base64').toString());
    const plist = buildPlist({
      PushCertRequestCSR: request.toString('base64'),
      PushCertCertificateChain: certificate.pem + apple.certificate.pem,
      PushCertSignature: sign('sha256', request, key).toString('base64'),
    }).toString('base64');
    const recipient = readCertificate(Buffer.from(encrypt, 'base64').toString());
    return { plist, file: envelope(Buffer.from(plist), recipient, 'aes-128-cbc').toString('hex') };
  }
  const open = (file: string) => api.call('POST', `${PATH}/open`, { file });

  test('has it signed by the public service, and carries to Apple what Apple takes', async () => {
    await api.call('POST', PATH);
    const reply = await api.call('POST', `${PATH}/send`, order);
    expect([reply.status, typeof reply.body.sentAt]).toEqual([200, 'string']);
    expect(sent.at(-1)).toMatchObject(order);
    expect(Buffer.from(sent.at(-1)?.['csr'] ?? '', 'base64').toString()).toBe(reply.body.csr);
    const { plist, file } = await serviceSigns();
    const opened = await open(`${file}\n`);
    expect(opened.body).toEqual({ content: plist });
    const issued = portal(opened.body.content, 'com.apple.mgmt.External.requested');
    expect((await set(issued)).status).toBe(200);
    expect(api.logged.join()).not.toContain(order.key);
  });

  test('learns before the portal what Apple would refuse', async () => {
    await api.call('POST', PATH);
    expect(refusal(await open('3082'))).toEqual([422, 'apns.signed_request_invalid', 'file']);
    await api.call('POST', `${PATH}/send`, order);
    const expired = await open((await serviceSigns(-1)).file);
    expect(expired.body.detail).toContain('expired on');
    const foreign = buildCsr({ subject: [['CN', 'other']], keyPair: await newRsaKeyPair() });
    expect((await open((await serviceSigns(400, foreign)).file)).body.detail).toContain(
      'not the current request',
    );
    const { file } = await serviceSigns();
    await api.call('POST', `${PATH}/send`, order);
    expect((await open(file)).body.detail).toContain('not the response of the signing service');
    expect((await open('zz')).status).toBe(422);
  });

  test('is told when the service refuses or is down, and nothing is said to be sent', async () => {
    await api.call('POST', PATH);
    serviceAnswer = {
      status: 400,
      body: JSON.stringify({ result: 'failure', reason: 'unknown email address' }),
    };
    const refused = await api.call('POST', `${PATH}/send`, order);
    expect([...refusal(refused).slice(0, 2), refused.body.facts]).toEqual([
      502,
      'apns.signing_service_refused',
      { status: 400, reason: 'unknown email address' },
    ]);
    serviceAnswer = { status: 503, body: 'down' };
    expect(refusal(await api.call('POST', `${PATH}/send`, order)).slice(0, 2)).toEqual([
      502,
      'apns.signing_service_unreachable',
    ]);
    expect((await api.call('GET', PATH)).body.sentAt).toBeNull();
  });
});
