// What the pretend tenant returns has the form of Okta's published OpenAPI.
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oktaOpenApi } from '../../test/okta-facts.ts';
import { openPretendOkta, type PretendOkta } from '../../test/harness/pretend-okta.ts';
import * as admin from './admin.ts';
import { changeKnobs, DEFAULT_KNOBS } from './knobs.ts';

type Node = Record<string, unknown>;
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/**
 * OpenAPI 3.0 to JSON Schema: `nullable` becomes a type, and `discriminator` goes (Ajv wants another form of it).
 */
function toJsonSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(toJsonSchema);
  if (!isNode(node)) return node;
  const { nullable, discriminator: _, ...rest } = node;
  const read = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, toJsonSchema(value)]));
  if (nullable !== true) return read;
  return { anyOf: [read, { type: 'null' }] };
}

function validatorsOf(part: 'management' | 'oauth-token'): Ajv {
  const { schemas } = oktaOpenApi(part);
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  ajv.addSchema({ $id: 'spec', components: toJsonSchema({ schemas }) });
  return ajv;
}

describe('the pretend tenant', () => {
  let okta: PretendOkta;
  let management: Ajv;
  let oauth: Ajv;
  let token: string;

  const validator = (ajv: Ajv, schema: object): ValidateFunction => ajv.compile(schema);
  const ref = (name: string) => ({ $ref: `spec#/components/schemas/${name}` });
  const holds = (ajv: Ajv, schema: object, body: unknown): void => {
    const validate = validator(ajv, schema);
    expect(validate(body) ? [] : validate.errors).toEqual([]);
  };
  const ask = async (path: string, init: RequestInit = {}, bearer = token) => {
    const headers = { ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }), ...init.headers };
    const response = await fetch(`https://${okta.host}${path}`, { redirect: 'manual', ...init, headers });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json().catch(() => undefined)) as unknown,
    };
  };
  const requestToken = async (authorization: string, form: Record<string, string>) =>
    ask(
      '/oauth2/v1/token',
      { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) },
      '',
    );

  beforeAll(async () => {
    okta = await openPretendOkta();
    management = validatorsOf('management');
    oauth = validatorsOf('oauth-token');
    const { clientId, clientSecret } = await admin.installApiServiceIntegration(okta.tenant);
    const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
    const response = await requestToken(basic, {
      grant_type: 'client_credentials',
      scope: 'okta.devices.manage okta.devices.read okta.authenticators.read',
    });
    holds(oauth, ref('TokenResponseOrgAs'), response.body);
    token = (response.body as { access_token: string }).access_token;
    for (const [user, platform] of [
      ['ada@acme.example', 'MACOS'],
      ['bob@acme.example', 'IOS'],
    ] as const) {
      const { nonce } = (await ask('/sandbox/fastpass', {}, '')).body as { nonce: string };
      const device = {
        platform,
        displayName: `${user}'s`,
        model: 'Mac14,2',
        osVersion: '15.1',
        serialNumber: 'C02A',
        udid: 'U',
      };
      const signIn = { method: 'POST', body: JSON.stringify({ nonce, user, device }) };
      expect((await ask('/sandbox/fastpass', signIn, '')).status).toBe(200);
    }
  });
  afterAll(async () => okta.close());

  it('describes its organization', async () => {
    okta.tenant.state.knobs = changeKnobs(okta.tenant.state.knobs, {
      organization: { customDomain: 'id.acme.example' },
    });
    holds(management, ref('WellKnownOrgMetadata'), (await ask('/.well-known/okta-organization')).body);
    okta.tenant.state.knobs = structuredClone(DEFAULT_KNOBS);
  });

  it('describes its authenticators and their methods', async () => {
    const { body } = await ask('/api/v1/authenticators');
    holds(management, { type: 'array', items: ref('AuthenticatorBase') }, body);
    const verify = (body as { id: string; key: string }[]).find(({ key }) => key === 'okta_verify');
    holds(management, ref('AuthenticatorKeyOktaVerify'), verify);
    const methods = await ask(`/api/v1/authenticators/${verify?.id}/methods`);
    holds(management, { type: 'array', items: ref('AuthenticatorMethodBase') }, methods.body);
    expect((methods.body as { type: string }[]).map(({ type }) => type)).toContain('signed_nonce');
  });

  it('lists devices with their users; an iPhone without serial number and UDID', async () => {
    const { body } = await ask('/api/v1/devices?expand=user');
    holds(management, { type: 'array', items: ref('DeviceList') }, body);
    const devices = body as {
      id: string;
      profile: { platform: string; serialNumber?: string; udid?: string };
    }[];
    expect(devices.map(({ profile }) => [profile.platform, profile.serialNumber, profile.udid])).toEqual([
      ['MACOS', 'C02A', 'U'],
      ['IOS', undefined, undefined],
    ]);
    const id = devices[0]?.id;
    holds(management, ref('DeviceWithProviders'), (await ask(`/api/v1/devices/${id}`)).body);
    holds(
      management,
      { type: 'array', items: ref('DeviceUser') },
      (await ask(`/api/v1/devices/${id}/users`)).body,
    );
    const summary = await ask('/api/v1/devices?expand=userSummary');
    holds(management, { type: 'array', items: ref('DeviceList') }, summary.body);
  });

  it('would be caught with a device that breaks the form', async () => {
    const { body } = await ask('/api/v1/devices?expand=user');
    const [device] = body as [{ profile: object }];
    const broken = [{ ...device, profile: { ...device.profile, platform: 'MAC' } }];
    expect(validator(management, { type: 'array', items: ref('DeviceList') })(broken)).toBe(false);
  });

  it('uses no property that Okta does not have', () => {
    const known = Object.keys(oktaOpenApi('management').schemas['DeviceProfile']?.['properties'] as Node);
    for (const { profile } of okta.tenant.state.devices)
      expect(known).toEqual(expect.arrayContaining(Object.keys(profile)));
  });

  it.each([
    ['no token', '/api/v1/devices', '', 401],
    ['a foreign token', '/api/v1/devices', 'eyJhbGciOiJub25lIn0.e30.', 401],
    ['an unknown device', '/api/v1/devices/guoNobody', undefined, 404],
    ['a page that is too large', '/api/v1/devices?limit=201', undefined, 400],
    ['a search it cannot read', '/api/v1/devices?search=serial+is+1', undefined, 400],
  ])('refuses %s in the form of an Okta error', async (_, path, bearer, status) => {
    const response = await ask(path, {}, bearer ?? token);
    expect(response.status).toBe(status);
    holds(management, ref('Error'), response.body);
    expect((response.body as { errorCode: string }).errorCode).toMatch(/^E\d{7}$/);
    expect(response.headers.get('x-rate-limit-limit')).toBe('1200');
  });

  it('refuses more than its limit allows', async () => {
    okta.tenant.state.knobs.rateLimits.apiPerMinute = 1;
    await ask('/api/v1/devices');
    const response = await ask('/api/v1/devices');
    expect([response.status, response.headers.get('x-rate-limit-remaining')]).toEqual([429, '0']);
    holds(management, ref('Error'), response.body);
    okta.tenant.state.knobs = structuredClone(DEFAULT_KNOBS);
  });

  it('deletes a device only when it is deactivated, and revokes what was bound to it', async () => {
    const [device] = okta.tenant.state.devices;
    const post = async (action: string) =>
      (await ask(`/api/v1/devices/${device?.id}/lifecycle/${action}`, { method: 'POST' })).status;
    const remove = async () => ask(`/api/v1/devices/${device?.id}`, { method: 'DELETE' });
    expect([await post('suspend'), await post('unsuspend'), await post('unsuspend')]).toEqual([
      204, 204, 403,
    ]);
    const refused = await remove();
    expect([refused.status, (refused.body as { errorCode: string }).errorCode]).toEqual([403, 'E0000152']);
    expect([await post('deactivate'), (await remove()).status, (await remove()).status]).toEqual([
      204, 204, 404,
    ]);
  });

  it('wants client authentication by Basic, and says in Okta’s words what is wrong', async () => {
    const { clientId, clientSecret } = await admin.installApiServiceIntegration(okta.tenant);
    const form = { grant_type: 'client_credentials', scope: 'okta.devices.read' };
    const basic = (id: string, secret: string) =>
      `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
    const post = await requestToken('', { ...form, client_id: clientId, client_secret: clientSecret });
    const unknownScope = await requestToken(basic(clientId, clientSecret), {
      ...form,
      scope: 'okta.everything',
    });
    const noScope = await requestToken(basic(clientId, clientSecret), { grant_type: 'client_credentials' });
    const nobody = await requestToken('', form);
    for (const { body } of [post, unknownScope, noScope, nobody]) holds(oauth, ref('OAuthError'), body);
    const told = [post, unknownScope, noScope, nobody].map(({ status, body }) => [
      status,
      (body as { error: string }).error,
    ]);
    expect(told).toEqual([
      [401, 'invalid_client'],
      [400, 'invalid_scope'],
      [400, 'invalid_scope'],
      [401, 'invalid_client'],
    ]);
    expect((post.body as { error_description: string }).error_description).toContain('client_secret_basic');
  });

  it('is the same tenant after a restart', async () => {
    await okta.restart();
    expect((await ask('/api/v1/devices')).status).toBe(200);
  });
});
