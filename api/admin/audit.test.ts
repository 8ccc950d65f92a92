// The audit trail as people read it: sentences with names, what a change replaced, filters, and uses of secrets folded.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet, type SeededFleet } from '../../test/harness/seeded-fleet.ts';

interface Entry {
  readonly actorName: string;
  readonly text: string;
  readonly changes: readonly { name: string; before: string | null; after: string | null }[];
  readonly action: string;
  readonly secretUsesAfter: number;
}
let api: AdminApi;
let fleet: SeededFleet;
const entries = async (query: string): Promise<Entry[]> =>
  (await api.call('GET', `/api/audit?${query}`)).body.items as Entry[];

beforeAll(async () => {
  api = await openAdminApi();
  fleet = await seedFleet(api.database, api.ring);
}, 60_000);
afterAll(() => api.close());

test('a change of a device is a sentence with the device’s name and what it replaced', async () => {
  const { id } = (await api.call('POST', '/api/blueprints', { name: 'Sales' })).body as { id: string };
  await api.call('PATCH', `/api/devices/${fleet.deviceId}`, { blueprintId: id, user: 'bea@acme.example' });
  const [device] = await api.database.query<{ name: string; serial: string }>(
    `select name, serial_number as serial from devices where id = $1`,
    [fleet.deviceId],
  );
  const [entry] = await entries(`subject=device:${fleet.deviceId}&limit=1`);
  expect(entry?.text).toBe(`changed ${device?.name} (${device?.serial})`);
  expect(entry?.changes).toEqual([
    { name: 'blueprint', before: 'Everybody', after: 'Sales' },
    { name: 'user', before: expect.anything() as unknown, after: 'bea@acme.example' },
  ]);
});

test('a change of an integration names each number before and after', async () => {
  const at = `/api/integrations/${fleet.ids['integrations'] ?? ''}`;
  await api.call('PATCH', at, { name: 'Acme', settings: { patienceHours: 48 } });
  const [entry] = await entries('kind=integrations&limit=1');
  expect(entry).toMatchObject({
    text: 'changed the integration “Acme”',
    changes: [
      { name: 'name', before: 'acme', after: 'Acme' },
      { name: 'patience hours', before: '336', after: '48' },
    ],
  });
  const { text } = await api.call('GET', '/api/audit/export?kind=integrations');
  expect(text).toContain('changed the integration “Acme”');
  expect(text).toContain('patience hours: 336');
});

test('uses of secrets are folded into the entry before them, and each is shown on request', async () => {
  await api.database.query(`delete from audit_entries`);
  const use = () =>
    appendAudit(api.database, {
      actor: 'system',
      action: 'secret.used',
      subject: 'secret:1',
      detail: { kind: 'ios_secret_key', purpose: 'queue' },
    });
  const sign = () => appendAudit(api.database, { actor: 'person:ada', action: 'session.started' });
  await use();
  await sign();
  for (let each = 0; each < 3; each += 1) await use();
  await sign();
  await use();
  expect((await entries('secretUses=folded')).map((entry) => entry.secretUsesAfter)).toEqual([1, 3]);
  const paged = await api.call('GET', '/api/audit?secretUses=folded&limit=1');
  expect((await entries(`secretUses=folded&limit=1&after=${paged.body.next as string}`))[0]).toMatchObject({
    secretUsesAfter: 3,
  });
  expect((await entries('secretUses=each')).length).toBe(7);
  const [used] = await entries('kind=secrets');
  expect([used?.actorName, used?.text]).toEqual(['Odette', 'used the iOS secret key for “queue”']);
  expect(await entries('kind=people&actor=person:ada')).toHaveLength(2);
});

test('the filter by actor offers people and API tokens', async () => {
  await api.call('POST', '/api/people', { name: 'ada', password: 'correct horse battery', role: 'admin' });
  const { items } = (await api.call('GET', '/api/audit/actors')).body as { items: unknown[] };
  expect(items).toContainEqual({ actor: 'person:ada', name: 'ada' });
  expect(items).toContainEqual({ actor: 'token:viewer', name: 'viewer' });
});
