// The pretend APNs accepts what Apple accepts, and refuses the rest with Apple's status and reason.
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:http2';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Authorities } from '../authorities.ts';
import { openAuthorities } from '../authorities.ts';
import { MovableClock } from '../clock.ts';
import { HoldPoints } from '../hold-points.ts';
import { listen } from '../listeners.ts';
import { StateFile } from '../state-file.ts';
import type { PushRefusal } from './push-refusals.ts';
import type { PushState, PushTarget } from './push-service.ts';
import { PushService } from './push-service.ts';

const TOPIC = 'com.apple.mgmt.External.one';
const TOKEN = 'ab'.repeat(32);
const GONE = 'cd'.repeat(32);
const ELSEWHERE = 'ef'.repeat(32);

let folder: string;
let authorities: Authorities;
let service: PushService;
let address: string;
let session: ClientHttp2Session;
let isReachable = true;
const delivered: string[] = [];
const clock = new MovableClock();

const target = (more: Partial<PushTarget>): PushTarget => ({
  name: 'mac',
  topic: TOPIC,
  isGone: false,
  deliver: (payload) => {
    if (isReachable) delivered.push(payload.toString());
    return isReachable;
  },
  ...more,
});
const targets: Record<string, PushTarget> = {
  [TOKEN]: target({}),
  [GONE]: target({ isGone: true }),
  [ELSEWHERE]: target({ topic: 'com.apple.mgmt.External.two' }),
};

function connectWith(pem?: string): ClientHttp2Session {
  const client = connect(address, {
    ca: authorities.tls.certificate.pem,
    ...(pem !== undefined && { cert: pem, key: pem }),
  });
  client.on('error', () => undefined);
  return client;
}

interface Given {
  token?: string;
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  on?: ClientHttp2Session;
}
const send = ({
  token = TOKEN,
  path,
  method = 'POST',
  headers,
  body = '{"mdm":"magic"}',
  on = session,
}: Given = {}) =>
  new Promise<{ status: number; reason?: PushRefusal; timestamp?: number }>((resolve, reject) => {
    const stream = on.request({ ':method': method, ':path': path ?? `/3/device/${token}`, ...headers });
    let status = 0;
    let text = '';
    stream.on('response', (response) => (status = Number(response[':status'])));
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    stream.on('end', () => resolve({ status, ...(text && (JSON.parse(text) as object)) }));
    stream.on('error', reject);
    stream.end(body);
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'odette-apns-'));
  authorities = await openAuthorities(folder);
  service = await PushService.open({
    key: authorities.server.key,
    certificate: authorities.server.certificate,
    appleAuthority: authorities.apple.certificate.pem,
    directory: { find: (token) => targets[token] },
    clock,
    holds: new HoldPoints(),
    file: new StateFile<PushState>(join(folder, 'apns.json')),
  });
  address = `https://localhost:${await listen(service.server, 0)}`;
  session = connectWith((await authorities.issuePushCertificate(TOPIC)).pem);
});
beforeEach(() => {
  isReachable = true;
  delivered.length = 0;
});
afterAll(async () => {
  session.close();
  await service.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a push', () => {
  it('reaches the device whose token and topic it names', async () => {
    await expect(send({ headers: { 'apns-topic': TOPIC, 'apns-push-type': 'mdm' } })).resolves.toEqual({
      status: 200,
    });
    expect(delivered).toEqual(['{"mdm":"magic"}']);
  });

  it('waits for a device that cannot be reached; only the newest is kept', async () => {
    isReachable = false;
    await send({ body: '{"mdm":"first"}' });
    await send({ body: '{"mdm":"second"}' });
    expect(delivered).toEqual([]);
    isReachable = true;
    await service.deliverStored(TOKEN);
    await service.deliverStored(TOKEN);
    expect(delivered).toEqual(['{"mdm":"second"}']);
    expect(service.counts()['coalesced']).toBe(1);
  });

  it('is dropped when its time is over', async () => {
    isReachable = false;
    await send({ headers: { 'apns-expiration': String(Math.floor(Date.now() / 1000) + 3600) } });
    isReachable = true;
    clock.move(2 * 3600 * 1000);
    await service.deliverStored(TOKEN);
    expect(delivered).toEqual([]);
  });
});

describe('refusals by truth', () => {
  const cases: readonly [string, Given, number, PushRefusal][] = [
    ['another method', { method: 'PUT' }, 405, 'MethodNotAllowed'],
    ['another path', { path: '/2/device' }, 404, 'BadPath'],
    ['an empty body', { body: '' }, 400, 'PayloadEmpty'],
    ['a body over 4 KiB', { body: 'x'.repeat(4097) }, 413, 'PayloadTooLarge'],
    ['a topic that the certificate does not have', { headers: { 'apns-topic': 'other' } }, 400, 'BadTopic'],
    ['another push type', { headers: { 'apns-push-type': 'alert' } }, 400, 'InvalidPushType'],
    ['a priority Apple does not know', { headers: { 'apns-priority': '7' } }, 400, 'BadPriority'],
    ['an expiration that is no time', { headers: { 'apns-expiration': 'soon' } }, 400, 'BadExpirationDate'],
    ['a token that is none', { token: 'xyz' }, 400, 'BadDeviceToken'],
    ['a token nobody has', { token: '12'.repeat(32) }, 400, 'BadDeviceToken'],
    ['a token of another topic', { token: ELSEWHERE }, 400, 'DeviceTokenNotForTopic'],
    ['a token of an earlier enrollment', { token: GONE }, 410, 'Unregistered'],
  ];
  it.each(cases)('%s', async (_what, given, status, reason) => {
    await expect(send(given)).resolves.toMatchObject({ status, reason });
    expect(delivered).toEqual([]);
  });

  it('no client certificate, or one that Apple did not issue', async () => {
    const nobody = connectWith();
    await expect(send({ on: nobody })).resolves.toMatchObject({
      status: 403,
      reason: 'MissingProviderToken',
    });
    nobody.close();
    const foreign = connectWith(`${authorities.server.certificate}\n${authorities.server.key}`);
    await expect(send({ on: foreign })).resolves.toMatchObject({ status: 403, reason: 'BadCertificate' });
    foreign.close();
  });

  it('too many pushes for one device within a second', async () => {
    service.knobs.perSecond = 2;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const responses = await Promise.all([send(), send(), send()]);
    service.knobs.perSecond = 50;
    expect(responses.map((response) => response.status).sort()).toEqual([200, 200, 429]);
  });
});

describe('misbehavior by order', () => {
  it('refuses as often as it is told, then no more', async () => {
    service.knobs.refuse = { reason: 'ServiceUnavailable', times: 1 };
    await expect(send()).resolves.toMatchObject({ status: 503 });
    await expect(send()).resolves.toEqual({ status: 200 });
  });

  it('accepts pushes and loses them', async () => {
    service.knobs.isLosing = true;
    await expect(send()).resolves.toEqual({ status: 200 });
    service.knobs.isLosing = false;
    expect(delivered).toEqual([]);
  });

  it('sends GOAWAY; a new connection is served', async () => {
    const other = connectWith((await authorities.issuePushCertificate(TOPIC)).pem);
    await send({ on: other });
    const closed = new Promise((resolve) => other.on('goaway', resolve));
    expect(service.goAway()).toBe(2);
    await closed;
    session = connectWith((await authorities.issuePushCertificate(TOPIC)).pem);
    await expect(send()).resolves.toEqual({ status: 200 });
  });
});
