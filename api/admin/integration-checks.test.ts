// "Check again" of an integration: what is said was looked at just now.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { CataloguedError } from '../../domain/failures.ts';
import { changeKnobs, DEFAULT_KNOBS } from '../../sandbox/okta/knobs.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { openPretendOkta, type PretendOkta } from '../../test/harness/pretend-okta.ts';
import { seedFleet } from '../../test/harness/seeded-fleet.ts';

let okta: PretendOkta;
let api: AdminApi;
let address: string;
beforeAll(async () => {
  okta = await openPretendOkta();
  api = await openAdminApi({
    allowedPrivateHosts: [okta.host],
    // No token is needed for what is asked here.
    settings: { oktaClient: () => Promise.reject(new CataloguedError('okta.client_secret_wrong')) },
  });
  const { ids } = await seedFleet(api.database, api.ring);
  address = `/api/integrations/${ids['integrations'] ?? ''}/checks`;
});
afterAll(async () => {
  await api.close();
  await okta.close();
});
beforeEach(async () => {
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
