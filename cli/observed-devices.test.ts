// `odette observed-devices`: every page of the list, the counts, and nothing claimed before the first sweep.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOdette, type Ran } from '../test/harness/command-line.ts';
import { CONTRACT_TOKEN, startContractServer, type ContractServer } from '../test/harness/contract-server.ts';
import { shownIntegration } from '../test/harness/shown-integration.ts';

const AT = '2027-01-02T03:04:05.000Z';
let server: ContractServer;
let asOf: string | null = AT;

const INTEGRATION = shownIntegration({ channel: 'observe_only', credentialsKind: 'api_services_app' });

const device = (name: string, state: 'managed' | 'not_managed') => ({
  oktaId: `guo${name}`,
  name,
  platform: 'macOS',
  serialNumber: 'C02',
  model: 'Mac14,2',
  modelName: null,
  osVersion: '26.1',
  users: [{ login: `${name}@acme.example`, managementStatus: 'x' }],
  state,
  registered: 'held',
  managed: state === 'managed' ? 'held' : 'not_held',
  evidence: 'Okta says so.',
  owner: 'admin',
  remedy: state === 'managed' ? null : 'Deliver the certificate.',
  certificate: null,
  changedInOktaAt: AT,
  observedAt: AT,
});

beforeAll(async () => {
  server = await startContractServer();
  server.plays.listIntegrations = () => ({ items: [INTEGRATION] });
  server.plays.getObservedTotals = () => ({
    asOf,
    devices: 2,
    states: { managed: 1, not_managed: 1, not_registered: 0, suspended: 0, deactivated: 0 },
  });
  server.plays.listObservedDevices = ({ query }) =>
    query.get('after') === null
      ? { items: [device('air', 'managed')], next: 'page2' }
      : { items: [device('pro', 'not_managed')], next: null };
});
afterAll(() => server.stop());

const run = (...args: string[]): Promise<Ran> =>
  runOdette(['observed-devices', ...args], {
    environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN },
  });

test('lists every device with what Okta says and what would help', async () => {
  const { code, printed } = await run();
  expect(code).toBe(0);
  expect(printed).toContain('2 devices: 1 managed, 1 not managed.');
  expect(printed).toMatch(/air +air@acme\.example +managed/);
  expect(printed).toMatch(/pro +pro@acme\.example +not managed +Deliver the certificate\./);
});

test('passes its filters on, and refuses a state that there is not', async () => {
  server.calls.length = 0;
  expect((await run('--state', 'suspended', '--search', 'air')).code).toBe(0);
  const asked = server.calls.filter(({ operation }) => operation === 'listObservedDevices');
  expect([asked[0]?.query.get('state'), asked[0]?.query.get('search')]).toEqual(['suspended', 'air']);
  expect((await run('--state', 'happy')).code).toBe(2);
});

test('claims nothing before the first sweep', async () => {
  asOf = null;
  expect((await run()).printed).toContain('wait for the first sweep');
});
