// What an admin uploads, and the codec server: read exactly, refused with the reason, never shown again.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CertificateAuthority, newRsaKeyPair } from '../../adapters/pki/certificate-authority.ts';
import { deleteDeviceTls, saveDeviceTls } from '../../adapters/store/devices/device-tls.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { alarmsOf } from './status.ts';

const DAY = 86_400_000;
let api: AdminApi;
let folder: string;
let authority: CertificateAuthority;
beforeAll(async () => {
  // Marks what it decoded, so that the test sees who did it.
  const read = ({ data }: { data?: Uint8Array | null }) => ({
    metadata: {},
    data: Buffer.concat([Buffer.from('plain '), data ?? Buffer.of()]),
  });
  api = await openAdminApi({ settings: { readPayload: read } });
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-uploads-'));
  const dates = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + 400 * DAY) };
  authority = await CertificateAuthority.create({ commonName: 'Pretend Apple', ...dates });
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

async function pushCertificate(topic: string, days = 365): Promise<{ certificate: string; key: string }> {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const certificate = authority.issue({
    subject: [
      ['UID', topic],
      ['CN', `APSP:${topic}`],
    ],
    publicKey,
    notBefore: new Date(Date.now() - 2 * DAY),
    notAfter: new Date(Date.now() + days * DAY),
    use: 'client',
  });
  return {
    certificate: certificate.pem,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const put = (body: object) => api.call('PUT', '/api/push-certificate', body);

test('with the first push certificate somebody chooses the access rights', async () => {
  const { certificate, key } = await pushCertificate('com.apple.mgmt.External.first');
  const pem = certificate + key;
  const refused = await put({ pem });
  expect([refused.status, refused.body.code, refused.body.errors[0].field]).toEqual([
    422,
    'apns.access_rights_missing',
    'accessRights',
  ]);
  expect((await put({ pem, accessRights: 'everything' })).body.code).toBe('request.invalid');
  expect((await api.call('GET', '/api/push-certificate')).body.code).toBe('apns.certificate_missing');
  expect((await put({ pem, accessRights: 'trust_only' })).body.accessRights).toBe('trust_only');
});

test('a renewal keeps the access rights of its topic: neither is widened nor narrowed', async () => {
  const first = await pushCertificate('com.apple.mgmt.External.rights');
  expect((await put({ pem: first.certificate + first.key, accessRights: 'full' })).body.accessRights).toBe(
    'full',
  );
  const renewed = await pushCertificate('com.apple.mgmt.External.rights');
  const pem = renewed.certificate + renewed.key;
  const changed = await put({ pem, accessRights: 'trust_only' });
  expect([changed.status, changed.body.code]).toEqual([409, 'apns.access_rights_fixed']);
  expect((await put({ pem })).body.accessRights).toBe('full');
  expect((await put({ pem, accessRights: 'full' })).status).toBe(200);
});

test('a push certificate is taken as PEM, whatever comes first in the file', async () => {
  const { certificate, key } = await pushCertificate('com.apple.mgmt.External.one');
  const set = await put({ pem: `${key}\n${authority.certificate.pem}\n${certificate}` });
  expect(set).toMatchObject({
    status: 200,
    body: {
      topic: 'com.apple.mgmt.External.one',
      daysLeft: 364,
      refusedAt: null,
      key: { setBy: 'this machine' },
    },
  });
  expect((await api.call('GET', '/api/push-certificate')).text).not.toContain('PRIVATE KEY');
});

test('a push certificate is taken as PKCS#12, and a wrong password is told at its field', async () => {
  const { certificate, key } = await pushCertificate('com.apple.mgmt.External.two');
  await writeFile(path.join(folder, 'c.pem'), certificate);
  await writeFile(path.join(folder, 'k.pem'), key);
  const file = path.join(folder, 'push.p12');
  execFileSync('openssl', [
    'pkcs12',
    '-export',
    '-in',
    path.join(folder, 'c.pem'),
    '-inkey',
    path.join(folder, 'k.pem'),
    '-out',
    file,
    '-passout',
    'pass:opensesame',
  ]);
  const pkcs12 = (await readFile(file)).toString('base64');
  const wrong = await put({ pkcs12, password: 'closed' });
  expect([wrong.status, wrong.body.code, wrong.body.errors[0].field]).toEqual([
    422,
    'apns.certificate_invalid',
    'password',
  ]);
  expect((await put({ pkcs12, password: 'opensesame' })).body.topic).toBe('com.apple.mgmt.External.two');
});

test('another topic than that of enrolled devices is refused until it is confirmed, and their certificate stays watched', async () => {
  const ours = await pushCertificate('com.apple.mgmt.External.ours', 20);
  expect((await put({ pem: ours.certificate + ours.key })).status).toBe(200);
  for (const [udid, status] of [
    ['ENROLLED', 'enrolled'],
    ['UNREACHABLE', 'unreachable'],
    ['LEFT', 'checked_out'],
  ])
    await api.database.query(
      `insert into devices (family, platform, udid, enrollment_status, enrollment_id, identity_fingerprint, topic)
       values ('Mac', 'macOS', $1, $2, gen_random_uuid(), convert_to($1, 'UTF8'), 'com.apple.mgmt.External.ours')`,
      [udid, status],
    );
  const created = await pushCertificate('com.apple.mgmt.External.created');
  const pem = created.certificate + created.key;
  const refused = await put({ pem });
  expect([refused.status, refused.body.code, refused.body.facts]).toEqual([
    409,
    'apns.other_topic',
    { topic: 'com.apple.mgmt.External.created', topicBefore: 'com.apple.mgmt.External.ours', devices: 2 },
  ]);
  expect((await api.call('GET', '/api/push-certificate')).body.topic).toBe('com.apple.mgmt.External.ours');
  const renewed = await pushCertificate('com.apple.mgmt.External.ours', 25);
  expect((await put({ pem: renewed.certificate + renewed.key })).status).toBe(200);

  const confirmed = await put({ pem, confirmOtherTopic: true });
  expect(confirmed.body).toMatchObject({
    topic: 'com.apple.mgmt.External.created',
    others: [{ topic: 'com.apple.mgmt.External.ours', daysLeft: 24, devices: 2 }],
  });
  const alarms = async () =>
    ((await api.call('GET', '/api/status')).body.alarms as { text: string }[]).map(({ text }) => text);
  expect(await alarms()).toEqual([
    'The push certificate of the earlier topic com.apple.mgmt.External.ours expires in 24 days.',
  ]);
  const { text } = await api.call('GET', '/metrics');
  expect(text).toMatch(/odette_push_certificate_days_left\{topic="com\.apple\.mgmt\.External\.ours"\} 24\./);
  await api.database.query(`update devices set enrollment_status = 'checked_out'`);
  expect(await alarms()).toEqual([]);
  expect((await api.call('GET', '/metrics')).text).not.toContain('External.ours"');
});

test('what Apple would refuse is refused with the reason, and nothing changes', async () => {
  const other = await pushCertificate('com.example.website');
  const expired = await pushCertificate('com.apple.mgmt.External.old', -1);
  const { certificate } = await pushCertificate('com.apple.mgmt.External.three');
  for (const [pem, reason] of [
    [other.certificate + other.key, /not a push certificate for MDM/],
    [expired.certificate + expired.key, /expired/],
    [certificate + other.key, /does not belong/],
    [`${certificate}-----BEGIN ENCRYPTED PRIVATE KEY-----`, /private key is encrypted/],
    ['nonsense', /a readable certificate/],
  ] as const) {
    const answer = await put({ pem });
    expect([answer.status, answer.body.code]).toEqual([422, 'apns.certificate_invalid']);
    expect(answer.body.detail).toMatch(reason);
  }
  const keyless = await put({ pem: certificate });
  expect([keyless.status, keyless.body.code]).toEqual([422, 'apns.key_unknown']);
  expect((await api.call('GET', '/api/push-certificate')).body.topic).not.toBe(
    'com.apple.mgmt.External.three',
  );
});

test('a file that is no Apps and Books token is refused at its field', async () => {
  const answer = await api.call('PUT', '/api/apps-and-books', { token: 'not a token' });
  expect([answer.status, answer.body.code, answer.body.errors[0].field]).toEqual([
    422,
    'apps_and_books.token_invalid',
    'token',
  ]);
});

test('the codec server decodes for a token that may act, for nobody else, and encodes for nobody', async () => {
  const body = {
    payloads: [
      {
        metadata: { encoding: Buffer.from('x').toString('base64') },
        data: Buffer.from('sealed').toString('base64'),
      },
    ],
  };
  const at = '/codec/decode?preserveStorageRefs=true';
  const decoded = await api.call('POST', at, body, { 'x-namespace': 'default' });
  expect(Buffer.from(decoded.body.payloads[0].data as string, 'base64').toString()).toBe('plain sealed');
  expect(decoded.headers.get('access-control-allow-origin')).toBeNull();
  expect((await api.call('POST', at, { payloads: 'none' })).status).toBe(400);
  expect((await api.call('POST', '/codec/encode', body)).status).toBe(404);

  const made = await api.call('POST', '/api/tokens', { name: 'reader', role: 'viewer' });
  const as = (authorization: string) => api.call('POST', at, body, { authorization });
  expect((await as(`Bearer ${made.body.token as string}`)).status).toBe(403);
  expect((await as('Bearer garbage')).status).toBe(401);
  expect((await as('')).status).toBe(401);
});

test('a message is sealed for an admin, for one workflow and name that Odette has, and audited', async () => {
  const workflowId = 'certificate/1';
  const sealed = await api.call('POST', '/api/temporal/seal', { workflowId, name: 'renewNow', body: {} });
  expect(sealed.status).toBe(200);
  const read = (name: string) =>
    Buffer.from(sealed.body.payload.metadata[name] as string, 'base64').toString();
  expect([read('encoding'), read('workflow-id'), read('place')]).toEqual([
    'binary/encrypted',
    workflowId,
    'renewNow',
  ]);
  const unknown = { workflowId, name: 'activity/queueCommands', body: {} };
  expect((await api.call('POST', '/api/temporal/seal', unknown)).status).toBe(400);
  // What its workflow would ignore is not sealed.
  const wrong = { workflowId, name: 'certificateWanted', body: { integrationId: 7 } };
  const refused = await api.call('POST', '/api/temporal/seal', wrong);
  expect([refused.status, refused.body.errors[0].field]).toEqual([400, 'body.integrationId']);
  const audit = await api.call('GET', '/api/audit?action=temporal.message_sealed');
  expect(audit.body.items).toMatchObject([
    { subject: 'workflow:certificate/1', detail: { name: 'renewNow' } },
  ]);
});

test('metrics tell of requests and devices, to whom may look', async () => {
  const { text } = await api.call('GET', '/metrics');
  expect(text).toContain('odette_http_request_seconds_count{operation="setPushCertificate",status="200"}');
  expect(text).toContain('odette_devices{state="total"} 0');
  expect(text).toContain('odette_push_certificate_days_left');
});

test('TLS for devices raises an alarm when its certificate ends soon, and when a device would refuse it', async () => {
  const DAYS = (count: number) => new Date(Date.now() + (count + 0.5) * DAY);
  const texts = async (found?: Parameters<typeof alarmsOf>[1]) =>
    (await alarmsOf(api.database, found)).map(({ failure, text }) => [failure.code, text]);
  for (const [days, when] of [
    [29, 'in 29 days'],
    [14, 'in 14 days'],
    [7, 'in 7 days'],
    [1, 'in 1 day'],
    [0, 'within a day'],
  ] as const) {
    await saveDeviceTls(api.database, DAYS(days));
    expect(await texts()).toEqual([
      ['tls.certificate_expires', `The TLS certificate for devices expires ${when}.`],
    ]);
  }
  await saveDeviceTls(api.database, DAYS(-2));
  expect(await texts()).toEqual([
    ['tls.certificate_expires', 'The TLS certificate for devices has expired: devices cannot connect.'],
  ]);
  expect((await api.call('GET', '/metrics')).text).toMatch(/odette_tls_certificate_days_left -1\./);
  // A proxy in front presents another certificate: that one counts.
  expect(await texts({ notAfter: DAYS(60), problems: ['It offers TLSv1.1.'] })).toEqual([
    ['tls.not_accepted', 'The public URL: It offers TLSv1.1.'],
  ]);
  await deleteDeviceTls(api.database);
  expect(await texts()).toEqual([]);
});
