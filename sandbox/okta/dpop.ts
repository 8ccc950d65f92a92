// DPoP proofs as a pretend tenant checks them (RFC 9449 §4.3): of its own key, for this request, for this token, and once.
import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';

const MAX_AGE_SECONDS = 300;

export type ProofFault = 'missing' | 'invalid' | 'nonce';

export class DpopProofs {
  /** Ids of proofs that were used, with the time until which they would be good, in seconds since 1970. */
  readonly #used = new Map<string, number>();

  /**
   * By real time, not the sandbox's: the clients' clocks do not move with it.
   * @param wanted.nonce the one that the proof must hold; `wanted.token` the access token that goes along
   * @returns the thumbprint of the key that signed it, or what is wrong
   */
  async check(
    header: string | string[] | undefined,
    wanted: {
      readonly method: string;
      readonly url: string;
      readonly nonce?: string;
      readonly token?: string;
    },
  ): Promise<{ readonly thumbprint: string } | { readonly fault: ProofFault }> {
    if (typeof header !== 'string') return { fault: 'missing' };
    try {
      const { payload, protectedHeader } = await jwtVerify(header, EmbeddedJWK, {
        typ: 'dpop+jwt',
        algorithms: ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'],
        requiredClaims: ['jti', 'htm', 'htu', 'iat'],
        maxTokenAge: MAX_AGE_SECONDS,
      });
      const { jti = '', htm, htu, ath, nonce } = payload;
      const hash = wanted.token && createHash('sha256').update(wanted.token).digest('base64url');
      if (htm !== wanted.method || htu !== wanted.url || ath !== hash) return { fault: 'invalid' };
      if (protectedHeader.jwk === undefined || 'd' in protectedHeader.jwk) return { fault: 'invalid' };
      if (wanted.nonce !== undefined && nonce !== wanted.nonce) return { fault: 'nonce' };
      const now = Date.now() / 1_000;
      for (const [id, until] of this.#used) if (until < now) this.#used.delete(id);
      if (this.#used.has(jti)) return { fault: 'invalid' };
      this.#used.set(jti, now + 2 * MAX_AGE_SECONDS);
      return { thumbprint: await calculateJwkThumbprint(protectedHeader.jwk) };
    } catch {
      return { fault: 'invalid' };
    }
  }
}
