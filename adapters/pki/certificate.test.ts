// Certificates, requests and key files: openssl accepts what is made here, and what it makes is read.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OpensslFolder, hasOpenssl } from '../../test/openssl.ts';
import { CertificateAuthority, newRsaKeyPair, type KeyPair } from './certificate-authority.ts';
import { readCertificate, readCertificates, readPkcs12 } from './certificate.ts';
import { buildCsr, readCsr } from './csr.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const DAY = 86_400_000;
const later = (days: number): Date => new Date(NOW.getTime() + days * DAY);
const CLIENT = { notBefore: NOW, notAfter: later(365), use: 'client' } as const;

let authority: CertificateAuthority;
let keyPair: KeyPair;
beforeAll(async () => {
  authority = await CertificateAuthority.create({
    commonName: 'Odette, "test" authority',
    notBefore: NOW,
    notAfter: later(365 * 30),
  });
  keyPair = await newRsaKeyPair();
});

test('an issued certificate says what was asked', () => {
  const certificate = authority.issue({
    ...CLIENT,
    subject: [
      ['CN', 'C02 managementAttestation U-1'],
      ['OU', 'odette-1'],
      ['UID', 'com.apple.mgmt.External.1'],
    ],
    publicKey: keyPair.publicKey,
  });
  expect(certificate).toMatchObject({
    subject: 'UID=com.apple.mgmt.External.1,OU=odette-1,CN=C02 managementAttestation U-1',
    issuer: 'CN=Odette\\, \\"test\\" authority',
    commonName: 'C02 managementAttestation U-1',
    organizationalUnits: ['odette-1'],
    userId: 'com.apple.mgmt.External.1',
    notBefore: NOW,
    notAfter: later(365),
    hasClientAuth: true,
    isAuthority: false,
  });
  expect(certificate.publicKey.equals(keyPair.publicKey)).toBe(true);
  expect(readCertificate(certificate.pem)).toMatchObject({ fingerprint: certificate.fingerprint });
});

test("Node's own reader agrees", () => {
  const certificate = authority.issue({
    ...CLIENT,
    subject: [['CN', 'Zoë 🔒']],
    publicKey: keyPair.publicKey,
    use: 'server',
    dnsNames: ['localhost', 'odette.acme.com'],
    ipAddresses: ['127.0.0.1', '::1', '2001:db8::5:0:1'],
  });
  const other = new X509Certificate(certificate.der);
  expect(other.serialNumber.toLowerCase()).toBe(certificate.serialNumber);
  expect(other.subject).toBe('CN=Zoë 🔒');
  expect(other.checkIssued(new X509Certificate(authority.certificate.der))).toBe(true);
  expect(other.verify(authority.certificate.publicKey)).toBe(true);
  expect(other.checkHost('odette.acme.com')).toBe('odette.acme.com');
  for (const address of ['127.0.0.1', '::1', '2001:db8::5:0:1']) {
    expect(other.checkIP(address)).toBe(address);
  }
  expect(new Date(other.validTo)).toEqual(certificate.notAfter);
});

test('times beyond 2049 are written in the other form', () => {
  expect(authority.certificate.notAfter).toEqual(later(365 * 30));
  expect(new Date(new X509Certificate(authority.certificate.der).validTo)).toEqual(later(365 * 30));
});

test('every certificate has a serial number of its own', () => {
  const issue = () => authority.issue({ ...CLIENT, subject: [], publicKey: keyPair.publicKey }).serialNumber;
  const serials = Array.from({ length: 20 }, issue);
  expect(new Set(serials).size).toBe(20);
  for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/);
});

test('a TLS server and its clients accept each other', async () => {
  const now = Date.now();
  const valid = { notBefore: new Date(now - DAY), notAfter: new Date(now + DAY) };
  const root = await CertificateAuthority.create({ commonName: 'root', ...valid });
  const { publicKey, privateKey } = keyPair;
  const server = root.issue({ ...valid, use: 'server', subject: [], publicKey, dnsNames: ['localhost'] });
  const client = root.issue({ ...valid, use: 'client', subject: [['CN', 'device']], publicKey });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const ca = root.certificate.pem;
  const listener = createServer({ key, cert: server.pem, ca, requestCert: true }, (_request, response) => {
    response.end('hello');
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const status = await new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', servername: 'localhost', port, ca, key, cert: client.pem }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
  listener.close();
  expect(status).toBe(200);
});

test('a request names its key, subject and challenge, and must be signed by that key', () => {
  const subject = [
    ['CN', 'a+b'],
    ['OU', 'odette-1'],
    ['OU', 'Zoë'],
  ] as const;
  const der = buildCsr({ subject, keyPair, challengePassword: 'pä§§-wörd' });
  const csr = readCsr(der);
  expect(csr).toMatchObject({ subject, challengePassword: 'pä§§-wörd' });
  expect(csr.publicKey.equals(keyPair.publicKey)).toBe(true);
  expect(readCsr(buildCsr({ subject: [], keyPair }))).not.toHaveProperty('challengePassword');
  const changed = Buffer.from(der);
  const at = changed.indexOf('odette-1');
  changed.write('odette-2', at);
  expect(() => readCsr(changed)).toThrow('scep.request_refused');
  expect(() => readCsr(Buffer.from('nothing'))).toThrow('scep.request_refused');
});

test.each(['', 'nothing', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
  'what is no certificate is refused (%j)',
  (input) => {
    expect(() => readCertificate(input)).toThrow('certificate.unreadable');
    expect(() => readCertificate(Buffer.from(input))).toThrow('certificate.unreadable');
  },
);

describe.skipIf(!hasOpenssl)('openssl', () => {
  const folder = new OpensslFolder();
  beforeAll(() => {
    folder.file('ca.pem', authority.certificate.pem);
    folder.file('key.pem', keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  });
  afterAll(() => {
    folder.remove();
  });

  test.each([
    ['client', 'sslclient'],
    ['server', 'sslserver'],
    ['signing', 'smimesign'],
    ['registration', 'smimesign'],
  ] as const)('verifies a certificate for %s', (use, purpose) => {
    const { publicKey } = keyPair;
    folder.file('c.pem', authority.issue({ ...CLIENT, use, subject: [['CN', 'x']], publicKey }).pem);
    const at = String(Math.floor(later(1).getTime() / 1000));
    const verify = ['verify', '-x509_strict', '-CAfile', 'ca.pem', '-attime', at, '-purpose', purpose];
    expect(folder.run(...verify, 'c.pem').toString()).toContain('OK');
  });

  test('reads and verifies a request, challenge included', () => {
    folder.file('csr', buildCsr({ subject: [['CN', 'x']], keyPair, challengePassword: 'once' }));
    const text = folder.run('req', '-inform', 'DER', '-in', 'csr', '-noout', '-text', '-verify').toString();
    expect(text).toMatch(/challengePassword\s*:\s*once/);
    expect(text).toContain('Subject: CN = x');
  });

  test('its own request, with requested extensions, is read', () => {
    folder.file(
      'req.cnf',
      '[req]\nprompt=no\ndistinguished_name=dn\nattributes=at\nreq_extensions=ex\n[dn]\nCN=x\nOU=y\n[at]\nchallengePassword=secret\n[ex]\nkeyUsage=digitalSignature\n',
    );
    const make = ['req', '-new', '-config', 'req.cnf', '-key', 'key.pem', '-outform', 'DER'];
    for (const digest of ['-sha1', '-sha256', '-sha512']) {
      expect(readCsr(folder.run(...make, digest))).toMatchObject({
        subject: [
          ['CN', 'x'],
          ['OU', 'y'],
        ],
        challengePassword: 'secret',
      });
    }
  });

  test.each([
    ['modern', []],
    ['old', ['-legacy', '-certpbe', 'PBE-SHA1-RC2-40', '-keypbe', 'PBE-SHA1-3DES']],
  ] as const)('a PKCS #12 file (%s) gives the key and its certificate, not the chain', (_age, options) => {
    const subject = [['UID', 'com.apple.mgmt.External.1']] as const;
    const push = authority.issue({ ...CLIENT, subject, publicKey: keyPair.publicKey });
    folder.file('push.pem', push.pem);
    let p12: Buffer;
    try {
      p12 = folder.run(
        ...['pkcs12', '-export', '-in', 'push.pem', '-inkey', 'key.pem', '-certfile', 'ca.pem'],
        ...['-passout', 'pass:w0rd', ...options],
      );
    } catch {
      console.log('This openssl cannot write old PKCS #12 files: that case is left out.');
      return;
    }
    const { certificatePem, privateKeyPem } = readPkcs12(p12, 'w0rd');
    expect(readCertificate(certificatePem).der).toEqual(push.der);
    expect(createPrivateKey(privateKeyPem).equals(keyPair.privateKey)).toBe(true);
    expect(() => readPkcs12(p12, 'wrong')).toThrow('certificate.unreadable');
  });

  test('all certificates of a PEM file are read', () => {
    folder.run(
      'req',
      '-x509',
      '-key',
      'key.pem',
      '-subj',
      '/O=Ü/CN=x',
      '-utf8',
      '-days',
      '1',
      '-out',
      'x.pem',
    );
    const both = `junk\n${folder.run('x509', '-text', '-in', 'x.pem').toString()}\n${authority.certificate.pem}`;
    expect(readCertificates(both).map(({ subject }) => subject)).toEqual([
      'CN=x,O=Ü',
      authority.certificate.subject,
    ]);
  });
});
