// `odette channel`: keys come from files, UDIDs in portions, and a name that is not there is refused with those that are.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOdette, type Ran } from '../test/harness/command-line.ts';
import { CHANNEL_WORDS } from '../domain/channel-words.ts';
import { CHANNEL_FINDINGS } from '../domain/channel-findings.ts';
import { CONTRACT_TOKEN, startContractServer, type ContractServer } from '../test/harness/contract-server.ts';

const AT = '2027-01-02T03:04:05.000Z';
const ID = '11111111-1111-4111-8111-111111111111';
const CHANNEL = {
  id: ID,
  kind: 'nanomdm',
  name: 'Berlin',
  url: 'https://mdm.example.com',
  blueprintId: null,
  apiKey: null,
  webhookKey: null,
  webhookUrl: `https://odette.example/channels/${ID}/webhook`,
  lastWebhookAt: null,
  labels: [],
  server: null,
  readAt: null,
  problem: null,
  findings: [],
  devices: 2,
  asked: 0,
  createdAt: AT,
};
const BLUEPRINT = {
  id: ID,
  name: 'Everybody',
  devices: 0,
  libraryItemId: null,
  enrollmentLink: null,
  createdAt: AT,
};
let server: ContractServer;
let folder: string;
const bodies: unknown[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-cli-channels-'));
  await writeFile(path.join(folder, 'api.key'), 'the API key\n');
  await writeFile(path.join(folder, 'webhook.key'), 'the key of the webhooks\n');
  await writeFile(path.join(folder, 'udids'), Array.from({ length: 201 }, (_, nth) => `A-${nth}`).join('\n'));
  server = await startContractServer();
  server.plays.listChannels = () => ({ items: [CHANNEL] });
  server.plays.createChannel = ({ body }) => {
    bodies.push(body);
    return CHANNEL;
  };
  server.plays.adoptDevices = ({ body }) => {
    const { udids } = body as { udids: string[] };
    return { asked: udids.length - 1, taken: 0, known: 0, refused: udids.slice(-1) };
  };
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]): Promise<Ran> =>
  runOdette(['channel', ...args], { environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN } });
const file = (name: string): string => path.join(folder, name);

test('keys are read from files, and the answer says what NanoMDM is started with', async () => {
  const keys = ['--api-key-file', file('api.key'), '--webhook-key-file', file('webhook.key')];
  const { code, printed } = await run('create', 'Berlin', '--url', 'https://mdm.example.com', ...keys);
  expect([code, bodies]).toEqual([
    0,
    [
      {
        kind: 'nanomdm',
        name: 'Berlin',
        url: 'https://mdm.example.com',
        apiKey: 'the API key',
        webhookKey: 'the key of the webhooks',
      },
    ],
  ]);
  expect(printed).toContain(`-webhook-url ${CHANNEL.webhookUrl}`);
  expect(printed).not.toContain('the API key');
});

test('the list shows when each was last in contact, and what of it needs somebody', async () => {
  const { printed } = await run('list');
  expect(printed).toMatch(/Berlin +nanomdm +https:\/\/mdm\.example\.com +2 +never +–/);
});

test('a Fleet server is added with its labels, and tested', async () => {
  server.plays.listBlueprints = () => ({ items: [BLUEPRINT] });
  server.plays.testChannel = () => ({
    server: { version: '4.61.0', tier: 'free' },
    findings: [{ code: 'sso_extension', ...CHANNEL_FINDINGS.sso_extension, profile: 'Okta SSO', team: null }],
  });
  const key = ['--api-key-file', file('api.key')];
  const at = ['--kind', 'fleet', '--url', 'https://fleet.example.com'];
  const { code } = await run('create', 'Paris', ...at, ...key, '--label', 'Okta=Trusted=Everybody');
  expect(code).toBe(0);
  expect(bodies.at(-1)).toEqual({
    kind: 'fleet',
    name: 'Paris',
    url: 'https://fleet.example.com',
    apiKey: 'the API key',
    labels: [{ label: 'Okta=Trusted', blueprintId: ID }],
  });
  const { printed } = await run('test', 'Berlin');
  expect(printed).toContain('The server responds: 4.61.0, free.');
  expect(printed).toContain(`${CHANNEL_FINDINGS.sso_extension.title} (Okta SSO)`);
  expect((await run('create', 'X', ...at, ...key, '--label', 'Everybody')).told).toContain('LABEL=BLUEPRINT');
});

test('what each channel can and cannot is said without a server', async () => {
  const { code, printed } = await run('kinds');
  expect(code).toBe(0);
  for (const { name, can, cannot } of Object.values(CHANNEL_WORDS))
    for (const words of [name, can, cannot]) expect(printed).toContain(words);
});

test('many devices are asked in portions, and those that are refused are named', async () => {
  const { code, printed } = await run('adopt', 'Berlin', file('udids'));
  expect(code).toBe(0);
  expect(printed).toContain('0 devices adopted, 199 asked');
  expect(printed).toContain('Not managed by the other server: A-199, A-200');
});

test('devices are listed by their channel, by its name or built_in, and by their blueprint', async () => {
  server.plays.listDevices = ({ query }) => {
    bodies.push(query.getAll('channel'), query.getAll('blueprintId'));
    return { items: [], next: null };
  };
  const devices = (...args: string[]) =>
    runOdette(['devices', ...args], {
      environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN },
    });
  const { code } = await devices('--channel', 'Berlin', '--channel', 'built_in');
  expect([code, ...bodies.slice(-2)]).toEqual([0, [ID, 'built_in'], []]);
  server.plays.listBlueprints = () => ({ items: [BLUEPRINT] });
  await devices('--blueprint', 'Everybody');
  expect(bodies.slice(-2)).toEqual([[], [ID]]);
  expect((await devices('--channel', 'Paris')).told).toContain('Channels: Berlin.');
});

test('a channel that is not there is refused, with those that are', async () => {
  const { code, told } = await run('adopt', 'Paris', file('udids'));
  expect(code).toBe(1);
  expect(told).toContain('Channels: Berlin.');
});
