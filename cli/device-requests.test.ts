// `odette device remove`, `move`, `forget`, `allow-return`, `set-user`: nothing is taken away without a yes, and what is said names count and delay.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { runOdette, type Ran } from '../test/harness/command-line.ts';
import {
  CONTRACT_TOKEN,
  Reply,
  startContractServer,
  type ContractServer,
} from '../test/harness/contract-server.ts';
import { shownDevice } from '../test/harness/shown-device.ts';

const ID = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';
const AT = '2027-01-02T03:04:05.000Z';
const device = shownDevice({
  model: null,
  modelName: null,
  osVersion: null,
  isSupervised: null,
  user: null,
  integrationId: null,
  bucket: 'trusted',
  truths: {
    delivered: true,
    certificatePresent: true,
    oktaVerifyManaged: true,
    registered: true,
    managed: true,
  },
  waitsFor: null,
  nextStep: { owner: 'nobody', text: 'Nothing pending.', action: null },
  certificateNotAfter: null,
  trustedAt: AT,
});

let server: ContractServer;
beforeAll(async () => {
  server = await startContractServer();
  server.plays.listDevices = () => ({ items: [device], next: null });
  server.plays.removeDevices = () =>
    new Reply(202, {
      devices: 1,
      startsInMinutes: 15,
      waves: { devices: 1, pushes: 1, canaryBlueprint: null, waves: [1], minutes: 1 },
      fleetRolloutId: null,
    });
});
afterAll(() => server.stop());
afterEach(() => {
  server.calls.length = 0;
});

const odette = (line: string, typed?: readonly string[]): Promise<Ran> =>
  runOdette(line.split(' '), {
    environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN },
    ...(typed && { typed }),
  });
const removals = () =>
  server.calls.filter(({ operation }) => operation === 'removeDevices').map(({ body }) => body);

test('a removal is asked about with its count and delay, and a no changes nothing', async () => {
  const { code, questions } = await odette('device remove C02ADA', ['n']);
  expect(code).not.toBe(0);
  expect(questions.join()).toContain('1 device in 15 minutes');
  expect(removals()).toEqual([{ ids: [ID], preview: true }]);
});

test('with a yes it is done, and its undoing is named', async () => {
  const { code, printed } = await odette('device remove C02ADA --reason lost --yes');
  expect(code).toBe(0);
  expect(removals().at(-1)).toEqual({ ids: [ID], reason: 'lost', preview: false });
  expect(printed).toContain('`odette device move` undoes this');
});

test('move and renew are one request for all devices named, and forget deletes one record', async () => {
  server.plays.listBlueprints = () => ({
    items: [
      { id: ID, name: 'Test', devices: 1, libraryItemId: null, enrollmentLink: 'https://x', createdAt: AT },
    ],
  });
  server.plays.requestFromDevices = () => new Reply(202, { devices: 1, next: null });
  server.plays.deleteDevice = () => new Reply(204, undefined);
  expect((await odette('device move C02ADA --blueprint Test')).printed).toBe('Moved 1 device to Test.');
  expect((await odette('device renew C02ADA')).printed).toBe('A new certificate is on its way to 1 Mac.');
  expect((await odette('device forget mac-ada')).printed).toBe('Deleted.');
  expect(server.calls.at(-1)).toMatchObject({ operation: 'deleteDevice', params: { id: ID } });
});

test('the users of many go as the file has them; a preview changes nothing and says so', async () => {
  server.plays.setDeviceUsers = () => ({ changed: 2, unchanged: 1 });
  const run = (line: string) =>
    runOdette(line.split(' '), {
      environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN },
      input: 'serialNumber,user\nC02ADA,ada\n',
    });
  expect((await run('device set-users -')).printed).toContain('Changed the user of 2 devices; 1 unchanged.');
  expect((await run('device set-users - --preview')).printed).toContain('Would change the user of 2 devices');
  expect(server.calls.map(({ body }) => body)).toEqual([
    { csv: 'serialNumber,user\nC02ADA,ada\n', preview: false },
    { csv: 'serialNumber,user\nC02ADA,ada\n', preview: true },
  ]);
});

test.each([
  ['allow', 'Allowed for 24 hours: the device enrolls with any code.'],
  ['refuse', 'Refused.'],
])('a device that asks to enroll again: %s', async (decision, said) => {
  server.plays.decideReturn = () => device;
  const { code, printed } = await odette(`device ${decision}-return C02ADA --reason erased`);
  expect([code, printed.trim()]).toEqual([0, said]);
  expect(server.calls.at(-1)).toMatchObject({ body: { decision, reason: 'erased' } });
});
