// The wizard from the admin's side: the public API in front, the real server and worker behind it, a pretend tenant beyond.
// Long, because it is one integration's story, each test going on from where the one before ended.
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  addIosPlatform,
  addMacPlatform,
  changeApiServicesApp,
  createApiServicesApp,
  installApiServiceIntegration,
} from '../sandbox/okta/admin.ts';
import type { ApiResponse } from '../test/harness/admin-api.ts';
import { changeKnobs } from '../sandbox/okta/knobs.ts';
import { openWizardWorld, type WizardWorld } from '../test/harness/wizard.ts';
import { OKTA_SCOPES } from '../domain/setup-wizard.ts';
import { workflowIds } from './messages.ts';

let world: WizardWorld;
beforeAll(async () => {
  world = await openWizardWorld();
});
afterAll(() => world.close());

const setupId = async (body: object = {}): Promise<string> => {
  const started = await world.api.call('POST', '/api/setups', body);
  expect(started.status).toBe(201);
  return started.body.id as string;
};

/** Refused by a check that took its time: what was entered goes with the weekly pruning instead of at once. */
let refusedLate = 0;

/** Waits for the end of a check that takes its time. */
async function answer(id: string, body: object, headers: Record<string, string> = {}): Promise<ApiResponse> {
  let given = await world.api.call('POST', `/api/setups/${id}/answers`, body, headers);
  const isLate = given.status === 202;
  for (let turn = 0; given.status === 202 && turn < 20; turn += 1)
    given = await world.api.call('GET', given.headers.get('location') ?? '');
  if (isLate && given.status >= 400) refusedLate += 1;
  return given;
}

const field = (given: ApiResponse): string[] =>
  (given.body.errors ?? []).map((error: { field: string }) => error.field);

const secrets = { clientSecret: '', password: '', secretKey: '' };
let first: string;
let integrationId: string;

test('a setup leads through its steps, and a wrong answer names its field and changes nothing', async () => {
  first = await setupId();
  expect((await answer(first, { step: 'get_started' })).body).toMatchObject({ step: 'okta_domain' });

  const early = await answer(first, { step: 'connect' });
  expect(early).toMatchObject({ status: 409, body: { code: 'setup.wrong_step' } });
  const notOkta = await answer(first, { step: 'okta_domain', domain: '10.0.0.1' });
  expect([notOkta.status, notOkta.body.code, field(notOkta)]).toEqual([
    422,
    'okta.host_not_allowed',
    ['domain'],
  ]);
  expect((await world.api.call('GET', `/api/setups/${first}`)).body).toMatchObject({
    step: 'okta_domain',
    checking: false,
  });

  const domain = await answer(first, { step: 'okta_domain', domain: `https://${world.okta.host}/` });
  expect(domain.body).toMatchObject({ step: 'credentials_kind', tenant: { pipeline: 'idx' } });
});

test('wrong credentials are told at the field where they were entered', async () => {
  const { clientId, clientSecret } = await installApiServiceIntegration(world.okta.tenant, {});
  secrets.clientSecret = clientSecret;
  const tasks = await answer(first, {
    step: 'credentials_kind',
    credentialsKind: 'api_service_integration',
  });
  expect(tasks.body).toMatchObject({ step: 'okta_tasks' });
  expect(tasks.body.guide.shownOnce[0]).toContain('Client secret');
  expect((await answer(first, { step: 'okta_tasks' })).body).toMatchObject({ step: 'credentials' });
  const missing = await answer(first, { step: 'credentials', clientId });
  expect([missing.status, field(missing)]).toEqual([400, ['clientSecret']]);
  const wrong = await answer(first, { step: 'credentials', clientId, clientSecret: 'not-the-secret' });
  expect([wrong.body.code, field(wrong)]).toEqual(['okta.client_secret_wrong', ['clientSecret']]);
  const unknown = await answer(first, { step: 'credentials', clientId: '0oaunknown', clientSecret });
  expect([unknown.body.code, field(unknown)]).toEqual(['okta.client_id_unknown', ['clientId']]);
  const right = await answer(first, { step: 'credentials', clientId, clientSecret });
  expect(right.body).toMatchObject({
    step: 'connect',
    answers: { clientId, clientSecret: { setBy: 'this machine' } },
  });
  const left = await world.api.database.query(`select from secrets where kind = 'okta_client_secret'`);
  expect(left.length).toBe(1 + refusedLate);
});

test('a missing prerequisite opens the list, and what cannot be checked is confirmed', async () => {
  const missing = await answer(first, { step: 'connect' });
  expect([missing.status, missing.body.code]).toEqual([422, 'setup.prerequisites_missing']);
  expect(field(missing)).toEqual(['okta_verify_licenses', 'adaptive_mfa']);
  const { body } = await world.api.call('GET', `/api/setups/${first}`);
  expect(body.step).toBe('connect');
  const results = Object.fromEntries(
    body.prerequisites.map((check: { id: string; result: string }) => [check.id, check.result]),
  );
  expect(results).toMatchObject({
    token: 'passed',
    scopes: 'passed',
    fastpass_active: 'passed',
    adaptive_mfa: 'not_checked',
  });

  // Asked again each time: the tenant ran Identity Engine when its domain was checked.
  const { state } = world.okta.tenant;
  state.knobs = changeKnobs(state.knobs, { organization: { pipeline: 'v1' } });
  expect(field(await answer(first, { step: 'connect' }))).toContain('identity_engine');
  state.knobs = changeKnobs(state.knobs, { organization: { pipeline: 'idx' } });

  const token = await world.licenses.newToken();
  const set = await world.api.call('PUT', '/api/apps-and-books', { token });
  expect(set.body).toMatchObject({ licenses: { available: expect.any(Number) as number }, failure: null });
  const connected = await answer(first, { step: 'connect', confirmed: ['adaptive_mfa'] });
  expect(connected.body).toMatchObject({ step: 'platforms' });
});

test('the platforms are checked, back loses nothing, and the end writes the integration', async () => {
  expect((await answer(first, { step: 'platforms', platforms: ['macOS', 'iOS'] })).body.step).toBe('macos');
  const { id: _, ...mac } = await addMacPlatform(world.okta.tenant);
  secrets.password = mac.password;
  const wrongPassword = await answer(first, { step: 'macos', ...mac, password: 'wrong-password' });
  expect([wrongPassword.body.code, field(wrongPassword)]).toEqual([
    'okta.challenge_credentials_refused',
    ['password'],
  ]);
  const wrongScep = await answer(first, { step: 'macos', ...mac, scepUrl: `${mac.scepUrl}/none` });
  expect(field(wrongScep)).toEqual(['scepUrl']);
  expect((await answer(first, { step: 'macos', ...mac })).body.step).toBe('ios');

  expect((await answer(first, { step: 'go_to', target: 'okta_domain' })).body.step).toBe('okta_domain');
  const back = await answer(first, { step: 'go_to', target: 'ios' });
  expect(back.body).toMatchObject({ step: 'ios', answers: { username: mac.username, scepUrl: mac.scepUrl } });

  const { secretKey } = await addIosPlatform(world.okta.tenant, {
    providerName: 'Odette',
    enrollmentLink: 'https://mdm.example.com/enroll',
  });
  secrets.secretKey = secretKey;
  expect((await answer(first, { step: 'ios', secretKey: 'short', providerName: 'Odette' })).status).toBe(400);
  await answer(first, { step: 'ios', secretKey, providerName: 'Odette' });
  const done = await answer(first, { step: 'complete' });
  expect(done.body).toMatchObject({ status: 'complete' });
  integrationId = done.body.integrationId as string;
  const { body } = await world.api.call('GET', `/api/integrations/${integrationId}`);
  expect(body).toMatchObject({
    macOS: { username: mac.username },
    iOS: { providerName: 'Odette' },
    enrollmentLink: 'https://mdm.example.com/enroll',
  });
  const sweeps = await world.api.database.query(
    `select message from outbox where message ->> 'kind' = 'sweeps'`,
  );
  expect(sweeps).toEqual([{ message: { kind: 'sweeps', integrationId, wanted: true } }]);
  expect((await answer(first, { step: 'complete' })).body.code).toBe('setup.not_open');
});

test('the same tenant cannot be connected twice', async () => {
  const id = await setupId();
  await answer(id, { step: 'get_started' });
  const twice = await answer(id, { step: 'okta_domain', domain: world.okta.host });
  expect([twice.status, twice.body.code]).toEqual([409, 'setup.integration_exists']);
  expect((await world.api.call('DELETE', `/api/setups/${id}`)).status).toBe(204);
  expect((await world.api.call('GET', `/api/setups/${id}`)).body.status).toBe('abandoned');
  // Its workflow ends, and leaves what the tables say alone.
  await world.client.workflow.getHandle(workflowIds.setup(id)).result();
});

test('two admins who choose the same Idempotency-Key both get their own answer', async () => {
  const id = await setupId({ integrationId });
  const other = await world.api.call('POST', '/api/tokens', { name: 'other', role: 'admin' });
  const key = { 'idempotency-key': '1' };
  const one = await answer(id, { step: 'go_to', target: 'macos' }, key);
  expect(one.body).toMatchObject({ step: 'macos' });
  const two = await answer(
    id,
    { step: 'go_to', target: 'credentials' },
    { ...key, authorization: `Bearer ${other.body.token as string}` },
  );
  expect(two.body).toMatchObject({ step: 'credentials' });
});

test('while the worker is away an answer is refused as unavailable, and taken once it is back', async () => {
  const id = await setupId({ integrationId });
  await world.stopWorker();
  const away = await answer(id, { step: 'go_to', target: 'macos' }, { 'idempotency-key': 'away' });
  expect([away.status, away.body.code]).toEqual([503, 'server.unavailable']);
  await world.startWorker();
  const back = await answer(id, { step: 'go_to', target: 'macos' }, { 'idempotency-key': 'away' });
  expect(back.body).toMatchObject({ step: 'macos', amends: true });
});

test('one answer is given again after completion: same checks, and only devices whose payload changes are told', async () => {
  const { database } = world.api;
  const item = { integrationId, deviceTrustOn: true, confirmAppConfigurationOverride: true };
  const blueprint = await world.api.call('POST', '/api/blueprints', { name: 'Macs' });
  await world.api.call('POST', '/api/library-items', { ...item, blueprintIds: [blueprint.body.id] });
  const [device] = await database.query<{ id: string }>(
    `insert into devices (family, platform, udid, blueprint_id, enrollment_status, enrollment_id, identity_fingerprint)
     values ('iPhone', 'iOS', 'udid-1', $1, 'enrolled', gen_random_uuid(), '\\x01') returning id`,
    [blueprint.body.id],
  );
  const again = (body: object) => world.api.call('POST', `/api/integrations/${integrationId}/answers`, body);
  const refused = await again({
    step: 'macos',
    scepUrl: 'https://localhost:1/scep',
    challengeUrl: 'https://localhost:1/c',
    username: 'u',
  });
  expect(field(refused)).toEqual(['scepUrl']);
  const mac = await database.query(
    `insert into devices (family, platform, udid, blueprint_id, enrollment_status, enrollment_id, identity_fingerprint)
     values ('Mac', 'macOS', 'udid-2', $1, 'enrolled', gen_random_uuid(), '\\x02') returning id`,
    [blueprint.body.id],
  );
  expect(mac).toHaveLength(1);
  await database.query('delete from outbox');
  // In no payload: a client secret.
  const { clientId } = (await world.api.call('GET', `/api/integrations/${integrationId}`)).body;
  const { clientSecret } = secrets;
  expect((await again({ step: 'credentials', clientId, clientSecret })).status).toBe(200);
  const rollouts = `select message from outbox where message ->> 'kind' = 'rollOutDevice'`;
  expect(await database.query(rollouts)).toEqual([]);
  const changed = await again({ step: 'ios', secretKey: 'Another-Secret-Key-1', providerName: 'Odette' });
  expect(changed.status).toBe(200);
  secrets.secretKey = 'Another-Secret-Key-1';
  expect(await database.query(rollouts)).toEqual([
    { message: { kind: 'rollOutDevice', deviceId: device?.id, reason: 'the integration was changed' } },
  ]);
});

test('a setup that was left open for days brings nothing back that was changed meanwhile', async () => {
  const slow = await setupId({ integrationId });
  const again = (body: object) => world.api.call('POST', `/api/integrations/${integrationId}/answers`, body);
  const platforms = () =>
    world.api.database.query(
      'select platform, secret_id, provider_name from integration_platforms where integration_id = $1 order by platform',
      [integrationId],
    );
  const before = await platforms();
  const changed = await again({ step: 'ios', secretKey: 'Another-Secret-Key-2', providerName: 'Renamed' });
  expect(changed.status).toBe(200);
  secrets.secretKey = 'Another-Secret-Key-2';
  const now = await platforms();
  expect(now).not.toEqual(before);
  await answer(slow, { step: 'go_to', target: 'complete' });
  expect((await answer(slow, { step: 'complete' })).body.status).toBe('complete');
  expect(await platforms()).toEqual(now);
});

test('an answer given again with the same Idempotency-Key is told how it ended, and done once', async () => {
  const { database } = world.api;
  const traces = async () => {
    const [row] = await database.query<Record<string, string>>(
      `select (select count(*) from setups) as setups, (select count(*) from secrets) as secrets,
         (select count(*) from outbox where message ->> 'kind' = 'rollOutDevice') as rollouts,
         (select count(*) from audit_entries where action in ('secret.set', 'setup.completed')) as noted`,
    );
    return row;
  };
  const at = `/api/integrations/${integrationId}/answers`;
  const ios = { step: 'ios', secretKey: 'Another-Secret-Key-2', providerName: 'Odette' };
  const again = (body: object, key: string) => world.api.call('POST', at, body, { 'idempotency-key': key });
  const done = await again(ios, 'ios-key');
  const before = await traces();
  expect([done.status, await again(ios, 'ios-key')]).toMatchObject([200, { status: 200, body: done.body }]);
  expect(await traces()).toEqual(before);
  expect((await again({ ...ios, secretKey: 'Another-Secret-Key-3' }, 'ios-key')).body.code).toBe(
    'request.idempotency_key_reused',
  );

  const refused = { step: 'credentials', clientId: '0oaunknown' };
  expect((await again(refused, 'refused')).body.code).toBe('okta.client_id_unknown');
  const afterRefusal = await traces();
  expect((await again(refused, 'refused')).body.code).toBe('okta.client_id_unknown');
  expect(await traces()).toEqual(afterRefusal);

  const both = await Promise.all([again(ios, 'at-once'), again(ios, 'at-once')]);
  expect(both.map(({ status }) => status)).toEqual([200, 200]);
  expect(Number((await traces())?.['setups'])).toBe(Number(afterRefusal?.['setups']) + 1);
  secrets.secretKey = ios.secretKey;
});

test("an API Services app of the tenant's own, with DPoP on, connects with the key that Odette shows", async () => {
  const id = await setupId({ integrationId });
  const chosen = await answer(id, { step: 'credentials_kind', credentialsKind: 'api_services_app' });
  const jwk = chosen.body.answers.publicJwk as Record<string, string>;
  expect(jwk).toMatchObject({ kty: 'RSA', use: 'sig' });
  expect(JSON.stringify(chosen.body.guide.tasks)).toContain(jwk['n']);
  const { clientId } = await createApiServicesApp(world.okta.tenant, {
    scopes: [...OKTA_SCOPES],
    roles: ['SUPER_ADMIN'],
    publicJwks: [jwk],
  });
  // As Okta makes them: DPoP is on.
  expect(JSON.stringify(chosen.body.guide)).not.toMatch(/switch off|turn off/i);
  expect((await answer(id, { step: 'credentials', clientId })).body.step).toBe('connect');
  expect((await answer(id, { step: 'connect', confirmed: ['adaptive_mfa'] })).status).toBe(200);
  await answer(id, { step: 'go_to', target: 'complete' });
  expect((await answer(id, { step: 'complete' })).body.status).toBe('complete');
  expect((await world.api.call('GET', `/api/integrations/${integrationId}`)).body).toMatchObject({
    credentialsKind: 'api_services_app',
    clientId,
  });
});

test('a new key for its API Services app takes the place of the old one only after Okta accepted it', async () => {
  const id = await setupId({ integrationId });
  const before = await world.api.call('GET', `/api/setups/${id}`);
  const { clientId, publicJwk: old } = before.body.answers as {
    clientId: string;
    publicJwk?: Record<string, string>;
  };
  await answer(id, { step: 'go_to', target: 'credentials' });
  const shown = await world.api.call('GET', `/api/setups/${id}`);
  expect(old?.['n']).toMatch(/.{300}/);
  expect(JSON.stringify(shown.body.guide.tasks)).toContain(old?.['n']);

  const install = { step: 'credentials_kind', credentialsKind: 'api_services_app' };
  const chosen = (await answer(id, install)).body;
  const jwk = chosen.answers.publicJwk as Record<string, string>;
  expect(jwk['kid']).not.toBe(old?.['kid']);
  expect((await answer(id, install)).body.answers.publicJwk, 'asked again').toEqual(jwk);
  const early = await answer(id, { step: 'complete' });
  expect([early.body.code, early.body.detail]).toEqual([
    'setup.wrong_step',
    expect.stringContaining(chosen.step),
  ]);
  const unknown = await answer(id, { step: 'credentials', clientId });
  expect([unknown.status, field(unknown)]).toEqual([422, ['clientId']]);

  await changeApiServicesApp(world.okta.tenant, clientId, { publicJwks: [jwk] });
  expect((await answer(id, { step: 'credentials', clientId })).body.step).toBe('connect');
  await answer(id, { step: 'connect', confirmed: ['adaptive_mfa'] });
  await answer(id, { step: 'go_to', target: 'complete' });
  expect((await answer(id, { step: 'complete' })).body.status).toBe('complete');
  const next = await setupId({ integrationId });
  const after = await world.api.call('GET', `/api/setups/${next}`);
  expect(after.body.answers.publicJwk).toEqual(jwk);
});

test('no secret is in a table in the clear, in a history as stored, in an answer or in the log', async () => {
  const values = Object.values(secrets);
  const tables = await world.api.database.query<{ text: string }>(
    `select (select string_agg(s::text, '') from setups s) || (select string_agg(a::text, '') from audit_entries a)
         || (select string_agg(e::text, '') from events e) || (select string_agg(i::text, '') from integration_platforms i) as text`,
  );
  const history = JSON.stringify(
    await world.client.workflow.getHandle(workflowIds.setup(first)).fetchHistory(),
  );
  const shown = (await world.api.call('GET', `/api/setups/${first}`)).text;
  for (const value of values)
    for (const text of [tables[0]?.text ?? '', history, shown, world.api.logged.join('')])
      expect(text).not.toContain(value);
});
