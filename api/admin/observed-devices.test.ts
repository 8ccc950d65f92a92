// Observed devices over records of Okta in the tables: what a state says, filters and totals alike, page by page.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordSweep } from '../../adapters/store/integration/okta-sweeps.ts';
import {
  saveBindings,
  upsertOktaDevices,
  type SeenOktaDevice,
} from '../../adapters/store/integration/okta-devices.ts';
import { OBSERVED_STATES } from '../../domain/observed-device.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet } from '../../test/harness/seeded-fleet.ts';

let api: AdminApi;
let integrationId: string;
let address: string;

interface Item {
  readonly oktaId: string;
  readonly name: string;
  readonly state: string;
  readonly registered: string;
  readonly managed: string;
  readonly evidence: string;
  readonly remedy: string | null;
  readonly certificate: { readonly firstUsedAt: string; readonly serialNumber: string | null } | null;
}

const record = (id: string, changes: Partial<SeenOktaDevice> = {}): SeenOktaDevice => ({
  id,
  platform: 'MACOS',
  displayName: `Mac ${id}`,
  status: 'ACTIVE',
  registered: true,
  users: [{ id: '00uAda', login: 'Ada@acme.example', managementStatus: 'NOT_MANAGED' }],
  created: '2026-01-01T00:00:00.000Z',
  lastUpdated: '2026-01-01T00:00:00.000Z',
  ...changes,
});
const managed = { users: [{ id: '00uAda', login: 'ada@acme.example', managementStatus: 'MANAGED' }] };

/** Every word of Okta's for a device, registered or not, managed or not. */
const everyCase = ['ACTIVE', 'UNSUSPENDED', 'SUSPENDED', 'DEACTIVATED', 'CREATED', 'something new'].flatMap(
  (status, nth) =>
    [true, false].flatMap((registered) =>
      [managed, {}, { users: [] }].map((users, which) =>
        record(`guo${nth}${registered ? 'r' : 'n'}${which}`, { status, registered, ...users }),
      ),
    ),
);

const list = async (query = ''): Promise<Item[]> =>
  (await api.call('GET', `${address}${query}`)).body.items as Item[];

beforeAll(async () => {
  api = await openAdminApi();
  const fleet = await seedFleet(api.database, api.ring);
  integrationId = fleet.ids['integrations'] ?? '';
  address = `/api/integrations/${integrationId}/observed-devices`;
  await api.database.query('delete from okta_devices');
  const records = [...everyCase, record('guoPc', { platform: 'WINDOWS' })];
  await upsertOktaDevices(api.database, integrationId, records, new Date());
});
afterAll(() => api.close());

test('before the first whole sweep the totals claim nothing', async () => {
  expect((await api.call('GET', `${address}/totals`)).body).toMatchObject({ asOf: null });
});

test('each device stands under one state, by which it is found and counted', async () => {
  await recordSweep(api.database, integrationId, new Date());
  const all = await list('?limit=500');
  expect(all.map(({ oktaId }) => oktaId).sort()).toEqual(everyCase.map(({ id }) => id).sort());
  const totals = (await api.call('GET', `${address}/totals`)).body;
  expect(totals.devices).toBe(everyCase.length);
  for (const state of OBSERVED_STATES) {
    const found = await list(`?state=${state}&limit=500`);
    expect(found).toEqual(all.filter((each) => each.state === state));
    expect(found.length).toBeGreaterThan(0);
    expect(totals.states[state]).toBe(found.length);
  }
});

test('managed is what Okta says of a user on an active, registered device; everything else names what would help', async () => {
  for (const { state, registered, managed: isManaged, evidence, remedy } of await list('?limit=500')) {
    expect(isManaged === 'held').toBe(state === 'managed');
    expect(registered === 'held').toBe(state === 'managed' || state === 'not_managed');
    expect(remedy === null).toBe(state === 'managed');
    expect(evidence).toMatch(/^Okta (says|lists) /);
    expect(evidence).not.toContain('matched');
  }
});

test('pages follow each other by name, and a part of a name or a login finds a device', async () => {
  const names: string[] = [];
  for (let after = ''; ;) {
    const { body } = await api.call('GET', `${address}?limit=7${after}`);
    names.push(...(body.items as Item[]).map(({ name }) => name));
    if (body.next === null) break;
    after = `&after=${body.next as string}`;
  }
  expect(names).toEqual((await list('?limit=500')).map(({ name }) => name));
  expect((await list('?search=GUO0R0')).map(({ oktaId }) => oktaId)).toEqual(['guo0r0']);
  expect((await list('?search=ada@&limit=500')).length).toBe(
    everyCase.filter(({ users }) => users.length > 0).length,
  );
});

test('of a certificate it shows the first use that the System Log tells, and no end', async () => {
  await saveBindings(api.database, integrationId, [
    { oktaId: 'guo0r0', serialNumber: '0a1b', at: '2026-03-01T00:00:00.000Z' },
  ]);
  const shown = await list('?limit=500');
  expect(shown.find(({ oktaId }) => oktaId === 'guo0r0')?.certificate).toEqual({
    firstUsedAt: '2026-03-01T00:00:00.000Z',
    serialNumber: '0a1b',
  });
  expect(shown.filter(({ certificate }) => certificate !== null)).toHaveLength(1);
});
