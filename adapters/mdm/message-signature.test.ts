// Signatures of device messages: both forms that devices use are accepted, and nothing else is.
import { createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OpensslFolder, hasOpenssl } from '../../test/openssl.ts';
import { recordedMessage } from '../../test/recorded-message.ts';
import { CertificateAuthority, newRsaKeyPair, type KeyAndCertificate } from '../pki/certificate-authority.ts';
import { readCertificate, wasIssuedBy } from '../pki/certificate.ts';
import { signDetached } from '../pki/cms.ts';
import { readSignedData } from '../pki/signed-data.ts';
import { readClientCertHeader, readMdmSignature } from './message-signature.ts';

const BODY = Buffer.from(
  '<?xml version="1.0"?><plist version="1.0"><dict><key>Status</key><string>Idle</string></dict></plist>',
);

function withOneByteChanged(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(at) ^ 0x01, at);
  return changed;
}

const REFUSED = 'mdm.signature_refused';

describe.skipIf(!hasOpenssl)('signatures made by openssl', () => {
  const folder = new OpensslFolder();
  // As real devices sign, recipe with openssl: indefinite lengths, SHA-1, no attributes, a certificate without a subject.
  const AS_DEVICES = ['-binary', '-noattr', '-md', 'sha1', '-stream', '-outform', 'DER'];
  const WITH_ATTRIBUTES = ['-binary', '-md', 'sha256', '-outform', 'DER'];
  const signatures: Record<string, Buffer> = {};

  beforeAll(() => {
    folder.run(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/', '-days', '2'],
      ...['-keyout', 'k.pem', '-out', 'c.pem'],
    );
    folder.file('body', BODY);
    const sign = (...form: string[]) =>
      folder.run('cms', '-sign', ...form, '-signer', 'c.pem', '-inkey', 'k.pem', '-in', 'body');
    signatures['as real devices sign'] = sign(...AS_DEVICES);
    signatures['with attributes'] = sign(...WITH_ATTRIBUTES);
    signatures['by key identifier'] = sign('-keyid', ...WITH_ATTRIBUTES);
    signatures['with SHA-384, without attributes'] = sign(
      '-noattr',
      '-binary',
      '-md',
      'sha384',
      '-outform',
      'DER',
    );
  });
  afterAll(() => {
    folder.remove();
  });
  const named = (form: string): Buffer => signatures[form] ?? Buffer.alloc(0);

  const forms = [
    'as real devices sign',
    'with attributes',
    'by key identifier',
    'with SHA-384, without attributes',
  ];
  test.each(forms)('%s: accepted, and refused with one changed byte', (form) => {
    const signature = named(form);
    const own = readCertificate(folder.run('x509', '-in', 'c.pem', '-outform', 'DER'));
    const header = signature.toString('base64');
    expect(verified(header, BODY).fingerprint).toEqual(own.fingerprint);
    for (let at = 0; at < BODY.length; at += 13) {
      expect(() => verified(header, withOneByteChanged(BODY, at))).toThrow(REFUSED);
    }
    expect(() => verified(header, Buffer.concat([BODY, Buffer.from('\n')]))).toThrow(REFUSED);
    const last = withOneByteChanged(signature, signature.length - 20).toString('base64');
    expect(() => verified(last, BODY)).toThrow(REFUSED);
  });

  test('the forms are what they claim to be', () => {
    const asDevices = named('as real devices sign');
    expect(asDevices.subarray(0, 2)).toEqual(Buffer.from([0x30, 0x80]));
    expect(readSignedData(asDevices).signer).toMatchObject({ digest: 'sha1', attributes: undefined });
    expect(readSignedData(named('with attributes')).signer).toMatchObject({ digest: 'sha256' });
    expect(readSignedData(named('with attributes')).signer?.attributes?.size).toBeGreaterThan(1);
  });

  test('attributes that are signed well but name another body are refused', () => {
    folder.file('other', Buffer.from('another body'));
    const signature = folder.run(
      ...['cms', '-sign', ...WITH_ATTRIBUTES, '-signer', 'c.pem', '-inkey', 'k.pem', '-in', 'other'],
    );
    expect(() => verified(signature.toString('base64'), BODY)).toThrow(REFUSED);
  });

  test('a signature that repeats the body is accepted, one that carries another content is refused', () => {
    folder.file('other', Buffer.from('another body'));
    const attached = (content: string) =>
      folder
        .run(
          ...['cms', '-sign', '-nodetach', ...WITH_ATTRIBUTES],
          ...['-signer', 'c.pem', '-inkey', 'k.pem', '-in', content],
        )
        .toString('base64');
    expect(verified(attached('body'), BODY).subject).toBe('');
    expect(() => verified(attached('other'), BODY)).toThrow(REFUSED);
  });

  test('openssl verifies both forms that simulated devices sign', () => {
    const pem = folder.run('x509', '-in', 'c.pem').toString();
    const key = folder.run('pkcs8', '-topk8', '-nocrypt', '-in', 'k.pem').toString();
    const signer: KeyAndCertificate = {
      certificate: readCertificate(pem),
      privateKey: createPrivateKey(key),
    };
    for (const form of ['no-attributes-sha1', 'attributes-sha256'] as const) {
      const signature = signDetached(BODY, signer, form);
      const header = signature.toString('base64');
      expect(verified(header, BODY).subject).toBe('');
      expect(() => verified(header, withOneByteChanged(BODY, 40))).toThrow(REFUSED);
      expect(readSignedData(signature).content).toBeUndefined();
      folder.file('signature', signature);
      const verify = ['cms', '-verify', '-binary', '-inform', 'DER', '-in', 'signature', '-noverify'];
      expect(folder.run(...verify, '-content', 'body')).toEqual(BODY);
      if (form === 'no-attributes-sha1') expect(signature.subarray(0, 2)).toEqual(Buffer.from([0x30, 0x80]));
    }
  });
});

test("a real device's signature is read, and does not fit another body", () => {
  const header = recordedMessage('nanomdm/mdm-signature-ber-sha1.b64').toString();
  const { signer } = readSignedData(Buffer.from(header, 'base64'));
  expect(signer).toMatchObject({ digest: 'sha1', attributes: undefined });
  expect(signer?.certificate).toMatchObject({ subject: '', issuer: 'CN=MDM CA,DC=Gusto,DC=com' });
  expect(signer?.certificate.notAfter.toISOString()).toMatch(/^2022-09-18/);
  expect(() => verified(header, BODY)).toThrow(REFUSED);
});

const verified = (header: string, body: Uint8Array) => {
  const { signer, check } = readMdmSignature(header);
  check(body);
  return signer;
};

describe('who signed', () => {
  const [notBefore, notAfter] = [new Date(Date.now() - 3_600_000), new Date(Date.now() + 86_400_000)];
  const client = { subject: [['CN', 'device']], notBefore, notAfter, use: 'client' } as const;
  let authority: CertificateAuthority;
  let impostor: CertificateAuthority;
  let publicKey: Awaited<ReturnType<typeof newRsaKeyPair>>['publicKey'];

  beforeAll(async () => {
    const options = { commonName: 'Odette identity authority', notBefore, notAfter };
    [authority, impostor] = await Promise.all([
      CertificateAuthority.create(options),
      CertificateAuthority.create(options),
    ]);
    ({ publicKey } = await newRsaKeyPair());
  });

  test('an authority knows its own certificates from those of one with the same name', () => {
    const own = authority.issue({ ...client, publicKey });
    const foreign = impostor.issue({ ...client, publicKey });
    expect(wasIssuedBy(own, authority.certificate, new Date())).toBe(true);
    expect(wasIssuedBy(foreign, authority.certificate, new Date())).toBe(false);
    expect(wasIssuedBy(own, own, new Date())).toBe(false);
    expect(wasIssuedBy(own, authority.certificate, new Date(notAfter.getTime() + 1000))).toBe(false);
    expect(wasIssuedBy(own, authority.certificate, new Date(notBefore.getTime() - 1000))).toBe(false);
  });

  test('the certificate that a proxy passes on is read (RFC 9440)', () => {
    const own = authority.issue({ ...client, publicKey });
    expect(readClientCertHeader(`:${own.der.toString('base64')}:`).serialNumber).toBe(own.serialNumber);
    for (const bad of ['', '::', own.der.toString('base64'), ':AAAA:', ':!:', encodeURIComponent(own.pem)]) {
      expect(() => readClientCertHeader(bad)).toThrow(REFUSED);
    }
  });
});

test.each([
  '',
  '!',
  'AAAA',
  Buffer.alloc(40_000).toString('base64'),
  Buffer.from('0\x80').toString('base64'),
])('a header that is no signature is refused (%#)', (header) => {
  expect(() => verified(header, BODY)).toThrow(REFUSED);
});
