// A stranger, or an enrolled device that means harm, against the device listener: certificates that are no device's, bodies that are too large,
// too many requests, and messages that are made to be slow to read.
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parsePlist } from '../../adapters/mdm/plist.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { newRsaKeyPair, selfSign } from '../../adapters/pki/certificate-authority.ts';
import { issueIdentity } from '../../api/mdm/identity-authority.ts';
import { signDetached } from '../../adapters/pki/cms.ts';
import { startDeviceListener, TOPIC, type DeviceListener } from '../harness/device-listener.ts';
import { ProtocolDevice } from '../harness/protocol-device.ts';

const TOKEN = { Topic: TOPIC, Token: Buffer.alloc(32), PushMagic: 'm' };

let listener: DeviceListener;
let device: ProtocolDevice;
beforeAll(async () => {
  listener = await startDeviceListener({
    trustsClientCert: true,
    trustedProxy: '127.0.0.1/32',
    longPoll: { milliseconds: 0, max: 10 },
  });
  device = await ProtocolDevice.enroll(listener.url, await listener.newCode());
});
afterAll(() => listener.stop());

/** Announces a body and sends none of it: what comes back came before the body was read. */
function announce(
  headers: Record<string, string>,
  bytes: number,
): Promise<{ status: number; text: string; end: () => void }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${listener.url}/mdm`, {
      method: 'PUT',
      headers: { ...headers, 'content-length': String(bytes) },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: text.trim(), end: () => sent.destroy() });
        sent.destroy();
      });
    });
    sent.flushHeaders();
  });
}

const clientCert = (der: Buffer) => ({ 'Client-Cert': `:${der.toString('base64')}:` });

describe('a certificate in a header', () => {
  test("of the authority itself and of its profile signer is no device's: refused before the body", async () => {
    const { authority, profileSigner } = await listener.authority();
    for (const { der } of [authority.certificate, profileSigner.certificate])
      expect(await announce(clientCert(der), 1000)).toMatchObject({
        status: 400,
        text: 'mdm.signature_refused',
      });
  });

  test("of a stranger's own authority is refused before the body, whatever it says", async () => {
    const { publicKey, privateKey } = await newRsaKeyPair();
    const forged = selfSign(
      {
        subject: [['CN', device.identity.certificate.commonName]],
        publicKey,
        notBefore: new Date(),
        notAfter: new Date(Date.now() + 60_000),
        use: 'client',
      },
      privateKey,
    );
    expect(await announce(clientCert(forged.der), 1000)).toMatchObject({ status: 400 });
  });

  test('that Odette issued and no device has any more is refused before the body', async () => {
    const { authority } = await listener.authority();
    const { publicKey } = await newRsaKeyPair();
    const unknown = await issueIdentity(authority, { publicKey }, 'nobody');
    expect(await announce(clientCert(unknown.der), 1000)).toMatchObject({ status: 400 });
  });

  test('of the authority does not sign messages either', async () => {
    const { profileSigner } = await listener.authority();
    const body = Buffer.from('<plist><dict/></plist>');
    const signature = signDetached(body, profileSigner, 'attributes-sha256').toString('base64');
    expect(await announce({ 'Mdm-Signature': signature }, body.length)).toMatchObject({ status: 400 });
  });

  test('of an enrolled device is let in', async () => {
    expect(
      (
        await device.sendBytes(
          Buffer.from(
            `<plist><dict><key>Status</key><string>Idle</string><key>UDID</key><string>${device.udid}</string></dict></plist>`,
          ),
        )
      ).status,
    ).toBe(200);
  });
});

describe('an enrolled device', () => {
  test('sends no more than 64 kB, unless a list was asked for', async () => {
    const body = Buffer.alloc(100_000, ' ');
    expect((await device.sendBytes(body)).status).toBe(413);
    await listener.database.query(
      `insert into commands (uuid, device_id, enrollment_id, workflow_id, step, request_type, hand_overs, state)
       select gen_random_uuid(), id, enrollment_id, 'w', 'list', 'InstalledApplicationList', 1, 'handed_over' from devices where udid = $1`,
      [device.udid],
    );
    // Large is the list, and no other message while it is awaited.
    for (const [key, value] of [
      ['Status', 'Idle'],
      ['MessageType', 'TokenUpdate'],
    ] as const)
      expect(
        (await device.send({ UDID: device.udid, [key]: value, Filler: 'x'.repeat(100_000), ...TOKEN }))
          .status,
      ).toBe(413);
    // Not a message, but read as one: acknowledged, so that the queue goes on.
    expect((await device.sendBytes(body)).status).toBe(200);
    expect((await device.sendBytes(Buffer.alloc(3_000_000, ' '))).status).toBe(413);
  });

  test('has four requests at once; the fifth is told to come again, and the ended ones count no more', async () => {
    const der = device.identity.certificate.der;
    const refused: number[] = [];
    const open = Array.from({ length: 5 }, () => {
      const sent = request(`${listener.url}/mdm`, {
        method: 'PUT',
        headers: { ...clientCert(der), 'content-length': '1000' },
      });
      sent.on('error', () => undefined);
      sent.on('response', ({ statusCode }) => refused.push(statusCode ?? 0));
      sent.flushHeaders();
      return sent;
    });
    await expect.poll(() => refused).toEqual([503]);
    for (const sent of open) sent.destroy();
    await expect
      .poll(async () => (await device.send({ Status: 'Idle', UDID: device.udid })).status)
      .toBe(200);
  });
});

describe('a message that is made to be slow', () => {
  const SIZE = 2_000_000;
  const fill = (piece: string) => piece.repeat(Math.floor(SIZE / piece.length));
  let keys = '';
  for (let n = 0; keys.length < SIZE; n += 1) keys += `<key>${n}</key><true/>`;
  test.each([
    ['booleans', `<array>${fill('<true/>')}</array>`],
    ['texts', `<array>${fill('<string>a</string>')}</array>`],
    ['dates', `<array>${fill('<date>2026-01-01T00:00:00Z</date>')}</array>`],
    ['data', `<array>${fill('<data>QQ==</data>')}</array>`],
    ['data with white space', `<data>${fill('Q \n')}</data>`],
    ['keys', `<dict>${keys}</dict>`],
    ['entities', `<string>${fill('&amp;')}</string>`],
    ['entities of NUL', `<string>${fill('&#0;')}</string>`],
    ['ampersands', `<string>${fill('&')}</string>`],
    ['comments', `<string>${fill('<!---->')}</string>`],
    ['a long integer', `<integer>${fill('9')}</integer>`],
    ['nesting', fill('<array>')],
  ])('of %s holds the event loop for less than 50 ms', (_name, value) => {
    const body = Buffer.from(`<plist><dict><key>a</key>${value}</dict></plist>`);
    // The best of five: what others do on this machine is not the message's fault.
    const took = Array.from({ length: 5 }, () => {
      const [began, usage] = [performance.now(), process.cpuUsage()];
      try {
        parsePlist(body);
      } catch (error) {
        expect(error).toBeInstanceOf(CataloguedError);
      }
      const { user, system } = process.cpuUsage(usage);
      return Math.min(performance.now() - began, (user + system) / 1000);
    });
    expect(Math.min(...took)).toBeLessThan(50);
  });
});
