// The ports of the embedded Temporal server, and the proxy before its UI: what a local program and a web page get there.
import { randomUUID } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addPerson } from '../../adapters/store/people/people.ts';
import { setSecondFactorRequired } from '../../adapters/store/people/second-factors.ts';
import { openSession } from '../../adapters/store/people/sessions.ts';
import { sha256 } from '../../api/admin/passwords.ts';
import { sessionCookie } from '../../api/http/session-cookie.ts';
import { createTemporalUi } from '../../api/temporal-ui.ts';
import { getTemporal } from '../../scripts/temporal-server.mjs';
import { createPayloadReader } from '../../workers/codec.ts';
import { startEmbeddedTemporal, type EmbeddedTemporal } from '../../workers/embedded-temporal.ts';
import { freePort } from '../../workers/free-port.ts';
import { sealedClientOptions } from '../../workers/sealed-client.ts';
import { closePages, hasBrowser, sharedBrowser } from '../browser/shared-browser.ts';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';

const keys = { currentKeyId: 'test', keyFor: () => Buffer.alloc(32, 7) };
const PLANTED = 'a-word-of-the-input';
let temporal: EmbeddedTemporal;
let uiPort: number;
let own: TestDatabase;
let proxy: Server;
let url: string;
let workflowId: string;
const sessions: Record<string, string> = {};

beforeAll(async () => {
  uiPort = await freePort();
  temporal = await startEmbeddedTemporal({
    program: await getTemporal(() => undefined),
    port: await freePort(),
    ui: { port: uiPort },
  });
  own = await createTestDatabase();
  for (const role of ['viewer', 'operator'] as const) {
    const person = await addPerson(own.database, { name: role, role, passwordHash: 'none' } as never);
    sessions[role] = randomUUID();
    await openSession(own.database, sha256(sessions[role]), person?.id ?? '');
  }
  proxy = createServer().listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const consoleUrl = 'http://127.0.0.1:4780';
  const app = createTemporalUi({
    sql: own.database,
    log: pino({ enabled: false }),
    cookie: sessionCookie(consoleUrl),
    read: createPayloadReader(keys, 'default'),
    url,
    consoleUrl,
    namespace: 'default',
    upstream: `http://127.0.0.1:${uiPort}`,
  });
  proxy.on('request', app);
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, ...sealedClientOptions(keys, 'default') });
  workflowId = `rollout/${randomUUID()}`;
  await client.workflow.start('rollOutDevice', {
    workflowId,
    taskQueue: 'nobody',
    args: [{ deviceId: PLANTED }],
    staticSummary: PLANTED,
  });
  await connection.close();
}, 60_000);
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await temporal.stop();
  await own.drop();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}
/** Not fetch: Host and Origin are what an attacker's page makes of them. */
const call = (
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = httpRequest(`${url}${path}`, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString(),
          headers: response.headers,
        }),
      );
    });
    sent.once('error', reject);
    sent.end(body);
  });
const as = (role: string, more: Record<string, string> = {}) => ({
  cookie: `odette_session=${sessions[role]}`,
  ...more,
});
const history = () =>
  `/api/v1/namespaces/default/workflows/${encodeURIComponent(workflowId)}/history?maximumPageSize=5`;
const settings = '/api/v1/settings';

test('neither the arguments of the server nor the settings of its UI say where to decode', async () => {
  const line = readFileSync(`/proc/${temporal.pid}/cmdline`, 'utf8');
  expect(line).toContain('--ui-port');
  expect(line).not.toMatch(/codec/i);
  const direct = (await (await fetch(`http://127.0.0.1:${uiPort}${settings}`)).json()) as {
    Codec: { Endpoint: string };
  };
  expect(direct.Codec.Endpoint).toBe('');
});

test('another user of the machine who reads the open ports gets ciphertext', async (context) => {
  if (process.getuid?.() !== 0) return context.skip('needs root to become another user');
  const read = spawnSync(
    process.execPath,
    [
      '-e',
      `fetch('http://127.0.0.1:${uiPort}${history()}').then((r) => r.text()).then((t) => process.stdout.write(process.getuid() + ' ' + t))`,
    ],
    { uid: 64_123, gid: 64_123, env: {}, cwd: '/', encoding: 'utf8' },
  );
  expect(read.stdout.startsWith('64123 {')).toBe(true);
  expect(read.stdout).toContain('rollOutDevice');
  const plain = Buffer.from(PLANTED);
  expect(read.stdout).not.toContain(PLANTED);
  expect(read.stdout).not.toContain(plain.toString('base64').slice(0, 16));
});

test('without the console’s session nobody sees anything; a page is sent to the console', async () => {
  expect((await call('GET', settings)).status).toBe(401);
  expect((await call('GET', settings, { cookie: 'odette_session=invented' })).status).toBe(401);
  const page = await call('GET', '/', { accept: 'text/html' });
  expect([page.status, page.headers['location']]).toEqual([303, 'http://127.0.0.1:4780']);
});

test('the list opens with the columns that say most, and a device’s link leads to the console', async () => {
  const list = await call('GET', '/odette/workflows', as('viewer', { accept: 'text/html' }));
  expect(list.status).toBe(200);
  expect(list.text).toContain('"RolloutPhase"},{"label":"FailureKind"');
  expect(list.text).toContain('location.replace("/namespaces/default/workflows")');
  expect(list.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'nonce-/);
  const device = randomUUID();
  const page = await call('GET', `/odette/devices/${device}`, as('viewer', { accept: 'text/html' }));
  expect([page.status, page.headers['location']]).toEqual([303, `http://127.0.0.1:4780/devices/${device}`]);
  expect((await call('GET', '/odette/devices/..%2f..', as('viewer'))).status).toBe(404);
  expect((await call('GET', '/odette/workflows')).status).toBe(401);
});

test.skipIf(!hasBrowser)(
  'the UI shows these columns, with phase and cause among them',
  async () => {
    const browser = await sharedBrowser();
    const context = await browser.newContext();
    await context.addCookies([{ name: 'odette_session', value: sessions['viewer'] ?? '', url }]);
    const page = await context.newPage();
    await page.goto(`${url}/odette/workflows`);
    const heads = page.getByRole('columnheader');
    await expect
      .poll(() => heads.allInnerTexts(), { timeout: 60_000 })
      .toEqual(expect.arrayContaining(['Workflow ID', 'RolloutPhase', 'FailureKind', 'CertificateNotAfter']));
    expect(new URL(page.url()).pathname).toBe('/namespaces/default/workflows');
    await closePages();
  },
  120_000,
);

test('a person who is signed in gets the UI, and is told where to decode', async () => {
  const page = await call('GET', '/', as('viewer', { accept: 'text/html' }));
  expect([page.status, page.text.slice(0, 15)]).toEqual([200, '<!doctype html>']);
  expect(page.headers['x-frame-options']).toBe('DENY');
  const told = JSON.parse((await call('GET', settings, as('viewer'))).text) as { Codec: object };
  expect(told.Codec).toMatchObject({ Endpoint: `${url}/odette/codec`, PassAccessToken: false });

  const { text } = await call('GET', history(), as('operator'));
  const payload = (
    JSON.parse(text) as {
      history: { events: { workflowExecutionStartedEventAttributes: { input: { payloads: object[] } } }[] };
    }
  ).history.events[0]?.workflowExecutionStartedEventAttributes.input.payloads[0];
  const body = JSON.stringify({ payloads: [payload] });
  const asked = { origin: url, 'content-type': 'application/json' };
  const at = '/odette/codec/decode?preserveStorageRefs=true';
  const decoded = await call('POST', at, as('operator', asked), body);
  const { payloads } = JSON.parse(decoded.text) as { payloads: { data: string }[] };
  expect(Buffer.from(payloads[0]?.data ?? '', 'base64').toString()).toBe(
    JSON.stringify({ deviceId: PLANTED }),
  );
  expect((await call('POST', '/odette/codec/encode', as('operator', asked), body)).status).not.toBe(200);
});

test('another Host, and the page of another site, are refused with a session too', async () => {
  expect((await call('GET', settings, as('operator', { host: 'evil.example' }))).status).toBe(403);
  expect((await call('GET', settings, as('operator', { origin: 'https://evil.example' }))).status).toBe(403);
  const blind = { 'content-type': 'text/plain' };
  const signal = '/api/v1/namespaces/default/batch-operations/x';
  for (const origin of [undefined, 'null', 'https://evil.example', 'http://127.0.0.1:4780']) {
    const headers = { ...blind, ...(origin !== undefined && { origin }) };
    expect((await call('POST', signal, as('operator', headers), '{}')).status).toBe(403);
  }
  const socket = { connection: 'Upgrade', upgrade: 'websocket', origin: 'https://evil.example' };
  expect((await call('GET', '/', as('operator', socket))).status).toBe(403);
});

test('a session without the second factor that is required opens nothing', async () => {
  await setSecondFactorRequired(own.database, true);
  expect((await call('GET', settings, as('viewer'))).status).toBe(403);
  await setSecondFactorRequired(own.database, false);
  expect((await call('GET', settings, as('viewer'))).status).toBe(200);
});

test('an operator ends a workflow from the UI; a viewer does not', async () => {
  const at = `/api/v1/namespaces/default/workflows/${encodeURIComponent(workflowId)}/terminate`;
  const headers = { origin: url, 'content-type': 'application/json' };
  expect((await call('POST', at, as('viewer', headers), '{}')).status).toBe(403);
  const ended = await call('POST', at, await ofPage('operator'), '{"reason":"test"}');
  expect(ended.status).toBe(200);
  const { text } = await call('GET', at.replace('/terminate', ''), as('operator'));
  expect(text).toContain('WORKFLOW_EXECUTION_STATUS_TERMINATED');
});

test('an operator resets a run and ends several as a batch from the UI; a viewer and a stranger do not', async () => {
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, ...sealedClientOptions(keys, 'default') });
  const taskQueue = `queue-${randomUUID()}`;
  const ids = [`rollout/${randomUUID()}`, `rollout/${randomUUID()}`];
  for (const id of ids)
    await client.workflow.start('rollOutDevice', {
      workflowId: id,
      taskQueue,
      args: [{ deviceId: PLANTED }],
    });
  // A first workflow task, as a worker would complete it: there is an event to reset to.
  for (const _ of ids) {
    const { taskToken } = await connection.withDeadline(Date.now() + 30_000, () =>
      connection.workflowService.pollWorkflowTaskQueue({
        namespace: 'default',
        taskQueue: { name: taskQueue },
      }),
    );
    await connection.workflowService.respondWorkflowTaskCompleted({ taskToken, commands: [] });
  }
  const [id = '', other = ''] = ids;
  const { runId } = await client.workflow.getHandle(id).describe();
  const namespace = '/api/v1/namespaces/default';
  const job = randomUUID();
  const executions = ids.map((each) => ({ workflowId: each }));
  const requests = [
    [
      `${namespace}/workflows/${encodeURIComponent(id)}/reset`,
      {
        workflowExecution: { workflowId: id, runId },
        reason: 'fixed',
        workflowTaskFinishEventId: '4',
        requestId: job,
      },
    ],
    [`${namespace}/batch-operations/${job}`, { executions, reason: 'fixed', terminationOperation: {} }],
  ] as const;
  for (const [at, body] of requests) {
    for (const [headers, status] of [
      [{ origin: url, 'content-type': 'application/json' }, 401],
      [await ofPage('viewer'), 403],
    ] as const)
      expect((await call('POST', at, headers, JSON.stringify(body))).status, at).toBe(status);
    const done = await call('POST', at, await ofPage('operator'), JSON.stringify(body));
    expect([at, done.status, done.text]).toEqual([at, 200, expect.any(String)]);
    if (at.endsWith('/reset')) {
      const after = await client.workflow.getHandle(id).describe();
      expect([after.runId === runId, after.status.name]).toEqual([false, 'RUNNING']);
      expect((await client.workflow.getHandle(id, runId).describe()).status.name).toBe('TERMINATED');
    }
  }
  for (const each of [id, other])
    await expect
      .poll(async () => (await client.workflow.getHandle(each).describe()).status.name, { timeout: 30_000 })
      .toBe('TERMINATED');
  await connection.close();
}, 60_000);

/** What the UI's own page sends. */
async function ofPage(role: string): Promise<Record<string, string>> {
  const first = await call('GET', settings.replace('settings', 'namespaces'), as(role));
  const csrf = String(first.headers['set-cookie']).match(/_csrf=([^;]+)/)?.[1] ?? '';
  const cookie = `odette_session=${sessions[role]}; _csrf=${csrf}`;
  return { origin: url, 'content-type': 'application/json', cookie, 'x-csrf-token': csrf };
}
