// Okta's own SDK against the pretend tenant, as evidence that was written apart from both; and why its Client makes no call of Odette's.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import okta from '@okta/okta-sdk-nodejs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import * as admin from '../../sandbox/okta/admin.ts';
import { changeKnobs, DEFAULT_KNOBS } from '../../sandbox/okta/knobs.ts';
import type { DeviceRecord } from '../../sandbox/okta/tenant-state.ts';
import { openPretendOkta, type PretendOkta } from '../../test/harness/pretend-okta.ts';
import { newAppKey } from './api-services-app.ts';

const SCOPES = ['okta.devices.manage', 'okta.devices.read', 'okta.authenticators.read'];

let tenant: PretendOkta;
let access: { orgUrl: string; clientId: string; scopes: string[]; privateKey: string; keyId: string };

beforeAll(async () => {
  tenant = await openPretendOkta();
  const { privateKeyPem, publicJwk, keyId } = await newAppKey();
  const { clientId } = await admin.createApiServicesApp(tenant.tenant, {
    publicJwks: [{ ...publicJwk }],
    scopes: SCOPES,
    roles: ['SUPER_ADMIN'],
  });
  access = { orgUrl: `https://${tenant.host}`, clientId, scopes: SCOPES, privateKey: privateKeyPem, keyId };
});
afterAll(() => tenant.close());
beforeEach(() => {
  tenant.tenant.state.knobs = structuredClone(DEFAULT_KNOBS);
  tenant.tenant.state.devices = [1, 2, 3, 4, 5].map(device);
});

const knobs = (change: object): void => {
  tenant.tenant.state.knobs = changeKnobs(tenant.tenant.state.knobs, change);
};
const clientOf = (change: object = {}): okta.Client =>
  new okta.Client({ ...access, authorizationMode: 'PrivateKey', ...change });
const device = (n: number): DeviceRecord => ({
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
    serialNumber: `C02${n}`,
  },
  users: [],
});

async function listed(client: okta.Client): Promise<(string | undefined)[]> {
  const ids: (string | undefined)[] = [];
  // An empty page gives null, against the SDK's own types.
  for await (const one of (await client.deviceApi.listDevices({ limit: 2 })) as AsyncIterable<{
    id?: string;
  } | null>)
    ids.push(one?.id);
  return ids;
}

describe("the SDK's Client at the pretend tenant", () => {
  it('gets a token by key, and reads devices over pages, one device and its users', async () => {
    const created = new Date().toISOString();
    tenant.tenant.state.users = [{ id: '00uAda', login: 'ada@acme.example', created }];
    tenant.tenant.state.devices[2]?.users.push({ userId: '00uAda', managementStatus: 'MANAGED', created });
    const client = clientOf();
    expect(await listed(client)).toEqual(tenant.tenant.state.devices.map(({ id }) => id));
    const one = await client.deviceApi.getDevice({ deviceId: device(3).id });
    expect([one.status, one.profile?.serialNumber, one.lastUpdated]).toEqual([
      'ACTIVE',
      'C023',
      new Date(device(3).lastUpdated),
    ]);
    const users = await client.deviceApi.listDeviceUsers({ deviceId: device(3).id });
    const found: unknown[] = [];
    await users.each((user) => void found.push([user.managementStatus, user.user?.profile?.login]));
    expect(found).toEqual([['MANAGED', 'ada@acme.example']]);
  });

  it('finds by search, and knows Okta Verify with its methods by their types', async () => {
    const client = clientOf();
    const found: unknown[] = [];
    await (
      await client.deviceApi.listDevices({ search: 'profile.serialNumber eq "C024"', expand: 'userSummary' })
    ).each((each) => void found.push(each.id));
    expect(found).toEqual([device(4).id]);
    const kinds: unknown[] = [];
    const verify: string[] = [];
    await (
      await client.authenticatorApi.listAuthenticators()
    ).each(({ key, id }) => void (key === 'okta_verify' && id !== undefined && verify.push(id)));
    for (const authenticatorId of verify) {
      const methods = await client.authenticatorApi.listAuthenticatorMethods({ authenticatorId });
      await methods.each((method) => void kinds.push(method.constructor.name));
    }
    expect(kinds).toContain('AuthenticatorMethodSignedNonce');
  });

  it('suspends, deactivates and deletes as Okta lets it', async () => {
    const client = clientOf();
    const deviceId = device(1).id;
    await client.deviceApi.suspendDevice({ deviceId });
    await expect(client.deviceApi.deleteDevice({ deviceId })).rejects.toMatchObject({
      errorCode: 'E0000152',
    });
    await client.deviceApi.deactivateDevice({ deviceId });
    await client.deviceApi.deleteDevice({ deviceId });
    await expect(client.deviceApi.getDevice({ deviceId })).rejects.toMatchObject({ errorCode: 'E0000007' });
  });
});

/** Each is a reason of docs/decisions/0003; when one falls with a new release, the decision is to be read again. */
describe("why the SDK's Client makes no call of Odette's: it", () => {
  it('knows no client secret', () => {
    expect(() => clientOf({ authorizationMode: 'ClientSecret', clientSecret: 'any' })).toThrow(
      'Unknown Authorization Mode',
    );
  });

  it('hides why a token was refused', async () => {
    await expect(listed(clientOf({ clientId: '0oaNobody' }))).rejects.toMatchObject({
      status: 401,
      errorCode: 'E0000011',
    });
  });

  it("looks at no token's life: an expired one costs a refused call", async () => {
    const client = clientOf();
    await listed(client);
    const calls = tenant.counts()['api'] ?? 0;
    tenant.clock.move(2 * 3_600_000);
    await client.authenticatorApi.listAuthenticators().then((all) => all.each(() => undefined));
    tenant.clock.move(-2 * 3_600_000);
    expect((tenant.counts()['api'] ?? 0) - calls).toBe(2);
  });

  it('gives null for an empty page, and loses what follows it in each()', async () => {
    knobs({ devices: { pageCap: 2, emptyMiddlePage: true } });
    expect(await listed(clientOf())).toContain(undefined);
    const each: unknown[] = [];
    await (await clientOf().deviceApi.listDevices({ limit: 2 })).each(({ id }) => void each.push(id));
    expect(each).toHaveLength(2);
  });

  it("would sleep for an hour inside a call at a tenant's limit of concurrency", async () => {
    const client = clientOf();
    await listed(client);
    const waits = new Promise<number>((told) => {
      const sleeps = vi.spyOn(globalThis, 'setTimeout');
      sleeps.mockImplementation(((work: () => void, wait = 0) => {
        if (wait > 60_000) told(wait);
        return setImmediate(work);
      }) as unknown as typeof setTimeout);
    });
    knobs({ outage: { kind: 'concurrency_limit', times: 1, paths: ['/api/'] } });
    const asked = listed(client);
    expect(await waits).toBeGreaterThan(3_000_000);
    await asked;
    vi.restoreAllMocks();
  });

  it('keeps what it read by id for ever', async () => {
    const client = clientOf();
    const read = async () => (await client.deviceApi.getDevice({ deviceId: device(1).id })).status;
    await read();
    tenant.tenant.changeDevice(tenant.tenant.state.devices[0] as DeviceRecord, (changed) => {
      changed.status = 'SUSPENDED';
    });
    expect(await read()).toBe('ACTIVE');
  });

  it('reads a file in the home folder that nobody named', async () => {
    const home = await mkdtemp(join(tmpdir(), 'odette-okta-home-'));
    await mkdir(join(home, '.okta'));
    await writeFile(join(home, '.okta', 'okta.yaml'), 'okta:\n  client:\n    token: planted\n');
    vi.stubEnv('HOME', home);
    expect(clientOf()).toHaveProperty('apiToken', 'planted');
    vi.unstubAllEnvs();
    await rm(home, { recursive: true });
  });
});
