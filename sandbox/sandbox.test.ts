// The whole sandbox: what is delivered to a device decides what the pretend tenant thinks of it; knobs and restarts.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateProfile, settingsProfile, ssoProfile } from '../adapters/mdm/payloads/payload-set.ts';
import type { PlistDict } from '../adapters/mdm/plist.ts';
import { OKTA_VERIFY } from '../domain/device-report.ts';
import { openAuthorities } from './authorities.ts';
import type { PretendDevice } from './devices/device.ts';
import { Network } from './devices/network.ts';
import { SmallMdmServer } from '../test/harness/small-mdm-server.ts';
import { push } from '../test/harness/sandbox-world.ts';
import type { Sandbox } from './sandbox.ts';
import { openSandbox } from './sandbox.ts';

let dataDir: string;
let sandbox: Sandbox;
let server: SmallMdmServer;
let network: Network;
let org: string;
let macPlatform: { scepUrl: string; challengeUrl: string; username: string; password: string };
let secretKey: string;

const open = (): Promise<Sandbox> =>
  openSandbox({
    dataDir,
    hasDefaultFleet: false,
    ports: { management: 0, tenants: [0, 0], apns: 0, appsAndBooks: 0, fleet: 0 },
  });

async function manage<Result = Record<string, unknown>>(
  method: string,
  path: string,
  body?: object,
): Promise<Result> {
  const given = body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${sandbox.addresses.management}${path}`, { method, ...given });
  const result = (await response.json()) as Result;
  if (!response.ok) throw new Error(JSON.stringify(result));
  return result;
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'odette-sandbox-'));
  sandbox = await open();
  const authorities = await openAuthorities(join(dataDir, 'authorities'));
  server = await SmallMdmServer.start(authorities);
  network = new Network(authorities.tls.certificate.pem);
  org = sandbox.addresses.tenants[0]?.url ?? '';
  await manage('PATCH', '/apps-and-books/knobs', { associationSeconds: 0 });
  macPlatform = await manage('POST', '/tenants/one/platforms/macos', {});
  ({ secretKey } = await manage<{ secretKey: string }>('POST', '/tenants/one/platforms/ios', {}));
}, 60_000);
afterAll(async () => {
  network.close();
  await server.close();
  await sandbox.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function challenge(): Promise<string> {
  const { username, password, challengeUrl } = macPlatform;
  const Authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const { body } = await network.request(challengeUrl, { headers: { Authorization } });
  return /password is: <B> (\S+) </.exec(body.toString())?.[1] ?? '';
}

async function give(
  device: PretendDevice,
  requestType: string,
  keys: Parameters<SmallMdmServer['send']>[1],
): Promise<void> {
  const response = server.send(requestType, keys);
  push(device);
  expect(await response).toEqual(expect.objectContaining({ Status: 'Acknowledged' }));
}

async function licensed(device: PretendDevice): Promise<void> {
  const token = (await readFile(sandbox.addresses.files.appsAndBooksToken, 'utf8')).trim();
  const body = {
    assets: [{ adamId: OKTA_VERIFY.adamId }],
    serialNumbers: [device.state.hardware.serialNumber],
  };
  await network.request(`${sandbox.addresses.appsAndBooks}/assets/associate`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
  });
}

const target = (uuid: string): { integrationId: string; deviceId: string; uuid: string } => ({
  integrationId: '5b7e4be4-0a3c-4a92-9d19-7f5d7a1b2c3d',
  deviceId: 'c1f2e3d4-5a6b-4c7d-8e9f-0a1b2c3d4e5f',
  uuid,
});
const certificate = async (device: PretendDevice, slot: 'a' | 'b', deliveryId: string): Promise<Buffer> =>
  certificateProfile({
    scope: 'System',
    ...target('11111111-1111-4111-8111-111111111111'),
    slot,
    deliveryId,
    scepUrl: macPlatform.scepUrl,
    challenge: await challenge(),
    serialNumber: device.state.hardware.serialNumber,
    udid: device.state.hardware.udid,
  }).xml;
const install = (device: PretendDevice, xml: Buffer): Promise<void> =>
  give(device, 'InstallProfile', { Payload: server.sign(xml) });

async function newDevice(family: 'Mac' | 'iPhone', name: string, more: object = {}): Promise<PretendDevice> {
  await manage('POST', '/devices', {
    family,
    name,
    knobs: { downloadSeconds: 0, signInSeconds: 0 },
    ...more,
  });
  await manage('POST', `/devices/${name}/enroll`, { url: server.url, code: 'any' });
  const device = sandbox.fleet.get(name);
  if (!device) throw new Error('the device is missing');
  return device;
}

/** A Mac with everything but its certificate. */
async function setUpMac(name: string, more: object = {}): Promise<PretendDevice> {
  const mac = await newDevice('Mac', name, more);
  const settings = { enrollmentOptions: 'SilentEnrollmentEnabled', launchOptions: 'HideMainWindow' };
  await install(
    mac,
    settingsProfile({ ...target('22222222-2222-4222-8222-222222222222'), orgUrl: org, ...settings }).xml,
  );
  const hosts = [new URL(org).hostname];
  await install(
    mac,
    ssoProfile({ ...target('33333333-3333-4333-8333-333333333333'), hosts, platform: 'macOS' }).xml,
  );
  await licensed(mac);
  await give(mac, 'InstallApplication', {
    iTunesStoreID: Number(OKTA_VERIFY.adamId),
    Options: { PurchaseMethod: 1 },
    ChangeManagementState: 'Managed',
    InstallAsManaged: true,
  });
  return mac;
}

const lastSignIn = (device: PretendDevice): object | undefined => device.state.oktaVerify.signIns.at(-1);
const inOkta = async (
  displayName: string,
): Promise<{ users: { managementStatus: string }[] } | undefined> => {
  const devices = await manage<{ profile: { displayName: string }; users: { managementStatus: string }[] }[]>(
    'GET',
    '/tenants/one/devices',
  );
  return devices.find((device) => device.profile.displayName === displayName);
};

describe('an iPhone', () => {
  const configuration = (managementHint: string): PlistDict => ({ 'OktaVerify.OrgUrl': org, managementHint });
  it.each([
    ['the right hint', () => secretKey, 'managed'],
    ['a wrong hint', () => 'Wrong-hint-1', 'registered'],
  ])('with %s', async (name, hint, result) => {
    const phone = await newDevice('iPhone', name.replaceAll(' ', '-'));
    await licensed(phone);
    await give(phone, 'InstallApplication', {
      iTunesStoreID: Number(OKTA_VERIFY.adamId),
      Options: { PurchaseMethod: 1 },
      ChangeManagementState: 'Managed',
      Configuration: configuration(hint()),
    });
    await expect
      .poll(() => lastSignIn(phone), { timeout: 10_000 })
      .toMatchObject({ result, showedPrompt: true });
  });
});

describe('a Mac', () => {
  it('with the whole payload set signs in by itself, without a prompt, and is managed', async () => {
    const mac = await setUpMac('whole', { user: { signsIn: 'manual' } });
    await install(mac, await certificate(mac, 'a', 'delivery-1'));
    await manage('PATCH', '/devices/whole', { user: { signsIn: 'auto' } });
    await expect
      .poll(() => lastSignIn(mac), { timeout: 10_000 })
      .toMatchObject({ result: 'managed', showedPrompt: false, evidence: 'certificate', how: 'automatic' });
    expect(await inOkta('whole')).toMatchObject({ users: [{ managementStatus: 'MANAGED' }] });
  });

  it('without a certificate is registered and not managed; with one it signs in again and is', async () => {
    const mac = await setUpMac('late');
    await expect
      .poll(() => lastSignIn(mac), { timeout: 10_000 })
      .toMatchObject({ result: 'registered', evidence: 'none' });
    await install(mac, await certificate(mac, 'a', 'delivery-3'));
    await expect.poll(() => lastSignIn(mac), { timeout: 10_000 }).toMatchObject({ result: 'managed' });
    await manage('POST', '/devices/late/sign-in', {});
    expect(await inOkta('late')).toMatchObject({ users: [{ managementStatus: 'MANAGED' }] });
  });

  it('shows the newest of two certificates, and none that is over', async () => {
    const mac = await setUpMac('renewed', { user: { signsIn: 'manual' } });
    await install(mac, await certificate(mac, 'a', 'delivery-4'));
    await manage('POST', '/clock', { advanceSeconds: 3600 });
    await install(mac, await certificate(mac, 'b', 'delivery-5'));
    const { certificateSerial } = await manage<{ certificateSerial: string }>(
      'POST',
      '/devices/renewed/sign-in',
      {},
    );
    const { keychain } = await manage<{
      keychain: { serialNumber: string; organizationalUnits: string[] }[];
    }>('GET', '/devices/renewed');
    const shown = keychain.find((item) => item.serialNumber === certificateSerial);
    expect(shown?.organizationalUnits[0]).toContain('delivery-5');
    await manage('POST', '/clock', { advanceSeconds: 400 * 24 * 3600 });
    await expect(manage('POST', '/devices/renewed/sign-in', {})).resolves.toMatchObject({
      evidence: 'none',
      result: 'registered',
    });
  });
});

describe('the management port', () => {
  it('holds a message before it arrives or before its response leaves, until it is let go', async () => {
    const { id } = await manage<{ id: string }>('POST', '/holds', {
      message: 'tenant.one.challenge',
      phase: 'after',
    });
    const before = await manage<{ tenants: { one: Record<string, number> } }>('GET', '/counts');
    const fetched = challenge();
    const { held } = await manage<{ held: { id: string; message: string }[] }>(
      'GET',
      '/holds?waitSeconds=10',
    );
    expect(held).toMatchObject([{ message: 'tenant.one.challenge', phase: 'after' }]);
    const now = await manage<{ tenants: { one: Record<string, number> } }>('GET', '/counts');
    expect(now).not.toEqual(before);
    await manage('POST', `/holds/${held[0]?.id}/release`);
    await expect(fetched).resolves.toMatch(/^\S{32}$/);
    await manage('DELETE', `/holds/${id}`);
  });

  it('refuses an unknown knob, an unknown device, and pages of other origins', async () => {
    await manage('POST', '/devices', { family: 'iPad', name: 'knobs' });
    await expect(manage('PATCH', '/devices/knobs', { knobs: { downloadSecond: 1 } })).rejects.toThrow(
      'downloadSecond',
    );
    await expect(manage('GET', '/devices/nobody')).rejects.toThrow('no device named nobody');
    const { status } = await fetch(`${sandbox.addresses.management}/devices`, {
      headers: { Origin: 'https://a.example' },
    });
    expect(status).toBe(403);
  });

  it('leads people to the tenant’s admin console where programs get JSON', async () => {
    const { management, tenants } = sandbox.addresses;
    const seen = await fetch(`${management}/tenants/two`, {
      headers: { Accept: 'text/html' },
      redirect: 'manual',
    });
    expect([seen.status, seen.headers.get('location')]).toEqual([303, `${tenants[1]?.url}/admin/dashboard`]);
    const { body } = await network.request(`${tenants[1]?.url}/admin/dashboard`, {});
    expect(body.toString()).toContain('<title>Pretend Okta</title>');
    await expect(manage('GET', '/tenants/two')).resolves.toMatchObject({ devices: 0 });
  });

  it('wakes a device that was off for days when the clock gets there', async () => {
    const mac = await newDevice('Mac', 'away');
    await manage('POST', '/devices/away/power-off', { forSeconds: 3 * 24 * 3600 });
    expect(push(mac)).toBe(false);
    await manage('POST', '/clock', { advanceSeconds: 4 * 24 * 3600 });
    await expect.poll(() => mac.state.power).toBe('awake');
  });
});

describe('after a restart', () => {
  it('devices, tenants and the clock are as they were', async () => {
    const listed = async (): Promise<object[]> => {
      const { devices } = await manage<{ devices: Record<string, unknown>[] }>('GET', '/devices');
      return devices.map(({ name, udid, profiles, certificates }) => ({
        name,
        udid,
        profiles,
        certificates,
      }));
    };
    const before = await listed();
    const offset = sandbox.clock.offsetMs;
    await sandbox.close();
    sandbox = await open();
    expect(await listed()).toEqual(before);
    expect(sandbox.clock.offsetMs).toBe(offset);
    expect(await inOkta('whole')).toBeDefined();
  });
});
