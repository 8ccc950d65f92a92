// Whoever answers a notification, or changes the tables, against its secrets: nothing is followed, and nothing goes to another server.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { notificationSender } from '../../workers/notification-sender.ts';
import { startNotifications } from '../../workers/notifications.ts';
import { openAdminApi, type AdminApi } from '../harness/admin-api.ts';
import { openMailServer, type MailServer } from '../harness/mail-server.ts';
import { openTlsService, type TlsService } from '../harness/pretend-okta.ts';

const RULES = { topics: ['installation', 'devices'], minDevices: 1, tellsWhenDone: true };
let receiver: TlsService;
let attacker: MailServer;
let mail: MailServer;
let api: AdminApi;
let asked: string[] = [];
let running: { stop(): Promise<void> } | undefined;

beforeAll(async () => {
  [receiver, mail, attacker] = await Promise.all([
    openTlsService(),
    openMailServer('tls'),
    openMailServer('tls'),
  ]);
  receiver.serve((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    response.writeHead(307, { location: `https://${receiver.host}/elsewhere` }).end();
  });
});
afterAll(() => Promise.all([receiver.close(), mail.close(), attacker.close()]));

const allowed = () => [receiver.host, `localhost:${mail.port}`, `localhost:${attacker.port}`];
beforeEach(async () => {
  asked = [];
  api = await openAdminApi({ allowedPrivateHosts: allowed() });
});
afterEach(async () => {
  await running?.stop();
  await api.close();
});

/** Tests a target as the relay delivers it. @returns the code that its notification failed with */
async function failureOf(id: string): Promise<string> {
  expect((await api.call('POST', `/api/notification-targets/${id}/test`, {})).status).toBe(202);
  running = startNotifications({
    database: api.database,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    send: notificationSender(api.database, api.ring, allowed()),
    readNeeds: () => Promise.resolve([]),
    consoleUrl: '',
    lookEveryMs: 50,
    graceMs: 200,
  });
  const failure = async () => {
    const { body } = await api.call('GET', `/api/notification-targets/${id}/notifications`);
    return (body.items as { failure: { code: string } | null }[])[0]?.failure?.code ?? null;
  };
  await expect.poll(failure, { timeout: 60_000 }).not.toBeNull();
  return (await failure()) ?? '';
}

async function add(target: object): Promise<string> {
  const made = await api.call('POST', '/api/notification-targets', {
    name: 'Target',
    isOn: true,
    rules: RULES,
    ...target,
  });
  expect(made.status, made.text).toBe(201);
  return made.body.id as string;
}
const email = (port: number) => ({
  host: 'localhost',
  port,
  security: 'tls',
  username: 'odette',
  from: 'odette@example.com',
  to: ['it@example.com'],
});

test('a receiver that sends it on to another address is not followed', async () => {
  const id = await add({ kind: 'webhook', url: `https://${receiver.host}/in?token=t0psecret` });
  expect(await failureOf(id)).toBe('notify.refused');
  expect(new Set(asked)).toEqual(new Set(['POST /in?token=t0psecret']));
}, 90_000);

test('an address that cannot be decoded is no failure of its own when its receiver refuses', async () => {
  const id = await add({ kind: 'slack', url: `https://${receiver.host}/services/%E0%A4%A-secret` });
  expect(await failureOf(id)).toBe('notify.refused');
}, 90_000);

test('whoever has the database alone gets no password to another mail server, nor by another target', async () => {
  // It would take the mail if it got the password.
  attacker.account.password = mail.account.password;
  const id = await add({ kind: 'email', email: email(mail.port), password: mail.account.password });
  await api.database.query(
    `update notification_targets set settings = settings || jsonb_build_object('port', $2::int) where id = $1`,
    [id, attacker.port],
  );
  expect(await failureOf(id)).toBe('secrets.other_address');
  await running?.stop();
  const other = await add({
    kind: 'email',
    name: 'Other',
    email: email(attacker.port),
    password: 'of-the-attacker',
  });
  await api.database.query(
    `update notification_targets set secret_id = (select secret_id from notification_targets where id = $1) where id = $2`,
    [id, other],
  );
  expect(await failureOf(other)).toMatch(/^secrets\./);
  expect(attacker.mails).toEqual([]);
}, 120_000);
