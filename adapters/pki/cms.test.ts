// CMS as openssl sees it: what is signed and hidden here is read there, and the other way round; tampering is refused.
import { createPrivateKey } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OpensslFolder, hasOpenssl } from '../../test/openssl.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { setOf, integer, octetString, encode, decode, bytesOf } from './asn1.ts';
import { newRsaKeyPair, selfSign, type KeyAndCertificate } from './certificate-authority.ts';
import { readCertificate } from './certificate.ts';
import { envelope, openEnvelope, signAttached, signDetached, verifyAttached, verifyDetached } from './cms.ts';
import { CIPHERS, type Cipher } from './object-identifiers.ts';
import { certificatesOnly, readSignedData } from './signed-data.ts';

const [notBefore, notAfter] = [new Date(Date.now() - 3_600_000), new Date(Date.now() + 86_400_000)];

async function newSigner(commonName: string): Promise<KeyAndCertificate> {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const request = {
    subject: [['CN', commonName]],
    publicKey,
    notBefore,
    notAfter,
    use: 'registration',
  } as const;
  return { certificate: selfSign(request, privateKey), privateKey };
}

let one: KeyAndCertificate;
let other: KeyAndCertificate;
beforeAll(async () => {
  [one, other] = await Promise.all([newSigner('one'), newSigner('other')]);
});

const FORMS = ['attributes-sha256', 'no-attributes-sha1'] as const;

describe('signatures', () => {
  test.each(FORMS)('%s: holds for these bytes and for no others', (form) => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 300 }),
        (content, changed) => {
          fc.pre(!Buffer.from(content).equals(changed));
          const signature = signDetached(content, one, form);
          expect(verifyDetached(signature, content).commonName).toBe('one');
          expect(() => verifyDetached(signature, changed)).toThrow('mdm.signature_refused');
        },
      ),
      { numRuns: 25 },
    );
  });

  test('whichever byte is changed, another content or another signer is never taken for the signed one', () => {
    const content = Buffer.from('<plist/>');
    const signed = signAttached(content, one);
    for (let at = 0; at < signed.length; at++) {
      const changed = Buffer.from(signed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      try {
        const result = verifyAttached(changed);
        // What the signer does not sign may change: its certificate, which then is another one, and some labels.
        expect(result.content).toEqual(content);
      } catch (error) {
        if (!(error instanceof CataloguedError)) throw error;
      }
    }
  });

  test("another signer's certificate in its place is refused", () => {
    const content = Buffer.from('body');
    const signed = signDetached(content, { ...other, certificate: one.certificate }, 'attributes-sha256');
    expect(() => verifyDetached(signed, content)).toThrow('mdm.signature_refused');
  });

  test('garbage never leads to another error', () => {
    const whole = signDetached(Buffer.from('body'), one, 'no-attributes-sha1');
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(whole.length - 1), (noise, at) => {
        for (const bytes of [noise, Buffer.concat([whole.subarray(0, at), noise])]) {
          expect(() => verifyDetached(bytes, Buffer.from('body'))).toThrow(CataloguedError);
        }
      }),
    );
  });

  test('certificates alone travel in order and are signed by nobody', () => {
    const both = certificatesOnly([one.certificate, other.certificate]);
    expect(readSignedData(both).certificates.map(({ commonName }) => commonName)).toEqual(['one', 'other']);
    expect(() => verifyDetached(both, Buffer.alloc(0))).toThrow('mdm.signature_refused');
  });
});

const CIPHER_NAMES = Object.keys(CIPHERS) as Cipher[];

describe('envelopes', () => {
  test.each(CIPHER_NAMES)('%s: opened by the recipient only', (cipher) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (content) => {
        const hidden = envelope(content, one.certificate, cipher);
        expect(openEnvelope(hidden, one)).toEqual({ content: Buffer.from(content), cipher });
        expect(() => openEnvelope(hidden, other)).toThrow();
        // Addressed to this certificate, but the key is another one: wrong padding ends like any wrong key.
        expect(readsOtherwise(hidden, content)).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  function readsOtherwise(hidden: Buffer, content: Uint8Array): boolean {
    try {
      const opened = openEnvelope(hidden, { certificate: one.certificate, privateKey: other.privateKey });
      return !opened.content.equals(content);
    } catch {
      return true;
    }
  }
});

describe.skipIf(!hasOpenssl)('openssl', () => {
  const folder = new OpensslFolder();
  beforeAll(() => {
    for (const [name, { certificate, privateKey }] of Object.entries({ one, other })) {
      folder.file(`${name}.pem`, certificate.pem);
      folder.file(`${name}.key`, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    }
    folder.file('content', 'content');
  });
  afterAll(() => {
    folder.remove();
  });

  test.each(FORMS)('verifies a detached signature (%s)', (form) => {
    folder.file('signature', signDetached(Buffer.from('content'), one, form));
    const verify = ['cms', '-verify', '-binary', '-inform', 'DER', '-in', 'signature', '-content', 'content'];
    expect(folder.run(...verify, '-CAfile', 'one.pem', '-purpose', 'any').toString()).toBe('content');
  });

  test.each(CIPHER_NAMES)('opens an envelope (%s), and what it hides is opened here', (cipher) => {
    folder.file('hidden', envelope(Buffer.from('content'), one.certificate, cipher));
    const decrypt = [
      'cms',
      '-decrypt',
      '-inform',
      'DER',
      '-in',
      'hidden',
      '-recip',
      'one.pem',
      '-inkey',
      'one.key',
    ];
    expect(folder.run(...decrypt).toString()).toBe('content');
    const theirs = folder.run(
      ...['cms', '-encrypt', '-binary', `-${cipher}`, '-outform', 'DER', '-in', 'content', 'one.pem'],
    );
    expect(openEnvelope(theirs, one)).toEqual({ content: Buffer.from('content'), cipher });
    const streamed = folder.run(
      ...[
        'cms',
        '-encrypt',
        '-binary',
        '-stream',
        `-${cipher}`,
        '-outform',
        'DER',
        '-in',
        'content',
        'one.pem',
      ],
    );
    expect(openEnvelope(streamed, one).content.toString()).toBe('content');
  });

  test('what old clients hide with single DES is opened, and the response has to be in 3DES', () => {
    const encrypt = ['cms', '-encrypt', '-provider', 'legacy', '-provider', 'default', '-binary', '-des-cbc'];
    let theirs: Buffer;
    try {
      theirs = folder.run(...encrypt, '-outform', 'DER', '-in', 'content', 'one.pem');
    } catch {
      console.log('This openssl does not know single DES: that case is left out.');
      return;
    }
    expect(openEnvelope(theirs, one)).toEqual({ content: Buffer.from('content'), cipher: 'des-ede3-cbc' });
  });

  test('reads certificates that travel alone, and writes them so that they are read here', () => {
    folder.file('bundle', certificatesOnly([one.certificate, other.certificate]));
    const printed = folder.run('pkcs7', '-inform', 'DER', '-in', 'bundle', '-print_certs').toString();
    expect(printed.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    const theirs = folder.run('crl2pkcs7', '-nocrl', '-certfile', 'one.pem', '-outform', 'DER');
    expect(readSignedData(theirs).certificates[0]?.fingerprint).toEqual(one.certificate.fingerprint);
  });

  test('an elliptic-curve signer is verified', () => {
    folder.run('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ec.key');
    folder.run('req', '-x509', '-key', 'ec.key', '-subj', '/CN=ec', '-days', '2', '-out', 'ec.pem');
    const signature = folder.run(
      ...['cms', '-sign', '-binary', '-md', 'sha256', '-outform', 'DER', '-in', 'content'],
      ...['-signer', 'ec.pem', '-inkey', 'ec.key'],
    );
    expect(verifyDetached(signature, Buffer.from('content')).commonName).toBe('ec');
    expect(() => verifyDetached(signature, Buffer.from('Content'))).toThrow('mdm.signature_refused');
  });

  test('two signers, or MD5, are refused', () => {
    const sign = ['cms', '-sign', '-binary', '-outform', 'DER', '-in', 'content'];
    const first = ['-signer', 'one.pem', '-inkey', 'one.key'];
    const two = folder.run(...sign, ...first, '-signer', 'other.pem', '-inkey', 'other.key');
    const md5 = folder.run(...sign, ...first, '-md', 'md5');
    for (const signature of [two, md5]) {
      expect(() => verifyDetached(signature, Buffer.from('content'))).toThrow('mdm.signature_refused');
    }
  });

  test('verifies what an EC key signed, as the certificates of web servers have', () => {
    folder.run(
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-subj',
        '/CN=web',
        '-days',
        '2',
      ],
      ...['-keyout', 'web.key', '-out', 'web.pem'],
    );
    const certificate = readCertificate(folder.run('x509', '-in', 'web.pem'));
    const privateKey = createPrivateKey(
      folder.run('pkcs8', '-topk8', '-nocrypt', '-in', 'web.key').toString(),
    );
    const signed = signAttached(Buffer.from('content'), { certificate, privateKey });
    expect(verifyAttached(signed).signer.commonName).toBe('web');
    const verify = ['cms', '-verify', '-inform', 'DER', '-purpose', 'any', '-CAfile', 'web.pem'];
    expect(folder.run(...verify, '-in', folder.file('web.p7', signed)).toString()).toBe('content');
    const changed = Buffer.from(signed);
    changed[signed.indexOf('content')] = 0x43;
    expect(() => folder.run(...verify, '-in', folder.file('changed.p7', changed))).toThrow();
  });

  test('a key and certificate that openssl made are used here', () => {
    folder.run(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=made', '-days', '2'],
      ...['-keyout', 'made.key', '-out', 'made.pem'],
    );
    const certificate = readCertificate(folder.run('x509', '-in', 'made.pem'));
    const privateKey = createPrivateKey(
      folder.run('pkcs8', '-topk8', '-nocrypt', '-in', 'made.key').toString(),
    );
    const signed = signAttached(Buffer.from('content'), { certificate, privateKey });
    expect(verifyAttached(signed).signer.commonName).toBe('made');
  });
});

describe('the encoding', () => {
  test('the elements of a set stand in the order that DER asks for', () => {
    expect(encode(setOf(octetString(Buffer.from('b')), integer(1), octetString(Buffer.from('a'))))).toEqual(
      encode(setOf(integer(1), octetString(Buffer.from('a')), octetString(Buffer.from('b')))),
    );
  });

  test('a string in pieces is joined', () => {
    const pieces = Buffer.from('2480040161040162040163' + '0000', 'hex');
    expect(bytesOf(decode(pieces)).toString()).toBe('abc');
  });

  test('more than one value, or half of one, is refused', () => {
    expect(() => decode(Buffer.from('020101020102', 'hex'))).toThrow();
    expect(() => decode(Buffer.from('0402ff', 'hex'))).toThrow();
  });
});
