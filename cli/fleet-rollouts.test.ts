// `odette fleet-rollout`: how far a change is, its devices page by page, and orders, of which two ask first.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { runOdette, type Ran } from '../test/harness/command-line.ts';
import { CONTRACT_TOKEN, startContractServer, type ContractServer } from '../test/harness/contract-server.ts';

const ID = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';
const AT = '2027-01-02T03:04:05.000Z';
const rollout = {
  id: ID,
  integrationId: null,
  kind: 'library_item',
  subject: null,
  reason: 'an admin saved the library item',
  status: 'running',
  text: 'Canary: 1 of 5 devices finished, 95 to go.',
  pace: 'waves',
  wave: 1,
  waves: [5, 20, 75],
  canaryBlueprint: 'Test',
  halt: null,
  devices: 100,
  counts: { waiting: 95, begun: 4, completed: 1, failed: 0, left: 0, overtaken: 0 },
  orders: ['pause', 'all_at_once', 'abort'],
  startedAt: AT,
  startedBy: 'person:ada',
  steeredAt: null,
  steeredBy: null,
  steeringReason: null,
  endedAt: null,
  temporalUrl: null,
} as const;

let server: ContractServer;
beforeAll(async () => {
  server = await startContractServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.plays.listFleetRollouts = () => ({
    items: [{ ...rollout, orders: [...rollout.orders], waves: [...rollout.waves] }],
  });
  server.plays.getFleetRollout = () => ({
    ...rollout,
    orders: [...rollout.orders],
    waves: [...rollout.waves],
  });
  server.plays.steerFleetRollout = () => ({
    ...rollout,
    status: 'aborted',
    orders: [],
    waves: [...rollout.waves],
  });
  server.plays.listFleetRolloutDevices = ({ query }) => ({
    items: [
      {
        device: { id: ID, name: !query.has('after') ? 'mac-ada' : 'mac-bob', serialNumber: null },
        state: 'left',
        wave: null,
        failure: null,
      },
    ],
    next: !query.has('after') ? 'second' : null,
  });
});
afterEach(() => {
  server.calls.length = 0;
});

const odette = (line: string): Promise<Ran> =>
  runOdette(line.split(' '), { environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN } });
const orders = () => server.calls.flatMap(({ body }) => (body === undefined ? [] : [body]));

test('shows where a change is and what may be ordered', async () => {
  expect((await odette('fleet-rollout list')).printed).toContain('1 of 100');
  const { printed } = await odette(`fleet-rollout show ${ID}`);
  expect(printed).toContain('Canary: 1 of 5 devices finished, 95 to go.');
  expect(printed).toContain('Waves: 5, 20, 75 (canary: Test)');
  expect(printed).toContain(`odette fleet-rollout all-at-once ${ID}`);
});

test('lists all devices of a state, page by page', async () => {
  const { printed } = await odette(`fleet-rollout devices ${ID} --state left`);
  expect(printed).toContain('mac-ada');
  expect(printed).toContain('mac-bob');
});

test('abort and all-at-once say what they do and ask for a yes; pause does not', async () => {
  const refused = await odette(`fleet-rollout abort ${ID}`);
  expect(refused.code).toBe(4);
  expect(refused.told).toContain(
    '1 device keeps the change, 4 under way continue, 95 stay as they are. Abort?',
  );
  expect(orders()).toEqual([]);
  expect((await odette(`fleet-rollout abort ${ID} --yes --reason wrong`)).code).toBe(0);
  expect((await odette(`fleet-rollout pause ${ID}`)).code).toBe(0);
  expect(orders()).toEqual([{ order: 'abort', reason: 'wrong' }, { order: 'pause' }]);
});
