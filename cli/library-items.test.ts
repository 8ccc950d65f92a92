// `odette library-item save`: what is not said stays, and nothing is turned on or taken away without a yes.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { runOdette } from '../test/harness/command-line.ts';
import { CONTRACT_TOKEN, startContractServer, type ContractServer } from '../test/harness/contract-server.ts';
import { PretendWizard } from '../test/harness/pretend-wizard.ts';

const ID = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';
const BLUEPRINT = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b13';
const AT = '2027-01-02T03:04:05.000Z';

const item = {
  id: ID,
  name: 'Okta Verify',
  integrationId: '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b12',
  installType: 'install_and_continuously_enforce',
  deviceTrustOn: true,
  appConfiguration: { kept: 'as it is' },
  settings: { launchOptions: 'HideMainWindow' },
  overridesAppConfiguration: true,
  families: ['Mac'],
  oktaDomain: 'acme.okta.com',
  blueprints: [{ id: BLUEPRINT, name: 'Test', devices: 2 }],
  payloads: [],
  buckets: {
    trusted: 0,
    in_progress: 2,
    needs_user: 0,
    needs_you: 0,
    unreachable: 0,
    left: 0,
    out_of_scope: 0,
  },
  notFromAppStore: { reason: 'R', devices: [] },
  version: 7,
  changedAt: AT,
};
const preview = {
  devices: 2,
  unchanged: 0,
  byFamily: { Mac: 2, iPhone: 0, iPad: 0 },
  leaving: 0,
  licenses: { needed: 2, left: 5 },
  usersAsked: 0,
  usersLosingTrust: [],
  usersLosingTrustTotal: 0,
  pushCertificate: { ok: true, failure: null, text: null },
  appsAndBooksToken: { ok: true, failure: null, text: null },
  needsConfirmation: true,
  confirmation: 'Okta Device Trust overrides its own managed app configuration.',
  testBlueprint: null,
  removalStartsInMinutes: null,
  waves: { devices: 1, pushes: 1, canaryBlueprint: null, waves: [1], minutes: 1 },
};

let server: ContractServer;
let items: object[];
beforeAll(async () => {
  server = await startContractServer();
  const wizard = new PretendWizard();
  wizard.play(server.plays);
  await runOdette(['setup', 'apply', '-f', '-'], {
    environment: environment(),
    input: JSON.stringify({
      domain: 'acme.okta.com',
      credentials: { clientId: '0oa1', clientSecret: { env: 'SECRET' } },
      confirm: ['adaptive_mfa'],
      platforms: { iOS: { secretKey: { env: 'SECRET' } } },
    }),
  });
});
afterAll(() => server.stop());
beforeEach(() => {
  items = [];
  Object.assign(server.plays, {
    listBlueprints: () => ({
      items: [
        { id: BLUEPRINT, name: 'Test', devices: 2, libraryItemId: null, enrollmentLink: 'L', createdAt: AT },
      ],
    }),
    listLibraryItems: () => ({ items }),
    previewLibraryItem: () => preview,
    createLibraryItem: () => item,
    saveLibraryItem: () => item,
  });
});
afterEach(() => {
  server.calls.length = 0;
});

const environment = () => ({ ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN, SECRET: 'secret-value' });
const save = (line: string, typed?: string[]) =>
  runOdette(['library-item', 'save', ...line.split(' ')], {
    environment: environment(),
    ...(typed && { typed }),
  });
const sent = () =>
  server.calls.filter(({ operation }) => ['createLibraryItem', 'saveLibraryItem'].includes(operation));

test('turning the switch on is confirmed: by --yes, or by the one who is asked', async () => {
  const alone = await save('--blueprint Test --device-trust on');
  expect(alone.code).toBe(4);
  expect(alone.told).toContain('Okta Device Trust overrides its own managed app configuration.');
  expect((await save('--blueprint Test --device-trust on', ['n'])).code).toBe(4);
  expect(sent()).toEqual([]);
  expect((await save('--blueprint Test --device-trust on', ['y'])).code).toBe(0);
  expect((await save('--blueprint Test --device-trust on --yes')).code).toBe(0);
  expect(sent()).toHaveLength(2);
  expect(sent()[0]?.body).toMatchObject({
    deviceTrustOn: true,
    blueprintIds: [BLUEPRINT],
    confirmAppConfigurationOverride: true,
  });
});

test('a preview changes nothing', async () => {
  const { printed } = await save('--blueprint Test --device-trust on --preview');
  expect(printed).toContain('2 devices: 2 Mac, 0 iPhone, 0 iPad');
  expect(sent()).toEqual([]);
});

test('what is not said stays as it is, and a change of somebody else is not overwritten', async () => {
  items = [item];
  server.plays.previewLibraryItem = () => ({ ...preview, needsConfirmation: false, confirmation: null });
  await save('--device-trust on');
  expect(sent()[0]?.headers['if-match']).toBe('"7"');
  expect(sent()[0]?.body).toMatchObject({
    blueprintIds: [BLUEPRINT],
    appConfiguration: { kept: 'as it is' },
    settings: { launchOptions: 'HideMainWindow' },
  });
});

test('each setting of the page has its flag; an empty object takes away what was set', async () => {
  items = [item];
  server.plays.previewLibraryItem = () => ({ ...preview, needsConfirmation: false, confirmation: null });
  const flags =
    '--no-blueprint --enrollment-options Enabled --launch-options none --certificate-scope User --app-from-elsewhere on --remove-app on';
  await save(`${flags} --managed-preferences {"a":1} --app-configuration {}`);
  expect(sent()[0]?.body).toMatchObject({
    blueprintIds: [],
    appConfiguration: null,
    settings: {
      enrollmentOptions: 'Enabled',
      launchOptions: 'none',
      certificateScope: 'User',
      appComesFromElsewhere: true,
      removeAppOnRemoval: true,
      extraKeys: { a: 1 },
    },
  });
  expect((await save('--managed-preferences [1]')).code).not.toBe(0);
});

test('Odette removes payloads only after a yes that names who loses trust', async () => {
  items = [item];
  server.plays.previewLibraryItem = () => ({
    ...preview,
    needsConfirmation: false,
    leaving: 2,
    usersLosingTrust: ['ada@example.com'],
    usersLosingTrustTotal: 1,
  });
  const { code, told } = await save('--device-trust off');
  expect(code).toBe(4);
  expect(told).toMatch(/removes the payloads from 2 devices\. These users lose trust: ada@example\.com/);
});

test('of many users who lose trust it says how many there are beside those it names', async () => {
  items = [item];
  server.plays.previewLibraryItem = () => ({
    ...preview,
    needsConfirmation: false,
    leaving: 2,
    usersLosingTrust: ['ada@example.com', 'ben@example.com'],
    usersLosingTrustTotal: 5000,
  });
  const { told } = await save('--device-trust off');
  expect(told).toContain('These users lose trust (2 of 5000): ada@example.com, ben@example.com.');
});
