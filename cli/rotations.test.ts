// `odette rotate`: what each rotation takes, what is sent to begin one, the word that it is set in Okta, and how far it is.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runOdette, type Ran } from '../test/harness/command-line.ts';
import {
  CONTRACT_TOKEN,
  Reply,
  startContractServer,
  type ContractServer,
} from '../test/harness/contract-server.ts';
import { shownIntegration } from '../test/harness/shown-integration.ts';

const AT = '2027-01-02T03:04:05.000Z';
const INTEGRATION = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';
const ID = '7d0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b12';
const FLEET = '8d0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b13';
const rotation = (changes: object = {}) => ({
  id: ID,
  integrationId: INTEGRATION,
  kind: 'ios_secret_key',
  status: 'prepared',
  text: 'Waits until the new key is set in Okta and you confirm it.',
  orders: ['commit', 'abandon'],
  publicJwk: null,
  failure: null,
  fleetRolloutId: null,
  startedAt: AT,
  startedBy: 'person:ada',
  committedAt: null,
  committedBy: null,
  oldDestroyedAt: null,
  provenAt: null,
  provenBy: null,
  endedAt: null,
  temporalUrl: null,
  ...changes,
});
const pushing = { status: 'pushing', text: 'Odette is sending it.', orders: [], fleetRolloutId: FLEET };
let server: ContractServer;
let folder: string;
beforeAll(async () => {
  server = await startContractServer();
  folder = await mkdtemp(join(tmpdir(), 'odette-rotations-'));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  server.calls.length = 0;
  server.plays.listIntegrations = () => ({ items: [shownIntegration({ id: INTEGRATION })] });
});

const odette = (...words: string[]): Promise<Ran> =>
  runOdette(['rotate', ...words], { environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN } });
const sent = (operation: string) =>
  server.calls.filter((call) => call.operation === operation).map(({ body }) => body);

test('the plan has the steps in Okta, the exposure, and what it costs', async () => {
  server.plays.listRotationPlans = () => ({
    items: [
      {
        kind: 'ios_secret_key',
        title: 'iOS secret key',
        steps: ['Choose the new key here first.', 'Next to the iOS integration, click Actions.'],
        exposure: 'From the reset in Okta until a device has the new key.',
        overlaps: false,
        isChosenFirst: true,
        impact: { devices: 3, pushes: 3, canaryBlueprint: null, waves: [3], minutes: 0 },
      },
    ],
  });
  expect((await odette('plan')).printed.split('\n').slice(0, 5)).toEqual([
    'iOS secret key (ios_secret_key)',
    '  1. Choose the new key here first.',
    '  2. Next to the iOS integration, click Actions.',
    '  Exposure: From the reset in Okta until a device has the new key.',
    '  Sends to 3 iPhones and iPads: at least 3 pushes, about 1 minute if they are awake.',
  ]);
});

test('a made key is shown once, with the command that confirms it', async () => {
  server.plays.startRotation = () => new Reply(201, { rotation: rotation(), secretKey: 'Made-key' });
  const { printed } = await odette('start', 'ios_secret_key');
  expect(printed).toContain('“Use existing key”:\nMade-key\n');
  expect(printed).toContain(`odette rotate commit ${ID}`);
  expect(sent('startRotation')).toEqual([{ kind: 'ios_secret_key' }]);
});

test('a value comes from a file, never from the command line, and a secret that is none is refused here', async () => {
  const finished = { kind: 'challenge_password', status: 'trying', text: 'Odette tests it.', orders: [] };
  server.plays.startRotation = () => new Reply(201, { rotation: rotation(finished), secretKey: null });
  const file = join(folder, 'password');
  await writeFile(file, 'of-this-morning\n');
  const { printed } = await odette('start', 'challenge_password', '--value-file', file);
  expect(printed).toContain(`odette rotate show ${ID}`);
  expect(sent('startRotation')).toEqual([{ kind: 'challenge_password', value: 'of-this-morning' }]);
  const refused = await odette('start', 'password');
  expect([refused.code, sent('startRotation').length]).toEqual([2, 1]);
});

test.each(['commit', 'abandon'] as const)('%s is sent as an order', async (order) => {
  server.plays.steerRotation = () => rotation(pushing);
  expect((await odette(order, ID)).code).toBe(0);
  expect(sent('steerRotation')).toEqual([{ order }]);
});

test('while devices get it those that do not have it yet are listed, then those that were not reached', async () => {
  server.plays.getRotation = () => rotation(pushing);
  expect((await odette('show', ID)).printed).toContain(
    `Not yet: odette fleet-rollout devices ${FLEET} --state begun`,
  );
  server.plays.getRotation = () =>
    rotation({ ...pushing, status: 'finished', text: 'Finished.', provenBy: 'mac-ada', endedAt: AT });
  const { printed } = await odette('show', ID);
  expect(printed).toContain(`Not reached: odette fleet-rollout devices ${FLEET} --state failed`);
  expect(printed).toContain('Proven by the first sign-in on mac-ada.');
  server.plays.listRotations = () => ({ items: [rotation(pushing)] });
  expect((await odette('list')).printed).toMatch(/ios_secret_key +pushing +person:ada/);
});
