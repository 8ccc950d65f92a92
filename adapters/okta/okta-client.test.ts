// The client against a pretend tenant over TLS: tokens both ways, refusals, checks, devices, rate limits.
// Long, because all of it is asked of one pretend tenant.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CataloguedError } from '../../domain/failures.ts';
import * as admin from '../../sandbox/okta/admin.ts';
import { changeKnobs, DEFAULT_KNOBS } from '../../sandbox/okta/knobs.ts';
import { appendLog } from '../../sandbox/okta/system-log.ts';
import type { DeviceRecord } from '../../sandbox/okta/tenant-state.ts';
import { openPretendOkta, openTlsService, type PretendOkta } from '../../test/harness/pretend-okta.ts';
import type { OktaCredentials } from './access-token.ts';
import { keyIdOf, newAppKey } from './api-services-app.ts';
import { AccessTokenSource } from './access-token.ts';
import { OktaBudget, processEndpoints } from './budget.ts';
import { dpopProof, newDpopKey } from './dpop.ts';
import { guardedHttp } from './guarded-http.ts';
import { OktaClient } from './okta-client.ts';

const SCOPES = ['okta.devices.manage', 'okta.devices.read', 'okta.authenticators.read'];

let okta: PretendOkta;
let integration: { clientId: string; clientSecret: string };

beforeAll(async () => {
  okta = await openPretendOkta();
  integration = await admin.installApiServiceIntegration(okta.tenant);
});
afterAll(async () => okta.close());
beforeEach(() => {
  okta.tenant.state.knobs = structuredClone(DEFAULT_KNOBS);
  okta.tenant.state.devices = [];
});

const knobs = (change: object): void => {
  okta.tenant.state.knobs = changeKnobs(okta.tenant.state.knobs, change);
};
const clientOf = (credentials: OktaCredentials): OktaClient =>
  new OktaClient({ host: okta.host, credentials, allowedPrivateHosts: [okta.host] });
const bySecret = (change: Partial<typeof integration> = {}): OktaClient =>
  clientOf({ kind: 'api_service_integration', ...integration, ...change });
const failure = async (work: Promise<unknown>): Promise<CataloguedError> =>
  work.then(
    () => expect.fail('nothing was refused'),
    (error: unknown) => error as CataloguedError,
  );

const device = (n: number, profile: Partial<DeviceRecord['profile']> = {}): DeviceRecord => ({
  id: `guo${String(n).padStart(17, '0')}`,
  created: new Date(Date.UTC(2026, 0, n)).toISOString(),
  lastUpdated: new Date(Date.UTC(2026, 0, n)).toISOString(),
  status: 'ACTIVE',
  profile: {
    displayName: `Mac ${n}`,
    platform: 'MACOS',
    registered: true,
    managed: false,
    model: 'Mac14,2',
    osVersion: '15.1',
    manufacturer: 'APPLE',
    secureHardwarePresent: true,
    diskEncryptionType: 'ALL_INTERNAL_VOLUMES',
    serialNumber: `C02${String(n).padStart(7, '0')}`,
    ...profile,
  },
  users: [],
});

describe('a token by client secret', () => {
  it('carries the scopes that were granted', async () => {
    expect(await bySecret().token()).toEqual({ scopes: SCOPES });
  });

  it('carries fewer when fewer were granted', async () => {
    const less = await admin.installApiServiceIntegration(okta.tenant, { scopes: ['okta.devices.read'] });
    expect(await bySecret(less).token()).toEqual({ scopes: ['okta.devices.read'] });
  });

  it('is fetched once for many callers, and again only when it is about to expire', async () => {
    const client = bySecret();
    const before = okta.counts()['token'] ?? 0;
    await Promise.all([client.token(), client.token(), client.listDevices(), client.listDevices()]);
    await client.token();
    expect((okta.counts()['token'] ?? 0) - before).toBe(1);
    knobs({ tokens: { lifeSeconds: 0.2 } });
    const short = bySecret();
    await short.token();
    await new Promise((passed) => setTimeout(passed, 200));
    await short.token();
    expect((okta.counts()['token'] ?? 0) - before).toBe(3);
  });

  it('refused by the API is fetched again once', async () => {
    const client = bySecret();
    await client.listDevices();
    okta.clock.move(2 * 3_600_000);
    expect(await client.listDevices()).toEqual({ devices: [] });
    okta.clock.move(-2 * 3_600_000);
  });

  it.each([
    ['okta.client_secret_wrong', { clientSecret: 'quite another secret' }],
    ['okta.client_id_unknown', { clientId: '0oaNobodyKnowsThisOne' }],
  ])('is refused as %s', async (code, change) => {
    const error = await failure(bySecret(change).token());
    expect(error.code).toBe(code);
    expect(JSON.stringify([error.message, error.facts])).not.toContain('another secret');
  });

  it('is refused as okta.network_zone, okta.scope_not_granted, okta.key_required', async () => {
    knobs({ tokens: { outsideNetworkZone: true } });
    expect((await failure(bySecret().token())).code).toBe('okta.network_zone');
    knobs({ tokens: { outsideNetworkZone: false } });
    const none = await admin.installApiServiceIntegration(okta.tenant, { scopes: [] });
    expect((await failure(bySecret(none).token())).code).toBe('okta.scope_not_granted');
    const app = await admin.createApiServicesApp(okta.tenant, { scopes: SCOPES });
    expect((await failure(bySecret(app).token())).code).toBe('okta.key_required');
    const web = await admin.createApiServicesApp(okta.tenant, { applicationType: 'web' });
    expect((await failure(bySecret(web).token())).code).toBe('okta.wrong_app_type');
  });
});

describe('a token by key', () => {
  it.each([true, false])('is given to the app that has the public half, with DPoP on (%s)', async (dpop) => {
    const { privateKeyPem, publicJwk, keyId } = await newAppKey();
    const { clientId } = await admin.createApiServicesApp(okta.tenant, {
      publicJwks: [{ ...publicJwk }],
      scopes: SCOPES,
      dpop,
    });
    expect(await keyIdOf(privateKeyPem)).toBe(keyId);
    const client = () => clientOf({ kind: 'api_services_app', clientId, privateKeyPem, keyId });
    expect(await client().token()).toEqual({ scopes: SCOPES });
    // Scopes alone are not enough: the app needs an admin role, too.
    expect((await failure(client().listDevices())).code).toBe('okta.access_denied');
    await admin.changeApiServicesApp(okta.tenant, clientId, { roles: ['READ_ONLY_ADMIN'] });
    expect(await client().listDevices()).toEqual({ devices: [] });
  });

  it('is refused with another key', async () => {
    const [registered, other] = await Promise.all([newAppKey(), newAppKey()]);
    const { clientId } = await admin.createApiServicesApp(okta.tenant, {
      publicJwks: [{ ...registered.publicJwk }],
      scopes: SCOPES,
      dpop: false,
    });
    const { privateKeyPem, keyId } = other;
    const error = await failure(
      clientOf({ kind: 'api_services_app', clientId, privateKeyPem, keyId }).token(),
    );
    expect(error.code).toBe('okta.key_refused');
  });
});

describe('proof of possession (DPoP)', () => {
  const host = () => `https://${okta.host}`;
  const token = async () => {
    const { privateKeyPem, publicJwk, keyId } = await newAppKey();
    const { clientId } = await admin.createApiServicesApp(okta.tenant, {
      publicJwks: [{ ...publicJwk }],
      scopes: SCOPES,
      roles: ['READ_ONLY_ADMIN'],
    });
    return new AccessTokenSource({
      host: okta.host,
      credentials: { kind: 'api_services_app', clientId, privateKeyPem, keyId },
      http: guardedHttp([okta.host]),
      budget: new OktaBudget(processEndpoints(), '1'),
    }).get();
  };
  const ask = async (headers: Record<string, string>, path = '/api/v1/devices?limit=1') =>
    (await guardedHttp([okta.host]).send({ url: new URL(`${host()}${path}`), headers })).status;
  const url = () => new URL(`${host()}/api/v1/devices?limit=1`);

  it('takes a nonce first, and then binds the token: without a proof it is worth nothing', async () => {
    const before = okta.counts()['token'] ?? 0;
    const { value, dpopKey: key } = await token();
    expect((okta.counts()['token'] ?? 0) - before).toBe(2);
    if (key === undefined) throw new Error('not bound');
    const authorization = `DPoP ${value}`;
    const proof = (other: object = {}) =>
      dpopProof({ key, method: 'GET', url: url(), accessToken: value, ...other });
    expect(await ask({ authorization: `Bearer ${value}` })).toBe(400);
    expect(await ask({ authorization })).toBe(400);
    const dpop = await proof();
    expect(await ask({ authorization, dpop })).toBe(200);
    // Once.
    expect(await ask({ authorization, dpop })).toBe(400);
    expect(await ask({ authorization, dpop: await proof({ accessToken: 'another' }) })).toBe(400);
    const other = new URL(`${host()}/api/v1/authenticators`);
    expect(await ask({ authorization, dpop: await proof({ url: other }) })).toBe(400);
    expect(await ask({ authorization, dpop: await proof({ method: 'POST' }) })).toBe(400);
    expect(await ask({ authorization, dpop: await proof({ key: await newDpopKey() }) })).toBe(401);
  });
});

describe('a proof of possession is sent where it is demanded, and nowhere else', () => {
  /** A tenant that notes each request's scheme and whether it had a proof. @param demands of token requests */
  async function requestsOf(credentials: OktaCredentials, demands: boolean): Promise<string[]> {
    const service = await openTlsService();
    const seen: string[] = [];
    service.serve((request, response) => {
      const { authorization = '', dpop } = request.headers;
      const isToken = request.url?.startsWith('/oauth2') === true;
      seen.push(
        `${isToken ? 'token' : `devices, ${authorization.split(' ')[0]}`}${dpop === undefined ? '' : ', proof'}`,
      );
      const answer = (status: number, body: unknown, headers = {}): void => {
        response
          .writeHead(status, { 'content-type': 'application/json', ...headers })
          .end(JSON.stringify(body));
      };
      if (!isToken) return answer(200, []);
      const nonce = typeof dpop === 'string' && dpop.split('.')[1];
      const hasNonce =
        nonce !== false && 'nonce' in JSON.parse(Buffer.from(nonce ?? '', 'base64url').toString());
      if (demands && dpop === undefined) return answer(400, { error: 'invalid_dpop_proof' });
      if (demands && !hasNonce) return answer(400, { error: 'use_dpop_nonce' }, { 'dpop-nonce': 'n' });
      answer(200, {
        access_token: 't',
        token_type: demands ? 'DPoP' : 'Bearer',
        expires_in: 3600,
        scope: '',
      });
    });
    await new OktaClient({ host: service.host, credentials, allowedPrivateHosts: [service.host] })
      .listDevices()
      .finally(() => service.close());
    return seen;
  }
  const secret: OktaCredentials = { kind: 'api_service_integration', clientId: 'c', clientSecret: 's' };

  it.each<[string, boolean, boolean, string[]]>([
    ['a client secret', false, false, ['token', 'devices, Bearer']],
    [
      'a client secret, demanded',
      false,
      true,
      ['token', 'token, proof', 'token, proof', 'devices, DPoP, proof'],
    ],
    [
      'a key: Okta demands it of new apps',
      true,
      true,
      ['token, proof', 'token, proof', 'devices, DPoP, proof'],
    ],
    ['a key, the app lets bearer tokens be', true, false, ['token, proof', 'devices, Bearer']],
  ])('%s', async (_what, byKey, demands, expected) => {
    const { privateKeyPem, keyId } = await newAppKey();
    const key: OktaCredentials = { kind: 'api_services_app', clientId: 'c', privateKeyPem, keyId };
    expect(await requestsOf(byKey ? key : secret, demands)).toEqual(expected);
  });
});

describe('a clock that differs from Okta by five minutes', () => {
  it.each([
    [310, /\d+ seconds behind Okta's\.$/],
    [-310, /\d+ seconds ahead of Okta's\.$/],
  ])('is named, and not the key: %i s', async (clockSkewSeconds, said) => {
    const { privateKeyPem, publicJwk, keyId } = await newAppKey();
    const { clientId } = await admin.createApiServicesApp(okta.tenant, {
      publicJwks: [{ ...publicJwk }],
      scopes: SCOPES,
      dpop: false,
    });
    knobs({ clockSkewSeconds });
    const error = await failure(
      clientOf({ kind: 'api_services_app', clientId, privateKeyPem, keyId }).token(),
    );
    expect(error.code).toBe('okta.clock_off');
    // The Date header has whole seconds, and the response takes its time.
    expect(Math.abs(Number(error.facts['seconds']) + clockSkewSeconds)).toBeLessThan(10);
    expect(error.facts['reason']).toMatch(said);
  });
});

describe('the check of devices', () => {
  it('passes with the read scopes alone, and is refused where only devices are', async () => {
    const scopes = ['okta.devices.read', 'okta.authenticators.read'];
    const client = bySecret(await admin.installApiServiceIntegration(okta.tenant, { scopes }));
    expect(await client.token()).toEqual({ scopes });
    await client.checkDevices();
    knobs({ outage: { kind: 'access_denied', paths: ['/api/v1/devices'] } });
    expect((await client.checkFastPass()).fastPassActive).toBe(true);
    expect((await failure(client.checkDevices())).code).toBe('okta.access_denied');
  });
});

describe('the System Log', () => {
  it('is read over its pages, the oldest first, where okta.logs.read is granted', async () => {
    const scopes = ['okta.logs.read'];
    const client = bySecret(await admin.installApiServiceIntegration(okta.tenant, { scopes }));
    okta.tenant.state.log = [];
    for (let event = 0; event < 1_001; event += 1)
      appendLog(okta.tenant, 'pki.cert.bind', [{ id: `guo${event}`, type: 'UDDevice' }]);
    appendLog(okta.tenant, 'device.lifecycle.suspend', [{ id: 'guo1', type: 'UDDevice' }]);
    const span = { since: new Date(Date.now() - 60_000), until: new Date(Date.now() + 60_000) };
    const { bindings, until } = await client.listBindings(span);
    expect(bindings.map(({ oktaId }) => oktaId)).toEqual(
      Array.from({ length: 1_001 }, (_, event) => `guo${event}`),
    );
    expect(until).toEqual(span.until);
    expect((await failure(bySecret().listBindings(span))).code).toBe('okta.scope_not_granted');
  });
});

describe('the check of FastPass', () => {
  const on = { oktaVerifyActive: true, fastPassActive: true, warnings: [] };
  it.each([
    ['is on', {}, on],
    ['is off', { fastPass: false }, { ...on, fastPassActive: false }],
    [
      'misses Okta Verify',
      { oktaVerify: 'missing' },
      { oktaVerifyActive: false, fastPassActive: false, warnings: [] },
    ],
    [
      'has Okta Verify switched off',
      { oktaVerify: 'inactive' },
      { oktaVerifyActive: false, fastPassActive: false, warnings: [] },
    ],
    ['has FastPass as an authenticator of its own', { oktaVerify: 'split' }, on],
  ])('sees a tenant that %s', async (_, authenticators, expected) => {
    knobs({ authenticators });
    expect(await bySecret().checkFastPass()).toEqual(expected);
  });

  it('warns of settings that keep devices out', async () => {
    knobs({ authenticators: { showSignInWithOV: 'NEVER', keyProtection: 'HARDWARE', fips: 'REQUIRED' } });
    expect((await bySecret().checkFastPass()).warnings).toHaveLength(3);
  });

  it('without its scope is refused as okta.scope_not_granted', async () => {
    const less = await admin.installApiServiceIntegration(okta.tenant, { scopes: ['okta.devices.read'] });
    expect((await failure(bySecret(less).checkFastPass())).code).toBe('okta.scope_not_granted');
  });
});

describe('devices', () => {
  it('with odd records among them are read all the same, and with names that a database can hold', async () => {
    const odd = { ...device(2), lastUpdated: null as unknown as string };
    const registered = null as unknown as boolean;
    okta.tenant.state.devices = [device(1, { displayName: 'a\0b\ud800' }), odd, device(3, { registered })];
    const { devices } = await bySecret().listDevices();
    expect(devices.map(({ displayName, registered: is }) => [displayName, is])).toEqual([
      ['a\ufffdb\ufffd', true],
      ['Mac 3', false],
    ]);
  });

  const all = async (client: OktaClient): Promise<{ ids: string[]; pages: number }> => {
    const ids: string[] = [];
    let next: string | undefined;
    let pages = 0;
    do {
      const page = await client.listDevices(next);
      ids.push(...page.devices.map(({ id }) => id));
      next = page.next;
      pages += 1;
    } while (next !== undefined);
    return { ids, pages };
  };

  it('are listed over pages, an empty one in the middle included', async () => {
    okta.tenant.state.devices = [1, 2, 3, 4, 5].map((n) => device(n));
    knobs({ devices: { pageCap: 2, emptyMiddlePage: true } });
    const { ids, pages } = await all(bySecret());
    expect(ids).toEqual(okta.tenant.state.devices.map(({ id }) => id));
    expect(pages).toBeGreaterThan(3);
  });

  it('come with their users; an iPhone has no serial number', async () => {
    const created = new Date().toISOString();
    okta.tenant.state.users = [{ id: '00uAda', login: 'ada@acme.example', created }];
    const { serialNumber: _, ...profile } = device(2).profile;
    okta.tenant.state.devices = [
      { ...device(1), users: [{ userId: '00uAda', managementStatus: 'MANAGED', created }] },
      { ...device(2), profile: { ...profile, platform: 'IOS', displayName: 'iPhone', model: 'iPhone15,2' } },
    ];
    const { devices } = await bySecret().listDevices();
    expect(devices[0]?.users).toEqual([
      { id: '00uAda', login: 'ada@acme.example', managementStatus: 'MANAGED' },
    ]);
    expect(devices[1]).toMatchObject({ platform: 'IOS', model: 'iPhone15,2', users: [] });
    expect(devices[1]).not.toHaveProperty('serialNumber');
  });

  it('are found by serial number, by model and by what changed since', async () => {
    okta.tenant.state.devices = [
      device(1, { serialNumber: 'C02SAME' }),
      device(3, { serialNumber: 'c02same' }),
      device(2, { serialNumber: 'C02OTHER', model: 'Mac15,3' }),
    ];
    const found = async (filter: Parameters<OktaClient['findDevices']>[0]) =>
      (await bySecret().findDevices(filter)).map(({ id }) => id);
    expect(await found({ serialNumber: 'C02SAME' })).toEqual([device(1).id, device(3).id]);
    expect(await found({ serialNumber: 'C02NOBODY"' })).toEqual([]);
    expect(await found({ platform: 'MACOS', model: 'Mac15,3' })).toEqual([device(2).id]);
    expect(await found({ updatedAfter: new Date(device(2).lastUpdated) })).toEqual([device(3).id]);
  });

  it('are confirmed by id, as they are now, whatever search still shows', async () => {
    okta.tenant.state.devices = [device(1, { serialNumber: 'C02OLD' })];
    knobs({ devices: { searchDelaySeconds: 60 } });
    okta.tenant.changeDevice(okta.tenant.state.devices[0] as DeviceRecord, (changed) => {
      changed.profile.serialNumber = 'C02NEW';
    });
    expect(await bySecret().findDevices({ serialNumber: 'C02OLD' })).toHaveLength(1);
    const { present, gone } = await bySecret().confirm([device(1).id, device(2).id]);
    expect(present.map(({ serialNumber }) => serialNumber)).toEqual(['C02NEW']);
    expect(gone).toEqual([device(2).id]);
  });

  it('deleted in Okta are undefined', async () => {
    expect(await bySecret().device('guoNobody')).toBeUndefined();
  });
});

describe('a page of devices', () => {
  const stub = async (
    respond: (limit: number, expand: string | null) => { type?: string; body: string },
  ): Promise<{
    client: OktaClient;
    limits: number[];
    close(): Promise<void>;
  }> => {
    const service = await openTlsService();
    const limits: number[] = [];
    service.serve((request, response) => {
      const url = new URL(request.url ?? '/', `https://${service.host}`);
      const json = { 'content-type': 'application/json' };
      if (url.pathname === '/oauth2/v1/token') {
        const token = { access_token: 'a', token_type: 'Bearer', expires_in: 3600, scope: SCOPES.join(' ') };
        response.writeHead(200, json).end(JSON.stringify(token));
        return;
      }
      limits.push(Number(url.searchParams.get('limit')));
      const { type = 'application/json', body } = respond(limits.at(-1) ?? 0, url.searchParams.get('expand'));
      response.writeHead(200, { 'content-type': type }).end(body);
    });
    const credentials = { kind: 'api_service_integration', clientId: '0oa', clientSecret: 's' } as const;
    const client = new OktaClient({ host: service.host, credentials, allowedPrivateHosts: [service.host] });
    return { client, limits, close: () => service.close() };
  };

  it("that is a captive portal's web page is refused, and never taken for a tenant without devices", async () => {
    const bodies = [
      { type: 'text/html', body: '<html><body>Sign in to the guest network</body></html>' },
      { type: 'text/plain', body: '[]' },
      { body: '"a text"' },
      { body: '{"error":"no list"}' },
      { body: '[' },
    ];
    const { client, limits, close } = await stub(() => bodies.shift() ?? { body: '[]' });
    for (let left = bodies.length; left > 0; left -= 1)
      expect((await failure(client.listDevices())).code).toBe('okta.unexpected_response');
    expect(await client.listDevices()).toEqual({ devices: [] });
    expect(limits).toHaveLength(6);
    await close();
  });

  it('that is too long, as of Macs with many users, is asked for again with fewer devices', async () => {
    const users = Array.from({ length: 10 }, (_, n) => ({
      managementStatus: 'MANAGED',
      user: { id: `00u${n}`, profile: { login: `${n}@acme.example` } },
      filler: 'x'.repeat(4_200),
    }));
    const devicesOf = (limit: number) =>
      Array.from({ length: limit }, (_, n) => ({ ...device(1), id: `guo${n}`, _embedded: { users } }));
    const expands = new Set<string | null>();
    const { client, limits, close } = await stub((limit, expand) => {
      expands.add(expand);
      return { body: JSON.stringify(devicesOf(limit)) };
    });
    expect((await client.listDevices()).devices).toHaveLength(50);
    expect((await client.listDevices()).devices[49]?.users).toHaveLength(10);
    expect(limits).toEqual([200, 50, 50]);
    expect([...expands]).toEqual(['userSummary']);
    await close();
  });
});

describe('limits and outages', () => {
  it('a 429 says how long to wait, and nothing is sent until then', async () => {
    const client = bySecret();
    await client.listDevices();
    knobs({ outage: { kind: 'rate_limit', times: 1, paths: ['/api/'] } });
    const error = await failure(client.listDevices());
    expect(error.code).toBe('okta.rate_limited');
    expect(error.retryAfterMs).toBeGreaterThan(0);
    const asked = okta.counts()['api'];
    expect((await failure(client.listDevices())).code).toBe('okta.rate_limited');
    expect(okta.counts()['api']).toBe(asked);
  });

  it('a limit of concurrency is waited out in seconds, whatever the reset says', async () => {
    knobs({ outage: { kind: 'concurrency_limit', times: 1, paths: ['/api/'] } });
    expect((await failure(bySecret().listDevices())).retryAfterMs).toBeLessThan(10_001);
  });

  it.each(['status_503', 'connection_reset'])('%s is okta.unreachable', async (kind) => {
    knobs({ outage: { kind } });
    expect((await failure(bySecret().token())).code).toBe('okta.unreachable');
  });

  it('a private host that is not in the allow-list is never called', async () => {
    const client = new OktaClient({
      host: okta.host,
      credentials: { kind: 'api_service_integration', ...integration },
    });
    const before = okta.counts()['token'];
    expect((await failure(client.token())).code).toBe('okta.host_not_allowed');
    expect(okta.counts()['token']).toBe(before);
  });
});
