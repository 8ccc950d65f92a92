import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { newRsaKeyPair, selfSign } from '../pki/certificate-authority.ts';
import { readPushCertificate } from './push-certificate.ts';

const TOPIC = 'com.apple.mgmt.External.1234';
let certificate: string;
let key: string;
let anotherKey: string;

const certify = async (keys: Awaited<ReturnType<typeof newRsaKeyPair>>, uid: string, endsInMs = 3_600_000) =>
  selfSign(
    {
      subject: [
        ['UID', uid],
        ['CN', 'APSP:1234'],
      ],
      publicKey: keys.publicKey,
      notBefore: new Date(Date.now() - 7_200_000),
      notAfter: new Date(Date.now() + endsInMs),
      use: 'client',
    },
    keys.privateKey,
  ).pem;

let keys: Awaited<ReturnType<typeof newRsaKeyPair>>;
beforeAll(async () => {
  keys = await newRsaKeyPair();
  certificate = await certify(keys, TOPIC);
  key = keys.privateKey.export({ format: 'pem', type: 'pkcs1' }).toString();
  anotherKey = (await newRsaKeyPair()).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
});

const reason = (file: string | Buffer, password?: string) => {
  try {
    readPushCertificate(file, { password });
    return 'read';
  } catch (error) {
    return (error as { code: string; facts: { reason: string } }).facts.reason;
  }
};

describe('a push certificate', () => {
  test('is read from PEM in any order, with its topic and end', () => {
    for (const file of [
      certificate + key,
      `${key}\nBag Attributes\n${certificate}`,
      Buffer.from(certificate + key),
    ]) {
      const read = readPushCertificate(file);
      expect(read).toMatchObject({ topic: TOPIC });
      expect(read.privateKeyPem).toMatch(/^-----BEGIN PRIVATE KEY-----/);
      expect(read.notAfter.getTime()).toBeGreaterThan(Date.now());
    }
  });

  test('is read with a key under a password', () => {
    const sealed = keys.privateKey
      .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open' })
      .toString();
    expect(readPushCertificate(certificate + sealed, { password: 'open' }).topic).toBe(TOPIC);
    expect(reason(certificate + sealed, 'wrong')).toBe('wrong_password');
  });

  test('is read from PKCS #12 as openssl and Keychain write it', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'odette-p12-'));
    const file = (name: string) => path.join(folder, name);
    writeFileSync(file('c.pem'), certificate + key);
    for (const words of [['-legacy'], []]) {
      execFileSync('openssl', [
        'pkcs12',
        '-export',
        ...words,
        '-in',
        file('c.pem'),
        '-out',
        file('c.p12'),
        '-passout',
        'pass:open',
      ]);
      const p12 = readFileSync(file('c.p12'));
      expect(readPushCertificate(p12, { password: 'open' }).topic).toBe(TOPIC);
      expect(reason(p12, 'wrong')).toBe('wrong_password');
    }
    rmSync(folder, { recursive: true });
  });

  test('is refused with the reason', async () => {
    expect(reason('hello')).toBe('unreadable');
    expect(reason(certificate)).toBe('no_key');
    expect(reason(certificate + anotherKey)).toBe('key_does_not_match');
    expect(reason((await certify(keys, 'com.example.app')) + key)).toBe('no_mdm_topic');
    expect(reason((await certify(keys, TOPIC, -1000)) + key)).toBe('expired');
  });
});
