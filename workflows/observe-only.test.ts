// An integration that only observes, from the admin's side: no platform, no license, no push certificate, and nothing to deliver.
import { afterAll, beforeAll, expect, test } from 'vitest';
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
