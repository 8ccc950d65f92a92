// An integration that only observes, from the admin's side: no platform, no license, no push certificate, and nothing to deliver.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { saveBindings, upsertOktaDevices } from '../adapters/store/integration/okta-devices.ts';
import { recordSweep } from '../adapters/store/integration/okta-sweeps.ts';
import { recordReadiness } from '../adapters/store/integration/readiness.ts';
import { installApiServiceIntegration } from '../sandbox/okta/admin.ts';
import type { ApiResponse } from '../test/harness/admin-api.ts';
import { openWizardWorld, type WizardWorld } from '../test/harness/wizard.ts';

let world: WizardWorld;
let setupId: string;
let integrationId: string;
beforeAll(async () => {
  world = await openWizardWorld();
});
afterAll(() => world.close());

async function answer(body: object): Promise<ApiResponse> {
  let given = await world.api.call('POST', `/api/setups/${setupId}/answers`, body);
  for (let turn = 0; given.status === 202 && turn < 20; turn += 1)
    given = await world.api.call('GET', given.headers.get('location') ?? '');
  return given;
}
const start = async (body: object = {}): Promise<void> => {
  setupId = (await world.api.call('POST', '/api/setups', body)).body.id as string;
};
const stepNames = ({ body }: ApiResponse): string[] => body.steps.map(({ step }: { step: string }) => step);
const needs = async (): Promise<string[]> =>
  (await world.api.call('GET', '/api/status')).body.needs.map(({ id }: { id: string }) => id);

test('asks for the tenant and nothing of a platform, and completes without a license', async () => {
  await start();
  const begun = await answer({ step: 'get_started', channel: 'observe_only' });
  expect(stepNames(begun)).toEqual([
    'get_started',
    'okta_domain',
    'credentials_kind',
    'okta_tasks',
    'credentials',
    'connect',
    'complete',
  ]);
  expect(begun.body.answers).toMatchObject({ channel: 'observe_only' });
  await answer({ step: 'okta_domain', domain: world.okta.host });
  await answer({ step: 'credentials_kind', credentialsKind: 'api_service_integration' });
  await answer({ step: 'okta_tasks' });
  const { clientId, clientSecret } = await installApiServiceIntegration(world.okta.tenant, {});
  expect((await answer({ step: 'credentials', clientId, clientSecret })).status).toBe(200);
  const looked = await answer({ step: 'connect' });
  const confirmed = (looked.body.errors ?? []).map(({ field }: { field: string }) => field);
  expect(confirmed).not.toContain('okta_verify_licenses');
  if (confirmed.length > 0) await answer({ step: 'connect', confirmed });
  const done = await answer({ step: 'complete' });
  expect(done.body).toMatchObject({ status: 'complete' });
  integrationId = done.body.integrationId as string;
  expect((await world.api.call('GET', `/api/integrations/${integrationId}`)).body).toMatchObject({
    channel: 'observe_only',
    macOS: null,
    iOS: null,
  });
});

test('needs neither push certificate nor licenses nor an address for devices', async () => {
  expect(await needs()).toEqual([]);
});

test('shows the truths that Okta holds, what would help, and who would be locked out, and sends nothing', async () => {
  const { database } = world.api;
  const now = new Date();
  const record = (id: string, managementStatus: 'MANAGED' | 'NOT_MANAGED') => ({
    id,
    platform: 'MACOS' as const,
    displayName: id,
    status: 'ACTIVE',
    registered: true,
    users: [{ id: `00u${id}`, login: `${id}@acme.example`, managementStatus }],
    created: now.toISOString(),
    lastUpdated: now.toISOString(),
  });
  await upsertOktaDevices(
    database,
    integrationId,
    [record('air', 'MANAGED'), record('pro', 'NOT_MANAGED')],
    now,
  );
  await saveBindings(database, integrationId, [
    { oktaId: 'air', serialNumber: '0a1b', at: now.toISOString() },
  ]);
  await recordSweep(database, integrationId, now);
  await recordReadiness(database, integrationId, now);

  const address = `/api/integrations/${integrationId}`;
  const observed = await world.api.call('GET', `${address}/observed-devices`);
  expect(observed.body.items).toMatchObject([
    {
      name: 'air',
      registered: 'held',
      managed: 'held',
      remedy: null,
      certificate: { firstUsedAt: now.toISOString(), serialNumber: '0a1b' },
    },
    {
      name: 'pro',
      registered: 'held',
      managed: 'not_held',
      remedy: expect.stringContaining(
        "Deliver Okta's SCEP profile (a certificate from Okta's authority) through the MDM server of this Mac",
      ) as string,
      certificate: null,
    },
  ]);
  expect((await world.api.call('GET', `${address}/readiness`)).body).toMatchObject({
    users: 2,
    ready: 1,
    lockedOut: 1,
  });
  expect((await world.api.call('GET', `${address}/readiness/users`)).body.items).toContainEqual(
    expect.objectContaining({
      login: 'pro@acme.example',
      reason:
        'Signs in on pro, which Okta does not count as managed. The Observed devices page shows what would help.',
    }),
  );

  expect((await world.api.call('GET', '/api/channels')).body.items).toEqual([]);
  expect((await world.api.call('GET', '/api/devices')).body.items).toEqual([]);
  for (const table of ['devices', 'commands', 'certificate_deliveries', 'rollout_runs'])
    expect([table, await database.query(`select 1 from ${table}`)]).toEqual([table, []]);
});

test('has no library item: Odette delivers nothing for it', async () => {
  const refused = await world.api.call('POST', '/api/library-items', {
    integrationId,
    deviceTrustOn: false,
    blueprintIds: [],
  });
  expect(refused).toMatchObject({ status: 409, body: { code: 'request.conflict' } });
});

test('is changed to one whose devices Odette manages: then its platforms are asked for', async () => {
  await start({ integrationId });
  const begun = await answer({ step: 'get_started', channel: 'built_in' });
  expect(stepNames(begun)).toContain('platforms');
  // Other prerequisites than before: they are looked at anew.
  expect(await answer({ step: 'complete' })).toMatchObject({
    status: 409,
    body: { code: 'setup.wrong_step' },
  });
  expect(stepNames(await answer({ step: 'get_started', channel: 'observe_only' }))).not.toContain(
    'platforms',
  );
});
