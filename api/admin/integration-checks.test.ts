// "Check again" of an integration: what is said was looked at just now.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { CataloguedError } from '../../domain/failures.ts';
import { addMacPlatform, installApiServiceIntegration } from '../../sandbox/okta/admin.ts';
import { renewIntermediate, renewRegistration } from '../../sandbox/okta/authority.ts';
import { OktaClient } from '../../adapters/okta/okta-client.ts';
import { changeKnobs, DEFAULT_KNOBS } from '../../sandbox/okta/knobs.ts';
import { alarmsOf } from './status.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { openPretendOkta, type PretendOkta } from '../../test/harness/pretend-okta.ts';
import { seedFleet } from '../../test/harness/seeded-fleet.ts';

let okta: PretendOkta;
let api: AdminApi;
let address: string;
let integration: string;
let client: () => Promise<OktaClient>;
const noToken = () => Promise.reject(new CataloguedError('okta.client_secret_wrong'));
beforeAll(async () => {
  okta = await openPretendOkta();
  api = await openAdminApi({
    allowedPrivateHosts: [okta.host],
    settings: { oktaClient: () => client() },
  });
  const { ids } = await seedFleet(api.database, api.ring);
  integration = `/api/integrations/${ids['integrations'] ?? ''}`;
  address = `${integration}/checks`;
});
afterAll(async () => {
  await api.close();
  await okta.close();
});
beforeEach(async () => {
  client = noToken;
  okta.tenant.state.knobs = structuredClone(DEFAULT_KNOBS);
  await api.database.query('update integrations set okta_org_id = $1, okta_host = $2', [
    okta.tenant.state.orgId,
    okta.host,
  ]);
});

const engine = async () => {
  const { body } = await api.call('POST', address);
  return (body.items as { id: string; result: string }[]).find(({ id }) => id === 'identity_engine')?.result;
};

test('Identity Engine passes when the tenant runs it, and fails when it runs Classic Engine', async () => {
  expect(await engine()).toBe('passed');
  okta.tenant.state.knobs = changeKnobs(okta.tenant.state.knobs, { organization: { pipeline: 'v1' } });
  expect(await engine()).toBe('failed');
});

test('an address that leads to no tenant, or to another one, is said', async () => {
  okta.tenant.state.knobs = changeKnobs(okta.tenant.state.knobs, { organization: { pipeline: 'not_okta' } });
  expect((await api.call('POST', address)).body.code).toBe('okta.not_okta');
  okta.tenant.state.knobs = structuredClone(DEFAULT_KNOBS);
  await api.database.query(`update integrations set okta_org_id = '00oANOTHER'`);
  expect((await api.call('POST', address)).body.code).toBe('setup.other_tenant');
});

const connect = async () => {
  const { clientId, clientSecret } = await installApiServiceIntegration(okta.tenant, {
    scopes: ['okta.devices.read', 'okta.authenticators.read'],
  });
  const credentials = { kind: 'api_service_integration' as const, clientId, clientSecret };
  client = () =>
    Promise.resolve(new OktaClient({ host: okta.host, credentials, allowedPrivateHosts: [okta.host] }));
};
const shown = async () => (await api.call('GET', integration)).body;
const alarms = async () =>
  (await alarmsOf(api.database)).map(({ failure, text }) => ({ code: failure.code, text }));

test('the newest check is shown with its time, on the page and in the status, and what is not met raises an alarm', async () => {
  await connect();
  okta.tenant.state.knobs = changeKnobs(okta.tenant.state.knobs, { authenticators: { fastPass: false } });
  await api.call('POST', address);
  const { check } = await shown();
  expect(Date.now() - Date.parse(check.at as string)).toBeLessThan(60_000);
  const result = (id: string) =>
    (check.items as { id: string; result: string }[]).find((one) => one.id === id)?.result;
  expect([result('fastpass_active'), result('devices_readable'), result('scopes')]).toEqual([
    'failed',
    'passed',
    'passed',
  ]);
  const { checks } = (await api.call('GET', '/api/status')).body;
  expect(checks).toMatchObject([{ at: check.at, failed: ['Okta FastPass is active'] }]);
  expect(await alarms()).toContainEqual({
    code: 'setup.prerequisites_missing',
    text: expect.stringContaining('Okta FastPass is not active.') as string,
  });
  okta.tenant.state.knobs = structuredClone(DEFAULT_KNOBS);
  await api.call('POST', address);
  expect((await alarms()).map(({ code }) => code)).not.toContain('setup.prerequisites_missing');
});

test("a clock that differs from Okta's is a finding with the seconds, though Okta gives the token", async () => {
  await connect();
  okta.tenant.state.knobs = changeKnobs(okta.tenant.state.knobs, { clockSkewSeconds: 310 });
  await api.call('POST', address);
  expect(await alarms()).toContainEqual({
    code: 'okta.clock_off',
    text: expect.stringMatching(/clock of this server is 3\d\d seconds behind Okta's/) as string,
  });
});

test('an authority that Okta renews is an event and an alarm, its registration authority only an event', async () => {
  await connect();
  const { scepUrl } = await addMacPlatform(okta.tenant);
  await api.database.query(`update integration_platforms set scep_url = $1 where platform = 'macOS'`, [
    scepUrl,
  ]);
  await api.call('POST', address);
  expect((await shown()).check.authority).toHaveLength(2);
  const events = async () =>
    (
      await api.database.query<{ text: string }>(
        `select data ->> 'text' as text from events where kind = 'integration.authority_changed' order by id`,
      )
    ).map(({ text }) => text);
  await renewRegistration(okta.tenant);
  await api.call('POST', address);
  expect(await events()).toEqual([expect.stringContaining('No action needed')]);
  expect((await alarms()).map(({ code }) => code)).not.toContain('okta.authority_changed');
  await renewIntermediate(okta.tenant);
  await api.call('POST', address);
  await api.call('POST', address);
  expect(await events()).toHaveLength(2);
  expect(await alarms()).toContainEqual({
    code: 'okta.authority_changed',
    text: expect.stringContaining('Okta renewed its authority') as string,
  });
});

test('further custom domains must lead to the tenant, and reach the SSO extension of the devices', async () => {
  const { headers } = await api.call('GET', integration);
  const set = (furtherDomains: string[]) =>
    api.call(
      'PATCH',
      integration,
      { settings: { furtherDomains } },
      { 'If-Match': headers.get('etag') ?? '' },
    );
  const other = await openPretendOkta();
  const refused = await set([other.host]);
  expect(refused.status).toBe(422);
  expect(refused.body.errors).toMatchObject([{ field: 'settings.furtherDomains.0' }]);
  await other.close();
  expect((await set([`https://${okta.host}/`])).body.settings.furtherDomains).toEqual([okta.host]);
  const told = await api.database.query(
    `select 1 from outbox where message ->> 'reason' = 'an admin changed the custom domains'`,
  );
  expect(told.length).toBeGreaterThan(0);
});
