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
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const privateKeyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const publicJwk = await publicJwkOf(privateKeyPem);
  return { privateKeyPem, publicJwk, keyId: publicJwk.kid };
}

/** What the admin pastes into Okta for a stored private key. */
export async function publicJwkOf(privateKeyPem: string): Promise<PublicJwk> {
  const { n = '', e = '' } = createPublicKey(privateKeyPem).export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint({ kty: 'RSA', n, e });
  return { kty: 'RSA', n, e, kid, alg: 'RS256', use: 'sig' };
}

/** The id under which Okta knows the public half of a stored private key. */
export const keyIdOf = async (privateKeyPem: string): Promise<string> =>
  (await publicJwkOf(privateKeyPem)).kid;

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
