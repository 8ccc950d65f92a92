// A SCEP client as macOS is one (RFC 8894): the message is signed by a key made for it, "CN=MDM SCEP SIGNER, C=US", with SHA-1
// and six signed attributes; what it carries is encrypted with 3DES.
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import type { OpensslFolder } from '../openssl.ts';
import { encode } from './der.ts';
import { type Identity, pkiMessage, readCertRep } from './scep-message.ts';
import type { Web } from './web.ts';

const YEAR_MS = 365 * 86_400_000;

/** What the payload com.apple.security.scep asks for. */
export interface ScepOrder {
  readonly url: string;
  /** RDNs of [type, value] pairs. */
  readonly subject: readonly (readonly (readonly [string, string])[])[];
  readonly challenge: string;
  readonly keySize: number;
  /** 1 signs, 4 encrypts, 5 does both. */
  readonly keyUsage: number;
  readonly name?: string | undefined;
}

interface KeyPair {
  readonly publicKey: string;
  readonly privateKey: string;
}
const newKeyPair = (bits: number): KeyPair =>
  generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

/** @throws ScepFailure when the server refuses, Error when it breaks the protocol */
export async function requestCertificate(
  order: ScepOrder,
  web: Web,
  openssl: OpensslFolder,
): Promise<Identity> {
  const authorities = await authoritiesOf(order, web, openssl);
  const recipient = authorities.find(mayReceive) ?? authorities[0];
  if (recipient === undefined) throw new Error('GetCACert brought no certificate');
  const capabilities = (await web.get(`${order.url}?operation=GetCACaps`)).body.toString().split(/\s+/);
  const [own, request] = [newKeyPair(2048), newKeyPair(order.keySize)];
  const signer = scepSigner(own);
  const senderNonce = randomBytes(16);
  const transactionId = createHash('sha1').update(own.publicKey).digest('hex').toUpperCase();
  openssl.file('recipient.pem', recipient.toString());
  openssl.file('request.der', certificateRequest(order, request));
  const encrypt = ['cms', '-encrypt', '-binary', '-des3', '-in', 'request.der', '-outform', 'DER'];
  const envelope = openssl.run(...encrypt, 'recipient.pem');
  const message = pkiMessage({ envelope, signer, senderNonce, transactionId });
  const mayPost = capabilities.includes('POSTPKIOperation') || capabilities.includes('SCEPStandard');
  const response = mayPost
    ? await web.post(`${order.url}?operation=PKIOperation`, message, 'application/x-pki-message')
    : await web.get(
        `${order.url}?operation=PKIOperation&message=${encodeURIComponent(message.toString('base64'))}`,
      );
  if (response.status !== 200) throw new Error(`PKIOperation: ${response.status}`);
  const encrypted = readCertRep(response.body, { authorities, senderNonce, transactionId });
  openssl.file('response.der', encrypted);
  openssl.file('signer.pem', `${signer.certificate}\n${signer.privateKey}`);
  const decrypt = ['cms', '-decrypt', '-inform', 'DER', '-in', 'response.der', '-binary'];
  openssl.file('issued.der', openssl.run(...decrypt, '-recip', 'signer.pem', '-inkey', 'signer.pem'));
  const issued = certificatesIn(openssl, 'issued.der').find((one) =>
    one.publicKey.equals(createPublicKey(request.publicKey)),
  );
  if (issued === undefined) throw new Error('no certificate for the key of the request');
  return { certificate: issued.toString(), privateKey: request.privateKey };
}

function certificatesIn(openssl: OpensslFolder, file: string): X509Certificate[] {
  const printed = openssl.run('pkcs7', '-inform', 'DER', '-in', file, '-print_certs').toString();
  const pems = printed.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return pems.map((pem) => new X509Certificate(pem));
}

/** One certificate, or those of the authority and of who registers for it (RFC 8894 §4.2.1). */
async function authoritiesOf(
  { url, name = '' }: ScepOrder,
  web: Web,
  openssl: OpensslFolder,
): Promise<X509Certificate[]> {
  const response = await web.get(`${url}?operation=GetCACert&message=${encodeURIComponent(name)}`);
  if (response.status !== 200) throw new Error(`GetCACert: ${response.status}`);
  if (response.type === 'application/x-x509-ca-cert') return [new X509Certificate(response.body)];
  if (response.type !== 'application/x-x509-ca-ra-cert') throw new Error(`GetCACert: ${response.type}`);
  openssl.file('authorities.der', response.body);
  return certificatesIn(openssl, 'authorities.der');
}

/** Where there are several, that of the registration authority which may encrypt keys. */
function mayReceive(certificate: X509Certificate): boolean {
  const usage = forge.pki.certificateFromPem(certificate.toString()).getExtension('keyUsage');
  return !certificate.ca && (usage as { keyEncipherment?: boolean } | undefined)?.keyEncipherment === true;
}

function scepSigner(pair: KeyPair): Identity {
  const certificate = forge.pki.createCertificate();
  const names = [
    { shortName: 'CN', value: 'MDM SCEP SIGNER' },
    { shortName: 'C', value: 'US' },
  ];
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(Date.now() - 86_400_000);
  certificate.validity.notAfter = new Date(Date.now() + YEAR_MS);
  certificate.setSubject(names);
  certificate.setIssuer(names);
  certificate.setExtensions([{ name: 'keyUsage', digitalSignature: true, keyEncipherment: true }]);
  certificate.sign(forge.pki.privateKeyFromPem(pair.privateKey), forge.md.sha1.create());
  return { certificate: forge.pki.certificateToPem(certificate), privateKey: pair.privateKey };
}

/** PKCS #10, DER. */
function certificateRequest({ subject, challenge, keyUsage }: ScepOrder, pair: KeyPair): Buffer {
  const csr = forge.pki.createCertificationRequest();
  csr.publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
  csr.setSubject(
    subject
      .flat()
      .map(([shortName, value]) => ({ shortName, value, valueTagClass: forge.asn1.Type.UTF8 as never })),
  );
  const usage = { digitalSignature: (keyUsage & 1) !== 0, keyEncipherment: (keyUsage & 4) !== 0 };
  csr.setAttributes([
    { name: 'challengePassword', value: challenge },
    { name: 'extensionRequest', extensions: [{ name: 'keyUsage', ...usage }] },
  ]);
  csr.sign(forge.pki.privateKeyFromPem(pair.privateKey), forge.md.sha256.create());
  return encode(forge.pki.certificationRequestToAsn1(csr));
}
