// Who may speak for a device: its pinned identity, in every form of signature that is out there, and nobody else.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import { signDetached } from '../../adapters/pki/cms.ts';
import { newRsaKeyPair, selfSign } from '../../adapters/pki/certificate-authority.ts';
import { startDeviceListener, type DeviceListener } from '../../test/harness/device-listener.ts';
import { challengeFor, identityFor, ProtocolDevice } from '../../test/harness/protocol-device.ts';
import { trustedProxies } from './signer.ts';

let listener: DeviceListener;
let device: ProtocolDevice;
beforeAll(async () => {
  listener = await startDeviceListener({ trustedProxy: '127.0.0.1/32', trustsClientCert: true });
  device = await ProtocolDevice.enroll(listener.url, await listener.newCode());
});
afterAll(() => listener.stop());

const idle = (udid = device.udid) => buildPlist({ Status: 'Idle', UDID: udid });

/** The form of real devices: BER with indefinite lengths, SHA-1, no signed attributes. */
function signedByOpenssl(body: Buffer): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'odette-sign-'));
  try {
    const file = (name: string, content: string | Buffer) => {
      writeFileSync(path.join(folder, name), content);
      return path.join(folder, name);
    };
    const { certificate, privateKey } = device.identity;
    const words = '-sign -binary -noattr -md sha1 -stream -outform DER'.split(' ');
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const files = [
      '-signer',
      file('c.pem', certificate.pem),
      '-inkey',
      file('k.pem', key),
      '-in',
      file('body', body),
    ];
    return execFileSync('openssl', ['cms', ...words, ...files]).toString('base64');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('a message of a device', () => {
  test.each(['no-attributes-sha1', 'attributes-sha256'] as const)(
    'is taken with a signature %s, and refused with one changed byte',
    async (form) => {
      device.form = form;
      expect((await device.sendBytes(idle())).status).toBe(200);
      const other = Buffer.from(idle());
      other.writeUInt8(other.readUInt8(other.length - 2) ^ 1, other.length - 2);
      const signature = signDetached(idle(), device.identity, form).toString('base64');
      const response = await device.sendBytes(other, { 'Mdm-Signature': signature });
      expect([response.status, await response.text()]).toEqual([400, 'mdm.signature_refused\n']);
    },
  );

  test('is taken as openssl signs it in the form of real devices, and refused with one changed byte', async () => {
    const body = idle();
    const signature = signedByOpenssl(body);
    expect((await device.sendBytes(body, { 'Mdm-Signature': signature })).status).toBe(200);
    expect(
      (await device.sendBytes(Buffer.concat([body, Buffer.from(' ')]), { 'Mdm-Signature': signature }))
        .status,
    ).toBe(400);
  });

  test('is refused when signed by another device, by a certificate of its own making, or by nobody', async () => {
    const other = await ProtocolDevice.enroll(listener.url, await listener.newCode());
    const keyPair = await newRsaKeyPair();
    const subject = device.identity.certificate.subjectRdns;
    const [notBefore, notAfter] = [new Date(Date.now() - 1000), new Date(Date.now() + 60_000)];
    const selfMade = selfSign(
      { subject, publicKey: keyPair.publicKey, notBefore, notAfter, use: 'client' },
      keyPair.privateKey,
    );
    const claims = [
      new ProtocolDevice(listener.url, other.identity, device.udid),
      new ProtocolDevice(
        listener.url,
        { certificate: selfMade, privateKey: keyPair.privateKey },
        device.udid,
      ),
    ];
    for (const claim of claims) expect((await claim.sendBytes(idle())).status).toBe(400);
    expect((await fetch(`${listener.url}/mdm`, { method: 'PUT', body: Buffer.from(idle()) })).status).toBe(
      400,
    );
    for (const header of ['', 'not base64!', 'AAAA'])
      expect((await device.sendBytes(idle(), { 'Mdm-Signature': header })).status).toBe(400);
  });

  test('is not read before a certificate of Odette has come with it', async () => {
    // Half a message: who waits for the rest of it has begun to read.
    const begin = (headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        const sent = request(`${listener.url}/mdm`, {
          method: 'PUT',
          headers: { ...headers, 'Content-Length': 4_000_000 },
        });
        sent.on('response', ({ statusCode = 0 }) => {
          resolve(statusCode);
          sent.destroy();
        });
        sent.on('error', reject);
        sent.setTimeout(1_000, () => {
          resolve(0);
          sent.destroy();
        });
        sent.write(Buffer.alloc(100_000));
      });
    const keyPair = await newRsaKeyPair();
    const [notBefore, notAfter] = [new Date(Date.now() - 1000), new Date(Date.now() + 60_000)];
    const subject = device.identity.certificate.subjectRdns;
    const wanted = { subject, publicKey: keyPair.publicKey, notBefore, notAfter, use: 'client' as const };
    const selfMade = {
      certificate: selfSign(wanted, keyPair.privateKey),
      privateKey: keyPair.privateKey,
    };
    const signedBy = (identity: typeof selfMade) => ({
      'Mdm-Signature': signDetached(idle(), identity, 'attributes-sha256').toString('base64'),
    });
    expect(await begin({})).toBe(400);
    expect(await begin(signedBy(selfMade))).toBe(400);
    expect(await begin(signedBy(device.identity))).toBe(0);
  });

  test('is refused for an identity that was issued and belongs to no device yet', async () => {
    const fresh = await identityFor(
      listener.url,
      await challengeFor(listener.url, await listener.newCode()),
      true,
    );
    expect((await new ProtocolDevice(listener.url, fresh, device.udid).sendBytes(idle())).status).toBe(400);
  });

  test('names a device that exists', async () => {
    expect((await device.sendBytes(idle(randomUUID()))).status).toBe(400);
  });

  test('waits when its device sends hundreds in a minute, and those of others do not', async () => {
    const flooding = await ProtocolDevice.enroll(listener.url, await listener.newCode());
    const message = buildPlist({ MessageType: 'GetToken', UDID: flooding.udid, TokenServiceType: 'x' });
    const statuses = new Set<number>();
    // More connections at once a busy machine may reset.
    for (let sent = 0; sent < 300; sent += 30)
      for (const { status } of await Promise.all(
        Array.from({ length: 30 }, () => flooding.sendBytes(message)),
      ))
        statuses.add(status);
    expect(statuses).toEqual(new Set([404, 503]));
    const response = await flooding.sendBytes(idle(flooding.udid));
    expect([response.status, Number(response.headers.get('retry-after'))]).toEqual([503, 15]);
    expect((await device.sendBytes(idle())).status).toBe(200);
  });

  test('is taken with POST, without or with any Content-Type', async () => {
    for (const type of ['application/x-apple-aspen-mdm', 'application/json', 'text/html'])
      expect((await device.sendBytes(idle(), { 'Content-Type': type }, 'POST')).status).toBe(200);
  });
});

describe('a client certificate that a proxy passes on (RFC 9440)', () => {
  const send = (certificate: string, url = listener.url) =>
    fetch(`${url}/mdm`, {
      method: 'PUT',
      body: Buffer.from(idle()),
      headers: { 'Client-Cert': certificate },
    });

  test('is believed from the trusted proxy only, and only where that is set', async () => {
    const header = `:${device.identity.certificate.der.toString('base64')}:`;
    expect((await send(header)).status).toBe(200);
    expect((await send(':AAAA:')).status).toBe(400);
    for (const settings of [{ trustsClientCert: true }, { trustedProxy: '127.0.0.1/32' }]) {
      const open = await startDeviceListener(settings);
      const enrolled = await ProtocolDevice.enroll(open.url, await open.newCode());
      const response = await fetch(`${open.url}/mdm`, {
        method: 'PUT',
        body: Buffer.from(idle(enrolled.udid)),
        headers: { 'Client-Cert': `:${enrolled.identity.certificate.der.toString('base64')}:` },
      });
      expect(response.status).toBe(400);
      await open.stop();
    }
  });

  test('trusted are addresses and networks of both families', () => {
    const isTrusted = trustedProxies('10.1.0.0/16, 192.0.2.7, fd00::/8');
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', 'fd12::1'])
      expect(isTrusted(address)).toBe(true);
    for (const address of ['10.2.0.1', '192.0.2.8', 'fe80::1', undefined])
      expect(isTrusted(address)).toBe(false);
    expect(trustedProxies(undefined)('127.0.0.1')).toBe(false);
  });
});
