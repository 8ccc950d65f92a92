// The key pair of a tenant's own "API Services" app: Odette keeps the private half, the admin pastes the public JWK into Okta.
import { createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, importPKCS8, SignJWT } from 'jose';

export interface PublicJwk {
  readonly kty: 'RSA';
  readonly n: string;
  readonly e: string;
  readonly kid: string;
  readonly alg: 'RS256';
  readonly use: 'sig';
}

export interface AppKey {
  readonly privateKeyPem: string; // PKCS#8
  readonly publicJwk: PublicJwk;
  /** RFC 7638 thumbprint, so that the same key always has the same id. */
  readonly keyId: string;
}

export async function newAppKey(): Promise<AppKey> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const keyId = await calculateJwkThumbprint({ kty: 'RSA', n, e });
  return {
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicJwk: { kty: 'RSA', n, e, kid: keyId, alg: 'RS256', use: 'sig' },
    keyId,
  };
}

/** The id under which Okta knows the public half of a stored private key. */
export async function keyIdOf(privateKeyPem: string): Promise<string> {
  const { n = '', e = '' } = createPublicKey(privateKeyPem).export({ format: 'jwk' });
  return calculateJwkThumbprint({ kty: 'RSA', n, e });
}

const ASSERTION_SECONDS = 5 * 60;

/** RFC 7523 client assertion. Okta takes at most one hour; five minutes are enough for one token. */
export async function clientAssertion(app: {
  readonly clientId: string;
  readonly privateKeyPem: string;
  readonly keyId: string;
  readonly audience: string;
}): Promise<string> {
  const key = await importPKCS8(app.privateKeyPem, 'RS256');
  return new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', kid: app.keyId })
    .setIssuer(app.clientId)
    .setSubject(app.clientId)
    .setAudience(app.audience)
    .setIssuedAt()
    .setExpirationTime(`${ASSERTION_SECONDS}s`)
    .setJti(crypto.randomUUID())
    .sign(key);
}
