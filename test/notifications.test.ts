// Notifications from the API to the receiver: signatures that another implementation verifies, receivers that misbehave, email.
// Long, because each kind of target is walked from the API to what its receiver gets.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { needsYou } from '../api/admin/needs-you.ts';
import { alarmsOf } from '../api/admin/status.ts';
import { appendAudit } from '../adapters/store/base/audit.ts';
import type { Need } from '../domain/notification-plan.ts';
import { notificationSender } from '../workers/notification-sender.ts';
import { startNotifications } from '../workers/notifications.ts';
import { openAdminApi, type AdminApi } from './harness/admin-api.ts';
import { openMailServer, type MailServer } from './harness/mail-server.ts';
import { openTlsService, type TlsService } from './harness/pretend-okta.ts';

interface Received {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}
type Behave = (request: IncomingMessage, response: ServerResponse) => void;

let receiver: TlsService;
let implicit: MailServer;
let upgraded: MailServer;
let api: AdminApi;
const received: Received[] = [];
/** One for each request to come; then it behaves. */
const misbehaves: Behave[] = [];
let needs: Need[] = [];
let running: { stop(): Promise<void> } | undefined;
interface Warning {
  readonly code?: string;
  readonly detail?: string;
}
const warnings: Warning[] = [];
const log = {
  info: () => undefined,
  warn: (fields: object) => void warnings.push(fields),
  error: (fields: object) => void warnings.push(fields),
};

beforeAll(async () => {
  receiver = await openTlsService();
  receiver.serve((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks).toString('utf8'),
      });
      const misbehave = misbehaves.shift();
      if (misbehave === undefined) response.writeHead(204).end();
      else misbehave(request, response);
    });
  });
  implicit = await openMailServer('tls');
  upgraded = await openMailServer('starttls');
});
afterAll(async () => {
  await Promise.all([receiver.close(), implicit.close(), upgraded.close()]);
});

const allowed = () => [receiver.host, `localhost:${implicit.port}`, `localhost:${upgraded.port}`];

beforeEach(async () => {
  received.length = 0;
  misbehaves.length = 0;
  warnings.length = 0;
  needs = [];
  api = await openAdminApi({ allowedPrivateHosts: allowed() });
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await api.close();
});

/** As the relay runs it, with a minute that is a moment. */
function start(): void {
  running = startNotifications({
    database: api.database,
    log,
    send: notificationSender(api.database, api.ring, allowed()),
    readNeeds: () => Promise.resolve(needs),
    consoleUrl: 'https://odette.example.com',
    lookEveryMs: 50,
    graceMs: 200,
  });
}

const RULES = { topics: ['installation', 'devices'], minDevices: 1, tellsWhenDone: true };
const webhook = (more: object = {}) => ({
  kind: 'webhook',
  name: 'Pager',
  isOn: true,
  rules: RULES,
  url: `https://${receiver.host}/in/a-secret-path?token=t0psecret`,
  ...more,
});
const email = (server: MailServer, security: 'tls' | 'starttls', more: object = {}) => ({
  host: 'localhost',
  port: server.port,
  security,
  username: 'odette',
  from: 'odette@example.com',
  to: ['it@example.com', 'desk@example.com'],
  ...more,
});

interface Saved {
  readonly id: string;
  readonly signingKey: string | null;
}
async function add(body: object): Promise<Saved> {
  const made = await api.call('POST', '/api/notification-targets', body);
  expect(made.status, made.text).toBe(201);
  return made.body as Saved;
}
const sendTest = async (id: string): Promise<void> => {
  expect((await api.call('POST', `/api/notification-targets/${id}/test`, {})).status).toBe(202);
};
interface Shown {
  readonly outcome: string | null;
  readonly attempts: number;
  readonly subject: string;
  readonly failure: { readonly code: string } | null;
  readonly failureDetail: string | null;
}
const sent = async (id: string): Promise<Shown[]> =>
  ((await api.call('GET', `/api/notification-targets/${id}/notifications`)).body as { items: Shown[] }).items;
/** The next attempt is due now. */
const hurry = async (): Promise<void> => {
  await api.database.query(
    `with due as (update notifications set next_attempt_at = now() where ended_at is null returning 1)
     select pg_notify('odette_notifications', '') from due`,
  );
};
const eventually = <T>(look: () => Promise<T>): Promise<T> =>
  vi.waitFor(look, { timeout: 50_000, interval: 50 });

const CAUSE: Need = {
  key: 'devices:needs_you:apps_and_books.no_license',
  text: 'No license of Okta Verify is left. Get more in Apple Business Manager.',
  devices: 3,
  path: '/devices?bucket=needs_you',
};

describe('a webhook', () => {
  test('is signed so that the reference library of Standard Webhooks verifies it', async () => {
    const { id, signingKey } = await add(webhook());
    start();
    await sendTest(id);
    await eventually(async () => expect((await sent(id))[0]?.outcome).toBe('delivered'));
    const [{ body, headers, path } = { body: '', headers: {}, path: '' }] = received;
    expect(path).toBe('/in/a-secret-path?token=t0psecret');
    expect(new Webhook(signingKey ?? '').verify(body, headers)).toMatchObject({
      type: 'test',
      data: { changes: [] },
    });
    expect(() => new Webhook(signingKey ?? '').verify(`${body} `, headers)).toThrow();
  });

  test('tells what is new, what grew and what is done, each once', async () => {
    const { id } = await add(webhook());
    needs = [CAUSE];
    start();
    const told = () =>
      received.flatMap(({ body }) =>
        (
          JSON.parse(body) as { data: { changes: { what: string; devices: number; url: string }[] } }
        ).data.changes.map(({ what, devices, url }) => [what, devices, url]),
      );
    const url = 'https://odette.example.com/devices?bucket=needs_you';
    await eventually(async () => expect(told()).toEqual([['new', 3, url]]));
    needs = [{ ...CAUSE, devices: 4, text: 'Other words.' }];
    needs = [{ ...CAUSE, devices: 30 }];
    await eventually(async () => expect(told()[1]).toEqual(['grew', 30, url]));
    needs = [];
    await eventually(async () => expect(told()[2]).toEqual(['done', 30, url]));
    expect(told()).toHaveLength(3);
    expect((await sent(id)).map(({ subject }) => subject)).toEqual([
      'Odette: 1 item is resolved',
      'Odette: 1 item needs you',
      'Odette: 1 item needs you',
    ]);
  });

  test('of a receiver that fails, is slow or hangs up is tried again with the same id, and arrives once it behaves', async () => {
    const { id } = await add(webhook());
    misbehaves.push(
      // Without its end, the next request would be sent twice: a pooled connection may close just as it is used.
      (_request, response) =>
        void response.writeHead(500, { connection: 'close' }).end('no room at /in/a-secret-path'),
      (_request, response) => void response.socket?.destroy(),
      // Never answers.
      () => undefined,
      (_request, response) => void response.writeHead(302, { location: 'https://localhost/' }).end(),
    );
    start();
    await sendTest(id);
    // Twelve minutes of that are an alarm.
    await eventually(async () => {
      if (warnings.length < 4) await hurry();
      expect(warnings).toHaveLength(4);
    });
    expect((await alarmsOf(api.database)).map(({ failure, text }) => [failure.code, text])).toEqual([
      ['notify.not_delivered', 'Pager: notifications do not arrive.'],
    ]);
    expect(warnings.map(({ code }) => code)).toEqual([
      'notify.refused',
      'notify.unreachable',
      'notify.unreachable',
      'notify.refused',
    ]);
    expect(warnings.map(({ detail }) => detail)).toEqual([
      'status 500, answer no room at /in/…',
      `host ${receiver.host}, reason ECONNRESET`,
      `host ${receiver.host}, reason time-out`,
      'status 302',
    ]);
    await eventually(async () => {
      await hurry();
      expect((await sent(id))[0]?.outcome).toBe('delivered');
    });
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(received).toHaveLength(5);
    expect(await alarmsOf(api.database)).toEqual([]);
  });

  test('survives the end of the relay that was delivering it', async () => {
    const { id } = await add(webhook());
    await sendTest(id);
    await api.database.query(
      `update notifications set attempts = 1, claimed_until = now() - interval '1 second'`,
    );
    start();
    await eventually(async () =>
      expect((await sent(id))[0]).toMatchObject({ outcome: 'delivered', attempts: 2 }),
    );
  });

  test('that is gone (410) turns its target off', async () => {
    const { id } = await add(webhook());
    misbehaves.push((_request, response) => void response.writeHead(410).end());
    start();
    await sendTest(id);
    await eventually(async () =>
      expect((await sent(id))[0]).toMatchObject({ outcome: 'given_up', failure: { code: 'notify.gone' } }),
    );
    const listed = await api.call('GET', '/api/notification-targets');
    expect(listed.body).toMatchObject({ items: [{ isOn: false, failure: { code: 'notify.gone' } }] });
  });

  test('goes to no private address, whoever names it', async () => {
    for (const url of [
      'https://127.0.0.1/',
      'https://[::1]/',
      'https://169.254.169.254/',
      'https://localhost/',
    ]) {
      const refused = await api.call('POST', '/api/notification-targets', webhook({ url }));
      expect([url, refused.status, refused.body.code]).toEqual([url, 422, 'notify.address_refused']);
    }
    const plain = await api.call(
      'POST',
      '/api/notification-targets',
      webhook({ url: 'http://example.com/' }),
    );
    expect(plain.status).toBe(400);
    // A name that leads to one, and an address that was allowed when it was entered.
    const { id } = await add(webhook());
    const target = startNotifications({
      database: api.database,
      log,
      send: notificationSender(api.database, api.ring, []),
      readNeeds: () => Promise.resolve([]),
      consoleUrl: '',
    });
    await sendTest(id);
    await eventually(async () =>
      expect((await sent(id))[0]).toMatchObject({
        outcome: 'given_up',
        failure: { code: 'notify.address_refused' },
      }),
    );
    await target.stop();
    expect(received).toEqual([]);
  });

  test('gets a new key with a new URL, keeps both otherwise, and shows neither again', async () => {
    const { id, signingKey } = await add(webhook());
    const { url: _url, ...kept } = webhook();
    const renamed = await api.call('PUT', `/api/notification-targets/${id}`, { ...kept, name: 'Other' });
    expect(renamed.body).toMatchObject({ name: 'Other', address: receiver.host, signingKey: null });
    const moved = await api.call(
      'PUT',
      `/api/notification-targets/${id}`,
      webhook({ url: `https://${receiver.host}/new` }),
    );
    expect((moved.body as Saved).signingKey).toMatch(/^whsec_/);
    expect((moved.body as Saved).signingKey).not.toBe(signingKey);
    const everything = [
      await api.call('GET', '/api/notification-targets'),
      await api.call('GET', '/api/audit'),
    ];
    for (const { text } of everything) expect(text).not.toMatch(/t0psecret|secret-path|whsec_/);
    expect(api.logged.join('\n')).not.toMatch(/t0psecret|secret-path|whsec_/);
  });
});

test('Slack gets text in its own markup, and what devices are called stays text', async () => {
  const { signingKey } = await add({
    kind: 'slack',
    name: 'Channel',
    isOn: true,
    rules: RULES,
    url: `https://${receiver.host}/services/T0/B0/x`,
  });
  expect(signingKey).toBeNull();
  needs = [{ ...CAUSE, text: 'Ask <!channel> & co.' }];
  start();
  await eventually(async () => expect(received).toHaveLength(1));
  expect(JSON.parse(received[0]?.body ?? '')).toEqual({
    text: '*Odette: 1 item needs you*\n• Needs you: 3 devices: Ask &lt;!channel&gt; &amp; co. <https://odette.example.com/devices?bucket=needs_you|Open>',
    unfurl_links: false,
  });
});

test('rules keep out what a target does not want to hear', async () => {
  const rules = { topics: ['devices'], minDevices: 5, tellsWhenDone: false };
  await add(webhook({ rules }));
  needs = [CAUSE, { ...CAUSE, key: 'alarm:x', devices: null }, { ...CAUSE, key: 'many', devices: 5 }];
  start();
  await eventually(async () => expect(received).toHaveLength(1));
  expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({ data: { changes: [{ key: 'many' }] } });
});

describe('an email', () => {
  const target = (settings: object, more: object = {}) => ({
    kind: 'email',
    name: 'Mail',
    isOn: true,
    rules: RULES,
    email: settings,
    password: 'a password for mail',
    ...more,
  });

  test.for(['tls', 'starttls'] as const)('goes to all mailboxes over %s', async (security) => {
    const server = security === 'tls' ? implicit : upgraded;
    server.mails.length = 0;
    const { id } = await add(target(email(server, security)));
    needs = [CAUSE];
    start();
    await eventually(async () =>
      expect((await sent(id))[0]?.outcome, JSON.stringify(warnings)).toBe('delivered'),
    );
    const [mail] = server.mails;
    expect(mail?.to).toEqual(['it@example.com', 'desk@example.com']);
    expect(mail?.text).toMatch(/^Subject: Odette: 1 item needs you$/m);
    expect(mail?.text).toMatch(/^Message-ID: <[0-9a-f-]{36}@odette\.invalid>$/m);
    expect(mail?.text).toContain('Needs you: 3 devices: No license of Okta Verify is left.');
  });

  test('is not sent in the clear, nor with a password that the server refuses', async () => {
    upgraded.offersTls = false;
    upgraded.mails.length = 0;
    const { id } = await add(target(email(upgraded, 'starttls')));
    start();
    await sendTest(id);
    await eventually(async () =>
      expect((await sent(id))[0]?.failure?.code, JSON.stringify(warnings)).toBe('notify.tls_refused'),
    );
    upgraded.offersTls = true;
    upgraded.account.password = 'another one';
    await eventually(async () => {
      await hurry();
      expect((await sent(id))[0]?.failure?.code, JSON.stringify(warnings)).toBe('notify.credentials_refused');
    });
    upgraded.account.password = 'a password for mail';
    expect(upgraded.mails).toEqual([]);
  });

  test('server that changed asks for the password again; the stored one goes nowhere else', async () => {
    const { id } = await add(target(email(implicit, 'tls')));
    const { password: _password, ...kept } = target(email(implicit, 'tls'));
    const at = `/api/notification-targets/${id}`;
    expect((await api.call('PUT', at, { ...kept, name: 'Renamed' })).status).toBe(200);
    for (const change of [
      { host: 'mail.example.com' },
      { port: upgraded.port },
      { security: 'starttls' },
      { username: 'somebody' },
    ]) {
      const refused = await api.call('PUT', at, { ...kept, email: email(implicit, 'tls', change) });
      expect(refused.body).toMatchObject({
        code: 'secrets.other_address',
        errors: [{ field: 'password' }],
      });
    }
    const unknown = await api.call('PUT', at, { ...kept, emial: {} });
    expect(unknown.status).toBe(400);
  });
});

test('what needs an admin keeps its key while the numbers in its text change', async () => {
  const refused = () => appendAudit(api.database, { actor: 'system', action: 'temporal.refused' });
  await refused();
  const before = await needsYou(api.database, await alarmsOf(api.database), ['Temporal']);
  await refused();
  const after = await needsYou(api.database, await alarmsOf(api.database), []);
  expect(before.map(({ key }) => key)).toEqual(['part:Temporal', 'alarm:temporal.unauthenticated']);
  expect(after.map(({ key, path }) => [key, path])).toEqual([['alarm:temporal.unauthenticated', '/doctor']]);
  expect(after[0]?.text).toContain('refused 2 messages');
});
