// Proof of possession (DPoP, RFC 9449): a token is bound to a key of Odette's, and every request that uses it is signed with that key.
import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import { z } from 'zod';
import { readJson, type HttpResponse } from './guarded-http.ts';

const ALGORITHM = 'ES256';

/** As JSON: the processes of an integration share it with the token, sealed. */
export type DpopKey = JWK;

export async function newDpopKey(): Promise<DpopKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  return exportJWK(privateKey);
}

/**
 * RFC 9449 §4.2. `accessToken`: the one that goes along (its hash is the `ath`); absent at the token endpoint. `nonce`: what the server
 * gave last.
 */
export async function dpopProof(proof: {
  readonly key: DpopKey;
  readonly method: string;
  readonly url: URL;
  readonly nonce?: string | undefined;
  readonly accessToken?: string;
}): Promise<string> {
  const { key, method, url, nonce, accessToken } = proof;
  const { kty, crv, x, y } = key;
  const claims = {
    htm: method,
    // Without query and fragment.
    htu: `${url.origin}${url.pathname}`,
    ...(nonce !== undefined && { nonce }),
    ...(accessToken !== undefined && { ath: createHash('sha256').update(accessToken).digest('base64url') }),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ typ: 'dpop+jwt', alg: ALGORITHM, jwk: { kty: kty ?? 'EC', crv, x, y } as JWK })
    .setIssuedAt()
    .setJti(crypto.randomUUID())
    .sign(await importJWK(key, ALGORITHM));
}

const Refusal = z.object({ error: z.string() });

/** What a refused request lacks: the proof itself, or the nonce that came with the refusal; undefined: neither. */
export function lackedProof(response: HttpResponse): { readonly nonce?: string } | undefined {
  if (response.status !== 400 && response.status !== 401) return undefined;
  const read = Refusal.safeParse(readJson(response));
  const told = response.headers['www-authenticate'] ?? '';
  const error = read.success ? read.data.error : /\berror="?([a-z_]+)/.exec(told)?.[1];
  const nonce = response.headers['dpop-nonce'];
  if (error === 'use_dpop_nonce' && typeof nonce === 'string' && nonce !== '') return { nonce };
  return error === 'invalid_dpop_proof' ? {} : undefined;
}
