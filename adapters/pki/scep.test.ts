// SCEP from both sides over HTTP (RFC 8894): both kinds of algorithms, GET and POST, with and without a registration
// authority, refusals, repeated requests and tampering. Long, because both sides are built once for all of it.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OpensslFolder, hasOpenssl } from '../../test/openssl.ts';
import {
  CertificateAuthority,
  newRsaKeyPair,
  selfSign,
  type KeyAndCertificate,
  type KeyPair,
} from './certificate-authority.ts';
import { wasIssuedBy, type Certificate } from './certificate.ts';
import { buildCsr, type Csr } from './csr.ts';
import type { Algorithms } from './scep-message.ts';
import { buildPkcsReq, openPkcsReq, readCertRep, readScepRequest, transactionIdFor } from './scep-message.ts';
import { handlePkiOperation, handleScep, type ScepServer } from './scep-server.ts';
import { enrollWithScep, getCaCaps, getCaCert } from '../../test/harness/scep-client.ts';
import { verifyAttached } from './cms.ts';

const [notBefore, notAfter] = [new Date(Date.now() - 3_600_000), new Date(Date.now() + 86_400_000)];
const SUBJECT = [
  ['CN', 'C02 managementAttestation U-1'],
  ['OU', 'odette-1'],
] as const;
const MAC: Algorithms = { cipher: 'des-ede3-cbc', digest: 'sha1' };
const MODERN: Algorithms = { cipher: 'aes-256-cbc', digest: 'sha256' };

let authority: CertificateAuthority;
let registration: KeyAndCertificate;
let keyPair: KeyPair;
let signer: KeyAndCertificate;

/** Issues once for a challenge, and gives the same certificate again to the same transaction and key. */
function issuer(): { decide: ScepServer['decide']; issued: Certificate[] } {
  const known = new Map<string, Certificate>();
  const issued: Certificate[] = [];
  const decide = (csr: Csr, transactionId: string) => {
    if (csr.challengePassword !== 'once') return { refusal: 'challenge' };
    const name = `${transactionId} ${csr.publicKey.export({ type: 'spki', format: 'der' }).toString('hex')}`;
    const certificate =
      known.get(name) ??
      authority.issue({ subject: csr.subject, publicKey: csr.publicKey, notBefore, notAfter, use: 'client' });
    if (!known.has(name)) issued.push(certificate);
    known.set(name, certificate);
    return certificate;
  };
  return { decide, issued };
}

/** As recorded of macOS: a certificate for the message alone, around another key's request. */
async function macSigner(): Promise<KeyAndCertificate> {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const subject = [
    ['C', 'US'],
    ['CN', 'MDM SCEP SIGNER'],
  ] as const;
  const certificate = selfSign({ subject, publicKey, notBefore, notAfter, use: 'registration' }, privateKey);
  return { certificate, privateKey };
}

beforeAll(async () => {
  authority = await CertificateAuthority.create({ commonName: 'Okta authority', notBefore, notAfter });
  const [pair, own] = await Promise.all([newRsaKeyPair(), newRsaKeyPair()]);
  const valid = { notBefore, notAfter, use: 'registration' } as const;
  registration = {
    certificate: authority.issue({ ...valid, subject: [['CN', 'registration']], publicKey: pair.publicKey }),
    privateKey: pair.privateKey,
  };
  keyPair = own;
  const { publicKey, privateKey } = own;
  signer = { certificate: selfSign({ ...valid, subject: SUBJECT, publicKey }, privateKey), privateKey };
});

describe('over HTTP', () => {
  const requests: string[] = [];
  let listener: Server;
  let base: string;
  let server: ScepServer;
  let issued: Certificate[];
  /** What an authority of an older kind leaves out of its capabilities. */
  let hides: RegExp | undefined;

  beforeAll(async () => {
    listener = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const query = new URL(request.url ?? '', 'http://x').searchParams;
        const operation = query.get('operation') ?? undefined;
        requests.push(`${String(request.method)} ${String(operation)}`);
        const asked = {
          method: String(request.method),
          operation,
          message: query.get('message') ?? undefined,
        };
        void handleScep({ ...asked, body: Buffer.concat(chunks) }, server).then(
          ({ status, contentType, body }) => {
            const shown =
              hides && operation === 'GetCACaps' ? Buffer.from(body.toString().replace(hides, '')) : body;
            response.writeHead(status, { 'content-type': contentType }).end(shown);
          },
        );
      });
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/scep?kept=1`;
  });
  afterAll(() => {
    listener.close();
  });

  function serve(withRegistration: boolean): void {
    const { decide, issued: list } = issuer();
    server = { authority, decide, ...(withRegistration ? { registration } : {}) };
    issued = list;
    hides = undefined;
    requests.length = 0;
  }
  const enroll = (more: { challenge?: string; algorithms?: Algorithms; signer?: KeyAndCertificate } = {}) =>
    enrollWithScep({ url: base, name: 'CA', subject: SUBJECT, challenge: 'once', keyPair, ...more });

  test.each([
    ['a Mac’s algorithms', MAC, false],
    ['a Mac’s algorithms, with a registration authority', MAC, true],
    ['newer algorithms', MODERN, false],
    ['newer algorithms, with a registration authority', MODERN, true],
    ['what the authority offers', undefined, false],
  ] as const)('%s get a certificate', async (_name, algorithms, withRegistration) => {
    serve(withRegistration);
    const certificate = await enroll(algorithms ? { algorithms } : {});
    expect(certificate.organizationalUnits).toEqual(['odette-1']);
    expect(wasIssuedBy(certificate, authority.certificate, new Date())).toBe(true);
    expect(requests).toEqual(['GET GetCACaps', 'GET GetCACert', 'POST PKIOperation']);
  });

  test.each([false, true])(
    'a Mac that signs with a key of its own gets a certificate for the key of its request (registration: %s)',
    async (withRegistration) => {
      serve(withRegistration);
      const certificate = await enroll({ algorithms: MAC, signer: await macSigner() });
      expect(certificate.publicKey.equals(keyPair.publicKey)).toBe(true);
      expect(issued).toHaveLength(1);
    },
  );

  test('an authority that takes no POST is asked by GET', async () => {
    serve(false);
    hides = /POSTPKIOperation|SCEPStandard|AES/g;
    expect((await enroll()).commonName).toBe(SUBJECT[0][1]);
    expect(requests.at(-1)).toBe('GET PKIOperation');
  });

  test('a wrong challenge is badRequest', async () => {
    serve(false);
    await expect(enroll({ challenge: 'twice' })).rejects.toMatchObject({
      code: 'scep.request_refused',
      facts: { failInfo: 'badRequest' },
    });
    expect(issued).toEqual([]);
  });

  test('a repeated request of the same key gets the same certificate', async () => {
    serve(false);
    const [first, second] = [await enroll(), await enroll()];
    expect(second.serialNumber).toBe(first.serialNumber);
    expect(issued).toHaveLength(1);
  });

  test('the authority says what it can, and who it is', async () => {
    serve(true);
    expect(await getCaCaps(base)).toEqual(
      expect.arrayContaining(['AES', 'POSTPKIOperation', 'SHA-256', 'DES3']),
    );
    expect((await getCaCert(base)).map(({ commonName }) => commonName)).toEqual([
      'registration',
      'Okta authority',
    ]);
    serve(false);
    expect((await getCaCert(base)).map(({ fingerprint }) => fingerprint)).toEqual([
      authority.certificate.fingerprint,
    ]);
  });

  test('what is no SCEP message, or no known operation, is 400', async () => {
    serve(false);
    for (const query of ['PKIOperation', 'PKIOperation&message=AAAA', 'GetNextCACert', '']) {
      expect((await fetch(`${base}&operation=${query}`)).status).toBe(400);
    }
    expect((await fetch(`${base}&operation=PKIOperation`, { method: 'POST', body: 'x' })).status).toBe(400);
  });

  test('an authority that cannot be reached is told from one that refuses', async () => {
    await expect(
      enrollWithScep({ url: 'http://127.0.0.1:9/scep', subject: SUBJECT, keyPair }),
    ).rejects.toMatchObject({ code: 'scep.enrollment_failed' });
  });
});

describe('messages', () => {
  const request = (more: Partial<Parameters<typeof buildPkcsReq>[0]> = {}) =>
    buildPkcsReq({
      csr: buildCsr({ subject: SUBJECT, keyPair, challengePassword: 'once' }),
      signer,
      recipient: authority.certificate,
      transaction: { transactionId: transactionIdFor(signer.certificate), senderNonce: randomBytes(16) },
      algorithms: MODERN,
      ...more,
    });
  const expected = (der: Buffer) => ({
    transaction: readScepRequest(der),
    recipient: signer,
    authorities: [authority.certificate],
  });

  test.each([MAC, MODERN])('a response uses the algorithms of its request (%j)', async (algorithms) => {
    const der = request({ algorithms });
    const { body } = await handlePkiOperation(der, { authority, ...issuer() });
    const response = readScepRequest(body);
    expect(response).toMatchObject({ messageType: '3', digest: algorithms.digest });
    expect(openPkcsReq(readScepRequest(der), authority).cipher).toBe(algorithms.cipher);
  });

  test('a response is for its own request and from its own authority', async () => {
    const der = request();
    const { body: response } = await handlePkiOperation(der, { authority, ...issuer() });
    expect(readCertRep(response, expected(der))).toMatchObject({
      status: 'success',
      certificates: [{ organizationalUnits: ['odette-1'] }],
    });
    expect(() => readCertRep(response, expected(request()))).toThrow();
    expect(() =>
      readCertRep(response, { ...expected(der), authorities: [registration.certificate] }),
    ).toThrow();
    expect(() => readCertRep(response, { ...expected(der), recipient: registration })).toThrow();
  });

  const failureOf = async (der: Buffer) =>
    readCertRep((await handlePkiOperation(der, { authority, ...issuer() })).body, expected(der));
  const refusalOf = async (der: Buffer) =>
    (await handlePkiOperation(der, { authority, ...issuer() })).refusal;

  test('a request encrypted to somebody else is badMessageCheck', async () => {
    const der = request({ recipient: registration.certificate });
    expect(await failureOf(der)).toEqual({ status: 'failure', failInfo: 'badMessageCheck' });
    expect(await refusalOf(der)).toBe('envelope');
  });

  test('the response to a request signed by another key is for that signer alone', async () => {
    const own = await macSigner();
    const der = request({ signer: own, algorithms: MAC });
    const { body: response } = await handlePkiOperation(der, { authority, ...issuer() });
    expect(() => readCertRep(response, { ...expected(der), recipient: signer })).toThrow();
    const opened = readCertRep(response, { ...expected(der), recipient: own });
    expect(opened.status === 'success' && opened.certificates[0]?.publicKey.equals(keyPair.publicKey)).toBe(
      true,
    );
  });

  test('a request that does not prove its own key is refused, whoever signed the message', async () => {
    const other = await newRsaKeyPair();
    const csr = buildCsr({
      subject: SUBJECT,
      keyPair: { publicKey: other.publicKey, privateKey: keyPair.privateKey },
      challengePassword: 'once',
    });
    expect(await refusalOf(request({ csr, signer: await macSigner() }))).toBe('request');
  });

  test('something else than a request inside is badRequest', async () => {
    const der = request({ csr: Buffer.from('nothing') });
    expect(await failureOf(der)).toEqual({ status: 'failure', failInfo: 'badRequest' });
    expect(await refusalOf(der)).toBe('request');
  });

  test('a changed byte of the signed message is refused', async () => {
    const der = request();
    const changed = Buffer.from(der);
    changed.writeUInt8(changed.readUInt8(200) ^ 1, 200);
    expect(await handlePkiOperation(changed, { authority, ...issuer() })).toMatchObject({
      status: 400,
      refusal: 'unreadable',
    });
  });

  test('what the decision throws comes through, and is no response', async () => {
    const decide = () => Promise.reject(new Error('the database is away'));
    await expect(handlePkiOperation(request(), { authority, decide })).rejects.toThrow('away');
  });

  describe.skipIf(!hasOpenssl)('openssl', () => {
    const folder = new OpensslFolder();
    afterAll(() => {
      folder.remove();
    });

    test.each([MAC, MODERN])(
      'verifies the outside, opens the inside and reads the request (%j)',
      (algorithms) => {
        folder.file('message', request({ algorithms }));
        folder.file('ca.pem', authority.certificate.pem);
        folder.file('ca.key', authority.privateKey.export({ type: 'pkcs8', format: 'pem' }));
        const outer = folder.run('cms', '-verify', '-noverify', '-inform', 'DER', '-in', 'message');
        folder.file('envelope', outer);
        const inner = folder.run(
          ...['cms', '-decrypt', '-inform', 'DER', '-in', 'envelope', '-recip', 'ca.pem', '-inkey', 'ca.key'],
        );
        folder.file('csr', inner);
        const text = folder
          .run('req', '-inform', 'DER', '-in', 'csr', '-noout', '-text', '-verify')
          .toString();
        expect(text).toMatch(/challengePassword\s*:\s*once/);
      },
    );

    test('verifies a response and reads the certificate in it, and verifies a refusal', async () => {
      folder.file('response', (await handlePkiOperation(request(), { authority, ...issuer() })).body);
      folder.file('me.pem', signer.certificate.pem);
      folder.file('me.key', signer.privateKey.export({ type: 'pkcs8', format: 'pem' }));
      const verify = ['cms', '-verify', '-noverify', '-inform', 'DER', '-in'];
      folder.file('envelope', folder.run(...verify, 'response'));
      folder.file(
        'bundle',
        folder.run(
          ...['cms', '-decrypt', '-inform', 'DER', '-in', 'envelope', '-recip', 'me.pem', '-inkey', 'me.key'],
        ),
      );
      const printed = folder.run('pkcs7', '-inform', 'DER', '-in', 'bundle', '-print_certs').toString();
      expect(printed).toContain('OU = odette-1');

      const refused = await handlePkiOperation(request(), {
        authority,
        decide: () => ({ refusal: 'challenge' }),
      });
      const { body: refusal } = refused;
      folder.file('refusal', refusal);
      folder.file('nothing', '');
      expect(folder.run(...verify, 'refusal', '-content', 'nothing').toString()).toBe('');
      expect(() => verifyAttached(refusal)).toThrow(); // no envelope in a failure (RFC 8894 §3.3.2.2)
    });
  });
});
