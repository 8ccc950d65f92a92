// Bootstrap tokens over real HTTP: kept sealed, given back to the Mac that escrowed it, gone with its enrollment.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsePlistDict, type PlistDict } from '../../adapters/mdm/plist.ts';
import { findDeviceForUpdate } from '../../adapters/store/devices/devices.ts';
import { startDeviceListener, type DeviceListener } from '../../test/harness/device-listener.ts';
import { challengeFor, identityFor, ProtocolDevice } from '../../test/harness/protocol-device.ts';

let listener: DeviceListener;
beforeAll(async () => {
  listener = await startDeviceListener();
});
afterAll(() => listener.stop());

const enroll = async () => {
  const device = new ProtocolDevice(
    listener.url,
    await identityFor(listener.url, await challengeFor(listener.url, await listener.newCode()), true),
  );
  await device.authenticate();
  await device.updateToken();
  return device;
};
const escrow = async (device: ProtocolDevice, token?: Buffer) =>
  (await device.send({ MessageType: 'SetBootstrapToken', UDID: device.udid, BootstrapToken: token })).status;
async function askBack(device: ProtocolDevice, extra: PlistDict = {}): Promise<Buffer | undefined> {
  const response = await device.send({ MessageType: 'GetBootstrapToken', UDID: device.udid, ...extra });
  expect(response.status).toBe(200);
  const body = Buffer.from(await response.arrayBuffer());
  return body.length === 0 ? undefined : (parsePlistDict(body)['BootstrapToken'] as Buffer);
}
const actions = async (udid: string) => {
  const device = await findDeviceForUpdate(listener.database, udid);
  const rows = await listener.database.query<{ action: string }>(
    `select action from audit_entries where subject = $1 and action like 'bootstrap_token.%' order by at`,
    [`device:${device?.id}`],
  );
  return rows.map(({ action }) => action);
};

test('a Mac gets back what it escrowed last, and the database holds it sealed', async () => {
  const device = await enroll();
  expect(await askBack(device)).toBeUndefined();
  const [first, second] = [randomBytes(32), randomBytes(32)];
  expect(await escrow(device, first)).toBe(200);
  expect(await escrow(device, second)).toBe(200);
  expect(await askBack(device)).toEqual(second);
  const [row] = await listener.database.query<{ sealed: Buffer }>('select sealed from bootstrap_tokens');
  expect(row?.sealed.includes(second)).toBe(false);
  expect(await actions(device.udid)).toEqual([
    'bootstrap_token.escrowed',
    'bootstrap_token.escrowed',
    'bootstrap_token.given_back',
  ]);
});

test('an empty token deletes it', async () => {
  for (const empty of [Buffer.alloc(0), undefined]) {
    const device = await enroll();
    await escrow(device, randomBytes(32));
    expect(await escrow(device, empty)).toBe(200);
    expect(await askBack(device)).toBeUndefined();
  }
});

test('no other device gets it', async () => {
  const [owner, other] = [await enroll(), await enroll()];
  await escrow(owner, randomBytes(32));
  const claim = new ProtocolDevice(listener.url, other.identity, owner.udid);
  const asked = await claim.send({ MessageType: 'GetBootstrapToken', UDID: owner.udid });
  expect([asked.status, await asked.text()]).toEqual([400, 'mdm.signature_refused\n']);
  expect(await askBack(other)).toBeUndefined();
});

test('it ends with the enrollment, and a Mac that enrolls anew escrows another', async () => {
  const device = await enroll();
  const token = randomBytes(32);
  await escrow(device, token);
  await device.authenticate();
  await device.updateToken();
  expect(await askBack(device)).toEqual(token); // the same enrollment
  await device.checkOut();
  device.identity = await identityFor(
    listener.url,
    await challengeFor(listener.url, await listener.newCode()),
    true,
  );
  await device.authenticate();
  await device.updateToken();
  expect(await askBack(device)).toBeUndefined();
});

test('a token in a message that nobody can read is not kept either', async () => {
  const device = await enroll();
  const token = randomBytes(32).toString('base64');
  const body = `<plist><dict><key>MessageType</key><string>SetBootstrapToken</string><key>BootstrapToken</key><data>${token}</data>`;
  expect((await device.sendBytes(Buffer.from(body))).status).toBe(200);
  const rows = await listener.database.query<{ body: Buffer }>('select body from unparsed_responses');
  expect(rows).toHaveLength(1);
  expect(rows[0]?.body.includes(token)).toBe(false);
});
