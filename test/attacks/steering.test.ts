// Who steers rotations, removals and waves: from another site's page, twice at once, again under the same key, with another's key.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contract } from '../../api/contract/contract.ts';
import type { Endpoint } from '../../api/contract/endpoint.ts';
import { openAdminApi, type AdminApi, type ApiResponse, sessionOf } from '../harness/admin-api.ts';
import { seedFleet } from '../harness/seeded-fleet.ts';

const ADA = { name: 'ada', password: 'correct horse battery staple' };
let api: AdminApi;
let integration: string;
let cookie: string;

beforeAll(async () => {
  api = await openAdminApi();
  const { ids } = await seedFleet(api.database, api.ring);
  integration = ids['integrations'] ?? '';
  await api.database.query('delete from secret_rotations');
  await api.call('POST', '/api/people', { ...ADA, role: 'admin' });
  const begun = await api.call('POST', '/api/session', ADA, { authorization: '' });
  ({ cookie } = sessionOf(begun));
});
afterAll(() => api.close());

const changes = Object.entries<Endpoint>(contract).filter(([, { method }]) => method !== 'get');
const at = ({ path }: Endpoint) => path.replaceAll(/\{\w+\}/g, integration);
const count = async (from: string): Promise<number> =>
  (await api.database.query<{ n: number }>(`select count(*)::int as n from ${from}`))[0]?.n ?? -1;
const statuses = (responses: readonly ApiResponse[]) => responses.map(({ status }) => status).sort();

describe('a page that an admin’s browser opens', () => {
  test.each([
    ['of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['of a sister host', { 'sec-fetch-site': 'same-site', origin: 'https://wiki.acme.example' }],
    ['in a browser that sends Origin alone', { origin: 'https://evil.example' }],
  ])('%s changes nothing, whatever it asks for', async (_where, headers) => {
    expect(changes.length).toBeGreaterThan(50);
    const audited = await count('audit_entries');
    for (const [id, shape] of changes) {
      const sent = { authorization: '', cookie, ...headers };
      const { status } = await api.call(shape.method.toUpperCase(), at(shape), {}, sent);
      expect([id, status]).toEqual([id, 403]);
    }
    expect(await count('audit_entries')).toBe(audited);
  });
});

describe('a rotation', () => {
  const start = (key: string, headers = {}, body: object = { kind: 'ios_secret_key' }) =>
    api.call('POST', `/api/integrations/${integration}/rotations`, body, {
      'idempotency-key': key,
      ...headers,
    });

  test('that is asked for twice under one key is one; its key is shown to nobody else, and lies nowhere in the clear', async () => {
    const secrets = await count('secrets');
    const [first, again] = await Promise.all([start('one'), start('one')]);
    expect([first.status, again.status]).toEqual([201, 201]);
    const key = first.body.secretKey as string;
    expect(again.body.secretKey).toBe(key);
    expect(await count('secrets')).toBe(secrets + 1);
    const saved = await api.database.query('select * from idempotency_keys');
    expect(saved.length).toBeGreaterThan(0);
    expect(JSON.stringify(saved)).not.toContain(key);
    const made = await api.call('POST', '/api/tokens', { name: 'this machine', role: 'admin' });
    const other = await start('one', { authorization: `Bearer ${made.body.token as string}` });
    expect([other.status, other.text.includes(key)]).toEqual([409, false]);
    const changed = await start('one', {}, { kind: 'client_secret', value: 'another-secret' });
    expect(changed.body.code).toBe('request.idempotency_key_reused');
    expect(await count('secrets')).toBe(secrets + 1);
  });

  test('takes one word of many that come at once', async () => {
    const [row] = await api.database.query<{ id: string }>(
      'select id from secret_rotations where ended_at is null',
    );
    const steer = (order: string) => api.call('POST', `/api/rotations/${row?.id ?? ''}/orders`, { order });
    const answers = await Promise.all(['commit', 'abandon', 'commit', 'abandon', 'commit'].map(steer));
    expect(statuses(answers)).toEqual([200, 409, 409, 409, 409]);
    expect(
      await count(`audit_entries where action in ('secret.rotation_committed', 'secret.rotation_abandoned')`),
    ).toBe(1);
  });
});

test('of removals that are asked for at once one begins, and of words that exclude each other one counts', async () => {
  const body = { platform: 'macOS', confirmation: 'remove macOS from acme.okta.com', policyIsLifted: true };
  const ask = () => api.call('POST', `/api/integrations/${integration}/removals`, body);
  const asked = await Promise.all([ask(), ask(), ask()]);
  expect(statuses(asked)).toEqual([202, 409, 409]);
  const id = asked.find(({ status }) => status === 202)?.body.id as string;
  const act = (action: string) => api.call('POST', `/api/removals/${id}/actions`, { action });
  const acted = await Promise.all([act('undo'), act('undo'), act('undo')]);
  expect(statuses(acted)).toEqual([200, 409, 409]);
  expect((await act('all_at_once')).status).toBe(409);
  expect((await api.call('GET', `/api/removals/${id}`)).body.status).toBe('undone');
});

test('waves take one of several orders that exclude each other', async () => {
  const [row] = await api.database.query<{ id: string }>(
    `insert into fleet_rollouts (kind, reason, pace, devices, canary, settle_minutes, started_by)
       values ('library_item', 'saved', 'waves', 30, 5, 45, 'person:ada') returning id`,
  );
  const steer = (order: string) =>
    api.call('POST', `/api/fleet-rollouts/${row?.id ?? ''}/orders`, { order, reason: 'test' });
  expect(statuses(await Promise.all([steer('abort'), steer('abort'), steer('abort')]))).toEqual([
    200, 409, 409,
  ]);
  expect((await steer('resume')).status).toBe(409);
  expect(await count(`audit_entries where action = 'fleet_rollout.steered'`)).toBe(1);
});
