// `odette notification` against a server that speaks the contract: secrets come from files or are typed, never from arguments.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runOdette } from '../test/harness/command-line.ts';
import { CONTRACT_TOKEN, startContractServer, type ContractServer } from '../test/harness/contract-server.ts';

const ID = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';
const AT = '2027-01-02T03:04:05.000Z';
const RULES = { topics: ['installation', 'devices'], minDevices: 1, tellsWhenDone: true };
const target = {
  id: ID,
  name: 'On call',
  kind: 'webhook',
  isOn: true,
  address: 'hooks.example.com',
  email: null,
  rules: RULES,
  secret: null,
  deliveredAt: AT,
  waiting: 0,
  failure: null,
  failureDetail: null,
};
const failure = {
  code: 'notify.refused',
  title: 'The receiver rejected a notification.',
  remedy: 'Check the receiver.',
  owner: 'admin',
  isRetried: true,
};
const sent = {
  id: ID,
  subject: 'Odette: test notification',
  createdAt: AT,
  attempts: 1,
  nextAttemptAt: null,
  endedAt: AT,
  outcome: 'delivered',
  failure: null,
  failureDetail: null,
};

let server: ContractServer;
let folder: string;
beforeAll(async () => {
  server = await startContractServer();
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-notify-'));
  await writeFile(path.join(folder, 'url'), 'https://hooks.example.com/in/secret\n');
  await writeFile(path.join(folder, 'password'), 'a password\n');
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  server.calls.length = 0;
  server.plays.listNotificationTargets = () => ({ items: [target] });
  server.plays.createNotificationTarget = () => ({ ...target, signingKey: 'whsec_once' });
  server.plays.updateNotificationTarget = () => ({ ...target, signingKey: null });
  server.plays.testNotificationTarget = () => ({ id: ID });
});

const odette = (...args: string[]) =>
  runOdette(args, { environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN } });
const bodyOf = (operation: string) => server.calls.find((call) => call.operation === operation)?.body;

test('a webhook is added with the URL of a file, and its signing key printed', async () => {
  const { printed } = await odette(
    ...['notification', 'add-webhook', 'On call', '--url-file', path.join(folder, 'url')],
    ...['--about', 'devices', '--min-devices', '5', '--no-done'],
  );
  expect(printed).toBe('whsec_once');
  expect(bodyOf('createNotificationTarget')).toEqual({
    kind: 'webhook',
    name: 'On call',
    isOn: true,
    rules: { topics: ['devices'], minDevices: 5, tellsWhenDone: false },
    url: 'https://hooks.example.com/in/secret',
  });
});

test('who cannot be asked for the URL must name a file', async () => {
  const { code, told } = await odette('notification', 'add-slack', 'Channel');
  expect([code, told]).toEqual([2, expect.stringContaining('--url-file')]);
});

test('mailboxes are added with the password of a file', async () => {
  await odette(
    ...[
      'notification',
      'add-email',
      'IT',
      '--host',
      'smtp.example.com',
      '--port',
      '587',
      '--security',
      'starttls',
    ],
    ...['--from', 'odette@example.com', '--to', 'it@example.com', '--to', 'desk@example.com'],
    ...['--user', 'odette', '--password-file', path.join(folder, 'password')],
  );
  expect(bodyOf('createNotificationTarget')).toEqual({
    kind: 'email',
    name: 'IT',
    isOn: true,
    rules: RULES,
    email: {
      host: 'smtp.example.com',
      port: 587,
      security: 'starttls',
      from: 'odette@example.com',
      to: ['it@example.com', 'desk@example.com'],
      username: 'odette',
    },
    password: 'a password',
  });
});

test('a test waits for its outcome, and a refused one fails with what the receiver answered', async () => {
  server.plays.listNotifications = () => ({ items: [sent] });
  expect(await odette('notification', 'test', 'On call')).toMatchObject({ code: 0, printed: 'Delivered.' });
  const refused = {
    ...sent,
    outcome: null,
    endedAt: null,
    nextAttemptAt: AT,
    failure,
    failureDetail: 'status 500',
  };
  server.plays.listNotifications = () => ({ items: [refused] });
  expect(await odette('notification', 'test', 'On call')).toMatchObject({
    code: 1,
    printed: 'The receiver rejected a notification. (status 500) Check the receiver.',
  });
});

test('turning a target off keeps its secret', async () => {
  expect((await odette('notification', 'off', 'On call')).printed).toBe('Turned off.');
  expect(bodyOf('updateNotificationTarget')).toEqual({
    kind: 'webhook',
    name: 'On call',
    isOn: false,
    rules: RULES,
  });
});

test('the list says which do not arrive', async () => {
  server.plays.listNotificationTargets = () => ({
    items: [target, { ...target, name: 'Other', failure, waiting: 2 }],
  });
  const { printed } = await odette('notification', 'list');
  expect(printed).toMatch(/^On call {2}webhook {2}hooks\.example\.com {2}on /m);
  expect(printed).toMatch(/^Other .*notify\.refused, 2 notifications wait/m);
});
