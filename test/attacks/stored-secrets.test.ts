// Attacks on stored secrets: whoever may change an address gets none of the secrets that were entered for the old one.
import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import { addSetup } from '../../adapters/store/integration/setups.ts';
import { saveAppsAndBooksToken } from '../../adapters/store/integration/apps-and-books-tokens.ts';
import { macPlatformAddress } from '../../domain/secret-address.ts';
import { newSetup, type SetupState } from '../../domain/setup-wizard.ts';
import { addMacPlatform, installApiServiceIntegration } from '../../sandbox/okta/admin.ts';
import { outsideClients } from '../../workers/dependencies.ts';
import { answerStepUpdate, TASK_QUEUE, workflowIds } from '../../workflows/messages.ts';
import type { setUpIntegration } from '../../workflows/set-up-integration.ts';
import type { ApiResponse } from '../harness/admin-api.ts';
import { openTlsService, type TlsService } from '../harness/pretend-okta.ts';
import { openWizardWorld, type WizardWorld } from '../harness/wizard.ts';

let world: WizardWorld;
/** A host of the attacker's, reachable like any other. */
let evil: TlsService;
let seen: { readonly path: string; readonly authorization: string | undefined; readonly body: string }[] = [];
let organization: object = {};
let integrationId: string;
let clientId: string;
let handles: { readonly client: string; readonly password: string };
let mac: { readonly scepUrl: string; readonly challengeUrl: string; readonly username: string };

const record: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { url: path = '', headers } = request;
    seen.push({ path, authorization: headers.authorization, body: Buffer.concat(chunks).toString() });
    response.setHeader('content-type', 'application/json').end(JSON.stringify(organization));
  });
};

beforeAll(async () => {
  evil = await openTlsService();
  evil.serve(record);
  world = await openWizardWorld({ alsoAllowed: [evil.host] });
  const { okta, api } = world;
  const installed = await installApiServiceIntegration(okta.tenant, {});
  clientId = installed.clientId;
  const { id: _, password, ...platform } = await addMacPlatform(okta.tenant);
  mac = platform;
  const store = async (
    kind: 'okta_client_secret' | 'challenge_password',
    value: string,
    address: string,
  ): Promise<string> => (await storeSecret(api.database, api.ring, { kind, value, by: 'test', address })).id;
  handles = {
    client: await store('okta_client_secret', installed.clientSecret, okta.host),
    password: await store('challenge_password', password, macPlatformAddress(mac)),
  };
  integrationId = randomUUID();
  await api.database.query(
    `insert into integrations (id, name, okta_org_id, okta_host, credentials_kind, client_id, credentials_secret_id, granted_scopes)
     values ($1, 'acme', $2, $3, 'api_service_integration', $4, $5, '{}')`,
    [integrationId, okta.tenant.state.orgId, okta.host, clientId, handles.client],
  );
  await api.database.query(
    `insert into integration_platforms (integration_id, platform, scep_url, challenge_url, challenge_username, secret_id)
     values ($1, 'macOS', $2, $3, $4, $5)`,
    [integrationId, mac.scepUrl, mac.challengeUrl, mac.username, handles.password],
  );
});
afterAll(async () => {
  await world.close();
  await evil.close();
});
beforeEach(() => {
  seen = [];
  // Anybody can read the organization's id, so that anybody can serve it.
  const { orgId } = world.okta.tenant.state;
  const links = { organization: { href: `https://${evil.host}` } };
  organization = { id: orgId, pipeline: 'idx', _links: links };
});

const alone = (body: object): Promise<ApiResponse> =>
  world.api.call('POST', `/api/integrations/${integrationId}/answers`, body);
const told = ({ status, body }: ApiResponse): unknown[] => [
  status,
  body.code,
  (body.errors as { field: string }[] | undefined)?.map(({ field }) => field),
];
const inTables = () =>
  world.api.database.query(
    `select okta_host, scep_url, challenge_url from integrations join integration_platforms on integration_id = id`,
  );

test('a SCEP or challenge URL outside the tenant is refused, with a password too', async () => {
  const before = await inTables();
  for (const field of ['scepUrl', 'challengeUrl']) {
    const answer = { step: 'macos', ...mac, [field]: `https://${evil.host}/scep` };
    expect(told(await alone(answer))).toEqual([422, 'setup.url_not_on_tenant', [field]]);
    expect(told(await alone({ ...answer, password: 'a new one' }))[1]).toBe('setup.url_not_on_tenant');
  }
  expect(seen).toEqual([]);
  expect(await inTables()).toEqual(before);
});

test('another path on the tenant asks for the password again, another query does not', async () => {
  for (const field of ['scepUrl', 'challengeUrl'] as const) {
    const answer = { step: 'macos', ...mac, [field]: `${mac[field]}/elsewhere` };
    expect(told(await alone(answer))).toEqual([422, 'secrets.other_address', ['password']]);
  }
  const query = await alone({ step: 'macos', ...mac, scepUrl: `${mac.scepUrl}?site=2` });
  expect(query.status).toBe(200);
  expect((await alone({ step: 'macos', ...mac })).status).toBe(200);
});

test("a domain that serves the tenant's organization id does not get its credentials", async () => {
  const before = await inTables();
  const single = await alone({ step: 'okta_domain', domain: evil.host });
  expect(told(single)).toEqual([422, 'secrets.other_address', ['domain']]);
  expect(await inTables()).toEqual(before);

  const { id } = (await world.api.call('POST', '/api/setups', { integrationId })).body as { id: string };
  const answer = (body: object) => world.api.call('POST', `/api/setups/${id}/answers`, body);
  const moved = await answer({ step: 'okta_domain', domain: evil.host });
  const isAnswered = Object.fromEntries(
    (moved.body.steps as { step: string; answered: boolean }[]).map((one) => [one.step, one.answered]),
  );
  expect(isAnswered).toMatchObject({ credentials: false, connect: false, macos: false });
  await answer({ step: 'credentials_kind', credentialsKind: 'api_service_integration' });
  expect(told(await answer({ step: 'credentials', clientId }))).toEqual([
    400,
    'request.invalid',
    ['clientSecret'],
  ]);
  expect(told(await answer({ step: 'complete' }))[1]).toBe('setup.wrong_step');
  expect(seen.map(({ path, authorization, body }) => [path, authorization, body])).toEqual([
    ['/.well-known/okta-organization', undefined, ''],
    ['/.well-known/okta-organization', undefined, ''],
  ]);
});

test('a host that calls itself a custom domain of the tenant does not become one', async () => {
  const links = {
    organization: { href: `https://${world.okta.host}` },
    alternate: { href: `https://${evil.host}` },
  };
  organization = { id: world.okta.tenant.state.orgId, pipeline: 'idx', _links: links };
  expect((await alone({ step: 'okta_domain', domain: evil.host })).body).toMatchObject({
    host: world.okta.host,
    channel: 'built_in',
    customDomain: null,
  });
  expect(told(await alone({ step: 'macos', ...mac, scepUrl: `https://${evil.host}/scep` }))[1]).toBe(
    'setup.url_not_on_tenant',
  );
});

test('a workflow started by hand with the handle of a stored secret sends it nowhere', async () => {
  const setupId = randomUUID();
  const state: SetupState = {
    ...newSetup(setupId),
    answers: {
      get_started: { step: 'get_started' },
      okta_domain: { step: 'okta_domain', domain: evil.host },
      credentials_kind: {
        step: 'credentials_kind',
        credentialsKind: 'api_service_integration',
      },
      connect: { step: 'connect', confirmed: [] },
      okta_tasks: { step: 'okta_tasks' },
      platforms: { step: 'platforms', platforms: ['macOS'] },
      credentials: { step: 'credentials', clientId, secretId: handles.client },
    },
    tenant: { orgId: '00oEVIL', host: evil.host, pipeline: 'idx' },
  };
  await addSetup(world.api.database, state, 'person:eve');
  const handle = await world.client.workflow.start<typeof setUpIntegration>('setUpIntegration', {
    taskQueue: TASK_QUEUE,
    workflowId: workflowIds.setup(setupId),
    args: [{ state, takesOneAnswer: false }],
  });
  const [at, elsewhere] = [`https://${evil.host}/c`, `https://${evil.host}/s`];
  for (const answer of [
    { step: 'credentials' as const, clientId, secretId: handles.client },
    // Another kind of secret, as a client secret.
    { step: 'credentials' as const, clientId, secretId: handles.password },
    {
      step: 'macos' as const,
      scepUrl: `${mac.scepUrl}?`,
      challengeUrl: at,
      username: 'u',
      secretId: handles.password,
    },
    { step: 'macos' as const, scepUrl: elsewhere, challengeUrl: at, username: 'u', secretId: handles.client },
  ]) {
    const refused = await handle.executeUpdate(answerStepUpdate, { args: [{ answer }] }).then(
      () => 'taken',
      (error: Error) => (error.cause as { type?: string } | undefined)?.type,
    );
    expect(refused).toMatch(/^(secrets\.other_address|okta\.scep_unexpected_response)$/);
  }
  await handle.terminate();
  expect(seen.filter(({ path }) => !path.startsWith('/s?'))).toEqual([]);
  const refusedUses = await world.api.database.query(
    `select detail ->> 'refusedAddress' as address from audit_entries where action = 'secret.refused' order by at`,
  );
  expect(refusedUses).toEqual([
    { address: evil.host },
    { address: evil.host },
    { address: macPlatformAddress({ challengeUrl: at, scepUrl: mac.scepUrl }) },
  ]);
});

test('a token for Apps and Books goes to the address it was uploaded for, though the setting changed', async () => {
  const { database, ring } = world.api;
  const secret = await storeSecret(database, ring, {
    kind: 'apps_and_books_token',
    value: 'the-token',
    by: 'person:ada',
    address: 'vpp.itunes.apple.com/mdm/v2',
  });
  await saveAppsAndBooksToken(database, {
    secretId: secret.id,
    organization: 'Acme',
    location: 'Paris',
    expiresAt: new Date(Date.now() + 86_400_000),
  });
  const clients = outsideClients(database, ring, {
    apnsUrl: `https://${evil.host}`,
    appsAndBooksUrl: `https://${evil.host}/mdm/v2`,
    allowedPrivateHosts: [],
  });
  await expect(clients.appsAndBooks()).rejects.toMatchObject({ code: 'secrets.other_address' });
  expect(seen).toEqual([]);
  clients.close();
});
